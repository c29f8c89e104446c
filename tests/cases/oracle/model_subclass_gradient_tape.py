"""Keras 3 twin of model_subclass_gradient_tape.py, built for one image."""

import keras
from keras.layers import Conv2D, Dense, Flatten


class MyModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = Conv2D(8, 3, activation="relu")
        self.flatten = Flatten()
        self.d1 = Dense(32, activation="relu")
        self.d2 = Dense(10)

    def call(self, x):
        return self.d2(self.d1(self.flatten(self.conv1(x))))


model = MyModel()
model(keras.ops.zeros((2, 28, 28, 1)))
