"""Everything in main(): parse nothing, build, train, report with scikit-learn.

k2t: level=1
"""
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report, confusion_matrix
from sklearn.model_selection import train_test_split


def create_model(input_shape, num_classes):
    return tf.keras.Sequential(
        [
            tf.keras.layers.InputLayer(shape=input_shape),
            tf.keras.layers.Conv2D(16, 3, padding="same", activation=tf.nn.relu),
            tf.keras.layers.BatchNormalization(),
            tf.keras.layers.MaxPool2D(),
            tf.keras.layers.Conv2D(32, 3, padding="same", activation=tf.nn.relu),
            tf.keras.layers.GlobalMaxPool2D(),
            tf.keras.layers.Dense(num_classes, activation=tf.nn.softmax),
        ]
    )


def main():
    digits = load_digits()
    x = (digits.images[..., np.newaxis] / 16.0).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        x, digits.target, test_size=0.25, random_state=0
    )
    model = create_model(x_train.shape[1:], 10)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=15, batch_size=32, validation_split=0.1)
    predicted = np.argmax(model.predict(x_test), axis=1)
    print(classification_report(y_test, predicted))
    print(confusion_matrix(y_test, predicted))


if __name__ == "__main__":
    main()
