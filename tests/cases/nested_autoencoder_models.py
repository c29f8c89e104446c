"""Encoder and decoder models called as layers, then an ensemble that averages three of a kind.

k2t: level=1
k2t: model=model
k2t: train=no
"""
from tensorflow import keras
from tensorflow.keras import layers

encoder_input = keras.Input(shape=(28, 28, 1), name="original_img")
x = layers.Conv2D(8, 3, activation="relu")(encoder_input)
x = layers.Conv2D(16, 3, activation="relu")(x)
x = layers.MaxPooling2D(3)(x)
x = layers.Conv2D(16, 3, activation="relu")(x)
x = layers.Conv2D(8, 3, activation="relu")(x)
encoder_output = layers.GlobalMaxPooling2D()(x)
encoder = keras.Model(encoder_input, encoder_output, name="encoder")
encoder.summary()

decoder_input = keras.Input(shape=(8,), name="encoded_img")
x = layers.Dense(16)(decoder_input)
x = layers.Reshape((4, 4, 1))(x)
x = layers.Conv2DTranspose(8, 3, activation="relu")(x)
x = layers.Conv2DTranspose(16, 3, activation="relu")(x)
x = layers.UpSampling2D(3)(x)
x = layers.Conv2DTranspose(8, 3, activation="relu")(x)
decoder_output = layers.Conv2DTranspose(1, 3, activation="relu")(x)
decoder = keras.Model(decoder_input, decoder_output, name="decoder")

autoencoder_input = keras.Input(shape=(28, 28, 1), name="img")
encoded_img = encoder(autoencoder_input)
decoded_img = decoder(encoded_img)
autoencoder = keras.Model(autoencoder_input, decoded_img, name="autoencoder")
autoencoder.summary()


def get_critic():
    inputs = keras.Input(shape=(28, 28, 1))
    outputs = layers.Dense(1)(layers.Flatten()(inputs))
    return keras.Model(inputs, outputs)


critic1, critic2, critic3 = get_critic(), get_critic(), get_critic()
inputs = keras.Input(shape=(28, 28, 1))
image = autoencoder(inputs)
score = layers.average([critic1(image), critic2(image), critic3(image)])
model = keras.Model(inputs=inputs, outputs=[image, score], name="judged_autoencoder")
