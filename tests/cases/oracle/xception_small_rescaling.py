"""Keras 3 twin of xception_small_rescaling.py."""

import keras
from keras import layers

inputs = keras.Input((72, 72, 3))
x = layers.Rescaling(1.0 / 255)(inputs)
x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
x = layers.BatchNormalization()(x)
x = layers.Activation("relu")(x)
previous = x
for size in (24, 32):
    for _ in range(2):
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(size, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    residual = layers.Conv2D(size, 1, strides=2, padding="same")(previous)
    x = previous = layers.add([x, residual])
x = layers.SeparableConv2D(40, 3, padding="same")(x)
x = layers.BatchNormalization()(x)
x = layers.Activation("relu")(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.25)(x)
model = keras.Model(inputs, layers.Dense(1)(x))
