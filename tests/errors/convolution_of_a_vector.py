"""A 2-D convolution of flattened images.

expect: convolution_of_a_vector.py:10
expect: Conv2D
expect: (None, 784)
"""
from keras import Sequential, layers

model = Sequential()
model.add(layers.Conv2D(32, (3, 3), activation="relu", input_shape=(784,)))
model.add(layers.Flatten())
