"""A data format that Keras does not have.

expect: unknown_data_format.py:9
expect: channel_first
"""
from keras import Input, Model, layers

image = Input((3, 32, 32))
x = layers.Conv2D(8, 3, data_format="channel_first")(image)
model = Model(image, x)
