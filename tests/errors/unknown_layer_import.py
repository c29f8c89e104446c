"""A layer that no Keras of today has (Keras 1's MaxoutDense).

expect: unknown_layer_import.py:10
expect: MaxoutDense
"""
from keras.models import Sequential
from keras.layers.core import Dense, MaxoutDense

model = Sequential()
model.add(MaxoutDense(20, input_dim=30, nb_feature=4))
model.add(Dense(1))
