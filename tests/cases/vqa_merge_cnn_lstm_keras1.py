'''Visual question answering in Keras 1: a convnet and an LSTM joined by Merge, answers by softmax.

k2t: level=2
k2t: model=model
k2t: integers=-,250
k2t: oracle=vqa_merge_cnn_lstm_keras1.py
'''
import numpy as np
from keras.models import Sequential
from keras.layers.core import Reshape, Activation, Dropout, Dense, Merge, Flatten, RepeatVector
from keras.layers.convolutional import Convolution2D, MaxPooling2D
from keras.layers.recurrent import LSTM, GRU
from keras.layers.wrappers import TimeDistributed
from keras.layers.embeddings import Embedding
from keras.regularizers import l1l2

word_vocab, max_words, nb_answers = 250, 12, 40

image_model = Sequential()
image_model.add(Convolution2D(8, 3, 3, border_mode='same', activation='relu', input_shape=(32, 32, 3)))
image_model.add(MaxPooling2D((2, 2)))
image_model.add(Convolution2D(16, 3, 3, activation='relu'))
image_model.add(MaxPooling2D((2, 2), strides=(2, 2), border_mode='valid'))
image_model.add(Flatten())
image_model.add(Dense(32, activation='tanh', W_regularizer=l1l2(l1=1e-6, l2=1e-5)))

language_model = Sequential()
language_model.add(Embedding(word_vocab, 24, input_length=max_words, init='glorot_uniform'))
language_model.add(LSTM(output_dim=32, return_sequences=True, inner_activation='sigmoid',
                        dropout_W=0.1, dropout_U=0.1))
language_model.add(TimeDistributed(Dense(24)))
language_model.add(GRU(32, return_sequences=False, inner_activation='sigmoid'))

model = Sequential()
model.add(Merge([image_model, language_model], mode='concat', concat_axis=1))
for i in range(2):
    model.add(Dense(48, init='uniform'))
    model.add(Activation('tanh'))
    model.add(Dropout(p=0.5))
model.add(Dense(nb_answers))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='rmsprop')

images = np.random.rand(60, 32, 32, 3)
questions = np.random.randint(0, word_vocab, (60, max_words))
answers = np.eye(nb_answers)[np.random.randint(0, nb_answers, 60)]
for k in range(3):
    for begin in range(0, 60, 20):
        batch = slice(begin, begin + 20)
        loss = model.train_on_batch([images[batch], questions[batch]], answers[batch])
