"""Keras 3 twin of driving_nvidia_lambda_keras2.py."""

from keras import Sequential
from keras.layers import ELU, Conv2D, Cropping2D, Dense, Dropout, Flatten, Input, Lambda

model = Sequential(
    [
        Input((80, 160, 3)),
        Lambda(lambda x: (x / 255.0) - 0.5),
        Cropping2D(((20, 10), (0, 0))),
        Conv2D(12, (5, 5), strides=(2, 2), activation="relu"),
        Conv2D(18, (5, 5), strides=(2, 2), activation="relu"),
        Conv2D(24, (3, 3)),
        ELU(),
        Flatten(),
        Dropout(0.2),
        Dense(50),
        Dense(10),
        Dense(1),
    ]
)
