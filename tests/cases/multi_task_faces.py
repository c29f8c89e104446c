"""Age, gender and emotion from one trunk: per-output losses, weights and metrics in dicts.

k2t: level=1
"""
import numpy as np
import keras
from keras import Input, Model
from keras.layers import BatchNormalization, Conv2D, Dense, Dropout, GlobalAveragePooling2D, MaxPool2D

EMOTIONS = ["angry", "happy", "neutral", "sad", "surprised"]


def trunk(image):
    x = image
    for filters in (16, 32, 64):
        x = Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = BatchNormalization()(x)
        x = MaxPool2D()(x)
    return GlobalAveragePooling2D()(x)


def head(features, units, activation, name):
    x = Dense(32, activation="relu", name=f"{name}_hidden")(features)
    x = Dropout(0.3, name=f"{name}_dropout")(x)
    return Dense(units, activation=activation, name=name)(x)


image = Input(shape=(48, 48, 1), name="face")
features = trunk(image)
age = head(features, 1, None, "age")
gender = head(features, 1, "sigmoid", "gender")
emotion = head(features, len(EMOTIONS), "softmax", "emotion")
model = Model(inputs=image, outputs=[age, gender, emotion], name="faces")

model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss={"age": "mse", "gender": "binary_crossentropy", "emotion": "sparse_categorical_crossentropy"},
    loss_weights={"age": 0.25, "gender": 1.0, "emotion": 1.0},
    metrics={"age": ["mae"], "gender": ["accuracy"], "emotion": ["accuracy"]},
)
keras.utils.plot_model(model, "faces.png", show_shapes=True)

faces = np.random.rand(64, 48, 48, 1).astype("float32")
ages = np.random.randint(1, 90, (64, 1)).astype("float32")
genders = np.random.randint(0, 2, (64, 1))
emotions = np.random.randint(0, len(EMOTIONS), (64, 1))
model.fit(faces, {"age": ages, "gender": genders, "emotion": emotions}, epochs=5, batch_size=16)
