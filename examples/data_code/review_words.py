"""Texts as sequences of word numbers, in the manner of the IMDB reviews."""

import csv

import numpy as np
from keras import layers, models
from keras.src.legacy.preprocessing.text import Tokenizer
from keras.utils import pad_sequences

MAX_WORDS = 60
MAX_LENGTH = 12

texts, labels = [], []
with open("data/reviews.csv") as file:
    for row in csv.DictReader(file):
        texts.append(row["review"])
        labels.append(int(row["positive"]))

tokenizer = Tokenizer(num_words=MAX_WORDS)
tokenizer.fit_on_texts(texts)
sequences = tokenizer.texts_to_sequences(texts)
print("Found %s unique words." % len(tokenizer.word_index))

data = pad_sequences(sequences, maxlen=MAX_LENGTH)
labels = np.asarray(labels)
x_train, x_test = data[:320], data[320:]
y_train, y_test = labels[:320], labels[320:]

model = models.Sequential()
model.add(layers.Embedding(MAX_WORDS, 8))
model.add(layers.LSTM(8))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
model.fit(x_train, y_train, epochs=8, batch_size=16, validation_data=(x_test, y_test))
score, acc = model.evaluate(x_test, y_test)
print("Test accuracy:", acc)
