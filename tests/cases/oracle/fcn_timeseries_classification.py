"""Keras 3 twin of fcn_timeseries_classification.py."""

import keras
from keras import layers

inputs = keras.Input((120, 1))
x = inputs
for _ in range(3):
    x = layers.Conv1D(32, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
