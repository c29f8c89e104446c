"""Fuel efficiency: a Normalization layer adapted to the data, then linear and deep regressions.

k2t: level=2
k2t: model=dnn_model
"""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

np.set_printoptions(precision=3, suppress=True)

FEATURES = ["Cylinders", "Displacement", "Horsepower", "Weight", "Acceleration", "Year"]
rng = np.random.default_rng(3)
train_features = rng.normal([5, 190, 104, 2980, 15, 76], [1.7, 100, 38, 850, 2.7, 3.6], (250, 6))
train_features = train_features.astype("float32")
train_labels = (50 - train_features[:, 3] / 120 + rng.normal(size=250)).astype("float32")

normalizer = tf.keras.layers.Normalization(axis=-1)
normalizer.adapt(np.array(train_features))

linear_model = tf.keras.Sequential([normalizer, layers.Dense(units=1)])
linear_model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=0.1), loss="mean_absolute_error")
linear_model.fit(train_features, train_labels, epochs=100, verbose=0, validation_split=0.2)


def build_and_compile_model(norm):
    model = keras.Sequential([
        norm,
        layers.Dense(64, activation="relu"),
        layers.Dense(64, activation="relu"),
        layers.Dense(1),
    ])
    model.compile(loss="mean_absolute_error", optimizer=tf.keras.optimizers.Adam(0.001))
    return model


dnn_model = build_and_compile_model(normalizer)
history = dnn_model.fit(train_features, train_labels, validation_split=0.2, verbose=0, epochs=100)
test_results = {"dnn_model": dnn_model.evaluate(train_features, train_labels, verbose=0)}
