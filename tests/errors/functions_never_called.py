"""Two functions make models and nothing calls either: the message names both for --model.

expect: --model
expect: make_generator
expect: make_critic
"""
from keras import Sequential, layers


def load_images(folder="images"):
    return folder


def make_generator(latent=16):
    return Sequential([layers.Input((latent,)), layers.Dense(64), layers.Reshape((8, 8, 1))])


def make_critic():
    return Sequential([layers.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
