"""A function of the script raises; the message gives the text and the line of the raise.

expect: raises_in_function.py:13
expect: ValueError
expect: depth should be 6n+2
"""
from keras.layers import Conv2D, Input
from keras.models import Model


def resnet(depth):
    if (depth - 2) % 6 != 0:
        raise ValueError("depth should be 6n+2, e.g. 20 or 32")
    x = inputs = Input((32, 32, 3))
    for _ in range(depth):
        x = Conv2D(16, 3, padding="same")(x)
    return Model(inputs, x)


model = resnet(depth=21)
model.compile("adam", "mse")
