"""The whole program is channels first by K.set_image_data_format, with BatchNormalization(axis=1).

k2t: level=1
"""
import numpy as np
from keras import backend as K
from keras.layers import (Activation, AveragePooling2D, BatchNormalization, Conv2D, DepthwiseConv2D, Dense,
                          Dropout, Flatten, Input, SeparableConv2D, SpatialDropout2D)
from keras.constraints import max_norm
from keras.models import Model

K.set_image_data_format('channels_first')


def eeg_net(nb_classes, Chans=16, Samples=64, dropoutRate=0.5, kernLength=32, F1=4, D=2, F2=8,
            norm_rate=0.25, dropoutType='Dropout'):
    """A compact convolutional network for brain signals of shape (1, Chans, Samples)."""
    if dropoutType == 'SpatialDropout2D':
        dropoutType = SpatialDropout2D
    elif dropoutType == 'Dropout':
        dropoutType = Dropout
    else:
        raise ValueError('dropoutType must be one of SpatialDropout2D or Dropout')

    input1 = Input(shape=(1, Chans, Samples))

    block1 = Conv2D(F1, (1, kernLength), padding='same', use_bias=False)(input1)
    block1 = BatchNormalization(axis=1)(block1)
    block1 = DepthwiseConv2D((Chans, 1), use_bias=False, depth_multiplier=D,
                             depthwise_constraint=max_norm(1.))(block1)
    block1 = BatchNormalization(axis=1)(block1)
    block1 = Activation('elu')(block1)
    block1 = AveragePooling2D((1, 4))(block1)
    block1 = dropoutType(dropoutRate)(block1)

    block2 = SeparableConv2D(F2, (1, 16), use_bias=False, padding='same')(block1)
    block2 = BatchNormalization(axis=1)(block2)
    block2 = Activation('elu')(block2)
    block2 = AveragePooling2D((1, 8))(block2)
    block2 = dropoutType(dropoutRate)(block2)

    flatten = Flatten(name='flatten')(block2)
    dense = Dense(nb_classes, name='dense', kernel_constraint=max_norm(norm_rate))(flatten)
    softmax = Activation('softmax', name='softmax')(dense)
    return Model(inputs=input1, outputs=softmax)


model = eeg_net(nb_classes=4)
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])

X_train = np.random.randn(48, 1, 16, 64)
Y_train = np.eye(4)[np.arange(48) % 4]
# weight the classes, as there are few trials of the third
class_weights = {0: 1, 1: 1, 2: 2.5, 3: 1}
fittedModel = model.fit(X_train, Y_train, batch_size=16, epochs=300, verbose=2,
                        validation_split=0.25, class_weight=class_weights)
