"""Behavioural cloning: Lambda normalisation, Cropping2D, strided convolutions; csv and cv2 images absent.

k2t: level=2
k2t: needs=absent-data
k2t: oracle=driving_nvidia_lambda_keras2.py
"""
import csv
import cv2
import numpy as np
import sklearn
from keras.models import Sequential
from keras.layers import Flatten, Dense, Lambda, Convolution2D, Cropping2D, ELU, Dropout
from sklearn.model_selection import train_test_split

samples = []
with open('./data/driving_log.csv') as csvfile:
    reader = csv.reader(csvfile)
    for line in reader:
        samples.append(line)

train_samples, validation_samples = train_test_split(samples, test_size=0.2)


def generator(samples, batch_size=32):
    num_samples = len(samples)
    while 1:  # Loop forever so the generator never terminates
        sklearn.utils.shuffle(samples)
        for offset in range(0, num_samples, batch_size):
            images, angles = [], []
            for batch_sample in samples[offset:offset + batch_size]:
                name = './data/IMG/' + batch_sample[0].split('/')[-1]
                images.append(cv2.cvtColor(cv2.imread(name), cv2.COLOR_BGR2RGB))
                angles.append(float(batch_sample[3]))
            yield sklearn.utils.shuffle(np.array(images), np.array(angles))


train_generator = generator(train_samples)
validation_generator = generator(validation_samples)

model = Sequential()
model.add(Lambda(lambda x: (x / 255.0) - 0.5, input_shape=(80, 160, 3)))
model.add(Cropping2D(cropping=((20, 10), (0, 0))))
model.add(Convolution2D(12, 5, 5, subsample=(2, 2), activation='relu'))
model.add(Convolution2D(18, 5, 5, subsample=(2, 2), activation='relu'))
model.add(Convolution2D(24, 3, 3))
model.add(ELU())
model.add(Flatten())
model.add(Dropout(.2))
model.add(Dense(50))
model.add(Dense(10))
model.add(Dense(1))

model.compile(loss='mse', optimizer='adam')
history_object = model.fit_generator(train_generator, samples_per_epoch=len(train_samples),
                                     validation_data=validation_generator,
                                     nb_val_samples=len(validation_samples), nb_epoch=3)
model.save('model.h5')
print(history_object.history.keys())
