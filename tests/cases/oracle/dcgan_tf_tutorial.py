"""Keras 3 twin of dcgan_tf_tutorial.py: the generator (LeakyReLU's slope was 0.3 then as now)."""

from keras import Sequential, layers

model = Sequential(
    [
        layers.Input((100,)),
        layers.Dense(7 * 7 * 32, use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Reshape((7, 7, 32)),
        layers.Conv2DTranspose(16, (5, 5), strides=(1, 1), padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Conv2DTranspose(8, (5, 5), strides=(2, 2), padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Conv2DTranspose(
            1, (5, 5), strides=(2, 2), padding="same", use_bias=False, activation="tanh"
        ),
    ]
)
