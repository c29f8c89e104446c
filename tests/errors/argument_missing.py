"""A layer without an argument that it must have.

expect: argument_missing.py:11
expect: Conv2D
expect: kernel_size
"""
from keras import Sequential, layers

model = Sequential()
model.add(layers.Input((8, 8, 3)))
model.add(layers.Conv2D(16, activation="relu"))
