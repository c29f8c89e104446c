"""A function that calls itself without end.

expect: RecursionError
expect: endless_recursion.py:
"""
from keras import Input, Model, layers


def pyramid(x, filters):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    return pyramid(x, filters)


image = Input((8, 8, 3))
model = Model(image, pyramid(image, 4))
