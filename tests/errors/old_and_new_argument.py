"""One argument given twice: by its old name and by its new one.

expect: old_and_new_argument.py:12
expect: nb_epoch
expect: epochs
"""
import numpy as np
from keras import Sequential, layers

model = Sequential([layers.Input((4,)), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.zeros((8, 4)), np.zeros((8, 1)), epochs=5, nb_epoch=10)
