"""Convolutional network on 1x28x28 MNIST images, channels first.

k2t: level=1
"""
from keras.datasets import mnist
from keras.layers import Conv2D, Dense, Flatten, Input, ZeroPadding2D
from keras.models import Model

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(-1, 1, 28, 28).astype("float32") / 255
x_test = x_test.reshape(-1, 1, 28, 28).astype("float32") / 255

image = Input((1, 28, 28))
x = ZeroPadding2D(3, data_format="channels_first")(image)
x = Conv2D(25, 3, activation="relu", data_format="channels_first")(x)
x = Conv2D(50, 5, padding="same", activation="relu", data_format="channels_first")(x)
x = Conv2D(20, 3, padding="same", activation="relu", data_format="channels_first")(x)
x = Flatten()(x)
x = Dense(100, activation="relu")(x)
digit = Dense(10, activation="softmax")(x)
model = Model(image, digit)

model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, batch_size=100)
print(model.evaluate(x_test, y_test))
