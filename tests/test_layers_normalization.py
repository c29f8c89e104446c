"""Batch and layer normalisation against Keras, in both modes: values and gradients."""

from __future__ import annotations

from layer_tables import check, source, table  # isort: split

import keras
import numpy as np
import oracle
import pytest
import torch
from keras import layers as L

import keras2torch
from keras2torch.errors import K2TError
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY

BN, LN = L.BatchNormalization, L.LayerNormalization


def batch_images():
    a = keras.Input((4, 5, 3))
    x = L.Conv2D(3, 2)(a)
    return [a], [
        BN()(a),
        BN(axis=1)(a),
        BN(axis=2)(a),
        BN()(x),
        BN(axis=1)(x),
        BN(axis=2)(x),
        BN(scale=False)(x),
        BN(center=False, epsilon=1e-5)(x),
        BN(scale=False, center=False, momentum=0.9)(x),
        BN(trainable=False)(x),
        BN()(L.Flatten()(x)),
        L.Dense(2)(BN()(L.Flatten()(x))),
        L.Dense(2)(L.ReLU()(BN(center=False)(L.Flatten()(x)))),
    ]


def batch_ranks():
    a, d, e = keras.Input((5, 3)), keras.Input((3,)), keras.Input((2, 3, 4, 2))
    x = L.Conv1D(3, 2)(a)
    return [a, d, e], [BN()(a), BN(axis=1)(a), BN()(x), BN()(d), BN()(e), BN(axis=1)(e)]


def masked():
    i = keras.Input((5,), dtype="int32")
    x = L.Embedding(7, 3, mask_zero=True)(i)
    return [i], [BN()(x), BN(scale=False)(x), BN(scale=False, center=False)(x), LN()(x)]


def layer_images():
    a = keras.Input((4, 5, 3))
    x = L.Conv2D(3, 2)(a)
    return [a], [
        LN()(a),
        LN(axis=[1, 2])(a),
        LN(axis=(3, 1, 2))(x),
        LN(axis=1)(x),
        LN(axis=2)(a),
        LN(scale=False)(x),
        LN(center=False, epsilon=1e-5)(a),
        LN(scale=False, center=False)(x),
        L.Conv2D(2, 1)(LN()(x)),
        LN()(L.Flatten()(x)),
    ]


CASES = {"batch, images": batch_images, "batch, ranks": batch_ranks, "layer, images": layer_images}


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@table(CASES)
def test_equals_keras(case, training):
    check(case, training=training, batches=(3,))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_masks(training):
    tokens = np.array([[1, 0, 3, 0, 0], [2, 3, 1, 6, 5]], "int32")
    check(masked, inputs=[tokens], training=training)


def test_running_statistics():
    """After one batch the running mean is Keras's; the variance is n / (n - 1) times as far on its way."""
    x = keras.Input((4,))
    model = keras.Model(x, BN(momentum=0.8)(x))
    result = keras2torch.generate(model)
    net = oracle.build(result).train()
    data = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    model(data, training=True)
    net(torch.from_numpy(data))
    state = net.state_dict()
    mean, variance = (np.asarray(v) for v in model.non_trainable_variables)
    assert np.allclose(state["bn.running_mean"], mean, atol=1e-6)
    assert np.allclose((state["bn.running_var"] - 0.8) * 5 / 6, variance - 0.8, atol=1e-6)


def test_text():
    image = keras.Input((8, 8, 3))
    x = L.Conv2D(4, 3)(image)
    text = source([image], [BN()(x), BN(scale=False)(x), BN(trainable=False)(x)])
    assert "nn.BatchNorm2d(4, eps=1e-3, momentum=0.01)" in text
    assert ".weight.requires_grad_(False)  # Keras: scale=False" in text
    assert "self.bn3.requires_grad_(False)" in text and "self.bn3.eval()" in text
    assert "permute" not in text


PROGRAM = """
import keras
x = keras.Input((4,))
norm = keras.layers.BatchNormalization()
model = keras.Model(x, keras.layers.{call})
"""


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("BatchNormalization()(x, training=False)", "self.bn.eval()"),
        ("BatchNormalization()(x, training=True)", "track_running_stats=False"),
        ("BatchNormalization(mode=2)(x)", "track_running_stats=False"),
    ],
)
def test_training_argument(tmp_path, call, expected):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(call=call))
    assert expected in keras2torch.generate(path).model_source


ERRORS = {
    "renorm": (lambda: REGISTRY["BatchNormalization"](renorm=True), "renorm=True has no equal"),
    "mode": (lambda: REGISTRY["BatchNormalization"](mode=1), "mode=1 of Keras 1"),
    "axes": (lambda: REGISTRY["BatchNormalization"](axis=[1, 2]), "has several axes"),
    "rms": (lambda: REGISTRY["LayerNormalization"](rms_scaling=True), "use RMSNormalization"),
    "size": (lambda: REGISTRY["LayerNormalization"](axis=1)(Input((None, 3))), "is not known"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make()
