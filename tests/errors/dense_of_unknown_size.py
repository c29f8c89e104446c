"""A Dense after Flatten of images whose size is not known.

expect: dense_of_unknown_size.py:12
expect: Dense
expect: None
"""
from keras import Input, Model, layers

image = Input((None, None, 3))
x = layers.Conv2D(8, 3, padding="same")(image)
x = layers.Flatten()(x)
x = layers.Dense(10)(x)
model = Model(image, x)
