"""AlexNet-like net: large strided kernels, overlapping pools, batch normalisation.

k2t: level=1
k2t: train=no
"""
import tensorflow as tf
from tensorflow.keras.layers import Conv2D, MaxPooling2D, Dense, Flatten, Dropout, BatchNormalization

model = tf.keras.models.Sequential()

# 1st convolutional layer
model.add(Conv2D(filters=24, kernel_size=(11, 11), strides=(4, 4), activation="relu", input_shape=(99, 99, 3)))
model.add(BatchNormalization())
model.add(MaxPooling2D(pool_size=(3, 3), strides=(2, 2)))

# 2nd convolutional layer
model.add(Conv2D(filters=32, kernel_size=(5, 5), strides=(1, 1), activation="relu", padding="same"))
model.add(BatchNormalization())
model.add(MaxPooling2D(pool_size=(3, 3), strides=(2, 2)))

# 3rd to 5th convolutional layers
for filters in (48, 48, 32):
    model.add(Conv2D(filters=filters, kernel_size=(3, 3), strides=(1, 1), activation="relu", padding="same"))
    model.add(BatchNormalization())
model.add(MaxPooling2D(pool_size=(3, 3), strides=(2, 2), padding="same"))

# fully connected
model.add(Flatten())
model.add(Dense(128, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(128, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(20, activation="softmax"))
model.summary()
