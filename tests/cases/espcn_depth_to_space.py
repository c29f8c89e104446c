"""Sub-pixel super-resolution with tf.nn.depth_to_space in a Lambda and tf.image.resize beside it.

k2t: level=2
k2t: oracle=espcn_depth_to_space.py
"""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def get_model(upscale_factor=2, channels=1):
    conv_args = {
        "activation": "relu",
        "kernel_initializer": "Orthogonal",
        "padding": "same",
    }
    inputs = keras.Input(shape=(16, 16, channels))
    x = layers.Conv2D(16, 5, **conv_args)(inputs)
    x = layers.Conv2D(16, 3, **conv_args)(x)
    x = layers.Conv2D(8, 3, **conv_args)(x)
    x = layers.Conv2D(channels * (upscale_factor ** 2), 3, **conv_args)(x)
    x = layers.Lambda(lambda t: tf.nn.depth_to_space(t, upscale_factor))(x)
    coarse = layers.Lambda(lambda t: tf.image.resize(t, (32, 32), method="nearest"))(inputs)
    outputs = tf.clip_by_value(x + coarse, 0.0, 1.0)
    return keras.Model(inputs, outputs)


model = get_model()
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001), loss=keras.losses.MeanSquaredError())

high = np.random.rand(48, 32, 32, 1).astype("float32")
model.fit(high[:, ::2, ::2], high, epochs=2, batch_size=8, verbose=2)
