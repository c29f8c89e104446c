"""Siamese triplets: a shared embedding model, a DistanceLayer of tf functions, a Model with a train_step.

k2t: level=2
k2t: model=siamese_network
"""
import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, layers, metrics, optimizers

target_shape = (40, 40)

base_input = layers.Input(target_shape + (3,))
x = layers.Conv2D(8, 5, strides=2, activation="relu")(base_input)
x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)
flatten = layers.Flatten()(x)
dense1 = layers.Dense(32, activation="relu")(flatten)
dense1 = layers.BatchNormalization()(dense1)
output = layers.Dense(16)(dense1)
embedding = Model(base_input, output, name="Embedding")


class DistanceLayer(layers.Layer):
    """
    This layer is responsible for computing the distance between the anchor
    embedding and the positive embedding, and the anchor embedding and the
    negative embedding.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, anchor, positive, negative):
        ap_distance = tf.reduce_sum(tf.square(anchor - positive), -1)
        an_distance = tf.reduce_sum(tf.square(anchor - negative), -1)
        return (ap_distance, an_distance)


anchor_input = layers.Input(name="anchor", shape=target_shape + (3,))
positive_input = layers.Input(name="positive", shape=target_shape + (3,))
negative_input = layers.Input(name="negative", shape=target_shape + (3,))

distances = DistanceLayer()(
    embedding(anchor_input),
    embedding(positive_input),
    embedding(negative_input),
)

siamese_network = Model(inputs=[anchor_input, positive_input, negative_input], outputs=distances)


class SiameseModel(Model):
    """The Siamese Network model with a custom training and testing loops."""

    def __init__(self, siamese_network, margin=0.5):
        super().__init__()
        self.siamese_network = siamese_network
        self.margin = margin
        self.loss_tracker = metrics.Mean(name="loss")

    def call(self, inputs):
        return self.siamese_network(inputs)

    def train_step(self, data):
        with tf.GradientTape() as tape:
            loss = self._compute_loss(data)
        gradients = tape.gradient(loss, self.siamese_network.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.siamese_network.trainable_weights))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    def _compute_loss(self, data):
        ap_distance, an_distance = self.siamese_network(data)
        loss = ap_distance - an_distance
        return tf.maximum(loss + self.margin, 0.0)


siamese_model = SiameseModel(siamese_network)
siamese_model.compile(optimizer=optimizers.Adam(0.0001))
triplets = [np.random.rand(12, 40, 40, 3).astype("float32") for _ in range(3)]
siamese_model.fit(triplets, epochs=2, batch_size=4)
