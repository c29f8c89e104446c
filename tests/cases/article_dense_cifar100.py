"""Dense network on flattened CIFAR-100 images, tf.keras with a list of layers.

k2t: level=1
"""
import tensorflow as tf

(train_x, train_y), (test_x, test_y) = tf.keras.datasets.cifar100.load_data(label_mode="fine")
train_x = train_x.reshape((len(train_x), 3072)) / 255.0
test_x = test_x.reshape((len(test_x), 3072)) / 255.0

model = tf.keras.models.Sequential([
    tf.keras.layers.Dense(700, activation="relu", input_shape=(3072,)),
    tf.keras.layers.Dense(500, activation="relu"),
    tf.keras.layers.Dense(400, activation="relu"),
    tf.keras.layers.Dense(300, activation="relu"),
    tf.keras.layers.Dense(200, activation="relu"),
    tf.keras.layers.Dense(100),
])

model.compile(
    optimizer=tf.keras.optimizers.Adam(1e-3),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_x, train_y, epochs=5, validation_split=0.1)
model.evaluate(test_x, test_y, verbose=2)
