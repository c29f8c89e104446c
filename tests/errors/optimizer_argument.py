"""An argument that an optimizer does not have.

expect: optimizer_argument.py:10
expect: Adam
expect: momentum
"""
from keras import Sequential, layers, optimizers

model = Sequential([layers.Input((4,)), layers.Dense(1)])
adam = optimizers.Adam(1e-3, momentum=0.9)
model.compile(adam, "mse")
