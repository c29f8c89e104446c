"""What old and less common programs write: registered activations, initializers by numpy, several arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from oracle import load_source
from script_helpers import IMPORTS, Programs, shapes

import keras2torch
from keras2torch.errors import K2TError
from keras2torch.layers.base import REGISTRY


def generated(source: str, folder: Path, model: str | None = None) -> str:
    path = folder / "program.py"
    path.write_text(source)
    return keras2torch.generate(path, model=model).model_source


def test_an_activation_that_the_program_registers(tmp_path: Path) -> None:
    source = generated(
        f"{IMPORTS}from keras.layers import Activation\nfrom keras import backend as K\n"
        "from keras.utils.generic_utils import get_custom_objects\n"
        "def swish(x):\n    return K.sigmoid(x) * x * 1.5\n"
        "get_custom_objects().update({'swish': Activation(swish), 'own': swish})\n"
        "model = Sequential([Input((3,)), Dense(4, activation='swish'), Activation('own'), Dense(2)])\n",
        tmp_path,
    )
    assert source.count("* 1.5") == 2 and "F.silu" not in source


def test_a_registered_name_is_forgotten_after_the_program(tmp_path: Path) -> None:
    model = "model = Sequential([Input((3,)), Dense(2, activation='own')])\n"
    register = "from keras.utils import get_custom_objects\nget_custom_objects()['own'] = lambda x: 3 * x\n"
    assert "3 * " in generated(IMPORTS + register + model, tmp_path)
    with pytest.raises(K2TError, match="unknown activation 'own'"):
        generated(IMPORTS + model, tmp_path)


def test_initializers_that_draw_by_numpy(tmp_path: Path) -> None:
    source = generated(
        f"{IMPORTS}import numpy.random as rng\nfrom keras import backend as K\n"
        "def kernel(shape, name=None):\n    return K.variable(rng.normal(loc=0, scale=1e-2, size=shape))\n"
        "def bias(shape, name=None):\n    return K.variable(rng.uniform(-0.5, 0.25, shape) * 2)\n"
        "model = Sequential([Input((30,)),"
        " Dense(50, kernel_initializer=kernel, bias_initializer=bias)])\n",
        tmp_path,
    )
    assert "nn.init.normal_" in source and "std=0.01" in source
    assert "uniform_" in source and "-1.0, 0.5" in source


def test_a_model_whose_call_takes_several_tensors(tmp_path: Path) -> None:
    program = (
        f"{IMPORTS}import tensorflow as tf\n"
        "class Encoder(Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.embedding = keras.layers.Embedding(9, 4)\n"
        "    def call(self, x, hidden):\n        x = self.embedding(x)\n"
        "        return x + hidden[:, None], hidden * 2\n"
        "class Decoder(Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.dense = Dense(3)\n"
        "    def call(self, x, hidden):\n        return self.dense(x) * tf.reduce_sum(hidden)\n"
        "encoder, decoder = Encoder(), Decoder()\n"
        "x, hidden = encoder(tf.zeros((2, 5), dtype=tf.int32), tf.zeros((2, 4)))\n"
        "y = decoder(x, hidden)\n"
    )
    for name, inputs in (
        ("encoder", (torch.ones(2, 5, dtype=torch.int32), torch.ones(2, 4))),
        ("decoder", (torch.ones(2, 5, 4), torch.ones(2, 4))),
    ):
        net = getattr(load_source(generated(program, tmp_path, name)), name.title())()
        out = net(*inputs)
        assert (out[0] if isinstance(out, tuple) else out).shape[:2] == (2, 5)


def test_layers_that_give_no_tensor(programs: Programs) -> None:
    lines = "model = Sequential([Input((3,)), Dense(2), keras.layers.Lambda(lambda x: None)])\n"
    assert "Lambda 'lambda' gives a NoneType, not a tensor" in programs.error(IMPORTS + lines)
    lines = "model = Sequential([Input((3,)), Dense(2), keras.layers.Activation(lambda x: 3)])\n"
    assert "not a tensor" in programs.error(IMPORTS + lines)


def test_weights_that_a_layer_of_keras_1_lists(programs: Programs) -> None:
    model = programs.run(
        f"{IMPORTS}from keras import backend as K\nfrom keras.engine.topology import Layer\n"
        "class Scale(Layer):\n    def build(self, input_shape):\n"
        "        self.w = K.variable(__import__('numpy').ones(input_shape[-1]))\n"
        "        self.trainable_weights = [self.w]\n"
        "    def call(self, x):\n        return x * self.w\n"
        "model = Sequential([Input((3,)), Scale(), Dense(2)])\n"
    )
    assert shapes(model)[1] == [(None, 2)]
    assert [tuple(w.shape) for w in model.trainable_weights] == [(3,), (3, 2), (2,)]


def test_names_of_the_first_keras_3(tmp_path: Path) -> None:
    """Functions below keras.ops.nn and keras.ops.numpy, `image=`, and Python's names of dtypes."""
    source = generated(
        "import keras\nfrom keras import ops\n"
        "class Shift(keras.layers.Layer):\n"
        "    def build(self, shape):\n"
        "        self.steps = keras.Variable([1, 2], dtype='int', trainable=False)\n"
        "    def call(self, x):\n"
        "        return x + ops.cast(self.steps, 'float32')\n"
        "x = keras.Input((8, 8, 2))\n"
        "y = ops.image.extract_patches(image=ops.nn.relu(Shift()(x)), size=2)\n"
        "model = keras.Model(x, ops.numpy.sum(y, axis=-1))\n",
        tmp_path,
    )
    net = load_source(source).Program()
    assert net.state_dict()["shift.steps"].dtype == torch.int32
    assert net(torch.zeros(1, 2, 8, 8)).shape == (1, 4, 4)


def test_training_by_position(tmp_path: Path) -> None:
    """`self.bn(x, training)`, also of a mask on the way, and of nested models."""
    source = generated(
        "from tensorflow import keras\nfrom tensorflow.keras import layers\n"
        "class Block(keras.layers.Layer):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.bn, self.drop = layers.BatchNormalization(), layers.Dropout(0.5)\n"
        "        self.net = keras.Sequential([layers.Dense(4), layers.BatchNormalization()])\n"
        "    def call(self, x, training=None):\n"
        "        return self.net(self.drop(self.bn(x, training), training), training)\n"
        "x = keras.Input((3,))\n"
        "model = keras.Model(x, layers.BatchNormalization()(Block()(x), False))\n",
        tmp_path,
    )
    net = load_source(source).Program()
    x = torch.rand(5, 3)
    assert torch.equal(net.eval()(x), net(x)) and not torch.equal(net.train()(x), net(x))


LATE = """import keras
from keras import layers
{more}
x = keras.Input((4, 6))
parts = []
def part(index):
    return layers.Lambda(lambda t: t[:, index])(x)
for i in range(4):
    parts += [layers.Lambda({function})(x), part(i)]
scale = 3
model = keras.Model(x, layers.Lambda(lambda t: t * scale)(layers.Concatenate()(parts)))
"""


def test_a_variable_that_changes_under_a_lambda(tmp_path: Path) -> None:
    """Keras runs the function in each run of the model: a loop's variable has its last value there."""
    late = LATE.format(function="lambda t: [t[:, i] for _ in (1,)][0]", more="")
    with pytest.raises(
        K2TError, match="reads 'i', which is 0 at the call and 3 at the end"
    ) as told:
        generated(late, tmp_path)
    assert told.value.where == "program.py:9" and "lambda x, i=i" in str(told.value)
    bound = generated(LATE.format(function="lambda t, i=i: t[:, i]", more=""), tmp_path)
    old = late.replace("[t[:, i] for _ in (1,)][0]", "t[:, i]")
    early = old.replace("import layers\n", "import layers\nfrom keras.layers.core import Dense\n")
    assert generated(early, tmp_path).split('"""')[2:] == bound.split('"""')[2:]


def test_geometry_is_read_as_keras_keeps_it(programs: Programs) -> None:
    """Classes made from a convolution build their own kernel from its sizes."""
    source = IMPORTS + (
        "import keras\n"
        "conv = keras.layers.Conv1D(4, 3)\n"
        "assert (conv.kernel_size, conv.strides, conv.dilation_rate) == ((3,), (1,), (1,))\n"
        "assert keras.layers.MaxPooling2D(3).pool_size == (3, 3)\n"
        "m = Sequential([Input((8, 8, 3)), keras.layers.Conv2D(2, 3), Dense(2)])\n"
        "assert m.layers[0].kernel_size + (3,) == (3, 3, 3)\n"
    )
    assert shapes(programs.run(source))[1] == [(None, 6, 6, 2)]


def test_augmentations_of_keras_2_say_what_draws_their_numbers() -> None:
    config = {"mode": "horizontal", "seed": None, "rng_type": "stateful", "force_generator": True}
    assert REGISTRY["RandomFlip"].from_config(config).mode == "horizontal"


def test_an_activation_is_a_function_when_it_is_read(programs: Programs) -> None:
    source = IMPORTS + (
        "import keras\nimport tensorflow as tf\n"
        "class Own(keras.layers.Dense):\n"
        "    def call(self, x):\n"
        "        return self.activation(tf.matmul(x, self.kernel) + self.bias)\n"
        "dense = Dense(3, activation='softmax')\n"
        "assert dense.activation == keras.activations.softmax != Dense(3).activation\n"
        "assert dense.activation.__name__ == 'softmax' and Dense(3).activation is not None\n"
        "dense.activation = keras.activations.linear\n"
        "m = Sequential([Input((4,)), Own(2, activation='tanh'), Own(2), dense])\n"
    )
    written = keras2torch.generate(programs.run(source)).model_source
    assert written.count("torch.tanh") == 1 and "softmax" not in written
