"""A layer with no units.

expect: negative_units.py:11
expect: Dense
expect: -3
"""
from keras import Input, Model, layers

features = Input((7,))
width = 7 - 10
x = layers.Dense(width)(features)
model = Model(features, x)
