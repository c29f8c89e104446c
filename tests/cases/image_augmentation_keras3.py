"""Augmentation layers inside the model: flips, rotation, zoom, contrast; they do nothing at inference.

k2t: level=2
"""
import keras
from keras import layers

data_augmentation_layers = [
    layers.RandomFlip("horizontal"),
    layers.RandomRotation(0.1),
]


def data_augmentation(images):
    for layer in data_augmentation_layers:
        images = layer(images)
    return images


inputs = keras.Input(shape=(32, 32, 3))
x = data_augmentation(inputs)
x = layers.RandomZoom(0.2)(x)
x = layers.RandomContrast(0.1)(x)
x = layers.RandomTranslation(0.1, 0.1)(x)
x = layers.CenterCrop(28, 28)(x)
x = layers.Rescaling(1.0 / 127.5, offset=-1)(x)
for size in [16, 32]:
    residual = x
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.SeparableConv2D(size, 3, padding="same", use_bias=False)(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    residual = layers.Conv2D(size, 1, strides=2, padding="same", use_bias=False)(residual)
    x = layers.add([x, residual])
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.5)(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

(x_train, y_train), _ = keras.datasets.cifar10.load_data()
model.fit(x_train, y_train, epochs=10, batch_size=64, validation_split=0.2)
