"""Handwritten digits: a small residual convnet on scikit-learn's 8x8 images."""

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

# Data: 1,797 grey images with values from 0 to 16.
digits = load_digits()
images = digits.images[..., np.newaxis].astype("float32") / 16.0
labels = digits.target.astype("int32")
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.2, random_state=0, stratify=labels
)


def residual_block(x, filters, strides):
    """Two 3x3 convolutions with a projected shortcut."""
    shortcut = layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x)
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Add()([x, shortcut])
    return layers.ReLU()(x)


def build_model():
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(32, 3, padding="same", use_bias=False, name="stem")(image)
    x = layers.BatchNormalization(momentum=0.9, name="stem_bn")(x)
    x = layers.ReLU()(x)
    x = residual_block(x, 32, strides=1)
    x = residual_block(x, 64, strides=2)
    x = residual_block(x, 64, strides=2)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(10, activation="softmax", name="head")(x)
    return keras.Model(image, outputs, name="digits_net")


model = build_model()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=2e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=64, epochs=12, validation_split=0.1)

loss, accuracy = model.evaluate(x_test, y_test)
print(f"test accuracy: {accuracy:.4f}")
