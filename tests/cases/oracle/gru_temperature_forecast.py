"""Keras 3 twin of gru_temperature_forecast.py."""

import keras
from keras import layers

inputs = keras.Input((30, 14))
x = layers.GRU(16, recurrent_dropout=0.5, return_sequences=True)(inputs)
x = layers.GRU(16, recurrent_dropout=0.5, reset_after=False)(x)
x = layers.Dropout(0.5)(x)
model = keras.Model(inputs, layers.Dense(1)(x))
