"""Keras 3 twin of grid_of_models_loop.py: the last model of the loops."""

from keras import Sequential
from keras.layers import Activation, Conv2D, Dense, Flatten, Input, MaxPooling2D

model = Sequential([Input((50, 50, 1))])
for _ in range(2):
    model.add(Conv2D(16, (3, 3)))
    model.add(Activation("relu"))
    model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(16))
model.add(Activation("relu"))
model.add(Dense(1))
model.add(Activation("sigmoid"))
