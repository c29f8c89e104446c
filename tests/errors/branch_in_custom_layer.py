"""A Python `if` on a symbolic value in the call of a custom layer.

expect: branch_in_custom_layer.py:13
expect: where
"""
import tensorflow as tf
from tensorflow.keras import Input, Model, layers


class Saturate(layers.Layer):
    def call(self, inputs):
        total = tf.reduce_sum(inputs)
        if total > 1.0:
            return inputs / total
        return inputs


features = Input((10,))
model = Model(features, layers.Dense(2)(Saturate()(features)))
