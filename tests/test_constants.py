"""Constant arrays as source: the formula gives the array again, and is taken where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from oracle import load_source

from keras2torch.constants import constant_text
from keras2torch.errors import UnsupportedError
from keras2torch.helpers import helper_sources


def sines(length: int, depth: int, halves: bool) -> Any:
    angles = np.arange(length)[:, None] / 10000 ** (2 * np.arange(depth // 2) / depth)
    if halves:
        return np.concatenate([np.sin(angles), np.cos(angles)], -1).astype("float32")
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, depth).astype("float32")


def relative_positions(height: int, width: int) -> Any:
    """As Swin transformers index their tables: (rows apart, columns apart) of two places of a window."""
    rows, columns = (axis.reshape(-1) for axis in np.indices((height, width)))
    down = rows[:, None] - rows + height - 1
    return down * (2 * width - 1) + columns[:, None] - columns + width - 1


RNG = np.random.default_rng(0)
# name: (array, dtype, what the text begins with)
ARRAYS: dict[str, tuple[Any, str, str]] = {
    "zeros": (np.zeros((3, 4), "float32"), "float32", "torch.zeros(3, 4)"),
    "ones of integers": (np.ones((4,), "int64"), "int64", "torch.ones(4, dtype=torch.int64)"),
    "one number": (np.full((2, 5), 0.1, "float32"), "float32", "torch.full((2, 5), 0.1)"),
    "true": (np.ones((2, 2), bool), "bool", "torch.ones(2, 2, dtype=torch.bool)"),
    "range": (np.arange(40), "int64", "torch.arange(40)"),
    "range in a row": (np.arange(5)[None], "int64", "torch.arange(5).reshape(1, 5)"),
    "range from 3 by 2": (np.arange(3, 21, 2), "int64", "torch.arange(3, 21, 2)"),
    "range downwards": (np.arange(9, -1, -1), "int64", "torch.arange(9, -1, -1)"),
    "range of floats": (np.arange(10, dtype="float32"), "float32", "torch.arange(10, dtype=torch.float32)"),
    "even numbers": (np.linspace(-1, 1, 17, dtype="float32"), "float32", "torch.linspace(-1.0, 1.0, 17)"),
    "lower triangle": (np.tri(12, dtype=bool), "bool", "torch.tril(torch.ones(12, 12, dtype=torch.bool))"),
    "upper triangle": (1 - np.tri(6, dtype="float32"), "float32", "torch.triu(torch.ones(6, 6), 1)"),
    "causal bias": (
        np.where(np.tri(5, dtype=bool), 0, -1e9).astype("float32"),
        "float32",
        "torch.triu(torch.full((5, 5), -1e9), 1)",
    ),
    "mask with axes in front": (np.tri(5, dtype="int64")[None, None], "int64", "torch.tril("),
    "identity": (np.eye(7, dtype="float32"), "float32", "torch.eye(7)"),
    "identity of booleans": (np.eye(4, 6, dtype=bool), "bool", "torch.eye(4, 6, dtype=torch.bool)"),
    "sines in turns": (sines(100, 32, False), "float32", "positional_encoding(100, 32)"),
    "sines side by side": (
        sines(2048, 64, True)[None],
        "float32",
        "positional_encoding_halves(2048, 64).reshape(1, 2048, 64)",
    ),
    "positions in a window": (
        relative_positions(7, 7),
        "int64",
        "outer_sum(torch.arange(84, 175, 13), torch.arange(7), torch.arange(0, -91, -13), torch.arange(0, -7, -1))"
        ".reshape(49, 49)",
    ),
    "positions in an oblong window": (relative_positions(4, 6).astype("int32"), "int32", "outer_sum("),
    "sums of lists": (np.add.outer([3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8, 2]), "int64", "outer_sum("),
    "few numbers": (RNG.normal(size=(3, 4)).astype("float32"), "float32", "torch.tensor([["),
    "few integers": (np.array([[3, 1], [2, 7]]), "int64", "torch.tensor([[3, 1], [2, 7]])"),
    "few short integers": (np.array([3, 1, 7], "int32"), "int32", "torch.tensor([3, 1, 7], dtype=torch.int32)"),
    "many numbers": (RNG.normal(size=(40, 50)).astype("float32"), "float32", "unpacked("),
    "many integers": (RNG.integers(0, 500, (50, 60)), "int64", "unpacked("),
    "many booleans": (RNG.integers(0, 2, (50, 60)).astype(bool), "bool", "unpacked("),
    "many, repeated": (np.tile(RNG.normal(size=(1, 50)).astype("float32"), (400, 1)), "float32", "torch.tensor("),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_text_gives_the_array(name: str) -> None:
    array, dtype, beginning = ARRAYS[name]
    text = constant_text(array, dtype)
    assert text.startswith(beginning), text
    helpers = "\n\n".join(helper_sources(text))
    module = load_source(
        f"import base64\nimport zlib\n\nimport torch\nfrom torch import Tensor\n\n{helpers}\n\nvalue = {text}\n"
    )
    value = module.value
    assert value.dtype == getattr(torch, dtype) and value.is_contiguous()
    made = value.numpy()
    assert made.shape == array.shape
    if array.dtype.kind == "f":
        assert np.abs(made - array).max() <= 3e-6 * max(1, np.abs(array).max())
    else:
        assert np.array_equal(made, array)


def test_float32_by_its_shortest_digits() -> None:
    assert (
        constant_text(np.array([0.1, 2.8284271], "float32"), "float32")
        == "torch.tensor([0.1, 2.828427])"
    )


def test_too_large_without_a_formula() -> None:
    with pytest.raises(UnsupportedError, match=r"constant array of shape \(300, 300\)"):
        constant_text(RNG.normal(size=(300, 300)).astype("float32"), "float32")
