"""Layers and models of the user's own: traced, generated, and equal to the same program under real Keras."""

from __future__ import annotations

import re
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from custom_programs import HEAD, PROGRAMS
from oracle import assert_close, build, flatten, load_source, randomise, run_torch
from pairing import pair_weights

import keras2torch
from keras2torch.errors import K2TError


def run_under_keras(source: str) -> Any:
    """The program's ``model``, made by real Keras."""
    module = types.ModuleType("program")
    exec(compile(source, "<program>", "exec"), module.__dict__)
    return module.model


def generate(source: str, folder: Path) -> Any:
    path = folder / "program.py"
    path.write_text(source)
    return keras2torch.generate(path, model="model")


@pytest.mark.parametrize("name", PROGRAMS)
def test_equals_keras(name: str, tmp_path: Path) -> None:
    source, shapes = PROGRAMS[name]
    real = run_under_keras(source)
    randomise(real)
    result = generate(source, tmp_path)
    pair_weights(result.source.model, real)
    net = build(result)
    rng = np.random.default_rng(0)
    for batch in (1, 3):
        arrays = [rng.normal(size=(batch, *shape)).astype("float32") for shape in shapes]
        if "Masking" in source:
            arrays[0][0, 3:] = 0
        expected = flatten(real(arrays if len(arrays) > 1 else arrays[0], training=False))
        actual = run_torch(result, net, arrays)
        assert len(actual) == len(expected)
        for a, e in zip(actual, expected):
            assert_close(a, e, 1e-5, f"{name}\n{result.model_source}")
    run_torch(result, net.train(), arrays)  # runs in train mode, too


def generated(name: str, tmp_path: Path) -> str:
    return generate(PROGRAMS[name][0], tmp_path).model_source


def test_a_class_keeps_its_name_and_docstring(tmp_path: Path) -> None:
    source = generated("build and add_weight", tmp_path)
    assert 'class Linear(nn.Module):\n    """An affine map."""' in source
    assert "self.w = nn.Parameter(" in source and "x @ self.w + self.b" in source


def test_training_branches_are_chosen_by_mode(tmp_path: Path) -> None:
    source = generated("if training", tmp_path)
    assert "if self.training else x" in source
    assert source.count("self.dense(") == 1, source
    assert source.count("self.drop(") == 1, source


def test_train_mode_differs_from_eval_mode(tmp_path: Path) -> None:
    result = generate(PROGRAMS["if training"][0], tmp_path)
    net = getattr(load_source(result.model_source), result.class_name)()
    x = torch.ones(4, 6)
    assert torch.equal(net.eval()(x), net.eval()(x))
    assert not torch.equal(net.train()(x), net.train()(x))


def test_tables_become_formulas(tmp_path: Path) -> None:
    source = generated("tables computed in the layer", tmp_path)
    assert "positional_encoding(50, 16)" in source
    assert "torch.tril(torch.ones(50, 50, dtype=torch.bool))" in source
    assert '"encoding", positional' in source


def test_unknown_sizes_are_read_in_forward(tmp_path: Path) -> None:
    source = generated("unknown length", tmp_path)
    assert "torch.arange(" in source and ".shape[1]" in source


BAD = {
    "assignment": (
        """
class Counter(layers.Layer):
    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.count.assign_add(1.0)
        return x * self.count
""",
        "Counter",
        "assign",
    ),
    "branch on a value": (
        """
class Branch(layers.Layer):
    def call(self, x):
        if ops.sum(x) > 0:
            return x
        return -x
""",
        "Branch",
        "truth of a symbolic tensor",
    ),
    "statistics in eval mode only": (
        """
class Strange(layers.Layer):
    def __init__(self):
        super().__init__()
        self.norm = layers.BatchNormalization()

    def call(self, x, training=None):
        if training:
            return x
        return self.norm(x)
""",
        "Strange",
        "eval mode only",
    ),
    "shapes that differ": (
        """
class Shapes(layers.Layer):
    def call(self, x, training=None):
        return ops.sum(x, -1) if training else x
""",
        "Shapes",
        "same axes in both modes",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_with_the_line(name: str, tmp_path: Path) -> None:
    body, cls, message = BAD[name]
    source = f"{HEAD}{body}\ninputs = keras.Input((4,))\nmodel = Model(inputs, {cls}()(inputs))\n"
    with pytest.raises(K2TError, match=message) as error:
        generate(source, tmp_path)
    assert re.search(r"program\.py:\d+", str(error.value)), error.value
