"""Keras 3 twin of mini_xception_emotions_keras2.py."""

from keras import Model, layers
from keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
    SeparableConv2D,
)

img_input = Input((48, 48, 1))
x = img_input
for _ in range(2):
    x = Conv2D(8, (3, 3), use_bias=False)(x)
    x = BatchNormalization()(x)
    x = Activation("relu")(x)
for filters in (16, 32):
    residual = Conv2D(filters, (1, 1), strides=(2, 2), padding="same", use_bias=False)(x)
    residual = BatchNormalization()(residual)
    x = SeparableConv2D(filters, (3, 3), padding="same", use_bias=False)(x)
    x = BatchNormalization()(x)
    x = Activation("relu")(x)
    x = SeparableConv2D(filters, (3, 3), padding="same", use_bias=False)(x)
    x = BatchNormalization()(x)
    x = MaxPooling2D((3, 3), strides=(2, 2), padding="same")(x)
    x = layers.add([x, residual])
x = Conv2D(7, (3, 3), padding="same")(x)
x = GlobalAveragePooling2D()(x)
model = Model(img_input, Activation("softmax", name="predictions")(x))
