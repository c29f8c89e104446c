"""Keras 3 twin of ocr_ctc_keras2.py: the model that reads, without the loss around it."""

from keras import Model
from keras.layers import (
    GRU,
    Conv2D,
    Dense,
    Dropout,
    Input,
    MaxPooling2D,
    Reshape,
    add,
    concatenate,
)

input_tensor = Input((64, 32, 3))
x = input_tensor
for i in range(3):
    x = Conv2D(8 * 2**i, (3, 3), activation="relu")(x)
    x = MaxPooling2D((2, 2))(x)
x = Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x)
x = Dense(16, activation="relu")(x)
forward = GRU(16, return_sequences=True, name="gru1")(x)
backward = GRU(16, return_sequences=True, go_backwards=True, name="gru1_b")(x)
x = Dropout(0.25)(concatenate([add([forward, backward]), x]))
model = Model(input_tensor, Dense(37, activation="softmax")(x))
