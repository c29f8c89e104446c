"""A misspelt argument of a layer.

expect: misspelt_argument.py:12
expect: Dense
expect: activaton
"""
from keras.layers import Dense, Input
from keras.models import Model

inputs = Input((16,))
hidden = Dense(32, activation="relu")(inputs)
outputs = Dense(4, activaton="softmax")(hidden)
model = Model(inputs, outputs)
