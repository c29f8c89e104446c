"""A live ``keras.Model`` -> a recorded model with its weights, by way of its config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend.archive import parse_version
from keras2torch.frontend.compiled import compile_arguments
from keras2torch.frontend.replay import Replayer
from keras2torch.graph import Weight
from keras2torch.layers.operation import clear_names
from keras2torch.models import Model
from keras2torch.registry import with_registered


def read_live(model: Any, notes: list[str], custom: dict[str, Any] | None = None) -> Model:
    """Record ``model`` (Functional or Sequential) again, and attach its weights.

    ``custom`` holds the classes and functions of the program's own, by name. What keeps its compile settings from
    being read goes to ``notes``. Raises UnsupportedError for a subclassed model: its ``call`` is not in its config;
    and where a layer of it has no config.
    """
    name = next(
        (
            cls.__name__
            for cls in type(model).__mro__
            if cls.__name__ in ("Functional", "Sequential")
        ),
        None,
    )
    if name is None:
        raise UnsupportedError(
            f"the live model is of the class {type(model).__name__}, whose call() its config does not hold",
            fix="generate from the program that defines it",
        )
    package = _package(model)
    release = parse_version(getattr(package, "__version__", "3.99"))
    version = release[0] if release else 3
    described = {"class_name": name, "config": _config(model)}
    config.keras_version, config.keras_release = version, release
    config.image_data_format = package.backend.image_data_format()

    def replay(custom: dict[str, Any]) -> Model:
        clear_names()
        return Replayer(version=version, custom=custom).model(described)

    recorded = with_registered(replay, custom or {}, Path.cwd())
    attach(recorded, model)
    _compile(recorded, model, notes)
    return recorded


def _config(model: Any) -> Any:
    try:
        return model.get_config()
    except Exception as error:  # whatever a layer's get_config() raises, or Keras about it
        raise UnsupportedError(
            f"the live model cannot be described: {_first_line(error)}",
            fix="generate from the program that makes it, or give its layers a get_config()",
        ) from error


def _compile(recorded: Model, model: Any, notes: list[str]) -> None:
    """Record compile() with the live model's settings, where they can be read."""
    if not getattr(model, "compiled", False):
        return
    try:
        settings = model.get_compile_config()
        if settings:
            recorded.compile(**compile_arguments(settings))
    except K2TError as error:
        notes.append(f"the compile settings of the live model are left out: {error}")
    except Exception as error:  # a loss or metric that Keras cannot describe
        notes.append(f"the compile settings of the live model are left out: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    told = " ".join(str(error).split()) or type(error).__name__
    return told.partition(". ")[0][:300]


def _package(model: Any) -> Any:
    """The package that a live model is of: keras or tf_keras."""
    import sys

    root = next(
        cls.__module__.split(".")[0]
        for cls in type(model).__mro__
        if cls.__module__.startswith(("keras.", "tf_keras."))
    )
    return sys.modules[root]


def attach(recorded: Model, model: Any) -> None:
    """Let every recorded weight read its array from the live model's."""
    for weight, variable in paired(recorded, model):
        give(weight, variable)


def paired(recorded: Any, model: Any) -> Iterator[tuple[Weight, Any]]:
    """(recorded weight, live variable) for every weight of the model: layers by their names, else in order.

    Raises K2TError where the two are not the same model.
    """
    ours = [layer for layer in apart(recorded.sublayers()) if layer.weights]
    theirs = [layer for layer in model.layers if layer.weights]
    if recorded._weights or (recorded.user_defined and len(ours) != len(theirs)):
        yield from _same_shapes(recorded, recorded.weights, model.weights)
        return
    for layer, twin in _same_layers(ours, theirs):
        if isinstance(layer, Model):
            yield from paired(layer, twin)
        else:
            yield from _same_shapes(layer, layer.weights, _weights(twin))


def apart(layers: list[Any]) -> list[Any]:
    """The layers that are no ``activation`` of another: Keras keeps the weights of those with the other's."""
    inside = {id(layer.__dict__.get("_traced_activation")) for layer in layers}
    return [layer for layer in layers if id(layer) not in inside]


def _weights(layer: Any) -> list[Any]:
    """The variables of a live layer; where LoRA is enabled, what a file would hold: kernels with its product."""
    parts = list(layer._flatten_layers())
    if not any(getattr(part, "lora_enabled", False) for part in parts):
        return list(layer.weights)
    found: list[Any] = []
    for part in parts:
        store: dict[str, Any] = {}
        part.save_own_variables(store)
        found += store.values()
    return found


def _same_layers(ours: list[Any], theirs: list[Any]) -> list[tuple[Any, Any]]:
    by_name = {layer.name: layer for layer in theirs}
    if len(by_name) == len(theirs) and all(layer.name in by_name for layer in ours):
        return [(layer, by_name[layer.name]) for layer in ours]
    # Each innermost layer with the next one of its own shapes: another Keras may name them, and nest
    # them, otherwise.
    left, pairs = _innermost(theirs), []
    for layer in _innermost(ours):
        shapes = _shapes(layer.weights)
        twin = next((t for t in left if _shapes(t.weights) == shapes), None)
        if twin is None:
            raise K2TError(
                f"the live model has no layer {layer.name!r} with weights of shapes {shapes}"
            )
        left.remove(twin)
        pairs.append((layer, twin))
    return pairs


def _innermost(layers: list[Any]) -> list[Any]:
    """The layers with weights inside nested models and joined branches, once, in the order of their numbers."""
    found: dict[int, Any] = {}
    for layer in layers:
        inner = getattr(layer, "branches", None)
        if type(layer).__name__ in (
            "Functional",
            "Model",
            "Sequential",
        ):  # not a class of the user's
            inner = layer.layers
        for part in _innermost([p for p in inner if p.weights]) if inner else [layer]:
            found.setdefault(id(part), part)
    return sorted(found.values(), key=_number)


def _number(layer: Any) -> int:
    """Automatic names count what is made: conv2d, conv2d_1, ..."""
    digits = str(layer.name).rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


def set_weights(layer: Any, variables: list[Any], order: list[Any] | None = None) -> None:
    """Pair the weights of one layer, in Keras's order (or ``order``), with arrays or variables of their shapes."""
    for weight, variable in _same_shapes(layer, order or layer.weights, variables):
        give(weight, variable)


def _same_shapes(layer: Any, weights: list[Any], variables: list[Any]) -> list[tuple[Any, Any]]:
    if _shapes(weights) != _shapes(variables):
        raise K2TError(
            f"the layer {layer.name!r} has weights of shapes {_shapes(variables)}, "
            f"expected {_shapes(weights)}"
        )
    return list(zip(weights, variables))


def _shapes(weights: list[Any]) -> list[tuple[Any, ...]]:
    return [tuple(weight.shape) for weight in weights]


def give(weight: Weight, variable: Any) -> None:
    """Let a recorded weight read the array of a variable, or of a weight in a file."""
    weight.value = reader(variable)
    name = getattr(variable.dtype, "name", variable.dtype)
    if name in ("float16", "bfloat16"):
        weight.stored_dtype = name


def reader(variable: Any) -> Any:
    """A function that gives the array of a variable, or of a weight in a file."""
    if hasattr(variable, "read"):  # of a file
        return variable.read

    def read() -> Any:
        import numpy

        array = numpy.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
        return array.astype("float32") if array.dtype.name == "bfloat16" else array

    return read
