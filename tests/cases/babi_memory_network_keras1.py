'''Memory network on stories in Keras 1: Merge dot and sum, Permute, LSTM, in Sequentials.

k2t: level=2
k2t: model=answer
k2t: integers=30,30,30
k2t: oracle=babi_memory_network_keras1.py
'''
from __future__ import print_function
import numpy as np
from keras.models import Sequential
from keras.layers.embeddings import Embedding
from keras.layers import Activation, Dense, Merge, Permute, Dropout
from keras.layers import LSTM

vocab_size = 30
story_maxlen = 16
query_maxlen = 4

# embed the input sequence into a sequence of vectors
input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=vocab_size,
                              output_dim=16,
                              input_length=story_maxlen))
input_encoder_m.add(Dropout(0.3))
# embed the question into a sequence of vectors
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=vocab_size,
                               output_dim=16,
                               input_length=query_maxlen))
question_encoder.add(Dropout(0.3))
# compute a 'match' between input sequence elements and query
match = Sequential()
match.add(Merge([input_encoder_m, question_encoder],
                mode='dot',
                dot_axes=[2, 2]))
match.add(Activation('softmax'))
# embed the input into a single vector with size = query_maxlen:
input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=vocab_size,
                              output_dim=query_maxlen,
                              input_length=story_maxlen))
input_encoder_c.add(Dropout(0.3))
# sum the match vector with the input vector:
response = Sequential()
response.add(Merge([match, input_encoder_c], mode='sum'))
response.add(Permute((2, 1)))  # output: (samples, query_maxlen, story_maxlen)

# concatenate the response with the question encoder, and answer with an LSTM
answer = Sequential()
answer.add(Merge([response, question_encoder], mode='concat', concat_axis=-1))
answer.add(LSTM(32, inner_activation='sigmoid'))
answer.add(Dropout(0.3))
answer.add(Dense(vocab_size))
answer.add(Activation('softmax'))

answer.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy'])
stories = np.random.randint(0, vocab_size, (100, story_maxlen))
queries = np.random.randint(0, vocab_size, (100, query_maxlen))
answers = np.eye(vocab_size)[np.random.randint(0, vocab_size, 100)]
# Note: you could use a Graph model to avoid repeating the input twice
answer.fit([stories, queries, stories], answers,
           batch_size=32, nb_epoch=120)
