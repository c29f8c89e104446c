"""Keras 3 twin of unet_keras2.py."""

from keras import Model
from keras.layers import Conv2D, Dropout, Input, MaxPooling2D, UpSampling2D, concatenate


def conv(filters, size, x):
    return Conv2D(filters, size, activation="relu", padding="same", kernel_initializer="he_normal")(
        x
    )


inputs = Input((64, 64, 1))
conv1 = conv(8, 3, conv(8, 3, inputs))
conv2 = conv(16, 3, conv(16, 3, MaxPooling2D((2, 2))(conv1)))
conv3 = conv(32, 3, conv(32, 3, MaxPooling2D((2, 2))(conv2)))
up4 = conv(16, 2, UpSampling2D((2, 2))(Dropout(0.5)(conv3)))
conv4 = conv(16, 3, conv(16, 3, concatenate([conv2, up4], axis=3)))
up5 = conv(8, 2, UpSampling2D((2, 2))(conv4))
conv5 = conv(2, 3, conv(8, 3, concatenate([conv1, up5], axis=3)))
model = Model(inputs, Conv2D(1, 1, activation="sigmoid")(conv5))
