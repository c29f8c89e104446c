"""Captcha reader: convolutions, recurrent merge by add and concatenate, a CTC loss in a Lambda.

k2t: level=2
k2t: model=base_model
k2t: oracle=ocr_ctc_keras2.py
"""
import string
import numpy as np
from keras.layers import Input, Dense, Activation, Conv2D, MaxPooling2D, Reshape, Lambda, Permute, Dropout
from keras.layers.merge import add, concatenate
from keras.layers.recurrent import GRU
from keras.models import Model
from keras.optimizers import Adadelta
import keras.backend as K

characters = string.digits + string.ascii_uppercase
width, height, n_len, n_class = 64, 32, 4, len(characters) + 1
rnn_size = 16


def ctc_lambda_func(args):
    y_pred, labels, input_length, label_length = args
    # the 2 first outputs of the RNN tend to be garbage
    y_pred = y_pred[:, 2:, :]
    return K.ctc_batch_cost(labels, y_pred, input_length, label_length)


input_tensor = Input((width, height, 3))
x = input_tensor
for i in range(3):
    x = Conv2D(8 * 2 ** i, (3, 3), activation='relu')(x)
    x = MaxPooling2D(pool_size=(2, 2))(x)

conv_shape = x.get_shape().as_list()
x = Reshape(target_shape=(int(conv_shape[1]), int(conv_shape[2] * conv_shape[3])))(x)
x = Dense(16, activation='relu')(x)

gru_1 = GRU(rnn_size, return_sequences=True, init='he_normal', name='gru1', reset_after=True,
            inner_activation='sigmoid')(x)
gru_1b = GRU(rnn_size, return_sequences=True, go_backwards=True, kernel_initializer='he_normal',
             name='gru1_b', reset_after=True, recurrent_activation='sigmoid')(x)
gru1_merged = add([gru_1, gru_1b])
x = Dropout(0.25)(concatenate([gru1_merged, x]))
x = Dense(n_class, kernel_initializer='he_normal', activation='softmax')(x)
base_model = Model(input=input_tensor, output=x)

labels = Input(name='the_labels', shape=[n_len], dtype='float32')
input_length = Input(name='input_length', shape=[1], dtype='int64')
label_length = Input(name='label_length', shape=[1], dtype='int64')
loss_out = Lambda(ctc_lambda_func, output_shape=(1,), name='ctc')([x, labels, input_length, label_length])

model = Model(input=[input_tensor, labels, input_length, label_length], output=[loss_out])
model.compile(loss={'ctc': lambda y_true, y_pred: y_pred}, optimizer='adadelta')


def gen(batch_size=16):
    while True:
        X = np.random.rand(batch_size, width, height, 3)
        y = np.random.randint(0, n_class - 1, (batch_size, n_len))
        yield [X, y, np.ones(batch_size) * int(conv_shape[1] - 2),
               np.ones(batch_size) * n_len], np.ones(batch_size)


model.fit_generator(gen(), steps_per_epoch=100, epochs=5)
