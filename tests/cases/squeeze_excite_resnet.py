"""Squeeze-and-excitation blocks in a pre-activation residual net.

k2t: level=1
k2t: model=build_se_resnet
k2t: train=no
"""
from tensorflow.keras import Input, Model, regularizers
from tensorflow.keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    Reshape,
    add,
    multiply,
)

weight_decay = 1e-4


def squeeze_excite_block(tensor, ratio=8):
    filters = tensor.shape[-1]
    se = GlobalAveragePooling2D()(tensor)
    se = Reshape((1, 1, filters))(se)
    se = Dense(filters // ratio, activation="relu", kernel_initializer="he_normal", use_bias=False)(se)
    se = Dense(filters, activation="sigmoid", kernel_initializer="he_normal", use_bias=False)(se)
    return multiply([tensor, se])


def pre_activation_block(tensor, filters, strides=(1, 1)):
    init = tensor
    x = BatchNormalization(axis=-1)(tensor)
    x = Activation("relu")(x)
    if strides != (1, 1) or init.shape[-1] != filters:
        init = Conv2D(
            filters, (1, 1), padding="same", strides=strides, use_bias=False,
            kernel_initializer="he_normal", kernel_regularizer=regularizers.l2(weight_decay),
        )(x)
    x = Conv2D(
        filters, (3, 3), padding="same", strides=strides, use_bias=False,
        kernel_initializer="he_normal", kernel_regularizer=regularizers.l2(weight_decay),
    )(x)
    x = BatchNormalization(axis=-1)(x)
    x = Activation("relu")(x)
    x = Conv2D(
        filters, (3, 3), padding="same", use_bias=False,
        kernel_initializer="he_normal", kernel_regularizer=regularizers.l2(weight_decay),
    )(x)
    x = squeeze_excite_block(x)
    return add([x, init])


def build_se_resnet(input_shape=(32, 32, 3), depth=(2, 2), filters=(16, 32), classes=10):
    image = Input(shape=input_shape)
    x = Conv2D(filters[0], (3, 3), padding="same", use_bias=False, kernel_initializer="he_normal")(image)
    for stage, (blocks, width) in enumerate(zip(depth, filters)):
        for block in range(blocks):
            x = pre_activation_block(x, width, strides=(2, 2) if stage and not block else (1, 1))
    x = BatchNormalization(axis=-1)(x)
    x = Activation("relu")(x)
    x = GlobalAveragePooling2D()(x)
    x = Dense(classes, use_bias=False, activation="softmax")(x)
    return Model(image, x, name="se_resnet")
