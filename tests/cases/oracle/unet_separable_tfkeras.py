"""Keras 3 twin of unet_separable_tfkeras.py."""

import keras
from keras import layers

inputs = keras.Input((64, 64, 3))
x = layers.Conv2D(16, 3, strides=2, padding="same")(inputs)
x = layers.BatchNormalization()(x)
x = layers.Activation("relu")(x)
previous = x
for filters in (24, 32):
    for _ in range(2):
        x = layers.Activation("relu")(x)
        x = layers.SeparableConv2D(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    previous = layers.Conv2D(filters, 1, strides=2, padding="same")(previous)
    x = previous = layers.add([x, previous])
for filters in (32, 24, 16):
    for _ in range(2):
        x = layers.Activation("relu")(x)
        x = layers.Conv2DTranspose(filters, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
    x = layers.UpSampling2D(2)(x)
    previous = layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(previous))
    x = previous = layers.add([x, previous])
model = keras.Model(inputs, layers.Conv2D(3, 3, activation="softmax", padding="same")(x))
