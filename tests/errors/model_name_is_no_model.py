"""--model names a variable that holds something else.

k2t: model=history
expect: history
"""
import numpy as np
import keras

network = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
network.compile("adam", "mse")
history = network.fit(np.random.rand(8, 8), np.random.rand(8, 1))
