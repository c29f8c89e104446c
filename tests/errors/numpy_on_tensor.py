"""A NumPy function on a symbolic tensor: the message points to keras.ops.

expect: numpy_on_tensor.py:11
expect: keras.ops
"""
import numpy as np
from keras import Input, Model, layers

features = Input((10,))
x = layers.Dense(10)(features)
x = np.log1p(np.abs(x))
model = Model(features, x)
