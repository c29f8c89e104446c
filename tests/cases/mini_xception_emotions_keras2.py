"""Emotion classifier with separable convolutions and L2, fed by ImageDataGenerator from fer2013.csv.

k2t: level=1
k2t: needs=absent-data
k2t: oracle=mini_xception_emotions_keras2.py
"""
from keras.callbacks import CSVLogger, ModelCheckpoint, EarlyStopping
from keras.callbacks import ReduceLROnPlateau
from keras.preprocessing.image import ImageDataGenerator
from keras.layers import Activation, Convolution2D, Dropout, Conv2D
from keras.layers import BatchNormalization, GlobalAveragePooling2D, SeparableConv2D
from keras.layers import MaxPooling2D, Input
from keras.models import Model
from keras import layers
from keras.regularizers import l2
from sklearn.model_selection import train_test_split
import cv2
import pandas as pd
import numpy as np

# parameters
batch_size = 32
num_epochs = 110
input_shape = (48, 48, 1)
verbose = 1
num_classes = 7
patience = 50


def load_fer2013():
    data = pd.read_csv('fer2013.csv')
    faces = []
    for pixel_sequence in data['pixels'].tolist():
        face = np.asarray([int(p) for p in pixel_sequence.split(' ')]).reshape(48, 48)
        faces.append(cv2.resize(face.astype('uint8'), input_shape[:2]).astype('float32'))
    faces = np.expand_dims(np.asarray(faces), -1)
    return faces, pd.get_dummies(data['emotion']).values


def mini_XCEPTION(input_shape, num_classes, l2_regularization=0.01):
    regularization = l2(l2_regularization)

    # base
    img_input = Input(input_shape)
    x = Conv2D(8, (3, 3), strides=(1, 1), kernel_regularizer=regularization, use_bias=False)(img_input)
    x = BatchNormalization()(x)
    x = Activation('relu')(x)
    x = Conv2D(8, (3, 3), strides=(1, 1), kernel_regularizer=regularization, use_bias=False)(x)
    x = BatchNormalization()(x)
    x = Activation('relu')(x)

    # modules
    for filters in (16, 32):
        residual = Conv2D(filters, (1, 1), strides=(2, 2), padding='same', use_bias=False)(x)
        residual = BatchNormalization()(residual)

        x = SeparableConv2D(filters, (3, 3), padding='same', depthwise_regularizer=regularization,
                            use_bias=False)(x)
        x = BatchNormalization()(x)
        x = Activation('relu')(x)
        x = SeparableConv2D(filters, (3, 3), padding='same', depthwise_regularizer=regularization,
                            use_bias=False)(x)
        x = BatchNormalization()(x)

        x = MaxPooling2D((3, 3), strides=(2, 2), padding='same')(x)
        x = layers.add([x, residual])

    x = Conv2D(num_classes, (3, 3), padding='same')(x)
    x = GlobalAveragePooling2D()(x)
    output = Activation('softmax', name='predictions')(x)
    return Model(img_input, output)


data_generator = ImageDataGenerator(rotation_range=10, width_shift_range=0.1, zoom_range=.1,
                                    horizontal_flip=True)

model = mini_XCEPTION(input_shape, num_classes)
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.summary()

log_file_path = 'fer2013_emotion_training.log'
callbacks = [ModelCheckpoint('mini_XCEPTION.{epoch:02d}-{val_acc:.2f}.hdf5', 'val_loss', verbose=1),
             CSVLogger(log_file_path, append=False),
             EarlyStopping('val_loss', patience=patience),
             ReduceLROnPlateau('val_loss', factor=0.1, patience=int(patience / 4), verbose=1)]

faces, emotions = load_fer2013()
xtrain, xtest, ytrain, ytest = train_test_split(faces / 127.5 - 1, emotions, test_size=0.2, shuffle=True)
model.fit_generator(data_generator.flow(xtrain, ytrain, batch_size),
                    steps_per_epoch=len(xtrain) / batch_size, epochs=num_epochs, verbose=1,
                    callbacks=callbacks, validation_data=(xtest, ytest))
