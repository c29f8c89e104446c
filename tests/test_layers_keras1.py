"""Layers and functions that only Keras 1 and 2 had: equal to their formulas, in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, build, run_torch

import keras2torch

HEAD = """
from keras.models import Sequential
from keras.layers.core import Dense, Highway, MaxoutDense
"""


def run(source: str, folder: Path, x: Any) -> tuple[Any, list[Any]]:
    """The outputs of the program's ``model`` for ``x``, and its weights in Keras's order."""
    path = folder / "program.py"
    path.write_text(HEAD + source)
    result = keras2torch.generate(path)
    assert result.source is not None
    rng, arrays = np.random.default_rng(0), []
    for weight in result.source.model.weights:
        arrays.append(rng.normal(size=weight.shape).astype("float32"))
        weight.value = lambda array=arrays[-1]: array
    return run_torch(result, build(result), [x])[0], arrays


@pytest.fixture
def x() -> Any:
    return np.random.default_rng(1).normal(size=(3, 5)).astype("float32")


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def test_maxout_dense(tmp_path: Path, x: Any) -> None:
    actual, (kernel, bias) = run(
        "model = Sequential([MaxoutDense(4, nb_feature=3, input_dim=5)])", tmp_path, x
    )
    assert_close(actual, (np.einsum("nd,kdo->nko", x, kernel) + bias).max(axis=1), 1e-5, "maxout")


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_highway(activation: str, tmp_path: Path, x: Any) -> None:
    source = f"model = Sequential([Highway(activation={activation!r}, input_dim=5)])"
    actual, (kernel, carry_kernel, bias, carry_bias) = run(source, tmp_path, x)
    outputs = x @ kernel + bias
    outputs = np.tanh(outputs) if activation == "tanh" else outputs
    gate = sigmoid(x @ carry_kernel + carry_bias)
    assert_close(actual, outputs * gate + x * (1 - gate), 1e-5, "highway")


def test_gru_resets_before_its_product(tmp_path: Path) -> None:
    """Keras 1.0 to 2.3: ``reset_after=False``; without a sign of their age, programs are today's."""
    x = np.random.default_rng(1).normal(size=(2, 4, 3)).astype("float32")
    source = (
        "from keras.layers.recurrent import GRU\nmodel = Sequential([GRU(2, input_shape=(4, 3))])"
    )
    actual, (kernel, recurrent, bias) = run(source, tmp_path, x)
    h = np.zeros((2, 2), "float32")
    for step in range(4):
        update, reset, new = np.split(x[:, step] @ kernel + bias, 3, axis=1)
        to_update, to_reset, to_new = np.split(recurrent, 3, axis=1)
        update, reset = sigmoid(update + h @ to_update), sigmoid(reset + h @ to_reset)
        h = update * h + (1 - update) * np.tanh(new + (reset * h) @ to_new)
    assert_close(actual, h, 1e-5, "GRU")
    path = tmp_path / "today.py"
    path.write_text(
        "from keras import Sequential, layers\nmodel = Sequential([layers.GRU(2, input_shape=(4, 3))])"
    )
    assert "nn.GRU(" in keras2torch.generate(path).model_source
