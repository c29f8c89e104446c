"""Keras 3 twin of multi_gpu_keras2.py: the model that every GPU has a copy of."""

from keras import Model
from keras.layers import Conv2D, Dense, GlobalMaxPooling2D, Input, MaxPooling2D

image = Input((64, 64, 3))
y = Conv2D(16, 3, strides=(2, 2), activation="relu", padding="same")(image)
y = MaxPooling2D(3, strides=2, padding="same")(y)
y = Conv2D(32, 3, strides=3, activation="relu", padding="same")(y)
y = GlobalMaxPooling2D()(y)
model = Model(image, Dense(20, activation="softmax")(y))
