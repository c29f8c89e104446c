"""Custom layers in saved models, and weights files beside programs: every array finds its place."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import saved_custom_layers as custom
from click.testing import CliRunner
from keras import layers
from oracle import assert_close, build, randomise, run_torch

import keras2torch
from keras2torch.cli import main

SOURCE = Path(custom.__file__)


def blocks():
    x = inputs = keras.Input((5,))
    x = custom.Blocks(6)(layers.Dense(6)(x))
    return keras.Model(inputs, layers.Dense(2, activation=custom.swoosh)(x))


def sequences():
    inputs = keras.Input((7, 5))
    return keras.Model(inputs, custom.Sequences(4)(inputs))


def spectral():
    inputs = keras.Input((5,))
    x = layers.SpectralNormalization(layers.Dense(5))(inputs)
    return keras.Model(inputs, layers.SpectralNormalization(layers.Dense(3, use_bias=False))(x))


def objects():
    inputs = keras.Input((5,))
    x = layers.Dense(4, kernel_initializer=custom.Half(0.2))(inputs)
    x = custom.Twice(keras.Sequential([layers.Dense(4), layers.ReLU()]))(x)
    return keras.Model(inputs, custom.Twice(layers.Dense(4))(x))


def nested():
    inputs = keras.Input((5,))
    return keras.Model(inputs, layers.Dense(2)(custom.Net()(inputs)))


def subclassed():
    model = custom.Net()
    model(np.zeros((2, 5), "float32"))
    return model


def outputs(model, shape):
    randomise(model)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    return x, np.asarray(model(x, training=False))


@pytest.mark.parametrize(
    ("make", "shape", "suffix"),
    [
        (blocks, (3, 5), ".keras"), (blocks, (3, 5), ".h5"),
        (sequences, (3, 7, 5), ".keras"), (sequences, (3, 7, 5), ".h5"),
        (spectral, (3, 5), ".keras"), (spectral, (3, 5), ".h5"),
        (objects, (3, 5), ".keras"), (objects, (3, 5), ".h5"),
        (nested, (3, 5), ".keras"), (nested, (3, 5), ".h5"),
        (subclassed, (3, 5), ".keras"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)  # fmt: skip
def test_custom_layers_get_their_weights(make, shape, suffix, tmp_path):
    model = make()
    x, expected = outputs(model, shape)
    model.save(tmp_path / f"net{suffix}")
    result = keras2torch.generate(tmp_path / f"net{suffix}", custom=SOURCE)
    assert result.weights
    assert_close(run_torch(result, build(result), [x])[0], expected, 1e-5, result.model_source)


def test_without_the_source_each_class_is_named(tmp_path):
    blocks().save(tmp_path / "net.keras")
    with pytest.raises(
        keras2torch.K2TError, match="mine>Blocks.*which is not Keras's own"
    ) as error:
        keras2torch.generate(tmp_path / "net.keras")
    assert "--custom" in str(error.value)


@pytest.mark.parametrize(
    ("make", "named"), [(objects, "object of the class.*Half"), (nested, "layer of the class.*Net")]
)
def test_what_is_not_kerass_own_is_named(make, named, tmp_path):
    make().save(tmp_path / "net.keras")
    with pytest.raises(keras2torch.K2TError, match=named):
        keras2torch.generate(tmp_path / "net.keras")


def test_a_foreign_activation_is_named(tmp_path):
    layer = layers.Dense(2, activation=custom.swoosh, name="last")
    keras.Sequential([keras.Input((3,)), layer]).save(tmp_path / "net.keras")
    with pytest.raises(keras2torch.K2TError, match="'last': the activation mine>swoosh is"):
        keras2torch.generate(tmp_path / "net.keras")


def test_a_subclassed_model_without_shapes_is_told(tmp_path):
    subclassed().save(tmp_path / "net.h5")
    with pytest.raises(keras2torch.K2TError, match="shapes on which the model of the class Net"):
        keras2torch.generate(tmp_path / "net.h5", custom=SOURCE)


def test_another_source_than_that_of_the_file_is_refused(tmp_path):
    sequences().save(tmp_path / "net.keras")
    other = tmp_path / "other.py"
    other.write_text(SOURCE.read_text().replace("self.attend", "self.look"))
    with pytest.raises(keras2torch.K2TError, match="no weights for"):
        keras2torch.generate(tmp_path / "net.keras", custom=other)


def test_verify_takes_the_source(tmp_path):
    model = sequences()
    randomise(model)
    model.save(tmp_path / "net.keras")
    arguments = [
        "verify",
        str(tmp_path / "net.keras"),
        "--custom",
        str(SOURCE),
        "-o",
        str(tmp_path),
    ]
    made = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize("suffix", [".h5", ".weights.h5"])
def test_a_program_with_a_subclassed_model_inside(suffix, tmp_path):
    model = nested()
    x, expected = outputs(model, (3, 5))
    (model.save_weights if "weights" in suffix else model.save)(tmp_path / f"net{suffix}")
    path = tmp_path / "net.py"
    path.write_text(
        SOURCE.read_text() + "\ninputs = keras.Input((5,))\n"
        "model = keras.Model(inputs, layers.Dense(2)(Net()(inputs)))\n"
    )
    result = keras2torch.generate(path, weights=tmp_path / f"net{suffix}")
    assert_close(run_torch(result, build(result), [x])[0], expected, 1e-5, suffix)


PROGRAM = """
import keras
from keras import layers
encoder = keras.Sequential([
    keras.Input((8, 8, 2)), layers.SeparableConv2D(4, 3), layers.BatchNormalization(), layers.Conv2D(3, 3),
    layers.GlobalAveragePooling2D(),
])
x = frames = keras.Input((5, 8, 8, 2))
x = layers.TimeDistributed(encoder)(x)
x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
x = layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True)(x)
x = layers.MultiHeadAttention(2, 3)(x, x)
model = keras.Model(frames, layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
"""


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_weights_beside_a_program(suffix, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    names: dict = {}
    exec(PROGRAM, names)
    model = names["model"]
    x, expected = outputs(model, (2, 5, 8, 8, 2))
    (model.save_weights if "weights" in suffix else model.save)(tmp_path / f"net{suffix}")
    result = keras2torch.generate(program, weights=tmp_path / f"net{suffix}")
    assert_close(run_torch(result, build(result), [x])[0], expected, 1e-5, result.model_source)


def _legacy_file(path, layer, arrays, shape):
    """As Keras 2.2 writes a Sequential model of one layer."""
    import json

    import h5py

    layer["config"]["batch_input_shape"] = [None, *shape]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = "2.2.4", "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [layer["config"]["name"].encode()]
        group = weights.create_group(layer["config"]["name"])
        group.attrs["weight_names"] = [f"w{i}:0".encode() for i in range(len(arrays))]
        for i, array in enumerate(arrays):
            group[f"w{i}:0"] = array


def _to_cudnn(kernel, recurrent, bias, gates):
    """Keras 2.2's conversion in the other direction (``from_cudnn=False``)."""
    kernels = [gate.T.reshape(gate.shape, order="C") for gate in np.hsplit(kernel, gates)]
    recurrents = [gate.T for gate in np.hsplit(recurrent, gates)]
    both = np.tile(0.5 * bias, 2) if gates == 4 else bias.reshape(-1)
    return [np.hstack(kernels), np.hstack(recurrents), both]


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_cudnn_weights_become_plain_ones(kind, gates, bidirectional, tmp_path):
    plain = getattr(layers, kind)(5, return_sequences=True)
    model = keras.Sequential(
        [keras.Input((6, 3)), layers.Bidirectional(plain) if bidirectional else plain]
    )
    x, expected = outputs(model, (2, 6, 3))
    arrays = [np.asarray(w) for w in model.layers[0].get_weights()]
    halves = [arrays[i : i + 3] for i in range(0, len(arrays), 3)]
    stored = [array for half in halves for array in _to_cudnn(*half, gates)]
    config = {
        "name": "rnn",
        "units": 5,
        "return_sequences": True,
        "go_backwards": False,
        "stateful": False,
    }
    layer = {"class_name": f"CuDNN{kind}", "config": config}
    if bidirectional:
        layer = {
            "class_name": "Bidirectional",
            "config": {"name": "both", "merge_mode": "concat", "layer": layer},
        }
    _legacy_file(tmp_path / "net.h5", layer, stored, (6, 3))
    result = keras2torch.generate(tmp_path / "net.h5")
    assert_close(run_torch(result, build(result), [x])[0], expected, 1e-5, result.model_source)


@pytest.mark.parametrize(("make", "shape"), [(blocks, (3, 5)), (sequences, (3, 7, 5))])
def test_a_live_model_with_the_source_of_its_layers(make, shape):
    model = make()
    x, expected = outputs(model, shape)
    result = keras2torch.generate(model, custom=SOURCE)
    assert_close(run_torch(result, build(result), [x])[0], expected, 1e-5, result.model_source)
