"""Keras 3 twin of keras1_functional_merge.py."""

from keras import Input, Model
from keras.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    add,
    concatenate,
    multiply,
)


def conv_factory(x, filters, strides=(1, 1)):
    x = BatchNormalization(axis=-1)(x)
    x = Activation("relu")(x)
    return Conv2D(filters, (3, 3), padding="same", strides=strides, use_bias=False)(x)


img_input = Input((32, 32, 3), name="image")
x = Conv2D(8, (5, 5), padding="same", strides=(2, 2))(img_input)
branch1 = conv_factory(x, 8)
branch2 = conv_factory(conv_factory(x, 8), 8)
x = concatenate([branch1, branch2, x], axis=-1)
shortcut = Conv2D(16, (1, 1), strides=(2, 2), padding="same")(x)
x = add([conv_factory(x, 16, strides=(2, 2)), shortcut])
gate = Conv2D(16, (1, 1), activation="sigmoid")(x)
x = multiply([x, gate])
x = AveragePooling2D((2, 2), padding="same")(x)
x = Dropout(0.2)(Flatten()(x))
model = Model(img_input, Dense(10, activation="softmax")(x))
