"""multi_gpu_model around a model made on the CPU device, with tf.device and a data generator.

k2t: level=1
k2t: model=model
k2t: oracle=multi_gpu_keras2.py
"""
import numpy as np
import tensorflow as tf
from keras.layers import Conv2D, Dense, GlobalMaxPooling2D, Input, MaxPooling2D
from keras.models import Model
from keras.utils import multi_gpu_model

num_samples = 1000
height = 64
width = 64
num_classes = 20
G = 2

print("[INFO] training with {} GPUs...".format(G))

# the weights live on the CPU, and every GPU gets a copy of the model
with tf.device('/cpu:0'):
    image = Input(shape=(height, width, 3))
    y = Conv2D(16, 3, strides=(2, 2), activation='relu', padding='same')(image)
    y = MaxPooling2D(3, strides=2, padding='same')(y)
    y = Conv2D(32, 3, strides=3, activation='relu', padding='same')(y)
    y = GlobalMaxPooling2D()(y)
    y = Dense(num_classes, activation='softmax')(y)
    model = Model(inputs=image, outputs=y)

parallel_model = multi_gpu_model(model, gpus=G)
parallel_model.compile(loss='categorical_crossentropy', optimizer='rmsprop')


def generator(batch_size):
    while True:
        x = np.random.random((batch_size, height, width, 3))
        y = np.eye(num_classes)[np.random.randint(0, num_classes, batch_size)]
        yield x, y


parallel_model.fit_generator(generator(64 * G), steps_per_epoch=num_samples // (64 * G), epochs=20)
model.save('my_model.h5')
