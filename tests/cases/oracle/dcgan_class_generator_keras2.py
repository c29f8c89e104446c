"""Keras 3 twin of dcgan_class_generator_keras2.py: the generator."""

from keras import Model, Sequential
from keras.layers import Activation, BatchNormalization, Conv2D, Dense, Input, Reshape, UpSampling2D

inner = Sequential(
    [
        Input((100,)),
        Dense(32 * 7 * 7, activation="relu"),
        Reshape((7, 7, 32)),
        UpSampling2D(),
        Conv2D(32, 3, padding="same"),
        BatchNormalization(momentum=0.8),
        Activation("relu"),
        UpSampling2D(),
        Conv2D(16, 3, padding="same"),
        BatchNormalization(momentum=0.8),
        Activation("relu"),
        Conv2D(1, 3, padding="same"),
        Activation("tanh"),
    ]
)
noise = Input((100,))
model = Model(noise, inner(noise))
