"""Keras 3 twin of glove_embedding_bilstm_keras2.py (Keras 2's LSTM gates were hard_sigmoid: clip(0.2x + 0.5))."""
from keras import Model, ops
from keras.layers import GRU, LSTM, Bidirectional, Dense, Dropout, Embedding, GlobalMaxPool1D, Input

inp = Input((40,))
x = Embedding(1500, 50, trainable=False)(inp)
x = Bidirectional(
    LSTM(
        16,
        return_sequences=True,
        dropout=0.1,
        recurrent_dropout=0.1,
        recurrent_activation=lambda g: ops.clip(0.2 * g + 0.5, 0.0, 1.0),
    )
)(x)
x = Bidirectional(GRU(12, return_sequences=True))(x)
x = GlobalMaxPool1D()(x)
x = Dense(20, activation="relu")(x)
x = Dropout(0.1)(x)
model = Model(inp, Dense(6, activation="sigmoid")(x))
