"""A table from a CSV file, by pandas."""

import numpy as np
import pandas as pd
from keras.layers import Dense
from keras.models import Sequential
from keras.utils import to_categorical

# One flower a line, the species in the last column.
frame = pd.read_csv("data/iris.csv")
print(frame.head())
frame = frame.sample(frac=1.0, random_state=7)

features = frame.drop(columns="species")
features = (features - features.mean()) / features.std()
X = features.values.astype("float32")
codes, names = pd.factorize(frame["species"], sort=True)
Y = to_categorical(codes, num_classes=len(names))

model = Sequential()
model.add(Dense(16, activation="relu", input_shape=(4,)))
model.add(Dense(3, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(X, Y, epochs=40, batch_size=8, validation_split=0.2, verbose=2)

print("best validation accuracy:", np.max(history.history["val_accuracy"]))
