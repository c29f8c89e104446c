"""Reconstruction autoencoders for anomalies: LSTM with RepeatVector, and Conv1DTranspose, compared.

k2t: level=2
k2t: model=lstm_model
"""
import numpy as np
import keras
from keras import layers
from keras.layers import LSTM, Dense, Dropout, GaussianNoise, RepeatVector, TimeDistributed
from keras.models import Sequential

TIME_STEPS = 24


def create_sequences(values, time_steps=TIME_STEPS):
    output = []
    for i in range(len(values) - time_steps + 1):
        output.append(values[i : (i + time_steps)])
    return np.stack(output)


values = np.sin(np.arange(300) / 9.0)[:, None].astype("float32")
x_train = create_sequences(values)

conv_model = keras.Sequential(
    [
        layers.Input(shape=(x_train.shape[1], x_train.shape[2])),
        layers.Conv1D(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Dropout(rate=0.2),
        layers.Conv1D(filters=8, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=8, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Dropout(rate=0.2),
        layers.Conv1DTranspose(filters=16, kernel_size=7, padding="same", strides=2, activation="relu"),
        layers.Conv1DTranspose(filters=1, kernel_size=7, padding="same"),
    ]
)
conv_model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss="mse")
conv_model.fit(x_train, x_train, epochs=5, batch_size=128, validation_split=0.1)

lstm_model = Sequential(name="lstm_autoencoder")
lstm_model.add(layers.Input((TIME_STEPS, 1)))
lstm_model.add(GaussianNoise(0.05))
lstm_model.add(LSTM(24, activation="relu"))
lstm_model.add(Dropout(rate=0.2))
lstm_model.add(RepeatVector(TIME_STEPS))
lstm_model.add(LSTM(24, activation="relu", return_sequences=True))
lstm_model.add(TimeDistributed(Dense(1)))
lstm_model.compile(optimizer="adam", loss="mae")
lstm_model.fit(x_train, x_train, epochs=5, batch_size=32, shuffle=False)

reconstruction = lstm_model.predict(x_train)
train_mae_loss = np.mean(np.abs(reconstruction - x_train), axis=1)
print("Reconstruction error threshold:", np.max(train_mae_loss))
