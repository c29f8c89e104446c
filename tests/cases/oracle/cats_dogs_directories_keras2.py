"""Keras 3 twin of cats_dogs_directories_keras2.py."""

from keras import Sequential
from keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D

model = Sequential([Input((60, 60, 3))])
for filters in (32, 32, 64):
    model.add(Conv2D(filters, (3, 3)))
    model.add(Activation("relu"))
    model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(64))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(1))
model.add(Activation("sigmoid"))
