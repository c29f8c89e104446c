"""--model names a function that cannot be called without arguments.

k2t: model=make_network
expect: make_network
expect: classes
"""
from keras import Sequential, layers


def make_network(classes):
    return Sequential([layers.Input((16, 16, 3)), layers.Flatten(), layers.Dense(classes)])
