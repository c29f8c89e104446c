"""Convolutional network on CIFAR-10 images, channels last.

k2t: level=1
"""
from keras.datasets import cifar10
from keras.layers import Conv2D, Dense, Flatten, Input, ZeroPadding2D
from keras.models import Model
from keras.optimizers import Adam

(x_train, y_train), (x_test, y_test) = cifar10.load_data()
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255

image = Input((32, 32, 3))
x = ZeroPadding2D(3)(image)
x = Conv2D(25, 3, activation="relu")(x)
x = Conv2D(50, 5, padding="same", activation="relu")(x)
x = Conv2D(20, 3, padding="same", activation="relu")(x)
x = Flatten()(x)
x = Dense(100, activation="relu")(x)
label = Dense(10, activation="softmax")(x)
model = Model(inputs=image, outputs=label)

model.compile(Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=3, batch_size=100)
loss, accuracy = model.evaluate(x_test, y_test)
print(f"test accuracy {accuracy:.4f}")
