"""A residual sum of unequal widths.

expect: add_of_unequal_shapes.py:16
expect: Add
expect: 32
expect: 64
"""
import keras
from keras import layers


def residual_block(x, filters):
    shortcut = x
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(filters, 3, padding="same")(x)
    return layers.Add()([x, shortcut])


inputs = keras.Input((16, 16, 32))
x = residual_block(inputs, 32)
x = residual_block(x, 64)
model = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
