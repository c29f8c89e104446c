"""Custom blocks in lists inside a Model subclass, compiled and fitted as any model.

k2t: level=2
"""
import numpy as np
import tensorflow as tf
from tensorflow import keras


class ResidualBlock(keras.layers.Layer):
    def __init__(self, n_layers, n_neurons, **kwargs):
        super().__init__(**kwargs)
        self.hidden = [keras.layers.Dense(n_neurons, activation="elu", kernel_initializer="he_normal")
                       for _ in range(n_layers)]

    def call(self, inputs):
        Z = inputs
        for layer in self.hidden:
            Z = layer(Z)
        return inputs + Z


class ResidualRegressor(keras.Model):
    def __init__(self, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = keras.layers.Dense(30, activation="elu", kernel_initializer="he_normal")
        self.block1 = ResidualBlock(2, 30)
        self.block2 = ResidualBlock(2, 30)
        self.dropout = keras.layers.Dropout(0.1)
        self.out = keras.layers.Dense(output_dim)

    def call(self, inputs, training=None):
        Z = self.hidden1(inputs)
        for _ in range(1 + 3):
            Z = self.block1(Z)
        Z = self.block2(Z)
        Z = self.dropout(Z, training=training)
        return self.out(Z)


tf.random.set_seed(42)
X_train = np.random.randn(400, 8).astype("float32")
y_train = np.random.randn(400).astype("float32")

model = ResidualRegressor(1)
model.compile(loss="mse", optimizer="nadam")
history = model.fit(X_train, y_train, epochs=5)
score = model.evaluate(X_train, y_train)
