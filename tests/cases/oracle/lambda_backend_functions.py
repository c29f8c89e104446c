"""Keras 3 twin of lambda_backend_functions.py."""

from keras import Model, ops
from keras.layers import Concatenate, Conv1D, Dense, Flatten, Input, Lambda


def scaled(x):
    mean = ops.mean(x, axis=1, keepdims=True)
    std = ops.sqrt(ops.mean(ops.square(x - mean), axis=1, keepdims=True))
    return (x - mean) / (std + 1e-7)


def distance_of(pair):
    return ops.sqrt(ops.sum(ops.square(pair[0] - pair[1]), axis=-1, keepdims=True) + 1e-6)


def unit(x):
    """Keras 2's l2_normalize: the square sum is at least 1e-12."""
    return x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=-1, keepdims=True), 1e-12))


signal = Input((24, 4), name="signal")
x = Lambda(scaled)(signal)
x = Conv1D(8, 3, padding="same", activation="relu")(x)
left = Lambda(lambda t: t[..., :4])(x)
right = Lambda(lambda t: t[..., 4:])(x)
distance = Lambda(distance_of)([left, right])
gram = Lambda(lambda t: ops.softmax(ops.matmul(t[0], ops.transpose(t[1], (0, 2, 1))) / 2.0))(
    [left, right]
)
first = Lambda(lambda t: t[:, 0, :])(x)
last = Lambda(lambda t: unit(t[:, -1]))(x)
pooled = Lambda(lambda t: ops.concatenate([ops.max(t, axis=1), ops.mean(t, axis=1)], axis=-1))(x)
repeated = Lambda(lambda t: ops.repeat(ops.expand_dims(t, 1), 3, axis=1))(first)
clipped = Lambda(lambda t: ops.clip(ops.squeeze(t, -1), 0.0, 1.0))(distance)
powers = Lambda(lambda t: ops.log(1.0 + ops.exp(-ops.abs(t))) + ops.square(t) * 0.5)(last)
merged = Concatenate()([Flatten()(gram), first, last, pooled, Flatten()(repeated), clipped, powers])
score = Dense(1)(merged)
model = Model(signal, Lambda(lambda t: 5.0 * ops.sigmoid(t) - 1.0)(score))
