"""Keras 3 twin of wide_deep_california_sklearn.py."""

import keras

input_A = keras.Input((5,), name="wide_input")
input_B = keras.Input((6,), name="deep_input")
hidden1 = keras.layers.Dense(30, activation="relu")(input_B)
hidden2 = keras.layers.Dense(30, activation="relu")(hidden1)
concat = keras.layers.concatenate([input_A, hidden2])
output = keras.layers.Dense(1, name="main_output")(concat)
aux_output = keras.layers.Dense(1, name="aux_output")(hidden2)
model = keras.Model([input_A, input_B], [output, aux_output])
