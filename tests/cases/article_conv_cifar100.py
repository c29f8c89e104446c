"""Convolutional network on CIFAR-100 images, channels last, strided "same".

k2t: level=1
"""
import keras
from keras import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.cifar100.load_data()

model = keras.Sequential(
    [
        keras.Input(shape=(32, 32, 3)),
        layers.Rescaling(1.0 / 255),
        layers.ZeroPadding2D(padding=(3, 3)),
        layers.Conv2D(25, kernel_size=(3, 3), activation="relu"),
        layers.Conv2D(50, kernel_size=(5, 5), strides=2, padding="same", activation="relu"),
        layers.Conv2D(20, kernel_size=(3, 3), padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(100, activation="softmax"),
    ],
    name="article_conv_cifar100",
)
model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    metrics=["accuracy"],
)
history = model.fit(x_train, y_train, epochs=3, batch_size=100, validation_data=(x_test, y_test))
