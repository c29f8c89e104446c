"""A program that is PyTorch already: nothing of Keras is imported.

expect: no model
"""
import numpy as np

weights = np.zeros((10, 784))


def forward(x):
    return x @ weights.T


print(forward(np.ones((2, 784))).shape)
