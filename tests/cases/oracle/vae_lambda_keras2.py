"""Keras 3 twin of vae_lambda_keras2.py: the noiseless path (the sampling Lambda has no weights)."""

from keras import Model
from keras.layers import Dense, Input, Lambda

inputs = Input((784,), name="encoder_input")
x = Dense(64, activation="relu")(inputs)
z_mean = Dense(2, name="z_mean")(x)
z_log_var = Dense(2, name="z_log_var")(x)
z = Lambda(lambda pair: pair[0], output_shape=(2,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")
latent_inputs = Input((2,), name="z_sampling")
x = Dense(64, activation="relu")(latent_inputs)
decoder = Model(latent_inputs, Dense(784, activation="sigmoid")(x), name="decoder")
model = Model(inputs, decoder(encoder(inputs)[0]), name="vae_mean")
