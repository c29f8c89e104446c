"""A Sequential model that is never told its input shape.

expect: input shape
"""
from keras import Sequential, layers

model = Sequential()
model.add(layers.Dense(32, activation="relu"))
model.add(layers.Dense(1))
model.compile("adam", "mse")
