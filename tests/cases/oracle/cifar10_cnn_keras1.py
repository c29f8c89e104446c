"""Keras 3 twin of cifar10_cnn_keras1.py."""

import keras
from keras import Sequential
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

keras.config.set_image_data_format("channels_first")

model = Sequential(
    [
        Input((3, 32, 32)),
        Conv2D(16, (3, 3), padding="same"),
        Activation("relu"),
        Conv2D(16, (3, 3)),
        Activation("relu"),
        MaxPooling2D((2, 2)),
        Dropout(0.25),
        Conv2D(32, (3, 3), padding="same", strides=(2, 2)),
        Activation("relu"),
        Conv2D(32, (3, 3)),
        Activation("relu"),
        MaxPooling2D((2, 2)),
        Dropout(0.25),
        Flatten(),
        Dense(64),
        Activation("relu"),
        Dropout(0.5),
        Dense(10),
        Activation("softmax"),
    ]
)
