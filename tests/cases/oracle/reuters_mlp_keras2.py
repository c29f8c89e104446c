"""Keras 3 twin of reuters_mlp_keras2.py."""

from keras import Sequential
from keras.layers import Activation, Dense, Dropout, Input

model = Sequential(
    [
        Input((1000,)),
        Dense(512),
        Activation("relu"),
        Dropout(0.5),
        Dense(46),
        Activation("softmax"),
    ]
)
