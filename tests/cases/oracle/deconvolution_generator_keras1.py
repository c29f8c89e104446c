"""Keras 3 twin of deconvolution_generator_keras1.py."""

from keras import Model
from keras.layers import Activation, BatchNormalization, Conv2DTranspose, Dense, Input, Reshape

g_input = Input((64,))
x = Dense(7 * 7 * 32, kernel_initializer="glorot_normal")(g_input)
x = BatchNormalization()(x)
x = Activation("relu")(x)
x = Reshape((7, 7, 32))(x)
x = Conv2DTranspose(16, (5, 5), strides=(2, 2), padding="same")(x)
x = BatchNormalization()(x)
x = Activation("relu")(x)
x = Conv2DTranspose(1, (5, 5), strides=(2, 2), padding="same")(x)
model = Model(g_input, Activation("sigmoid")(x))
