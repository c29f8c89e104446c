"""Keras 3 twin of babi_memory_network_keras1.py (its fourth input, the question again, is the second)."""

from keras import Input, Model
from keras.layers import (
    LSTM,
    Activation,
    Dense,
    Dropout,
    Embedding,
    Permute,
    add,
    concatenate,
    dot,
)

story, question, story_again = Input((16,)), Input((4,)), Input((16,))
memory = Dropout(0.3)(Embedding(30, 16)(story))
query = Dropout(0.3)(Embedding(30, 16)(question))
match = Activation("softmax")(dot([memory, query], axes=(2, 2)))
content = Dropout(0.3)(Embedding(30, 4)(story_again))
response = Permute((2, 1))(add([match, content]))
x = concatenate([response, query], axis=-1)
x = Dropout(0.3)(LSTM(32)(x))
model = Model([story, question, story_again], Activation("softmax")(Dense(30)(x)))
