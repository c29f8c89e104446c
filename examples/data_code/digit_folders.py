"""Images from folders, one folder a class, changed at random while it trains."""

from keras import layers, models
from keras.src.legacy.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(
    rescale=1.0 / 255, width_shift_range=0.1, height_shift_range=0.1, validation_split=0.2
)
train_generator = datagen.flow_from_directory(
    "data/digits",
    target_size=(8, 8),
    color_mode="grayscale",
    batch_size=32,
    class_mode="categorical",
    subset="training",
    seed=1,
)
validation_generator = datagen.flow_from_directory(
    "data/digits",
    target_size=(8, 8),
    color_mode="grayscale",
    batch_size=32,
    class_mode="categorical",
    subset="validation",
    shuffle=False,
)

model = models.Sequential(
    [
        layers.Input((8, 8, 1)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train_generator, epochs=6, validation_data=validation_generator)
