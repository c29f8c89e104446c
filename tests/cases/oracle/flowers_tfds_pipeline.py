"""Keras 3 twin of flowers_tfds_pipeline.py."""

from keras import Sequential, layers

model = Sequential(
    [
        layers.Input((80, 80, 3)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(64, activation="relu"),
        layers.Dense(5),
    ]
)
