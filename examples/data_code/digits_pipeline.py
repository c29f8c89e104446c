"""A pipeline of tf.data."""

import tensorflow as tf
from sklearn.datasets import load_digits

BATCH = 64
digits = load_digits()
images, labels = digits.images[..., None].astype("float32"), digits.target


def prepare(image, label):
    image = tf.cast(image, tf.float32) / 16.0
    return image, tf.one_hot(label, 10)


dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(
    2000, seed=3, reshuffle_each_iteration=False
)
train = dataset.skip(300).map(prepare, num_parallel_calls=tf.data.AUTOTUNE).cache()
train = train.shuffle(1500).batch(BATCH).prefetch(tf.data.AUTOTUNE)
validation = dataset.take(300).map(prepare).batch(BATCH)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Input((8, 8, 1)),
        tf.keras.layers.Conv2D(16, 3, activation="relu"),
        tf.keras.layers.Conv2D(32, 3, activation="relu"),
        tf.keras.layers.GlobalMaxPooling2D(),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=8, validation_data=validation)
