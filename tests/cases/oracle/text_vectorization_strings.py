"""Keras 3 twin of text_vectorization_strings.py."""

from keras import Model, layers

inputs = layers.Input((15,), dtype="int32")
x = layers.Embedding(600, 24, name="embedding_1")(inputs)
x = layers.Conv1D(16, 5, activation="relu")(x)
x = layers.Bidirectional(layers.GRU(16))(x)
model = Model(inputs, layers.Dense(1, activation="sigmoid")(x), name="model_5_conv1d_gru")
