"""Training from a keras.utils.PyDataset, with a custom callback.

k2t: level=1
"""
import math

import keras
import numpy as np
from keras import layers, ops


class Waves(keras.utils.PyDataset):
    """Sine and square waves of random phase."""

    def __init__(self, length, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.length, self.batch_size = length, batch_size

    def __len__(self):
        return math.ceil(self.length / self.batch_size)

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        phase = rng.uniform(0, 6.28, (self.batch_size, 1))
        wave = np.sin(np.linspace(0, 12.56, 64)[None] + phase)
        label = rng.integers(0, 2, self.batch_size)
        wave[label == 1] = np.sign(wave[label == 1])
        return wave[..., None].astype("float32"), label


class PrintBest(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.best = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        if logs["loss"] < self.best:
            self.best = logs["loss"]
            print(f"\nepoch {epoch + 1}: best loss {self.best:.4f}")


model = keras.Sequential(
    [
        layers.Input((64, 1)),
        layers.ZeroPadding1D(2),
        layers.Conv1D(8, 5, strides=2, activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(16, 3, padding="same", activation="relu"),
        layers.UpSampling1D(2),
        layers.SpatialDropout1D(0.1),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy", metrics=["binary_accuracy"])
model.fit(Waves(512, 32, workers=2), epochs=3, callbacks=[PrintBest()])
score = model.predict(Waves(32, 32)[0][0])
print(float(ops.mean(score)))
