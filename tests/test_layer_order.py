"""The order of a recorded model's layers, against the installed Keras's ``model.layers``."""

from __future__ import annotations

from typing import Any

import oracle  # isort: split

import pytest
from application_models import unfilled

from keras2torch.applications import REGISTRY
from keras2torch.frontend.layer_order import in_keras_order
from keras2torch.layers.operation import clear_names


@pytest.mark.parametrize("name", ["InceptionV3", "Xception", "NASNetMobile", "DenseNet121"])
def test_order(name: str) -> None:
    clear_names()
    ours = [layer for layer in in_keras_order(REGISTRY[name](weights=None).graph)]
    theirs = [layer for layer in unfilled(name).layers if layer.weights]
    assert [layer.name for layer in ours if getattr(layer, "weights", None)] == [
        layer.name for layer in theirs
    ]


def test_shared_layers_and_nested_models() -> None:
    import keras
    from keras import layers

    import keras2torch.layers as own
    from keras2torch.inputs import Input
    from keras2torch.models import Model

    def build(library: Any, make_input: Any, make_model: Any) -> Any:
        dense, add = library("Dense"), library("Add")
        inner_input = make_input((4,))
        inner = make_model(inner_input, dense(4, name="inner_dense")(inner_input), name="inner")
        left, right = make_input((4,), name="left"), make_input((4,), name="right")
        shared = dense(4, name="shared")
        a = shared(left)
        b = dense(4, name="late")(inner(shared(right)))
        c = dense(4, name="early")(left)
        return make_model([left, right], add(name="sum")([a, b, c]), name="outer")

    theirs = build(lambda n: getattr(layers, n), keras.Input, keras.Model)
    ours = build(lambda n: own.REGISTRY[n], Input, Model)
    names = [layer.name for layer in theirs.layers if layer.name not in ("left", "right")]
    assert [layer.name for layer in in_keras_order(ours.graph)] == names


assert oracle  # sets Keras's backend before it is imported
