"""`import tf_keras as keras`: Keras 2 kept alive beside TensorFlow 2.16.

k2t: level=1
"""
import numpy as np
import tf_keras as keras
from tf_keras import layers
from tf_keras.layers import ELU, PReLU

model = keras.models.Sequential(name="sensor_net")
model.add(keras.Input(shape=(50, 4)))
model.add(layers.Conv1D(16, 5, strides=2, padding="same"))
model.add(PReLU(shared_axes=[1]))
model.add(layers.Conv1D(16, 5, dilation_rate=2))
model.add(ELU(alpha=0.7))
model.add(layers.AveragePooling1D(3, padding="same"))
model.add(layers.Cropping1D((1, 0)))
model.add(layers.Flatten())
model.add(layers.Dense(1))

model.compile(optimizer=keras.optimizers.Adam(5e-4), loss="mae", metrics=["mse"])
model.fit(np.random.rand(100, 50, 4), np.random.rand(100), epochs=2, batch_size=10)
