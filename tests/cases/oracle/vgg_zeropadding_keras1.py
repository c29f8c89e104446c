"""Keras 3 twin of vgg_zeropadding_keras1.py."""

import keras
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, ZeroPadding2D

keras.config.set_image_data_format("channels_first")

model = keras.Sequential([Input((3, 48, 48))])
for filters, repeats in ((8, 2), (16, 2), (32, 3)):
    for _ in range(repeats):
        model.add(ZeroPadding2D((1, 1)))
        model.add(Conv2D(filters, (3, 3), activation="relu"))
    model.add(MaxPooling2D((2, 2), strides=(2, 2)))
model.add(Flatten())
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(100, activation="softmax"))
