"""Keras 3 twin of vqa_merge_cnn_lstm_keras1.py (Keras 1's GRU applied the reset gate before the product)."""

from keras import Input, Model, Sequential
from keras.layers import (
    GRU,
    LSTM,
    Activation,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    MaxPooling2D,
    TimeDistributed,
    concatenate,
)

image_model = Sequential(
    [
        Input((32, 32, 3)),
        Conv2D(8, (3, 3), padding="same", activation="relu"),
        MaxPooling2D((2, 2)),
        Conv2D(16, (3, 3), activation="relu"),
        MaxPooling2D((2, 2), strides=(2, 2)),
        Flatten(),
        Dense(32, activation="tanh"),
    ]
)
language_model = Sequential(
    [
        Input((12,)),
        Embedding(250, 24),
        LSTM(32, return_sequences=True, dropout=0.1, recurrent_dropout=0.1),
        TimeDistributed(Dense(24)),
        GRU(32, reset_after=False),
    ]
)
image, question = Input((32, 32, 3)), Input((12,))
x = concatenate([image_model(image), language_model(question)], axis=1)
for _ in range(2):
    x = Dense(48)(x)
    x = Activation("tanh")(x)
    x = Dropout(0.5)(x)
model = Model([image, question], Activation("softmax")(Dense(40)(x)))
