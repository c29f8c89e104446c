"""Keras 3 twin of char_rnn_keras1.py: Keras 1's hard_sigmoid is clip(0.2 x + 0.5)."""

from keras import Sequential, ops
from keras.layers import LSTM, Activation, Dense, Dropout, Input


def hard_sigmoid(x):
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


model = Sequential(
    [
        Input((20, 24)),
        LSTM(32, return_sequences=True, recurrent_activation=hard_sigmoid),
        Dropout(0.2),
        LSTM(32),
        Dropout(0.2),
        Dense(24),
        Activation("softmax"),
    ]
)
