"""A padding that Keras does not have.

expect: unknown_padding.py:10
expect: Conv2D
expect: reflect
"""
from keras import Input, Model, layers

image = Input((32, 32, 3))
x = layers.Conv2D(8, 3, padding="reflect")(image)
model = Model(image, x)
