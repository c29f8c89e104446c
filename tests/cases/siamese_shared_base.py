"""Siamese net: one base model on two images, their difference and dot product to a sigmoid.

k2t: level=1
"""
import random

import numpy as np
from keras.datasets import fashion_mnist
from keras.layers import (Concatenate, Conv2D, Dense, Dot, Dropout, Flatten, Input, MaxPooling2D,
                          Subtract)
from keras.models import Model


def create_pairs(x, digit_indices):
    pairs, labels = [], []
    n = min(len(digit_indices[d]) for d in range(10)) - 1
    for d in range(10):
        for i in range(min(n, 20)):
            z1, z2 = digit_indices[d][i], digit_indices[d][i + 1]
            pairs += [[x[z1], x[z2]]]
            inc = random.randrange(1, 10)
            dn = (d + inc) % 10
            z1, z2 = digit_indices[d][i], digit_indices[dn][i]
            pairs += [[x[z1], x[z2]]]
            labels += [1, 0]
    return np.array(pairs), np.array(labels)


def create_base_network(input_shape):
    '''Base network to be shared (eq. to feature extraction).'''
    image = Input(shape=input_shape)
    x = Conv2D(8, 3, activation='relu', padding='same')(image)
    x = MaxPooling2D()(x)
    x = Conv2D(16, 3, activation='relu', padding='same')(x)
    x = MaxPooling2D()(x)
    x = Flatten()(x)
    x = Dropout(0.1)(x)
    x = Dense(32, activation='relu')(x)
    return Model(image, x, name='base_network')


(x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
x_train = x_train[:2000].reshape(-1, 28, 28, 1) / 255.0
indices = [np.where(y_train[:2000] == i)[0] for i in range(10)]
tr_pairs, tr_y = create_pairs(x_train, indices)

input_shape = (28, 28, 1)
base_network = create_base_network(input_shape)

input_a = Input(shape=input_shape, name='left')
input_b = Input(shape=input_shape, name='right')
# because we re-use the same instance, the weights are shared across the branches
processed_a = base_network(input_a)
processed_b = base_network(input_b)

difference = Subtract()([processed_a, processed_b])
similarity = Dot(axes=1, normalize=True)([processed_a, processed_b])
x = Concatenate()([difference, similarity])
x = Dense(16, activation='relu')(x)
same = Dense(1, activation='sigmoid')(x)

model = Model([input_a, input_b], same)
model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
model.fit([tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=128, epochs=20)
