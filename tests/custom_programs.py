"""Programs with layers and models of their own, for test_custom_layers: name -> (source, input arrays' shapes)."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

HEAD = """
import keras
import numpy as np
from keras import Model, layers, ops
"""

PROGRAMS: dict[str, tuple[str, list[tuple[int, ...]]]] = {}


def program(name: str, source: str, *shapes: tuple[int, ...]) -> None:
    PROGRAMS[name] = (HEAD + source, list(shapes))


program(
    "build and add_weight",
    '''
class Linear(layers.Layer):
    """An affine map."""

    def __init__(self, units=8, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, x):
        return ops.matmul(x, self.w) + self.b

    def get_config(self):
        return {**super().get_config(), "units": self.units}


inputs = keras.Input((6,))
x = ops.relu(Linear(8)(inputs))
model = Model(inputs, Linear(3, name="head")(x))
''',
    (6,),
)

program(
    "scale, non-trainable weight, several calls",
    """
class Scale(layers.Layer):
    def build(self, input_shape):
        self.gain = self.add_weight(shape=(), initializer="ones")
        self.offset = self.add_weight(shape=input_shape[-1:], initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, x):
        return x * self.gain + self.offset


scale = Scale()
inputs = keras.Input((5, 4))
model = Model(inputs, scale(scale(inputs)) - 1)
""",
    (5, 4),
)

program(
    "sublayers in attributes, lists and dicts",
    """
class Tower(layers.Layer):
    def __init__(self, widths):
        super().__init__()
        self.hidden = [layers.Dense(n, activation="relu") for n in widths]
        self.norms = {"first": layers.LayerNormalization(), "last": layers.LayerNormalization()}
        self.out = layers.Dense(2)

    def call(self, x):
        x = self.norms["first"](x)
        for layer in self.hidden:
            x = layer(x)
        return self.out(self.norms["last"](x))


inputs = keras.Input((6,))
model = Model(inputs, Tower([8, 4])(inputs))
""",
    (6,),
)

program(
    "training passed on",
    """
class Block(layers.Layer):
    def __init__(self, units, rate=0.5):
        super().__init__()
        self.dense = layers.Dense(units)
        self.norm = layers.BatchNormalization()
        self.drop = layers.Dropout(rate)

    def call(self, x, training=None):
        x = self.norm(self.dense(x), training=training)
        return self.drop(ops.relu(x), training=training)


inputs = keras.Input((6,))
model = Model(inputs, Block(3)(Block(8)(inputs)))
""",
    (6,),
)

program(
    "if training",
    """
class Noise(layers.Layer):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.drop = layers.Dropout(rate)
        self.dense = layers.Dense(4)

    def call(self, x, training=False):
        if training:
            x = x + 0.1 * keras.random.normal(ops.shape(x))
        x = self.dense(x)
        if training:
            x = self.drop(x)
        return ops.tanh(x)


inputs = keras.Input((6,))
model = Model(inputs, Noise(0.3)(inputs))
""",
    (6,),
)

program(
    "nested custom layers",
    """
class FeedForward(layers.Layer):
    def __init__(self, dim, hidden):
        super().__init__()
        self.net = keras.Sequential([layers.Dense(hidden, activation="gelu"), layers.Dense(dim)])

    def call(self, x):
        return self.net(x)


class EncoderBlock(layers.Layer):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, dim // heads)
        self.feed = FeedForward(dim, hidden)
        self.norm1, self.norm2 = layers.LayerNormalization(), layers.LayerNormalization()

    def call(self, x):
        x = self.norm1(x + self.attention(x, x))
        return self.norm2(x + self.feed(x))


inputs = keras.Input((5, 8))
x = inputs
for _ in range(2):
    x = EncoderBlock(8, 2, 16)(x)
model = Model(inputs, layers.GlobalAveragePooling1D()(x))
""",
    (5, 8),
)

program(
    "several tensors by position and by name",
    """
class Gate(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(4, activation="sigmoid")

    def call(self, x, other, scale=None, power=1):
        gate = self.dense(other)
        x = x * gate if scale is None else x * gate * scale
        return x**power


a, b = keras.Input((4,)), keras.Input((4,))
gate = Gate()
model = Model([a, b], gate(a, b, scale=b, power=2) + Gate()(b, other=a))
""",
    (4,),
    (4,),
)

program(
    "a list of inputs",
    """
class Distance(layers.Layer):
    def call(self, inputs):
        left, right = inputs
        return ops.sqrt(ops.sum(ops.square(left - right), axis=-1, keepdims=True) + 1e-6)


a, b = keras.Input((4,)), keras.Input((4,))
shared = layers.Dense(3)
model = Model([a, b], Distance()([shared(a), shared(b)]))
""",
    (4,),
    (4,),
)

program(
    "tuples and dicts returned",
    """
class Split(layers.Layer):
    def __init__(self):
        super().__init__()
        self.mean, self.spread = layers.Dense(2), layers.Dense(2)

    def call(self, x):
        return {"mean": self.mean(x), "spread": ops.exp(self.spread(x))}


class Pair(layers.Layer):
    def call(self, x):
        return x + 1, (x * 2, x * 3)


inputs = keras.Input((4,))
parts = Split()(inputs)
first, (second, third) = Pair()(parts["mean"])
model = Model(inputs, [first + second * third, parts["spread"]])
""",
    (4,),
)

program(
    "model subclass",
    """
class Net(Model):
    def __init__(self, classes):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.pool = layers.MaxPooling2D()
        self.flat = layers.Flatten()
        self.out = layers.Dense(classes)

    def call(self, x, training=False):
        x = self.pool(self.conv(x))
        return self.out(self.flat(x))


model = Net(3)
model(np.zeros((1, 8, 8, 2), "float32"))
""",
    (8, 8, 2),
)

program(
    "model subclass in a functional model",
    """
class Encoder(Model):
    def __init__(self):
        super().__init__(name="encoder")
        self.hidden = layers.Dense(8, activation="relu")
        self.code = layers.Dense(2)

    def call(self, x):
        return self.code(self.hidden(x))


encoder = Encoder()
inputs = keras.Input((6,))
model = Model(inputs, layers.Dense(6)(encoder(inputs)))
""",
    (6,),
)

program(
    "variables of keras",
    """
class Tokens(layers.Layer):
    def __init__(self, length, dim):
        super().__init__()
        self.positions = keras.Variable(keras.initializers.RandomNormal(0.0, 0.1)((1, length, dim)), name="positions")
        self.token = self.add_weight(shape=(1, 1, dim), initializer="zeros", name="token")

    def call(self, x):
        token = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, ops.shape(x)[-1]))
        return ops.concatenate([token, x], axis=1) + self.positions


inputs = keras.Input((4, 6))
model = Model(inputs, Tokens(5, 6)(inputs)[:, 0])
""",
    (4, 6),
)

program(
    "tables computed in the layer",
    """
class SinePositions(layers.Layer):
    def __init__(self, length, dim):
        super().__init__()
        position = np.arange(length)[:, np.newaxis]
        angle = position / np.power(10000, (2 * (np.arange(dim)[np.newaxis, :] // 2)) / np.float32(dim))
        table = np.zeros((length, dim))
        table[:, 0::2], table[:, 1::2] = np.sin(angle[:, 0::2]), np.cos(angle[:, 1::2])
        self.encoding = ops.cast(table[np.newaxis], "float32")

    def call(self, x):
        return x * ops.sqrt(ops.cast(ops.shape(x)[-1], "float32")) + self.encoding[:, : ops.shape(x)[1]]


class Causal(layers.Layer):
    def call(self, x):
        size = ops.shape(x)[1]
        mask = ops.arange(size)[:, None] >= ops.arange(size)
        scores = ops.matmul(x, ops.transpose(x, (0, 2, 1)))
        return ops.matmul(ops.softmax(ops.where(mask, scores, -1e9)), x)


inputs = keras.Input((50, 16))
model = Model(inputs, Causal()(SinePositions(64, 16)(inputs)))
""",
    (50, 16),
)

program(
    "unknown length",
    """
class Causal(layers.Layer):
    def call(self, x):
        size = ops.shape(x)[1]
        mask = ops.arange(size)[:, None] >= ops.arange(size)
        scores = ops.matmul(x, ops.transpose(x, (0, 2, 1))) / ops.sqrt(ops.cast(ops.shape(x)[-1], "float32"))
        return ops.matmul(ops.softmax(ops.where(mask, scores, -1e9)), x)


class Embed(layers.Layer):
    def __init__(self, limit, dim):
        super().__init__()
        self.table = layers.Embedding(limit, dim)

    def call(self, x):
        return x + self.table(ops.arange(0, ops.shape(x)[-2], 1))


inputs = keras.Input((None, 4))
model = Model(inputs, Causal()(Embed(20, 4)(inputs)))
""",
    (7, 4),
)

program(
    "activation functions and lambdas",
    """
def swish_like(x):
    return x * ops.sigmoid(1.5 * x)


class Act(layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = keras.activations.get(function)

    def call(self, x):
        return self.function(x)


inputs = keras.Input((6,))
x = layers.Dense(5, activation=swish_like)(inputs)
x = layers.Dense(5, activation=keras.activations.gelu)(x)
x = layers.Dense(5, activation=ops.gelu)(x)
x = layers.Activation(lambda t: ops.maximum(t, 0.1 * t))(x)
x = Act("tanh")(x)
model = Model(inputs, layers.Lambda(lambda t: keras.activations.relu(t, negative_slope=0.1) ** 2)(x))
""",
    (6,),
)

program(
    "patches of a vision transformer",
    """
class Patches(layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, images):
        shape = ops.shape(images)
        patches = ops.image.extract_patches(images, size=self.size)
        return ops.reshape(patches, (shape[0], (shape[1] // self.size) * (shape[2] // self.size), self.size**2 * shape[3]))


class PatchEncoder(layers.Layer):
    def __init__(self, count, dim):
        super().__init__()
        self.count = count
        self.projection = layers.Dense(dim)
        self.position = layers.Embedding(count, dim)

    def call(self, patch):
        positions = ops.expand_dims(ops.arange(start=0, stop=self.count, step=1), axis=0)
        return self.projection(patch) + self.position(positions)


inputs = keras.Input((8, 8, 3))
model = Model(inputs, PatchEncoder(4, 6)(Patches(4)(inputs)))
""",
    (8, 8, 3),
)

program(
    "a convolution with weights of its own",
    """
class WeightStandard(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.filters = filters

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1], self.filters), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        kernel = ops.convert_to_tensor(self.kernel)
        mean, variance = ops.moments(kernel, axes=[0, 1, 2], keepdims=True)
        kernel = (kernel - mean) / ops.sqrt(variance + 1e-5)
        return ops.conv(x, kernel, strides=2, padding="same") + self.bias


inputs = keras.Input((9, 9, 3))
x = layers.Conv2D(4, 3, activation="relu")(inputs)
model = Model(inputs, ops.mean(WeightStandard(5)(x), axis=(1, 2)))
""",
    (9, 9, 3),
)

program(
    "losses of a layer",
    """
class Sampling(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        self.add_loss(-0.5 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
        return mean + ops.exp(log_var)


inputs = keras.Input((6,))
z = Sampling()([layers.Dense(2)(inputs), layers.Dense(2)(inputs)])
model = Model(inputs, layers.Dense(6)(z))
""",
    (6,),
)

program(
    "masks asked for and passed on",
    """
class MaskedMean(layers.Layer):
    def __init__(self):
        super().__init__()
        self.supports_masking = True

    def call(self, x, mask=None):
        weights = ops.cast(mask, "float32")[..., None]
        return ops.sum(x * weights, axis=1) / ops.maximum(ops.sum(weights, axis=1), 1.0)

    def compute_mask(self, inputs, mask=None):
        return None


inputs = keras.Input((5, 3))
model = Model(inputs, MaskedMean()(layers.Masking(0.0)(inputs)))
""",
    (5, 3),
)

program(
    "constants of their own in every instance",
    '''
class Turned(layers.Layer):
    """Adds a table, turned by a number of places."""

    def __init__(self, turn, **kwargs):
        super().__init__(**kwargs)
        self.turn = turn

    def build(self, input_shape):
        places = np.arange(input_shape[-1])
        self.table = self.add_weight(shape=(input_shape[-1], 3), initializer="normal")
        self.index = (np.abs(places[:, None] - places[None]) + self.turn) % input_shape[-1]
        self.kept = ((places[:, None] + self.turn) % 4 > places[None]).astype("float32")

    def call(self, x):
        return x * self.kept + ops.sum(ops.take(self.table, self.index, axis=0), axis=-1)


inputs = x = keras.Input((4, 4))
for turn in (0, 1, 0):
    x = layers.Dense(4)(Turned(turn)(x))
model = Model(inputs, x)
''',
    (4, 4),
)

program(
    "rows picked by a small table of indices",
    """
class Rows(layers.Layer):
    def build(self, input_shape):
        self.table = self.add_weight(shape=(4, 3), initializer="normal")

    def call(self, x):
        return x + ops.sum(ops.take(self.table, np.array([[0, 1], [3, 2]]), axis=0), axis=0)


inputs = keras.Input((2, 3))
model = Model(inputs, Rows()(inputs))
""",
    (2, 3),
)

program(
    "a function with an optional part that only later blocks have",
    """
def unit(x, filters=8, kernel=3, strides=1, activation="relu", normalize=True):
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same")(x)
    if normalize:
        x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


inputs = keras.Input((16, 16, 3))
x = unit(inputs)
filters = 8
for stack in range(3):
    for block in range(2):
        strides = 2 if stack and not block else 1
        y = unit(unit(x, filters, strides=strides), filters, activation=None)
        if strides == 2:
            x = unit(x, filters, 1, strides, None, normalize=False)
        x = layers.Activation("relu")(layers.add([x, y]))
    filters *= 2
model = Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
""",
    (16, 16, 3),
)

program(
    "a convolution with standardised kernels",
    """
class StandardizedConv2D(layers.Conv2D):
    def convolution_op(self, inputs, kernel):
        kernel = ops.convert_to_tensor(kernel)
        mean, variance = ops.moments(kernel, axes=(0, 1, 2), keepdims=True)
        return super().convolution_op(inputs, (kernel - mean) / ops.sqrt(variance + 1e-10))


inputs = keras.Input((8, 8, 3))
x = StandardizedConv2D(4, 3, padding="same", strides=2, activation="relu")(inputs)
model = Model(inputs, StandardizedConv2D(5, 3)(x))
""",
    (8, 8, 3),
)
