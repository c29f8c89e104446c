"""A generator of windows over a series: what comes next?"""

import numpy as np
from keras import layers, models, optimizers

LOOKBACK, BATCH = 20, 32

time = np.arange(2000)
series = np.sin(time * 0.1) + 0.5 * np.sin(time * 0.31)
series = (series - series[:1500].mean()) / series[:1500].std()


def windows(data, first, last, batch_size=BATCH):
    """Batches of windows, one after the other, for ever."""
    start = first
    while True:
        if start + batch_size + LOOKBACK >= last:
            start = first
        rows = np.arange(start, start + batch_size)
        start += batch_size
        samples = np.stack([data[row : row + LOOKBACK] for row in rows])
        yield samples[..., np.newaxis], data[rows + LOOKBACK]


train_gen = windows(series, 0, 1500)
val_gen = windows(series, 1500, 2000)

model = models.Sequential(
    [
        layers.Input((LOOKBACK, 1)),
        layers.Conv1D(16, 5, activation="relu"),
        layers.GRU(8),
        layers.Dense(1),
    ]
)
model.compile(optimizer=optimizers.RMSprop(learning_rate=0.003), loss="mae")
model.fit(train_gen, steps_per_epoch=40, epochs=5, validation_data=val_gen, validation_steps=12)
