"""Decoder blocks written as a function: self-attention, attention to a memory, and a condition that scales channels.

k2t: level=1
"""
import keras
import numpy as np
from keras import layers

units, heads = 32, 4


def decoder_block(x, memory, causal_mask):
    attended = layers.MultiHeadAttention(heads, units // heads)(x, x, attention_mask=causal_mask)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    attended = layers.MultiHeadAttention(heads, units // heads)(x, memory)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    hidden = layers.Dense(4 * units, activation="relu")(x)
    return layers.LayerNormalization()(layers.Add()([x, layers.Dense(units)(hidden)]))


def encoder_block(x, condition):
    attended = layers.MultiHeadAttention(heads, units // heads)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    gate = layers.Dense(8, activation="relu")(layers.Reshape((1, 4))(condition))
    gate = layers.Dense(units, activation="sigmoid")(gate)
    return layers.Multiply()([x, gate])


frames = keras.Input((10, units), name="frames")
speaker = keras.Input((4,), name="speaker")
tokens = keras.Input((6,), dtype="int32", name="tokens")
causal_mask = keras.Input((6, 6), dtype="int32", name="causal_mask")

memory = frames
for _ in range(3):
    memory = encoder_block(memory, speaker)
x = layers.Embedding(50, units)(tokens)
for _ in range(3):
    x = decoder_block(x, memory, causal_mask)
logits = layers.Dense(50)(x)
model = keras.Model([frames, speaker, tokens, causal_mask], logits)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

count = 64
rng = np.random.default_rng(0)
words = rng.integers(0, 50, (count, 7)).astype("int32")
mask = np.broadcast_to(np.tril(np.ones((6, 6), "int32")), (count, 6, 6))
spoken = rng.normal(size=(count, 10, units)).astype("float32")
speakers = rng.normal(size=(count, 4)).astype("float32")
model.fit([spoken, speakers, words[:, :-1], mask], words[:, 1:], batch_size=16, epochs=2)
