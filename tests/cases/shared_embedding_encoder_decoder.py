"""Encoder-decoder of two inputs with one shared embedding, attention and a shared GRU cell size.

k2t: level=2
k2t: integers=300,300
"""
import numpy as np
from tensorflow.keras import Model
from tensorflow.keras.layers import (GRU, AdditiveAttention, Attention, Concatenate, Dense, Dropout,
                                     Embedding, Input, TimeDistributed)

VOCAB, SOURCE, TARGET, WIDTH = 300, 14, 10, 24

source = Input((SOURCE,), dtype="int32", name="source")
target = Input((TARGET,), dtype="int32", name="target_so_far")

embed = Embedding(VOCAB, WIDTH, name="shared_embedding")
drop = Dropout(0.1)

encoded, state = GRU(WIDTH, return_sequences=True, return_state=True, name="encoder")(drop(embed(source)))
decoded = GRU(WIDTH, return_sequences=True, name="decoder")(drop(embed(target)), initial_state=state)

context = Attention(name="luong")([decoded, encoded])
context2 = AdditiveAttention(name="bahdanau")([decoded, encoded])
x = Concatenate()([decoded, context, context2])
x = TimeDistributed(Dense(WIDTH, activation="tanh"))(x)
next_word = Dense(VOCAB, activation="softmax", name="next_word")(x)

model = Model([source, target], next_word, name="encoder_decoder")
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

words = np.random.randint(1, VOCAB, (64, SOURCE))
shifted = np.random.randint(1, VOCAB, (64, TARGET + 1))
model.fit({"source": words, "target_so_far": shifted[:, :-1]}, shifted[:, 1:], epochs=2, batch_size=16)
