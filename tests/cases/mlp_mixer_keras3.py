"""MLP-Mixer: a custom layer that permutes patches and channels, sine of a loop of Sequential blocks.

k2t: level=2
"""
import keras
import numpy as np
from keras import layers


class MLPMixerLayer(layers.Layer):
    def __init__(self, num_patches, hidden_units, dropout_rate, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.mlp1 = keras.Sequential(
            [
                layers.Dense(units=num_patches, activation="gelu"),
                layers.Dense(units=num_patches),
                layers.Dropout(rate=dropout_rate),
            ]
        )
        self.mlp2 = keras.Sequential(
            [
                layers.Dense(units=num_patches, activation="gelu"),
                layers.Dense(units=hidden_units),
                layers.Dropout(rate=dropout_rate),
            ]
        )
        self.normalize = layers.LayerNormalization(epsilon=1e-6)

    def build(self, input_shape):
        return super().build(input_shape)

    def call(self, inputs):
        # Apply layer normalization.
        x = self.normalize(inputs)
        # Transpose inputs from [num_batches, num_patches, hidden_units] to the other order.
        x_channels = keras.ops.transpose(x, axes=(0, 2, 1))
        # Apply mlp1 on each channel independently.
        mlp1_outputs = self.mlp1(x_channels)
        mlp1_outputs = keras.ops.transpose(mlp1_outputs, axes=(0, 2, 1))
        # Add skip connection.
        x = mlp1_outputs + inputs
        x_patches = self.normalize(x)
        mlp2_outputs = self.mlp2(x_patches)
        x = x + mlp2_outputs
        return x


def build_classifier(blocks, positional_encoding=False):
    inputs = layers.Input(shape=(32, 32, 3))
    x = layers.Conv2D(24, 8, strides=8, name="patches")(inputs)
    num_patches = x.shape[1] * x.shape[2]
    x = layers.Reshape((num_patches, 24))(x)
    if positional_encoding:
        x = x + layers.Embedding(num_patches, 24)(keras.ops.arange(num_patches))
    x = blocks(x)
    representation = layers.GlobalAveragePooling1D()(x)
    representation = layers.Dropout(rate=0.2)(representation)
    logits = layers.Dense(10)(representation)
    return keras.Model(inputs=inputs, outputs=logits)


mlpmixer_blocks = keras.Sequential([MLPMixerLayer(16, 24, 0.2) for _ in range(2)])
mlpmixer_classifier = build_classifier(mlpmixer_blocks)
mlpmixer_classifier.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["acc"],
)
mlpmixer_classifier.fit(np.random.rand(64, 32, 32, 3), np.random.randint(0, 10, 64), epochs=1)
