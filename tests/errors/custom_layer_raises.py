"""The call of a custom layer fails with an error of Python.

expect: custom_layer_raises.py:16
expect: scale
"""
import keras
from keras import layers


class Scale(layers.Layer):
    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.scale


inputs = keras.Input((10,))
model = keras.Model(inputs, Scale(2.0)(inputs))
