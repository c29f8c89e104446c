"""A bracket is missing, so the file is no Python.

expect: syntax_error.py:11
expect: syntax
"""
from keras.models import Sequential
from keras.layers import Dense

model = Sequential()
model.add(Dense(10, input_dim=4))
model.add Dense(1)
model.compile("adam", "mse")
