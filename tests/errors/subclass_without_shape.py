"""A Model subclass that is never called, built or trained.

expect: Classifier
expect: input shape
"""
import tensorflow as tf


class Classifier(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(32, activation="relu")
        self.head = tf.keras.layers.Dense(3)

    def call(self, inputs):
        return self.head(self.hidden(inputs))


model = Classifier()
model.compile("adam", "mse")
