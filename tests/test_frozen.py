"""Frozen layers: what learns, and which batch normalisation keeps its statistics, as in Keras."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import keras2torch
from keras2torch.applications import REGISTRY as NETWORKS
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY as LAYERS
from keras2torch.models import Model
from keras2torch.sequential import Sequential


def built(model: Any) -> tuple[str, torch.nn.Module]:
    """The source, and the module in train mode."""
    result = keras2torch.generate(model)
    space: dict[str, Any] = {"__name__": "generated"}
    exec(compile(result.model_source, "<generated>", "exec"), space)
    return result.model_source, space[result.class_name]().train()


def learning(net: torch.nn.Module) -> list[str]:
    return [name for name, p in net.named_parameters() if p.requires_grad]


def norms(net: torch.nn.Module) -> list[bool]:
    """Whether each batch normalisation is in train mode."""
    return [m.training for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]


@pytest.mark.parametrize("name", ["ResNet50", "MobileNetV2", "DenseNet121", "VGG16"])
def test_a_frozen_network_is_named_once(name: str) -> None:
    base = NETWORKS[name](weights=None, include_top=False, input_shape=(64, 64, 3))
    base.trainable = False
    image = Input((64, 64, 3))
    x = LAYERS["GlobalAveragePooling2D"]()(base(image, training=False))
    source, net = built(Model(image, LAYERS["Dense"](3, name="head")(x)))
    assert learning(net) == ["head.weight", "head.bias"]
    assert source.count("requires_grad_(False)") == 1
    assert not any(norms(net))
    assert source.count(".eval()") == (0 if name == "VGG16" else 1)


def test_only_the_last_layers_learn() -> None:
    base = NETWORKS["ResNet50"](weights=None, include_top=False, input_shape=(64, 64, 3))
    for layer in base.layers[:-11]:
        layer.trainable = False
    _, net = built(Model(base.inputs, base.outputs))
    weights = [layer for layer in base.layers[-11:] if getattr(layer, "weights", None)]
    assert len(learning(net)) == 2 * len(weights)
    assert sum(norms(net)) == sum(type(layer).__name__ == "BatchNormalization" for layer in weights)


def test_dropout_in_a_frozen_model_goes_on() -> None:
    dense, norm, dropout = (LAYERS[name] for name in ("Conv2D", "BatchNormalization", "Dropout"))
    base = Sequential([Input((8, 8, 3)), dense(4, 3), norm(), dropout(0.5)], name="base")
    base.trainable = False
    image = Input((8, 8, 3))
    x = LAYERS["Flatten"]()(base(image))
    _, net = built(Model(image, LAYERS["Dense"](3, name="head")(x)))
    assert learning(net) == ["head.weight", "head.bias"]
    assert norms(net) == [False]
    assert [m.training for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [True]


def test_a_frozen_model_as_a_whole() -> None:
    model = Sequential([Input((8, 8, 3)), LAYERS["Conv2D"](4, 3), LAYERS["BatchNormalization"]()])
    model.trainable = False
    _, net = built(model)
    assert learning(net) == [] and norms(net) == [False]
    assert net.eval().train(False) is net


def residual_block(x: Any, filters: int, stride: int) -> Any:
    conv, norm = LAYERS["Conv2D"], LAYERS["BatchNormalization"]
    out = norm()(conv(filters, 3, strides=stride, padding="same", use_bias=False)(x))
    out = norm()(conv(filters, 3, padding="same", use_bias=False)(LAYERS["ReLU"]()(out)))
    if stride != 1:
        x = norm(trainable=False)(conv(filters, 1, strides=stride, use_bias=False)(x))
    return LAYERS["ReLU"]()(LAYERS["Add"]()([out, x]))


def test_a_part_that_only_some_blocks_have() -> None:
    image = x = Input((16, 16, 8))
    for filters, stride in ((8, 1), (16, 2), (16, 1), (32, 2)):
        x = residual_block(x, filters, stride)
    source, net = built(Model(image, x))
    assert "if isinstance(self.shortcut, nn.Sequential):" in source
    assert net(torch.zeros(2, 8, 16, 16)).shape == (2, 32, 4, 4)
    assert sum(not p.requires_grad for p in net.parameters()) == 4
    assert norms(net).count(False) == 2
