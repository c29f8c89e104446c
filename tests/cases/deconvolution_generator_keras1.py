'''Keras 1 generator and discriminator: Deconvolution2D(output_shape=), make_trainable loops.

k2t: level=1
k2t: model=generator
k2t: oracle=deconvolution_generator_keras1.py
'''
import numpy as np
from keras.models import Model, Sequential
from keras.layers import Input, Dense, Reshape, Flatten, Activation
from keras.layers.convolutional import Deconvolution2D, Convolution2D
from keras.layers.advanced_activations import LeakyReLU
from keras.layers.normalization import BatchNormalization
from keras.layers.core import Dropout
from keras.optimizers import Adam
from keras.datasets import mnist

batch_size = 32
z_dim = 64

# build generative model
g_input = Input(shape=[z_dim])
H = Dense(7*7*32, init='glorot_normal')(g_input)
H = BatchNormalization()(H)
H = Activation('relu')(H)
H = Reshape([7, 7, 32])(H)
H = Deconvolution2D(16, 5, 5, output_shape=(None, 14, 14, 16), subsample=(2, 2), border_mode='same')(H)
H = BatchNormalization()(H)
H = Activation('relu')(H)
H = Deconvolution2D(1, 5, 5, output_shape=(None, 28, 28, 1), subsample=(2, 2), border_mode='same')(H)
g_V = Activation('sigmoid')(H)
generator = Model(g_input, g_V)
generator.compile(loss='binary_crossentropy', optimizer=Adam(lr=1e-4))
generator.summary()

# build discriminative model
d_input = Input(shape=(28, 28, 1))
H = Convolution2D(16, 5, 5, subsample=(2, 2), border_mode='same', activation='relu')(d_input)
H = LeakyReLU(0.2)(H)
H = Dropout(0.25)(H)
H = Flatten()(H)
d_V = Dense(2, activation='softmax')(H)
discriminator = Model(d_input, d_V)
discriminator.compile(loss='categorical_crossentropy', optimizer=Adam(lr=1e-3))

# freeze weights in the discriminator for stacked training
def make_trainable(net, val):
    net.trainable = val
    for l in net.layers:
        l.trainable = val
make_trainable(discriminator, False)

gan_input = Input(shape=[z_dim])
H = generator(gan_input)
gan_V = discriminator(H)
GAN = Model(gan_input, gan_V)
GAN.compile(loss='categorical_crossentropy', optimizer=Adam(lr=1e-4))

(X_train, _), _ = mnist.load_data()
X_train = X_train[:, :, :, np.newaxis] / 255.

for e in range(3):
    image_batch = X_train[np.random.randint(0, X_train.shape[0], size=batch_size)]
    generated_images = generator.predict(np.random.uniform(0, 1, size=[batch_size, z_dim]))
    X = np.concatenate((image_batch, generated_images))
    y = np.zeros([2 * batch_size, 2])
    y[0:batch_size, 1] = 1
    y[batch_size:, 0] = 1
    make_trainable(discriminator, True)
    d_loss = discriminator.train_on_batch(X, y)
    make_trainable(discriminator, False)
    g_loss = GAN.train_on_batch(np.random.uniform(0, 1, size=[batch_size, z_dim]), y[:batch_size])
