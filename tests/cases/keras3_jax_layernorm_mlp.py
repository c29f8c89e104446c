"""Keras 3 on an environment-chosen backend: LayerNormalization, residual MLP, AdamW, label smoothing.

k2t: level=1
"""
import os

os.environ["KERAS_BACKEND"] = "jax"  # or "torch" or "tensorflow", before keras is imported

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(812)


def mlp_block(x, expansion: int = 4, rate: float = 0.1):
    width = x.shape[-1]
    y = layers.LayerNormalization(epsilon=1e-6)(x)
    y = layers.Dense(width * expansion, activation="gelu")(y)
    y = layers.Dropout(rate)(y)
    y = layers.Dense(width)(y)
    return x + y


inputs = keras.Input((64,), name="features")
x = layers.Dense(32, name="stem")(inputs)
for _ in range(3):
    x = mlp_block(x)
x = layers.LayerNormalization(name="final_norm")(x)
outputs = layers.Dense(5, activation="softmax", name="head")(x)
model = keras.Model(inputs, outputs, name="residual_mlp")

model.compile(
    optimizer=keras.optimizers.AdamW(learning_rate=1e-3, weight_decay=0.01),
    loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
)

x_train = np.random.randn(1024, 64).astype("float32")
y_train = keras.utils.to_categorical(np.random.randint(5, size=1024), 5)
model.fit(x_train, y_train, batch_size=128, epochs=4, validation_split=0.1)
