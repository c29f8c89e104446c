"""Stacked ConvLSTM2D predicts the next frames of a film, a Conv3D makes the pixels.

k2t: level=2
"""
import numpy as np
import keras
from keras import layers


def shift_frames(data):
    """x is frames 0 to n - 1, y is frames 1 to n."""
    return data[:, :-1], data[:, 1:]


rng = np.random.default_rng(0)
films = np.zeros((16, 7, 20, 20, 1), "float32")
for film in films:
    row, column = rng.integers(2, 12, 2)
    for t, frame in enumerate(film):
        frame[row + t : row + t + 2, column : column + 3] = 1.0
x_train, y_train = shift_frames(films[:12])
x_val, y_val = shift_frames(films[12:])

inp = layers.Input(shape=(None, *x_train.shape[2:]))

x = layers.ConvLSTM2D(filters=8, kernel_size=(5, 5), padding="same", return_sequences=True,
                      activation="relu")(inp)
x = layers.BatchNormalization()(x)
x = layers.ConvLSTM2D(filters=8, kernel_size=(3, 3), padding="same", return_sequences=True,
                      activation="relu")(x)
x = layers.BatchNormalization()(x)
x = layers.Conv3D(filters=1, kernel_size=(3, 3, 3), activation="sigmoid", padding="same")(x)

model = keras.models.Model(inp, x)
model.compile(loss=keras.losses.binary_crossentropy, optimizer=keras.optimizers.Adam())

early_stopping = keras.callbacks.EarlyStopping(monitor="val_loss", patience=10)
reduce_lr = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", patience=5)
model.fit(x_train, y_train, batch_size=5, epochs=20, validation_data=(x_val, y_val),
          callbacks=[early_stopping, reduce_lr])
