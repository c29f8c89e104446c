"""A misspelt layer: the message suggests the right name.

expect: unknown_layer_attribute.py:11
expect: MaxPoolling2D
expect: MaxPooling2D
"""
from tensorflow.keras import layers, models

model = models.Sequential()
model.add(layers.Conv2D(8, 3, input_shape=(28, 28, 1)))
model.add(layers.MaxPoolling2D())
