"""Keras 3 twin of iris_sklearn_wrapper_keras1.py."""

from keras import Sequential
from keras.layers import Dense, Input

model = Sequential(
    [
        Input((4,)),
        Dense(8, kernel_initializer="random_normal", activation="relu"),
        Dense(3, kernel_initializer="random_normal", activation="softmax"),
    ]
)
