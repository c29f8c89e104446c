"""A module of a larger project: build_model() with defaults, which nothing here calls.

k2t: level=1
k2t: model=build_model
k2t: train=no
"""
from tensorflow.keras.layers import Conv2D, Dense, Dropout, Flatten, Input, LeakyReLU, MaxPool2D
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import RMSprop

LABELS = ("rock", "paper", "scissors")


def build_model(input_shape=(60, 40, 3), n_classes=len(LABELS), base_filters=8, dropout=0.4,
                learning_rate=1e-3):
    """Return a compiled classifier of hand signs."""
    model = Sequential(name="hand_signs")
    model.add(Input(input_shape))
    for i in range(3):
        model.add(Conv2D(base_filters * 2 ** i, (3, 3), padding="same"))
        model.add(LeakyReLU())
        model.add(MaxPool2D((2, 2)))
    model.add(Flatten())
    model.add(Dense(64, activation="relu"))
    model.add(Dropout(dropout))
    model.add(Dense(n_classes, activation="softmax"))
    model.compile(RMSprop(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
    return model


def label_of(probabilities):
    return LABELS[int(probabilities.argmax())]
