"""--model names a variable that is not there: the message lists those that are.

k2t: model=decoder
expect: decoder
expect: encoder
expect: autoencoder
"""
from keras import Input, Model, layers

image = Input((64,))
code = layers.Dense(4)(image)
encoder = Model(image, code)
autoencoder = Model(image, layers.Dense(64)(code))
