"""Padded texts: Embedding(mask_zero=True) into LSTM and mean pooling, and a Masking layer for floats.

k2t: level=2
k2t: integers=400,-
"""
import numpy as np
import keras
from keras import layers
from keras.utils import pad_sequences

VOCABULARY, LENGTH = 400, 24

words = keras.Input(shape=(LENGTH,), dtype="int32", name="words")
prosody = keras.Input(shape=(LENGTH, 3), name="prosody")

embedded = layers.Embedding(VOCABULARY, 16, mask_zero=True)(words)
x = layers.LSTM(16, return_sequences=True)(embedded)
x = layers.Dropout(0.2)(x)
last = layers.LSTM(12)(x)
mean = layers.GlobalAveragePooling1D()(embedded)

y = layers.Masking(mask_value=0.0)(prosody)
y = layers.GRU(8)(y)

merged = layers.concatenate([last, mean, y])
stars = layers.Dense(5, activation="softmax", name="stars")(merged)
model = keras.Model([words, prosody], stars, name="masked_reviews")
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

rng = np.random.default_rng(1)
texts = [rng.integers(1, VOCABULARY, rng.integers(4, LENGTH)).tolist() for _ in range(160)]
padded = pad_sequences(texts, maxlen=LENGTH, padding="post")
sound = rng.normal(size=(160, LENGTH, 3)) * (padded > 0)[..., None]
model.fit([padded, sound], rng.integers(0, 5, 160), epochs=3, batch_size=16)
