"""Functions on tensors inside live Functional models: Keras records them as operations, which are replayed."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from ops_oracle import Array, flat, run_torch, same
from test_ops_elementwise import INDEXING, OPERATORS, OTHERS
from test_ops_image import CASES as IMAGES
from test_ops_linalg import CASES as LINALG
from test_ops_nn import ACTIVATIONS, CONVOLUTIONS, LOSSES, NORMS, PLAIN
from test_ops_select import PRODUCTS, SELECT
from test_ops_shapes import ARRANGE, REDUCE, X

import keras2torch
from keras2torch.ops.elementwise import BINARY, UNARY

pytestmark = pytest.mark.thin(40)

TABLES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    **{f"unary {n}": (lambda ops, x, n=n: getattr(ops, n)(x), (X,)) for n in UNARY if n in ("exp", "abs", "square", "sin")},
    **{f"binary {n}": (lambda ops, x, n=n: getattr(ops, n)(x, x * 2), (X,)) for n in BINARY if n in ("add", "power", "maximum")},
    **{f"plain {n}": (lambda ops, x, n=n: getattr(ops, n)(x), (Array((None, 6, 8)),)) for n in PLAIN},
    **OPERATORS, **INDEXING, **OTHERS, **IMAGES, **LINALG, **ACTIVATIONS, **CONVOLUTIONS, **NORMS, **LOSSES,
    **PRODUCTS, **SELECT, **ARRANGE, **REDUCE,
}  # fmt: skip


def live_model(function: Any, arrays: tuple[Array, ...]) -> Any:
    inputs = [keras.Input(batch_shape=a.shape, dtype=a.dtype) for a in arrays]
    return keras.Model(inputs, flat(function(keras.ops, *inputs)))


@pytest.mark.parametrize("name", TABLES)
def test_live(name: str) -> None:
    function, arrays = TABLES[name]
    if not all(isinstance(a, Array) and a.dtype != "complex64" for a in arrays):
        pytest.skip("constants and complex numbers are no inputs of a model")
    try:
        model = live_model(function, arrays)
    except Exception as error:
        pytest.skip(f"Keras cannot record it: {str(error)[:60]}")
    try:
        model.get_config()
    except NotImplementedError:
        pytest.skip("Keras cannot say what it recorded")
    samples = [a.sample(3, seed) for seed, a in enumerate(arrays)]
    try:
        expected = [
            np.asarray(leaf) for leaf in flat(model(samples if len(samples) > 1 else samples[0]))
        ]
    except Exception as error:
        pytest.skip(f"Keras cannot run what it recorded: {str(error)[:60]}")
    result = keras2torch.generate(model)
    actual, _ = run_torch(result, samples)
    for a, e in zip(actual, expected, strict=True):
        same(a, e, 5e-5, f"{name}\n{result.model_source}")
