"""Attention over LSTM steps by Permute, RepeatVector, Activation softmax, multiply and a K.sum Lambda.

k2t: level=2
k2t: oracle=attention_pooling_keras2.py
"""
import numpy as np
from keras.layers import Input, Dense, LSTM, Bidirectional, Flatten, Activation, RepeatVector, Permute, Lambda
from keras.layers import Softmax
from keras.layers.merge import multiply, concatenate
from keras.models import Model
import keras.backend as K

INPUT_DIM = 6
TIME_STEPS = 20
UNITS = 16
SINGLE_ATTENTION_VECTOR = False


def attention_3d_block(inputs):
    # inputs.shape = (batch_size, time_steps, input_dim)
    input_dim = int(inputs.shape[2])
    a = Permute((2, 1))(inputs)
    a = Dense(TIME_STEPS, activation='softmax')(a)
    if SINGLE_ATTENTION_VECTOR:
        a = Lambda(lambda x: K.mean(x, axis=1), name='dim_reduction')(a)
        a = RepeatVector(input_dim)(a)
    a_probs = Permute((2, 1), name='attention_vec')(a)
    return multiply([inputs, a_probs], name='attention_mul')


inputs = Input(shape=(TIME_STEPS, INPUT_DIM,))
weighted = attention_3d_block(inputs)
activations = Bidirectional(LSTM(UNITS, return_sequences=True))(weighted)

# compute importance for each step
attention = Dense(1, activation='tanh')(activations)
attention = Softmax(axis=1)(attention)
context = multiply([activations, attention])
context = Lambda(lambda xin: K.sum(xin, axis=-2), output_shape=(2 * UNITS,))(context)

second = Flatten()(Dense(1, activation='tanh')(activations))
second = Activation('softmax')(second)
second = RepeatVector(2 * UNITS)(second)
second = Permute([2, 1])(second)
second = multiply([activations, second])
second = Lambda(lambda xin: K.max(xin, axis=1), output_shape=(2 * UNITS,))(second)

output = Dense(1, activation='sigmoid')(concatenate([context, second]))
m = Model(inputs=[inputs], outputs=output)
m.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
print(m.summary())

x = np.random.standard_normal(size=(300, TIME_STEPS, INPUT_DIM))
y = np.random.randint(low=0, high=2, size=(300, 1))
x[:, 10, :] = np.tile(y[:], (1, INPUT_DIM))
m.fit([x], y, epochs=1, batch_size=64, validation_split=0.1)
