"""Keras 3 twin of stateful_lstm_keras2.py."""

from keras import Sequential
from keras.layers import LSTM, Dense, Input

model = Sequential(
    [
        Input(batch_shape=(25, 1, 1)),
        LSTM(20, return_sequences=True, stateful=True),
        LSTM(20, return_sequences=False, stateful=True),
        Dense(1),
    ]
)
