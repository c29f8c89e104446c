"""Inception-style branches, average pooling "same" at stride 1, an auxiliary classifier.

k2t: level=1
"""
from keras.layers import (AveragePooling2D, BatchNormalization, Concatenate, Conv2D, Dense, Dropout,
                          Flatten, GlobalAveragePooling2D, Input, MaxPooling2D, Activation)
from keras.models import Model
from keras.optimizers import SGD
from keras.callbacks import LearningRateScheduler
import numpy as np
import math


def conv2d_bn(x, filters, num_row, num_col, padding='same', strides=(1, 1)):
    x = Conv2D(filters, (num_row, num_col), strides=strides, padding=padding, use_bias=False)(x)
    x = BatchNormalization(axis=3, scale=False)(x)
    x = Activation('relu')(x)
    return x


def inception_module(x, name, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    branch1x1 = conv2d_bn(x, f1, 1, 1)
    branch3x3 = conv2d_bn(x, f3_reduce, 1, 1)
    branch3x3 = conv2d_bn(branch3x3, f3, 3, 1)
    branch3x3 = conv2d_bn(branch3x3, f3, 1, 3)
    branch5x5 = conv2d_bn(x, f5_reduce, 1, 1)
    branch5x5 = conv2d_bn(branch5x5, f5, 5, 5)
    branch_pool = AveragePooling2D((3, 3), strides=(1, 1), padding='same')(x)
    branch_pool = conv2d_bn(branch_pool, pool_proj, 1, 1)
    return Concatenate(axis=3, name=name)([branch1x1, branch3x3, branch5x5, branch_pool])


img = Input(shape=(48, 48, 3))
x = conv2d_bn(img, 16, 3, 3, strides=(2, 2), padding='valid')
x = MaxPooling2D((3, 3), strides=(2, 2))(x)
x = inception_module(x, 'mixed0', 8, 8, 12, 4, 4, 4)
x = inception_module(x, 'mixed1', 12, 8, 16, 4, 8, 8)

aux = AveragePooling2D((5, 5), strides=3)(x)
aux = conv2d_bn(aux, 8, 1, 1)
aux = Flatten()(aux)
aux = Dense(32, activation='relu')(aux)
aux = Dropout(0.7)(aux)
aux = Dense(10, activation='softmax', name='auxilliary_output')(aux)

x = MaxPooling2D((3, 3), strides=(2, 2), padding='same')(x)
x = inception_module(x, 'mixed2', 16, 8, 24, 8, 8, 8)
x = GlobalAveragePooling2D(name='avg_pool')(x)
x = Dropout(0.4)(x)
x = Dense(10, activation='softmax', name='output')(x)

model = Model(img, [x, aux], name='inception_v1')


def decay(epoch, steps=100):
    initial_lrate = 0.01
    drop = 0.96
    epochs_drop = 8
    return initial_lrate * math.pow(drop, math.floor((1 + epoch) / epochs_drop))


model.compile(loss=['categorical_crossentropy', 'categorical_crossentropy'], loss_weights=[1, 0.3],
              optimizer=SGD(learning_rate=0.01, momentum=0.9, nesterov=False))
x_train = np.random.rand(32, 48, 48, 3)
y_train = np.eye(10)[np.random.randint(0, 10, 32)]
history = model.fit(x_train, [y_train, y_train], epochs=35, batch_size=16,
                    callbacks=[LearningRateScheduler(decay, verbose=1)])
