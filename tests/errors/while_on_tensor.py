"""A Python `while` on a symbolic value in a Lambda function.

expect: while_on_tensor.py:9
"""
from keras import Input, Model, layers, ops


def halve_until_small(x):
    while ops.max(x) > 1:
        x = x / 2
    return x


features = Input((10,))
model = Model(features, layers.Lambda(halve_until_small)(features))
