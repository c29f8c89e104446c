"""Dense GAN class; the case is the combined model: generator, then a discriminator that is not trainable.

k2t: level=1
k2t: model=gan.combined
"""
import numpy as np
from keras.datasets import mnist
from keras.layers import BatchNormalization, Dense, Flatten, Input, LeakyReLU, Reshape
from keras.models import Model, Sequential
from keras.optimizers import Adam


class GAN:
    def __init__(self, img_shape=(28, 28, 1), latent_dim=100):
        self.img_shape = img_shape
        self.latent_dim = latent_dim
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(loss='binary_crossentropy', optimizer=Adam(0.0002, 0.5),
                                   metrics=['accuracy'])
        self.generator = self.build_generator()
        z = Input(shape=(self.latent_dim,))
        img = self.generator(z)
        self.discriminator.trainable = False
        validity = self.discriminator(img)
        self.combined = Model(z, validity)
        self.combined.compile(loss='binary_crossentropy', optimizer=Adam(0.0002, 0.5))

    def build_generator(self):
        model = Sequential(name='generator')
        model.add(Dense(64, input_dim=self.latent_dim))
        model.add(LeakyReLU(0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(128))
        model.add(LeakyReLU(0.2))
        model.add(BatchNormalization(momentum=0.8))
        model.add(Dense(int(np.prod(self.img_shape)), activation='tanh'))
        model.add(Reshape(self.img_shape))
        return model

    def build_discriminator(self):
        model = Sequential(name='discriminator')
        model.add(Flatten(input_shape=self.img_shape))
        model.add(Dense(128))
        model.add(LeakyReLU(0.2))
        model.add(Dense(64))
        model.add(LeakyReLU(0.2))
        model.add(Dense(1, activation='sigmoid'))
        return model

    def train(self, epochs, batch_size=128):
        (x_train, _), (_, _) = mnist.load_data()
        x_train = np.expand_dims(x_train[:1000] / 127.5 - 1.0, axis=3)
        valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
        for epoch in range(epochs):
            imgs = x_train[np.random.randint(0, x_train.shape[0], batch_size)]
            noise = np.random.normal(0, 1, (batch_size, self.latent_dim))
            d_loss_real = self.discriminator.train_on_batch(imgs, valid)
            d_loss_fake = self.discriminator.train_on_batch(self.generator.predict(noise), fake)
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            g_loss = self.combined.train_on_batch(noise, valid)
            print(f'{epoch} [D loss: {d_loss[0]:.4f}, acc: {d_loss[1]:.2%}] [G loss: {g_loss:.4f}]')


gan = GAN()
gan.train(epochs=3, batch_size=32)
