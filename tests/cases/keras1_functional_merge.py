'''Keras 1 Functional: merge(mode='concat'), Model(input=, output=), stride by subsample.

k2t: level=1
k2t: oracle=keras1_functional_merge.py
'''
from keras.models import Model
from keras.layers import Input, Dense, Convolution2D, MaxPooling2D, AveragePooling2D, Flatten, merge
from keras.layers import BatchNormalization, Activation, Dropout
from keras.regularizers import l2
from keras.optimizers import SGD
import numpy as np

def conv_factory(x, nb_filter, subsample=(1, 1)):
    x = BatchNormalization(mode=0, axis=-1)(x)
    x = Activation('relu')(x)
    x = Convolution2D(nb_filter, 3, 3, init='he_uniform', border_mode='same',
                      subsample=subsample, bias=False, W_regularizer=l2(1e-4))(x)
    return x

img_input = Input(shape=(32, 32, 3), name='image')
x = Convolution2D(8, 5, 5, border_mode='same', subsample=(2, 2), dim_ordering='tf')(img_input)

branch1 = conv_factory(x, 8)
branch2 = conv_factory(x, 8)
branch2 = conv_factory(branch2, 8)
x = merge([branch1, branch2, x], mode='concat', concat_axis=-1)

shortcut = Convolution2D(16, 1, 1, subsample=(2, 2), border_mode='same')(x)
x = conv_factory(x, 16, subsample=(2, 2))
x = merge([x, shortcut], mode='sum')
gate = Convolution2D(16, 1, 1, activation='sigmoid')(x)
x = merge([x, gate], mode='mul')

x = AveragePooling2D((2, 2), border_mode='same')(x)
x = Flatten()(x)
x = Dropout(0.2)(x)
predictions = Dense(10, activation='softmax', W_regularizer=l2(1e-4), b_regularizer=l2(1e-4))(x)

model = Model(input=img_input, output=predictions)
model.compile(optimizer=SGD(lr=0.1, momentum=0.9), loss='categorical_crossentropy', metrics=['accuracy'])
X = np.random.rand(64, 32, 32, 3)
Y = np.eye(10)[np.random.randint(0, 10, 64)]
model.fit(X, Y, nb_epoch=2, batch_size=16, validation_split=0.1)
