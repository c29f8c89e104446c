"""A Python `if` on a symbolic value: use ops.where.

expect: branch_on_tensor.py:11
expect: where
"""
import keras
from keras import layers, ops

inputs = keras.Input((10,))
x = layers.Dense(10)(inputs)
if ops.mean(x) > 0:
    x = x * 2.0
model = keras.Model(inputs, x)
