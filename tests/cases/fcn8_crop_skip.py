"""FCN-8 style: score layers, transposed convolutions "valid", Cropping2D to meet the skip.

k2t: level=1
k2t: train=no
"""
from keras.models import Model
from keras.layers import (Input, Conv2D, MaxPooling2D, Conv2DTranspose, Cropping2D, ZeroPadding2D, Add,
                          Activation, Reshape, Permute)


def fcn_8(n_classes, input_height=64, input_width=48):
    img_input = Input(shape=(input_height, input_width, 3))

    x = ZeroPadding2D(((1, 2), (3, 0)))(img_input)
    x = Conv2D(8, (3, 3), activation='relu', padding='same', name='block1_conv1')(x)
    x = MaxPooling2D((2, 2), strides=(2, 2), name='block1_pool')(x)
    x = Conv2D(16, (3, 3), activation='relu', padding='same', name='block2_conv1')(x)
    x = MaxPooling2D((2, 2), strides=(2, 2), name='block2_pool')(x)
    f2 = x
    x = Conv2D(32, (3, 3), activation='relu', padding='same', name='block3_conv1')(x)
    x = MaxPooling2D((2, 2), strides=(2, 2), name='block3_pool')(x)

    o = Conv2D(n_classes, (1, 1), kernel_initializer='he_normal')(x)
    o = Conv2DTranspose(n_classes, kernel_size=(4, 4), strides=(2, 2), use_bias=False)(o)
    o = Cropping2D(cropping=((1, 1), (1, 1)))(o)

    o2 = Conv2D(n_classes, (1, 1), kernel_initializer='he_normal')(f2)
    o2 = Cropping2D(cropping=((0, o2.shape[1] - o.shape[1]), (0, o2.shape[2] - o.shape[2])))(o2)
    o = Add()([o, o2])
    o = Conv2DTranspose(n_classes, kernel_size=(8, 8), strides=(4, 4), use_bias=False)(o)

    height, width = o.shape[1], o.shape[2]
    o = Reshape((height * width, -1))(o)
    o = Activation('softmax')(o)
    o = Permute((2, 1))(o)
    return Model(img_input, o)


m = fcn_8(5)
m.summary()
