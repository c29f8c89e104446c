"""Sentence CNN: parallel Conv1D of several widths over one embedding, global max pooling.

k2t: level=1
k2t: integers=3000
"""
import numpy as np
from keras.datasets import imdb
from keras.layers import (Input, Embedding, Conv1D, GlobalMaxPooling1D, Concatenate, Dense, Dropout,
                          SpatialDropout1D)
from keras.models import Model
from keras.preprocessing import sequence
from keras.constraints import MaxNorm

max_features = 3000
maxlen = 80
batch_size = 32
embedding_dims = 32
filters = 24
filter_sizes = [3, 4, 5]

(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=max_features)
x_train = sequence.pad_sequences(x_train, maxlen=maxlen)
x_test = sequence.pad_sequences(x_test, maxlen=maxlen)
print('x_train shape:', x_train.shape)

sentence = Input(shape=(maxlen,), dtype='int32')
embedded = Embedding(max_features, embedding_dims, input_length=maxlen)(sentence)
embedded = SpatialDropout1D(0.2)(embedded)
pooled = []
for size in filter_sizes:
    conv = Conv1D(filters, size, padding='valid', activation='relu', strides=1)(embedded)
    pooled.append(GlobalMaxPooling1D()(conv))
x = Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
x = Dropout(0.5)(x)
x = Dense(50, activation='relu', kernel_constraint=MaxNorm(3))(x)
prediction = Dense(1, activation='sigmoid')(x)

model = Model(sentence, prediction)
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=batch_size, epochs=2, validation_data=(x_test, y_test))
