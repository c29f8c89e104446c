"""The number of classes is the number of folders in a folder that is not here.

expect: classes_from_absent_folder.py:15
expect: dataset/train
"""
import os
from tensorflow import keras

class_names = sorted(os.listdir("dataset/train"))
num_classes = len(class_names)

inputs = keras.Input((32, 32, 3))
x = keras.layers.Conv2D(8, 3)(inputs)
x = keras.layers.GlobalAveragePooling2D()(x)
outputs = keras.layers.Dense(num_classes, activation="softmax")(x)
model = keras.Model(inputs, outputs)
