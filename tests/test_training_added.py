"""What layers and models add to the loss: activity regularizers and add_loss, beside real Keras."""

from __future__ import annotations

import pytest
from training_pairs import HEAD, compare

PROGRAMS = {
    "activity_regularizers": """
inputs = keras.Input((8, 8, 2))
x = layers.Conv2D(4, 3, activation="relu", activity_regularizer="l2")(inputs)
x = layers.Conv2D(4, 3, padding="same", activity_regularizer=regularizers.L1L2(1e-3, 2e-3))(x)
x = layers.ActivityRegularization(l1=1e-3)(layers.Flatten()(x))
outputs = layers.Dense(3, activation="softmax", activity_regularizer="l1")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, kinds, batch_size=16, epochs=3, validation_split=0.2, shuffle=False)
""",
    "nested": """
inputs = keras.Input((6,))
inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, "tanh", activity_regularizer="l2")])
x = inner(layers.Dense(6, activity_regularizer=regularizers.L1(0.01))(inputs))
model = keras.Model(inputs, layers.Dense(2, kernel_regularizer="l2")(x))
model.compile("sgd", "mse")
model.fit(rows, numbers, batch_size=16, epochs=3, shuffle=False)
""",
    "own_function": """
from keras import ops

def sparse(activation):
    mean = ops.mean(activation, axis=0)
    return 0.1 * ops.sum(0.05 * ops.log(0.05 / mean) + 0.95 * ops.log(0.95 / (1 - mean)))

model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(8, activation="sigmoid", activity_regularizer=sparse),
    layers.Dense(2),
])
model.compile("adam", "mse")
model.fit(rows, numbers, batch_size=16, epochs=3, shuffle=False)
""",
    "layers_of_its_own": """
from keras import ops

class Divergence(layers.Layer):
    def call(self, inputs):
        mean, log_variance = inputs
        each = ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=-1)
        self.add_loss(-0.5 * ops.mean(each))
        return inputs

class Block(layers.Layer):
    def __init__(self, units, rate, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, activation="relu", activity_regularizer="l2")
        self.rate = rate

    def call(self, x):
        y = self.dense(x)
        self.add_loss(self.rate * ops.mean(ops.abs(y)))
        self.add_loss([ops.max(y) * 1e-3, ops.square(y) * 1e-4])
        return y

inputs = keras.Input((6,))
x = Block(7, 0.02)(inputs)
x = Block(5, 0.01)(x)
mean, log_variance = Divergence()([layers.Dense(4)(x), layers.Dense(4)(x)])
model = keras.Model(inputs, layers.Dense(2)(mean))
model.compile("adam", "mse", metrics=["mae"])
model.fit(rows, numbers, batch_size=16, epochs=3, shuffle=False, validation_data=(rows, numbers))
""",
    "weights_of_a_layer_used_again": """
from keras import ops

class Tied(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(4, activation="tanh", kernel_regularizer="l2")

    def call(self, x):
        hidden = self.dense(x)
        self.add_loss(0.01 * ops.sum(ops.abs(self.dense.kernel)))
        return ops.matmul(hidden, ops.transpose(self.dense.kernel))

inputs = keras.Input((6,))
model = keras.Model(inputs, layers.Dense(2)(Tied()(inputs)))
model.compile("adam", "mse")
model.fit(rows, numbers, batch_size=16, epochs=3, shuffle=False)
""",
    "no_other_loss": """
from keras import ops

class Reconstruction(layers.Layer):
    def call(self, inputs):
        target, prediction = inputs
        self.add_loss(ops.mean(ops.square(target - prediction)))
        return prediction

inputs = keras.Input((6,))
x = layers.Dense(3, activation="tanh")(inputs)
model = keras.Model(inputs, Reconstruction()([inputs, layers.Dense(6)(x)]))
model.compile("adam")
model.fit(rows, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20], None))
""",
    "model_class": """
from keras import ops

class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(5, activation="tanh")
        self.out = layers.Dense(2)

    def call(self, x, training=False):
        h = self.hidden(x)
        if training:
            self.add_loss(0.1 * ops.mean(ops.abs(h)))
        self.add_loss(0.1 * ops.mean(ops.square(h)))
        return self.out(h)

model = Net()
model(rows[:1])
model.compile("adam", "mse")
model.fit(rows, numbers, batch_size=16, epochs=3, shuffle=False, validation_split=0.2)
""",
}


@pytest.mark.thin(6)
@pytest.mark.parametrize("name", PROGRAMS)
def test_added_losses_are_minimised_as_in_keras(name, tmp_path):
    compare(PROGRAMS[name], tmp_path)


DIVERGENCE = """
from keras import ops

class Divergence(layers.Layer):
    def call(self, inputs):
        mean, log_variance = inputs
        each = 1 + log_variance - ops.square(mean) - ops.exp(log_variance)
        self.add_loss(-0.5 * ops.mean(ops.sum(each, axis=-1)))
        return mean

inputs = keras.Input((6,))
x = layers.Dense(5, activation="tanh")(inputs)
z = Divergence()([layers.Dense(2)(x), layers.Dense(2)(x)])
model = keras.Model(inputs, layers.Dense(6, activation="sigmoid")(z))
model.compile("adam", lambda x, y: 6 * keras.losses.binary_crossentropy(x, y))
targets = (rows > 0).astype("float32")
model.fit(rows, targets, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20], targets[:20]))
"""
OLD_MODEL = """
from keras import backend as K

inputs = keras.Input((6,))
x = layers.Dense(5, activation="tanh")(inputs)
z_mean = layers.Dense(2)(x)
z_log_var = layers.Dense(2)(x)
encoder = keras.Model(inputs, [z_mean, z_log_var], name="encoder")
latent = keras.Input((2,))
decoder = keras.Model(latent, layers.Dense(6, activation="sigmoid")(latent), name="decoder")
outputs = decoder(encoder(inputs)[0])
model = keras.Model(inputs, outputs)
targets = (rows > 0).astype("float32")
"""
OLD_SPELLINGS = {
    "loss_that_reads_the_model": """
def vae_loss(x, decoded):
    entropy = 6 * keras.objectives.binary_crossentropy(x, decoded)
    divergence = -0.5 * K.sum(1 + z_log_var - K.square(z_mean) - K.exp(z_log_var), axis=-1)
    return entropy + divergence

model.compile("adam", loss=vae_loss)
model.fit(rows, targets, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20], targets[:20]))
""",
    "loss_of_the_model_and_loss_of_compile": """
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = K.sum(kl_loss, axis=-1)
kl_loss *= -0.5
model.add_loss(K.mean(kl_loss))
model.compile("adam", loss=lambda x, y: 6 * K.mean(K.binary_crossentropy(x, y), axis=-1))
model.fit(rows, targets, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20], targets[:20]))
""",
}


@pytest.mark.parametrize("name", OLD_SPELLINGS)
def test_losses_over_symbolic_tensors_of_keras_2(name, tmp_path):
    """Keras 3 has no such losses: it trains the same network with a layer that adds the term."""
    compare(DIVERGENCE, tmp_path, OLD_MODEL + OLD_SPELLINGS[name])


PARTS = """
from keras import ops

table = keras.Input((6,))
x = layers.Dense(5, activation="tanh")(table)
encoder = keras.Model(table, [layers.Dense(2, name="z_mean")(x), layers.Dense(2, name="z_log_var")(x)])
latent = keras.Input((2,))
decoder = keras.Model(latent, layers.Dense(6)(latent))
"""
OWN_LOSS = """
class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.loss_tracker, self.kl_tracker]

    def call(self, rows):
        return self.decoder(self.encoder(rows)[0])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        z_mean, z_log_var = self.encoder(x)
        error = ops.mean(ops.sum(ops.square(x - self.decoder(z_mean)), axis=-1))
        kl_loss = -0.5 * (1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var))
        kl_loss = ops.mean(ops.sum(kl_loss, axis=1))
        self.loss_tracker.update_state(error + kl_loss)
        self.kl_tracker.update_state(kl_loss)
        return error + kl_loss

model = VAE(encoder, decoder)
model.compile(keras.optimizers.Adam(0.01))
model.fit(rows, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20],))
"""
OWN_STEP = """
import tensorflow as tf

class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder, self.decoder = encoder, decoder
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.kl_tracker = keras.metrics.Mean(name="kl_loss")

    @property
    def metrics(self):
        return [self.loss_tracker, self.kl_tracker]

    def losses_of(self, data):
        z_mean, z_log_var = self.encoder(data)
        reconstruction = self.decoder(z_mean)
        error = tf.reduce_mean(tf.reduce_sum(tf.square(data - reconstruction), axis=-1))
        kl_loss = -0.5 * (1 + z_log_var - tf.square(z_mean) - tf.exp(z_log_var))
        return error, tf.reduce_mean(tf.reduce_sum(kl_loss, axis=1))

    def train_step(self, data):
        with tf.GradientTape() as tape:
            error, kl_loss = self.losses_of(data)
            total_loss = error + kl_loss
        grads = tape.gradient(total_loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights))
        self.loss_tracker.update_state(total_loss)
        self.kl_tracker.update_state(kl_loss)
        return {"loss": self.loss_tracker.result(), "kl_loss": self.kl_tracker.result()}

    def test_step(self, data):
        error, kl_loss = self.losses_of(data)
        self.loss_tracker.update_state(error + kl_loss)
        self.kl_tracker.update_state(kl_loss)
        return {m.name: m.result() for m in self.metrics}

model = VAE(encoder, decoder)
model.compile(keras.optimizers.Adam(0.01))
model.fit(rows, batch_size=16, epochs=3, shuffle=False, validation_data=(rows[:20],))
"""


@pytest.mark.parametrize("source", [OWN_LOSS, OWN_STEP], ids=["compute_loss", "train_step"])
def test_a_model_class_with_a_loss_of_its_own(source, tmp_path):
    """The train_step needs TensorFlow in Keras: its compute_loss learns the same."""
    compare(PARTS + OWN_LOSS, tmp_path, PARTS + source)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            (
                "tape.gradient(total_loss, self.trainable_weights)",
                "[g * 2 for g in tape.gradient(total_loss, self.trainable_weights)]",
            ),
            "TypeError",
        ),
        (("self.trainable_weights)\n", "self.encoder.trainable_weights)\n"), "all weights"),
        (('{"loss": self.loss_tracker.result(),', '{"loss": total_loss,'), "keras.metrics.Mean"),
        (("update_state(error + kl_loss)", "update_state(error)"), "different results"),
        (
            (
                "self.optimizer.apply_gradients",
                "self.other = keras.optimizers.Adam(); self.other.apply_gradients",
            ),
            "by the compiled optimizer",
        ),
    ],
)
def test_a_training_step_that_is_refused(change, reason, tmp_path):
    """The module is written, the script predicts, and its first lines tell why."""
    import keras2torch

    (tmp_path / "program.py").write_text(HEAD + PARTS + OWN_STEP.replace(*change))
    result = keras2torch.generate(tmp_path / "program.py", model="model")
    with pytest.raises(keras2torch.K2TError, match=reason):
        len(result.train_source)
    assert "class VAE" in result.model_source
