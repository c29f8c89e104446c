"""Custom layers and models whose weights lie in lists, dicts, private attributes and inner models."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="mine")
def swoosh(x):
    return x * ops.sigmoid(1.5 * x)


@keras.saving.register_keras_serializable(package="mine")
class Blocks(layers.Layer):
    """Lists, dicts, aliases, private attributes, statistics, an inner model."""

    def __init__(self, units, **kw):
        super().__init__(**kw)
        self.units = units
        self.towers = [
            layers.Dense(units, name="zeta"),
            layers.LayerNormalization(),
            layers.Dense(units),
        ]
        self._alpha = layers.Dense(units, activation="tanh")
        self.by_name = {"z": layers.Dense(units), "a": layers.Dense(units)}
        self.first = self.towers[0]
        self.norm = layers.BatchNormalization()
        self.Upper = layers.Dense(units)
        self.net = keras.Sequential(
            [
                layers.Dense(units, activation="relu"),
                layers.BatchNormalization(),
                layers.Dense(units),
            ]
        )
        self.many = [layers.Dense(units) for _ in range(11)]

    def build(self, shape):
        self.stat = self.add_weight(
            name="stat", shape=(self.units,), initializer="ones", trainable=False
        )
        self.offset = self.add_weight(name="offset", shape=(self.units,), initializer="ones")
        super().build(shape)

    def call(self, x):
        for layer in self.towers:
            x = layer(x)
        x = self._alpha(x) + self.by_name["a"](x) - self.by_name["z"](x)
        x = self.norm(x) * self.stat + self.offset
        for layer in self.many:
            x = x + layer(x)
        return self.net(self.Upper(x)) + x

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="mine")
class Sequences(layers.Layer):
    """Keras's composite layers inside."""

    def __init__(self, units, **kw):
        super().__init__(**kw)
        self.units = units
        self.both = layers.Bidirectional(layers.LSTM(units, return_sequences=True))
        self.attend = layers.MultiHeadAttention(2, units)
        self.each = layers.TimeDistributed(layers.Dense(units))
        self.stack = layers.RNN(
            [layers.GRUCell(units), layers.LSTMCell(units)], return_sequences=True
        )
        self.drop = layers.Dropout(0.2)

    def call(self, x):
        x = self.both(x)
        x = self.attend(x, x)
        return self.stack(self.drop(self.each(x)))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Half(keras.initializers.Initializer):
    def __init__(self, value=0.5):
        self.value = value

    def __call__(self, shape, dtype=None):
        return ops.full(shape, self.value)

    def get_config(self):
        return {"value": self.value}


class Twice(layers.Layer):
    """Holds a layer, and takes it out of its config itself."""

    def __init__(self, inner, **kw):
        super().__init__(**kw)
        self.inner = inner

    def call(self, x):
        return self.inner(self.inner(x))

    def get_config(self):
        return {**super().get_config(), "inner": keras.saving.serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config.pop("inner")), **config)


@keras.saving.register_keras_serializable(package="mine")
class Net(keras.Model):
    """A subclassed model."""

    def __init__(self, width=6, **kw):
        super().__init__(**kw)
        self.width = width
        self.zero = layers.Dense(width, activation="relu")
        self.blocks = [layers.Dense(width), layers.Dense(width)]
        self.head = layers.Dense(3)

    def call(self, x, training=False):
        x = self.zero(x)
        for b in self.blocks:
            x = b(x) + x
        return self.head(x)

    def get_config(self):
        return {**super().get_config(), "width": self.width}
