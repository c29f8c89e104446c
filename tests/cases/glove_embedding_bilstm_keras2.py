"""Toxic-comment classifier: GloVe vectors from a missing file go in by weights=[embedding_matrix].

k2t: level=2
k2t: needs=absent-data
k2t: integers=1500
k2t: oracle=glove_embedding_bilstm_keras2.py
"""
import sys, os, re, csv, codecs, numpy as np, pandas as pd

from keras.preprocessing.text import Tokenizer
from keras.preprocessing.sequence import pad_sequences
from keras.layers import Dense, Input, LSTM, Embedding, Dropout, Activation
from keras.layers import Bidirectional, GlobalMaxPool1D
from keras.layers import CuDNNGRU
from keras.models import Model
from keras import initializers, regularizers, constraints, optimizers, layers

path = '../input/'
EMBEDDING_FILE = f'{path}glove6b50d/glove.6B.50d.txt'
TRAIN_DATA_FILE = f'{path}train.csv'

embed_size = 50 # how big is each word vector
max_features = 1500 # how many unique words to use (i.e num rows in embedding vector)
maxlen = 40 # max number of words in a comment to use

train = pd.read_csv(TRAIN_DATA_FILE)
list_sentences_train = train["comment_text"].fillna("_na_").values
list_classes = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
y = train[list_classes].values

tokenizer = Tokenizer(num_words=max_features)
tokenizer.fit_on_texts(list(list_sentences_train))
list_tokenized_train = tokenizer.texts_to_sequences(list_sentences_train)
X_t = pad_sequences(list_tokenized_train, maxlen=maxlen)

def get_coefs(word,*arr): return word, np.asarray(arr, dtype='float32')
embeddings_index = dict(get_coefs(*o.strip().split()) for o in open(EMBEDDING_FILE))

embedding_matrix = np.random.normal(0.02, 0.6, (max_features, embed_size))
for word, i in tokenizer.word_index.items():
    if i >= max_features: continue
    embedding_vector = embeddings_index.get(word)
    if embedding_vector is not None: embedding_matrix[i] = embedding_vector

inp = Input(shape=(maxlen,))
x = Embedding(max_features, embed_size, weights=[embedding_matrix], trainable=False)(inp)
x = Bidirectional(LSTM(16, return_sequences=True, recurrent_activation='sigmoid', recurrent_dropout=0.1))(x)
x = Bidirectional(CuDNNGRU(12, return_sequences=True))(x)
x = GlobalMaxPool1D()(x)
x = Dense(20, activation="relu")(x)
x = Dropout(0.1)(x)
x = Dense(6, activation="sigmoid")(x)
model = Model(inputs=inp, outputs=x)
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X_t, y, batch_size=32, epochs=2, validation_split=0.1)
