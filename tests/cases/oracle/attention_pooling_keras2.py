"""Keras 3 twin of attention_pooling_keras2.py."""

from keras import Model, ops
from keras.layers import (
    LSTM,
    Activation,
    Bidirectional,
    Dense,
    Flatten,
    Input,
    Lambda,
    Permute,
    RepeatVector,
    Softmax,
    concatenate,
    multiply,
)

inputs = Input((20, 6))
a = Permute((2, 1))(inputs)
a = Dense(20, activation="softmax")(a)
a_probs = Permute((2, 1), name="attention_vec")(a)
weighted = multiply([inputs, a_probs], name="attention_mul")
activations = Bidirectional(LSTM(16, return_sequences=True))(weighted)
attention = Dense(1, activation="tanh")(activations)
attention = Softmax(axis=1)(attention)
context = multiply([activations, attention])
context = Lambda(lambda x: ops.sum(x, axis=-2), output_shape=(32,))(context)
second = Flatten()(Dense(1, activation="tanh")(activations))
second = Activation("softmax")(second)
second = Permute((2, 1))(RepeatVector(32)(second))
second = multiply([activations, second])
second = Lambda(lambda x: ops.max(x, axis=1), output_shape=(32,))(second)
model = Model(inputs, Dense(1, activation="sigmoid")(concatenate([context, second])))
