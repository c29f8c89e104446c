"""Lambda layers full of keras.backend functions: slices, norms, batch_dot, repeat, squeeze.

k2t: level=2
k2t: oracle=lambda_backend_functions.py
"""
import numpy as np
from keras.layers import Input, Lambda, Dense, Conv1D, Concatenate, Reshape, Flatten
from keras.models import Model
from keras import backend as K


def scaled(x):
    mean = K.mean(x, axis=1, keepdims=True)
    std = K.std(x, axis=1, keepdims=True)
    return (x - mean) / (std + K.epsilon())


def l2_distance(tensors):
    a, b = tensors
    return K.sqrt(K.sum(K.square(a - b), axis=-1, keepdims=True) + 1e-6)


def split_half(x, part):
    size = K.int_shape(x)[-1] // 2
    return x[..., part * size:(part + 1) * size]


signal = Input(shape=(24, 4), name='signal')
x = Lambda(scaled, name='standardise')(signal)
x = Conv1D(8, 3, padding='same', activation='relu')(x)

left = Lambda(split_half, arguments={'part': 0}, output_shape=(24, 4))(x)
right = Lambda(split_half, arguments={'part': 1}, output_shape=(24, 4))(x)
distance = Lambda(l2_distance, output_shape=(24, 1))([left, right])

gram = Lambda(lambda t: K.batch_dot(t[0], K.permute_dimensions(t[1], (0, 2, 1))),
              output_shape=(24, 24))([left, right])
gram = Lambda(lambda g: K.softmax(g / K.sqrt(K.cast(4, 'float32'))))(gram)

first = Lambda(lambda s: s[:, 0, :], output_shape=(8,))(x)
last = Lambda(lambda s: K.l2_normalize(s[:, -1], axis=-1), output_shape=(8,))(x)
pooled = Lambda(lambda s: K.concatenate([K.max(s, axis=1), K.mean(s, axis=1)], axis=-1),
                output_shape=(16,))(x)
repeated = Lambda(lambda s: K.repeat_elements(K.expand_dims(s, 1), 3, axis=1))(first)
clipped = Lambda(lambda s: K.clip(K.squeeze(s, -1), 0., 1.), output_shape=(24,))(distance)
powers = Lambda(lambda s: K.log(1. + K.exp(-K.abs(s))) + K.pow(s, 2) * .5)(last)

merged = Concatenate()([Flatten()(gram), first, last, pooled, Flatten()(repeated), clipped, powers])
score = Dense(1)(merged)
score = Lambda(lambda s: 5. * K.sigmoid(s) - 1.)(score)

model = Model(signal, score)
model.compile('adam', 'mse')
model.fit(np.random.randn(64, 24, 4), np.random.rand(64, 1), epochs=1)
