"""Keras 3 twin of pima_diabetes_keras1.py."""

from keras import Sequential
from keras.layers import Dense, Input

model = Sequential(
    [
        Input((8,)),
        Dense(12, kernel_initializer="random_uniform", activation="relu"),
        Dense(8, kernel_initializer="random_uniform", activation="relu"),
        Dense(1, kernel_initializer="random_uniform", activation="sigmoid"),
    ]
)
