"""A layer that no Keras has.

expect: unknown_layer_import.py:10
expect: HighwayDense
"""
from keras.models import Sequential
from keras.layers.core import Dense, HighwayDense

model = Sequential()
model.add(HighwayDense(20, input_dim=30))
model.add(Dense(1))
