"""3-D convolutional classifier of CT volumes, in a function with keyword sizes.

k2t: level=1
"""
import numpy as np
import keras
from keras import layers


def get_model(width=32, height=32, depth=16):
    """Build a 3D convolutional neural network model."""
    inputs = keras.Input((width, height, depth, 1))

    x = layers.Conv3D(filters=8, kernel_size=3, activation="relu")(inputs)
    x = layers.MaxPool3D(pool_size=2)(x)
    x = layers.BatchNormalization()(x)

    x = layers.Conv3D(filters=16, kernel_size=3, padding="same", strides=(2, 2, 1), activation="relu")(x)
    x = layers.MaxPool3D(pool_size=2, padding="same")(x)
    x = layers.BatchNormalization()(x)

    x = layers.GlobalAveragePooling3D()(x)
    x = layers.Dense(units=32, activation="relu")(x)
    x = layers.Dropout(0.3)(x)

    outputs = layers.Dense(units=1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs, name="3dcnn")


def normalize(volume):
    """Normalize the volume"""
    low, high = -1000, 400
    volume = np.clip(volume, low, high)
    return ((volume - low) / (high - low)).astype("float32")


scans = normalize(np.random.uniform(-1200, 600, (12, 32, 32, 16)))[..., None]
labels = np.array([1] * 6 + [0] * 6)

model = get_model()
model.summary()
initial_learning_rate = 0.0001
lr_schedule = keras.optimizers.schedules.ExponentialDecay(
    initial_learning_rate, decay_steps=100000, decay_rate=0.96, staircase=True
)
model.compile(
    loss="binary_crossentropy",
    optimizer=keras.optimizers.Adam(learning_rate=lr_schedule),
    metrics=["acc"],
)
checkpoint_cb = keras.callbacks.ModelCheckpoint("3d_image_classification.keras", save_best_only=True)
early_stopping_cb = keras.callbacks.EarlyStopping(monitor="val_acc", patience=15)
model.fit(
    scans[:8], labels[:8],
    validation_data=(scans[8:], labels[8:]),
    epochs=100,
    batch_size=2,
    callbacks=[checkpoint_cb, early_stopping_cb],
)
