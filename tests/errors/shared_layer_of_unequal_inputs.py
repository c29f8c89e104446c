"""One Dense shared by inputs of two widths.

expect: shared_layer_of_unequal_inputs.py:13
expect: Dense
expect: 16
expect: 24
"""
from keras import Input, Model, layers

left, right = Input((16,)), Input((24,))
project = layers.Dense(8)
a = project(left)
b = project(right)
model = Model([left, right], layers.Concatenate()([a, b]))
