"""A misspelt loss.

expect: unknown_loss.py:9
expect: catgorical_crossentropy
"""
from keras import Sequential, layers

model = Sequential([layers.Input((4,)), layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="catgorical_crossentropy")
