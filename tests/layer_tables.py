"""Tables of layers to be compared with Keras: every entry is one model with an output for each layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oracle  # isort: split

import keras
import pytest
from keras import layers as L

Outputs = list[Any]
Table = dict[str, Callable[[], tuple[Outputs, Outputs]]]


def on(shape: tuple[int | None, ...], *layers: Any) -> tuple[Outputs, Outputs]:
    """Each of the layers on one input."""
    x = keras.Input(shape)
    return [x], [layer(x) for layer in layers]


def behind_conv(*layers: Any) -> tuple[Outputs, Outputs]:
    """Each of the layers on an image that lies channels-first in torch."""
    image = keras.Input((5, 6, 3))
    x = L.Conv2D(4, 2)(image)
    return [image], [layer(x) for layer in layers]


def table(cases: Table) -> Any:
    """``parametrize`` over a table, by the names of its entries."""
    return pytest.mark.parametrize("case", list(cases.values()), ids=list(cases))


def check(case: Callable[[], tuple[Outputs, Outputs]], **options: Any) -> Any:
    """Compare values and gradients of the case with Keras; returns the Generated."""
    inputs, outputs = case()
    return oracle.compare(keras.Model(inputs, outputs), **options)


def source(inputs: Outputs, outputs: Any) -> str:
    """The generated classes of a Keras model, without the file's head."""
    text = oracle.compare(keras.Model(inputs, outputs), gradients=False, batches=(2,)).model_source
    return text[text.index("class ") :]
