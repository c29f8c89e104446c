"""Keras 3 twin of airline_passengers_lstm.py."""

from keras import Sequential
from keras.layers import LSTM, Dense, Input, SimpleRNN

model = Sequential([Input((1, 3)), SimpleRNN(6, return_sequences=True), LSTM(4), Dense(1)])
