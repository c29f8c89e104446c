"""Keras 3 twin of mnist_cnn_keras1.py."""

from keras import Sequential
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

model = Sequential(
    [
        Input((28, 28, 1)),
        Conv2D(16, (3, 3), padding="valid"),
        Activation("relu"),
        Conv2D(16, (3, 3), kernel_initializer="he_normal"),
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
