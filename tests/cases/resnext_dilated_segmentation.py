"""Grouped convolutions and an atrous pyramid: groups=, dilation_rate=, bilinear UpSampling2D.

k2t: level=1
k2t: train=no
"""
import keras
from keras import layers


def convolution_block(block_input, num_filters=32, kernel_size=3, dilation_rate=1, use_bias=False):
    x = layers.Conv2D(
        num_filters,
        kernel_size=kernel_size,
        dilation_rate=dilation_rate,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=keras.initializers.HeNormal(),
    )(block_input)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x)


def resnext_block(x, filters, strides=1, groups=4):
    shortcut = layers.Conv2D(filters, 1, strides=strides)(x)
    x = layers.Conv2D(filters, 1, activation="relu")(x)
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", groups=groups, activation="relu")(x)
    x = layers.Conv2D(filters, 1)(x)
    return layers.Activation("relu")(layers.Add()([x, shortcut]))


def dilated_spatial_pyramid_pooling(dspp_input):
    dims = dspp_input.shape
    x = layers.AveragePooling2D(pool_size=(dims[-3], dims[-2]))(dspp_input)
    x = convolution_block(x, kernel_size=1, use_bias=True)
    out_pool = layers.UpSampling2D(
        size=(dims[-3] // x.shape[1], dims[-2] // x.shape[2]),
        interpolation="bilinear",
    )(x)

    out_1 = convolution_block(dspp_input, kernel_size=1, dilation_rate=1)
    out_6 = convolution_block(dspp_input, kernel_size=3, dilation_rate=2)
    out_12 = convolution_block(dspp_input, kernel_size=3, dilation_rate=4)

    x = layers.Concatenate(axis=-1)([out_pool, out_1, out_6, out_12])
    return convolution_block(x, kernel_size=1)


def DeeplabLike(image_size, num_classes):
    model_input = keras.Input(shape=(image_size, image_size, 3))
    x = layers.Conv2D(16, 7, strides=2, padding="same", activation="relu")(model_input)
    low = resnext_block(x, 16)
    x = resnext_block(low, 32, strides=2)
    x = dilated_spatial_pyramid_pooling(x)

    input_a = layers.UpSampling2D(
        size=(low.shape[1] // x.shape[1], low.shape[2] // x.shape[2]), interpolation="bilinear"
    )(x)
    input_b = convolution_block(low, num_filters=8, kernel_size=1)
    x = layers.Concatenate(axis=-1)([input_a, input_b])
    x = convolution_block(x)
    x = layers.UpSampling2D(size=(2, 2), interpolation="bilinear")(x)
    model_output = layers.Conv2D(num_classes, kernel_size=(1, 1), padding="same")(x)
    return keras.Model(inputs=model_input, outputs=model_output)


model = DeeplabLike(image_size=48, num_classes=5)
model.summary()
