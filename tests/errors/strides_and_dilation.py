"""Strides and a dilation at once, which Keras refuses.

expect: strides_and_dilation.py:10
expect: Conv2D
expect: dilation_rate
"""
from keras import Input, Model, layers

image = Input((32, 32, 3))
x = layers.Conv2D(8, 3, strides=2, dilation_rate=2)(image)
model = Model(image, x)
