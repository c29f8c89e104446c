"""tf.py_function runs Python on the values, which no module can hold.

expect: untranslatable_function.py:11
expect: py_function
"""
import tensorflow as tf
from tensorflow.keras import Input, Model, layers

features = Input((10,))
x = layers.Dense(4)(features)
x = layers.Lambda(lambda t: tf.py_function(lambda v: v.numpy() * 2, [t], tf.float32))(x)
model = Model(features, x)
