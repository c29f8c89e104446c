"""A name that the script never defined.

expect: undefined_name.py:11
expect: NameError
expect: num_classes
"""
from keras import Sequential, layers

model = Sequential()
model.add(layers.Input((16,)))
model.add(layers.Dense(num_classes))
