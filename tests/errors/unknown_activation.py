"""An activation that there is not.

expect: unknown_activation.py:10
expect: rellu
"""
from keras import Sequential, layers

model = Sequential()
model.add(layers.Input((8,)))
model.add(layers.Dense(16, activation="rellu"))
model.add(layers.Dense(1))
