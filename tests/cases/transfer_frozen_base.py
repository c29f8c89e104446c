"""Fine-tuning: a pretrained base, frozen and called with training=False, under a new head.

k2t: level=1
k2t: model=model
"""
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

# a small base that stands for a pretrained one
base_model = keras.Sequential(
    [
        layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, input_shape=(40, 40, 3)),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(32, 3, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
    ],
    name="base",
)

base_model.trainable = False
for layer in base_model.layers:
    print(layer.name, layer.trainable)

inputs = keras.Input(shape=(40, 40, 3))
x = layers.Rescaling(scale=1 / 127.5, offset=-1)(inputs)
# The base contains batchnorm layers: keep them in inference mode when it is unfrozen
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.2)(x)  # Regularize with dropout
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)

images = np.random.randint(0, 256, (64, 40, 40, 3)).astype("float32")
labels = np.random.randint(0, 2, (64, 1))

model.compile(
    optimizer=keras.optimizers.Adam(),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
model.fit(images, labels, epochs=2)

# a round of fine-tuning of the last convolution
base_model.trainable = True
for layer in base_model.layers[:3]:
    layer.trainable = False
model.compile(
    optimizer=keras.optimizers.Adam(1e-5),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy()],
)
model.fit(images, labels, epochs=1)
