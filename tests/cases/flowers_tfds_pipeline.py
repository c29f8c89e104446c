"""tf.data and tensorflow_datasets feed a convnet; class names from the missing dataset are only printed.

k2t: level=1
k2t: needs=absent-data
k2t: oracle=flowers_tfds_pipeline.py
"""
import tensorflow as tf
import tensorflow_datasets as tfds

BATCH_SIZE = 32
IMG_SIZE = 80
AUTOTUNE = tf.data.AUTOTUNE
NUM_CLASSES = 5

(train_ds, val_ds), metadata = tfds.load(
    "tf_flowers",
    split=["train[:80%]", "train[80%:]"],
    with_info=True,
    as_supervised=True,
)
print(metadata.features["label"].num_classes, "classes")


def prepare(image, label):
    image = tf.image.resize(image, (IMG_SIZE, IMG_SIZE))
    image = tf.cast(image, tf.float32) / 255.0
    return image, label


train_ds = train_ds.map(prepare, num_parallel_calls=AUTOTUNE).cache().shuffle(1000).batch(BATCH_SIZE)
train_ds = train_ds.prefetch(AUTOTUNE)
val_ds = val_ds.map(prepare, num_parallel_calls=AUTOTUNE).batch(BATCH_SIZE).prefetch(AUTOTUNE)

model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(16, 3, padding="same", activation="relu", input_shape=(IMG_SIZE, IMG_SIZE, 3)),
    tf.keras.layers.MaxPooling2D(),
    tf.keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
    tf.keras.layers.MaxPooling2D(),
    tf.keras.layers.Conv2D(64, 3, padding="same", activation="relu"),
    tf.keras.layers.GlobalAveragePooling2D(),
    tf.keras.layers.Dense(64, activation="relu"),
    tf.keras.layers.Dense(NUM_CLASSES),
])
model.compile(
    optimizer="adam",
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(train_ds, validation_data=val_ds, epochs=8)

for images, labels in val_ds.take(1):
    predictions = tf.nn.softmax(model.predict(images))
    print(tf.argmax(predictions, axis=1), labels)
