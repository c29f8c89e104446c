"""Keras 3 twin of seq2seq_chars_keras2.py: the training model."""

from keras import Model
from keras.layers import LSTM, Dense, Input

encoder_inputs = Input((None, 71))
_, state_h, state_c = LSTM(32, return_state=True)(encoder_inputs)
decoder_inputs = Input((None, 93))
decoder_lstm = LSTM(32, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=[state_h, state_c])
model = Model([encoder_inputs, decoder_inputs], Dense(93, activation="softmax")(decoder_outputs))
