"""Keras 3 twin of glove_embedding_bilstm_keras2.py."""

from keras import Model
from keras.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, GlobalMaxPool1D, Input

inp = Input((40,))
x = Embedding(1500, 50, trainable=False)(inp)
x = Bidirectional(
    LSTM(16, return_sequences=True, recurrent_activation="sigmoid", recurrent_dropout=0.1)
)(x)
x = Bidirectional(GRU(12, return_sequences=True))(x)
x = GlobalMaxPool1D()(x)
x = Dense(20, activation="relu")(x)
x = Dropout(0.1)(x)
model = Model(inp, Dense(6, activation="sigmoid")(x))
