"""Dense network on flattened MNIST images: 784-700-200-300-100-10 (Functional).

k2t: level=1
"""
import keras
from keras.datasets import mnist
from keras.layers import Dense, Input
from keras.models import Model

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(-1, 784).astype("float32") / 255
x_test = x_test.reshape(-1, 784).astype("float32") / 255

inputs = Input(shape=(784,))
x = Dense(700, activation="relu")(inputs)
x = Dense(200, activation="relu")(x)
x = Dense(300, activation="relu")(x)
x = Dense(100, activation="relu")(x)
outputs = Dense(10, activation="softmax")(x)

model = Model(inputs, outputs)
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=1e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, epochs=10, batch_size=64)
print(model.evaluate(x_test, y_test))
