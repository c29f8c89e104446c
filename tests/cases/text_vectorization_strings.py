"""Tweets through TextVectorization outside the model, which takes the word numbers.

k2t: level=2
k2t: needs=absent-data
k2t: integers=600
k2t: oracle=text_vectorization_strings.py
"""
import numpy as np
import pandas as pd
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.layers import TextVectorization
from sklearn.model_selection import train_test_split

train_df = pd.read_csv("nlp_getting_started/train.csv")
train_df_shuffled = train_df.sample(frac=1, random_state=42)

train_sentences, val_sentences, train_labels, val_labels = train_test_split(
    train_df_shuffled["text"].to_numpy(), train_df_shuffled["target"].to_numpy(), test_size=0.1)

max_vocab_length = 600  # max number of words to have in our vocabulary
max_length = 15  # max length our sequences will be

text_vectorizer = TextVectorization(max_tokens=max_vocab_length, output_mode="int",
                                    output_sequence_length=max_length)
text_vectorizer.adapt(train_sentences)
train_numbers = text_vectorizer(train_sentences)
val_numbers = text_vectorizer(val_sentences)
words_in_vocab = text_vectorizer.get_vocabulary()
print(f"Number of words in vocab: {len(words_in_vocab)}")

inputs = layers.Input(shape=(max_length,), dtype=tf.int32)
x = layers.Embedding(input_dim=max_vocab_length, output_dim=24,
                     embeddings_initializer="uniform", name="embedding_1")(inputs)
x = layers.Conv1D(filters=16, kernel_size=5, padding="valid", activation="relu")(x)
x = layers.Bidirectional(layers.GRU(16))(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model_5 = tf.keras.Model(inputs, outputs, name="model_5_conv1d_gru")

model_5.compile(loss="binary_crossentropy", optimizer=tf.keras.optimizers.Adam(), metrics=["accuracy"])
model_5_history = model_5.fit(train_numbers, train_labels, epochs=5,
                              validation_data=(val_numbers, val_labels))
model_5_preds = tf.squeeze(tf.round(model_5.predict(val_numbers)))
