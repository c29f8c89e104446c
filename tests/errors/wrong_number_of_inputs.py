"""A model of two inputs is called with one.

expect: wrong_number_of_inputs.py:11
expect: 2
"""
from keras import Input, Model, layers

a, b = Input((4,), name="a"), Input((4,), name="b")
pair = Model([a, b], layers.Subtract()([a, b]), name="pair")
single = Input((4,))
model = Model(single, pair(single))
