"""float() of a symbolic tensor.

expect: float_of_tensor.py:10
expect: float
"""
from keras import Input, Model, layers, ops

features = Input((10,))
x = layers.Dense(10)(features)
scale = float(ops.max(x))
model = Model(features, layers.Rescaling(scale)(x))
