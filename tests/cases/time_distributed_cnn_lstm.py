"""Video classifier: a convnet on every frame by TimeDistributed, then an LSTM.

k2t: level=2
"""
import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import (Conv2D, MaxPooling2D, Flatten, TimeDistributed, LSTM, Dense, Dropout,
                                     BatchNormalization, GlobalAveragePooling2D)

FRAMES, HEIGHT, WIDTH = 6, 24, 24
CLASSES = ["walk", "run", "jump", "wave"]


def make_frame_encoder():
    encoder = Sequential(name="frame_encoder")
    encoder.add(Conv2D(12, 3, strides=2, padding="same", activation="relu",
                       input_shape=(HEIGHT, WIDTH, 3)))
    encoder.add(BatchNormalization())
    encoder.add(GlobalAveragePooling2D())
    return encoder


model = Sequential()
model.add(TimeDistributed(Conv2D(8, (3, 3), padding="same", activation="relu"),
                          input_shape=(FRAMES, HEIGHT * 2, WIDTH * 2, 3)))
model.add(TimeDistributed(MaxPooling2D((2, 2))))
model.add(TimeDistributed(Conv2D(3, (1, 1))))
model.add(TimeDistributed(make_frame_encoder()))
model.add(LSTM(16, return_sequences=True))
model.add(LSTM(16))
model.add(Dropout(0.5))
model.add(Dense(len(CLASSES), activation="softmax"))

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
clips = np.random.rand(12, FRAMES, HEIGHT * 2, WIDTH * 2, 3)
labels = np.eye(len(CLASSES))[np.arange(12) % len(CLASSES)]
model.fit(clips, labels, epochs=2, batch_size=4)
