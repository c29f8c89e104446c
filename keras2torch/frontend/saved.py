"""A saved model file -> a recorded model, with its weights read from the file when they are asked for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError, SavedModelError
from keras2torch.frontend.archive import SavedModel, open_saved
from keras2torch.frontend.layer_order import in_keras_order
from keras2torch.frontend.live import set_weights
from keras2torch.frontend.replay import Replayer
from keras2torch.frontend.saved_weights import AttributeWeights
from keras2torch.layers.base import Layer, clear_names
from keras2torch.frontend.saved_tree import layer_tree
from keras2torch.models import Model, Sequential
from keras2torch.registry import with_registered


def read_saved(
    path: str | os.PathLike[str], *, notes: list[str], custom: dict[str, Any] | None = None
) -> Model:
    """Record the model of a .keras, .h5 or .json file again.

    The file stays open for its weights as long as the model lives. Raises SavedModelError for what is
    damaged or hostile, UnsupportedError for what has no translation.
    """
    stack = contextlib.ExitStack()
    try:
        saved = stack.enter_context(open_saved(path))
        model = with_registered(lambda known: _replay(saved, known), custom or {}, Path(path).parent)
        _compile(model, saved, notes)
    except K2TError:
        stack.close()
        raise
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        AssertionError,
        OverflowError,
    ) as error:
        # A config that is no config: the replay trusts its form, and the file does not deserve it.
        stack.close()
        raise SavedModelError(
            f"the config in {Path(path).name} is damaged: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    model._archive = stack
    return model


def _replay(saved: SavedModel, custom: dict[str, Any]) -> Model:
    if saved.config is None:
        raise SavedModelError(
            f"{saved.name} holds weights only, without the model they belong to",
            fix="k2t generate model.py --weights FILE",
        )
    version = saved.keras_version[0] if saved.keras_version else 3
    config.keras_version = version
    clear_names()
    model = Replayer(version=version, custom=custom).model(saved.config)
    if saved.has_weights:
        attach(model, saved.weights, ())
    return model


def attach(model: Model, weights: Any, path: tuple[str, ...]) -> None:
    """Let every weight of ``model`` read its array from the file."""
    for layer in model.sublayers():
        inner = (*path, layer.name)
        if isinstance(layer, Model):
            attach(layer, weights, inner)
        elif layer.weights:
            by_attribute = isinstance(weights, AttributeWeights) and layer.user_defined
            order = _by_attribute(layer) if by_attribute else None
            set_weights(layer, weights.for_layer(inner), order)


def _by_attribute(layer: Layer) -> list[Any]:
    """A custom layer's weights as Keras's own format lists them: its own, then by the attributes' names."""
    own = [w for w in layer._weights if w.trainable] + [
        w for w in layer._weights if not w.trainable
    ]
    seen = set(map(id, own))
    for _, value in sorted(layer.__dict__.items()):
        parts = value if isinstance(value, (list, tuple)) else [value]
        for part in parts:
            if isinstance(part, Layer):
                inner = _by_attribute(part) if part.user_defined else part.weights
                own += [w for w in inner if id(w) not in seen]
                seen.update(map(id, inner))
    return own


def attach_file(model: Model, path: str | os.PathLike[str]) -> None:
    """Give a script's model the weights of a file, matched by the names of its layers.

    Raises SavedModelError where the file holds other weights than the model has.
    """
    stack = contextlib.ExitStack()
    try:
        saved = stack.enter_context(open_saved(path))
        attach(model, saved.weights_for(layer_tree(_config(model), _count_in)), ())
    except K2TError:
        stack.close()
        raise
    model._archive = stack


_COUNTS = "numbers of weights"  # a key of our own in the configs that we make


def _counts(layer: Layer) -> tuple[int, int]:
    """How many weights learn and how many do not, whatever the layer's own ``trainable``."""
    learning = sum(weight.trainable for weight in layer.weights)
    return learning, len(layer.weights) - learning


def _count_in(class_name: str, config: dict[str, Any]) -> tuple[int, int] | None:
    return config.get(_COUNTS)


def _ordered(model: Model) -> list[Layer]:
    """The layers in the order in which Keras writes their weights."""
    layers = model.sublayers()
    if isinstance(model, Sequential) or model.outputs is None:
        return layers
    places = {id(operation): place for place, operation in enumerate(in_keras_order(model.graph))}
    return sorted(layers, key=lambda layer: places.get(id(layer), len(places)))


def _config(model: Model) -> dict[str, Any]:
    """As much of a saved config as tells the layers, their classes and their order."""
    layers = [
        (
            _config(layer)
            if isinstance(layer, Model)
            else {
                "class_name": type(layer).__name__,
                "config": {"name": layer.name, _COUNTS: _counts(layer)},
            }
        )
        for layer in _ordered(model)
    ]
    kind = "Sequential" if isinstance(model, Sequential) else "Functional"
    return {"class_name": kind, "config": {"name": model.name, "layers": layers}}


def _compile(model: Model, saved: SavedModel, notes: list[str]) -> None:
    """Record compile() with the settings in the file, where they can be read."""
    if not saved.training_config:
        return
    from keras2torch.frontend.compiled import compile_arguments

    try:
        model.compile(**compile_arguments(saved.training_config))
    except K2TError as error:
        notes.append(f"the compile settings in the file are left out: {error}")
