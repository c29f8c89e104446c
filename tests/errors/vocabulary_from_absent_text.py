"""The width of the output is the number of characters of a downloaded text.

expect: vocabulary_from_absent_text.py:17
expect: letters.txt
"""
import keras
from keras import layers

path = keras.utils.get_file("letters.txt", "https://example.org/letters.txt")
with open(path, encoding="utf-8") as file:
    text = file.read().lower()
chars = sorted(set(text))

model = keras.Sequential()
model.add(layers.Input((40, 8)))
model.add(layers.Flatten())
model.add(layers.Dense(len(chars), activation="softmax"))
