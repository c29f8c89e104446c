"""A Reshape that does not keep the number of values.

expect: reshape_does_not_fit.py:13
expect: Reshape
expect: (7, 7, 10)
"""
from keras.layers import Dense, Input, Reshape
from keras.models import Sequential

model = Sequential()
model.add(Input((100,)))
model.add(Dense(7 * 7 * 16, activation="relu"))
model.add(Reshape((7, 7, 10)))
