"""A misspelt optimizer.

expect: unknown_optimizer.py:9
expect: addam
"""
from keras import Sequential, layers

model = Sequential([layers.Input((4,)), layers.Dense(1)])
model.compile(optimizer="addam", loss="mse")
