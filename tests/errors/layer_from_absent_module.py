"""A layer comes from a module of the user's project that is not here.

expect: layer_from_absent_module.py:10
expect: my_project.attention
"""
from keras import Input, Model, layers
from my_project.attention import SelfAttention

sequence = Input((20, 16))
x = SelfAttention(heads=4)(sequence)
model = Model(sequence, layers.Dense(1)(layers.Flatten()(x)))
