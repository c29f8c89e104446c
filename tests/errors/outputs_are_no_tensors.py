"""A layer, not its output, is handed to Model.

expect: outputs_are_no_tensors.py:10
expect: Dense
"""
from keras import Input, Model, layers

image = Input((16,))
x = layers.Dense(4, activation="softmax")
model = Model(image, x)
