"""Keras 3 twin of titanic_pandas_keras2.py."""

from keras import Sequential
from keras.layers import Dense, Dropout, Input

model = Sequential(
    [
        Input((18,)),
        Dense(32, activation="relu"),
        Dropout(0.2),
        Dense(64, activation="relu"),
        Dropout(0.2),
        Dense(1, activation="sigmoid"),
    ]
)
