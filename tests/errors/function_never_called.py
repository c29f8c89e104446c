"""The model is made by a function that nothing calls: the message names it for --model.

expect: no model
expect: --model make_network
"""
from keras import Sequential, layers


def load_images(folder="images"):
    return folder


def make_network(classes=5):
    return Sequential([layers.Input((16, 16, 3)), layers.Flatten(), layers.Dense(classes)])
