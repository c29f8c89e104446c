"""The weights of a saved file -> the recorded layers that they belong to."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend.archive import open_saved
from keras2torch.frontend.layer_order import in_keras_order
from keras2torch.frontend.live import apart, set_weights
from keras2torch.frontend.saved_conversions import of_cudnn
from keras2torch.frontend.saved_custom import custom_weights
from keras2torch.frontend.saved_tree import layer_tree
from keras2torch.frontend.saved_weights import AttributeWeights
from keras2torch.layers.base import Layer
from keras2torch.models import Model
from keras2torch.sequential import Sequential


def attach(model: Model, weights: Any, path: tuple[str, ...]) -> None:
    """Let every weight of ``model`` read its array from the file."""
    if model.user_defined and not weights.lists_layers(path):
        _attach_layer(model, weights, path)
        return
    for layer in apart(model.sublayers()):
        inner = (*path, layer.name)
        if isinstance(layer, Model):
            attach(layer, weights, inner)
        elif layer.weights:
            _attach_layer(layer, weights, inner)


def _attach_layer(layer: Layer, weights: Any, path: tuple[str, ...]) -> None:
    """One layer's weights; of a custom one, in the order of the file's format."""
    if layer.user_defined and isinstance(weights, AttributeWeights):
        slot = weights.slot(path)
        set_weights(layer, custom_weights(layer, slot, _ordered) if slot is not None else [])
        return
    order = None
    if layer.user_defined:  # legacy files: what learns comes first
        order = sorted(layer.weights, key=lambda weight: not weight.trainable)
    stored = _for_gpus(layer, weights.for_layer(path))
    set_weights(layer, getattr(layer, "of_stored", list)(stored), order)


def _for_gpus(layer: Layer, stored: list[Any]) -> list[Any]:
    """The stored weights, of Keras 2's layers for GPUs in the form of the plain ones."""
    if type(layer).__name__ == "Bidirectional":
        half = len(stored) // 2
        directions = (layer.forward_layer, layer.backward_layer_used)
        parts = zip(directions, (stored[:half], stored[half:]))
        return [weight for part, own in parts for weight in _for_gpus(part, own)]
    if type(layer).__name__.startswith("CuDNN"):
        return of_cudnn(type(layer).__name__, stored)
    return stored


def attach_file(model: Model, path: str | os.PathLike[str]) -> None:
    """Give a script's model the weights of a file, matched by the names of its layers.

    Raises SavedModelError where the file holds other weights than the model has.
    """
    stack = contextlib.ExitStack()
    try:
        saved = stack.enter_context(open_saved(path))
        attach(model, saved.weights_for(layer_tree(_entry(model), _count_in)), ())
    except K2TError:
        stack.close()
        raise
    model.__dict__["_archive"] = stack  # open as long as the model lives


_COUNTS = "numbers of weights"  # a key of our own in the configs that we make


def _counts(layer: Layer) -> tuple[int, int]:
    """How many weights learn and how many do not, whatever the layer's own ``trainable``."""
    learning = sum(weight.trainable for weight in layer.weights)
    return learning, len(layer.weights) - learning


def _count_in(class_name: str, config: dict[str, Any]) -> tuple[int, int] | None:
    return config.get(_COUNTS)


def _ordered(model: Model) -> list[Layer]:
    """The layers in the order in which Keras writes their weights."""
    layers = apart(model.sublayers())
    if isinstance(model, Sequential) or model.outputs is None:
        return layers
    places = {id(operation): place for place, operation in enumerate(in_keras_order(model.graph))}
    return sorted(layers, key=lambda layer: places.get(id(layer), len(places)))


def _entry(layer: Layer) -> dict[str, Any]:
    """As much of a saved config as tells the layers, their classes and their order."""
    if isinstance(layer, Model):
        kind = "Sequential" if isinstance(layer, Sequential) else "Functional"
        if layer.user_defined:
            kind = type(layer).__name__
        settings = {"name": layer.name, "layers": [_entry(inner) for inner in _ordered(layer)]}
        return {"class_name": kind, "config": {**settings, "input_layers": []}}
    config: dict[str, Any] = {"name": layer.name, _COUNTS: _counts(layer)}
    held = {**layer.__dict__.get("_fields", {}), **layer.__dict__}
    for key, attributes in _OWNED.items():
        inner = next((held[name] for name in attributes if held.get(name) is not None), None)
        if isinstance(inner, Layer):
            config[key] = _entry(inner)
        elif key == "cells" and isinstance(inner, (list, tuple)):
            config[key] = [_entry(cell) for cell in inner]
    return {"class_name": type(layer).__name__, "config": config}


# Keys of a saved config that hold the layers of a wrapper or recurrent layer: our attributes for them.
_OWNED = {
    "layer": ("forward_layer", "layer"),
    "backward_layer": ("backward_layer_used",),
    "cell": ("cell",),
    "cells": ("cells",),
}
