"""A loop over the batch, whose length is not known.

expect: loop_over_batch.py:8
"""
from keras import Input, Model, layers, ops

features = Input((10,))
rows = [row * 2.0 for row in features]
model = Model(features, layers.Dense(2)(ops.stack(rows)))
