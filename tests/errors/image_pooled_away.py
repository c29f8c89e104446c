"""More poolings than the image has room for.

expect: image_pooled_away.py:15
expect: Conv2D
expect: (None, 1, 1, 32)
"""
from tensorflow.keras import models
from tensorflow.keras.layers import Conv2D, MaxPooling2D

model = models.Sequential()
model.add(Conv2D(8, 3, activation="relu", input_shape=(12, 12, 1)))
model.add(MaxPooling2D())
model.add(Conv2D(32, 3, activation="relu"))
model.add(MaxPooling2D())
model.add(Conv2D(64, 3, activation="relu"))
