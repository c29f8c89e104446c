"""Keras 3 twin of dqn_agent_gym_keras2.py."""

from keras import Sequential
from keras.layers import Conv2D, Dense, Flatten, Input

model = Sequential(
    [
        Input((20, 20, 4)),
        Conv2D(8, (8, 8), strides=(4, 4), padding="same", activation="relu"),
        Conv2D(16, (4, 4), strides=(2, 2), padding="same", activation="relu"),
        Flatten(),
        Dense(24, activation="relu"),
        Dense(4, activation="linear"),
    ]
)
