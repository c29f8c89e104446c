"""A live ``keras.Model`` -> a recorded model with its weights, by way of its config."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend.compiled import compile_arguments
from keras2torch.frontend.replay import Replayer
from keras2torch.layers.base import clear_names
from keras2torch.models import Model


def read_live(model: Any) -> Model:
    """Record ``model`` (Functional or Sequential) again, and attach its weights.

    Raises UnsupportedError for a subclassed model: its ``call`` is not in its config.
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
    clear_names()
    version = int(str(_keras_version(model)).split(".")[0])
    recorded = Replayer(version=version).model({"class_name": name, "config": model.get_config()})
    attach(recorded, model)
    settings = model.get_compile_config() if getattr(model, "compiled", False) else None
    if settings:
        recorded.compile(**compile_arguments(settings))
    return recorded


def _keras_version(model: Any) -> str:
    import sys

    package = type(model).__module__.split(".")[0]
    root = next(
        cls.__module__.split(".")[0]
        for cls in type(model).__mro__
        if cls.__module__.startswith(("keras.", "tf_keras."))
    )
    return getattr(sys.modules.get(root) or sys.modules[package], "__version__", "3")


def attach(recorded: Model, model: Any) -> None:
    """Let every recorded weight read its array from the live model's."""
    live = {layer.name: layer for layer in model.layers}
    for layer in recorded.sublayers():
        twin = live.get(layer.name)
        if twin is None:
            if layer.weights:
                raise K2TError(f"the live model has no layer {layer.name!r}")
        elif isinstance(layer, Model):
            attach(layer, twin)
        else:
            set_weights(layer, twin.weights)


def set_weights(layer: Any, variables: list[Any], order: list[Any] | None = None) -> None:
    """Pair the weights of one layer, in Keras's order (or ``order``), with arrays or variables of their shapes."""
    weights = layer.weights if order is None else order
    if [tuple(w.shape) for w in weights] != [tuple(v.shape) for v in variables]:
        raise K2TError(
            f"the layer {layer.name!r} has weights of shapes {[tuple(v.shape) for v in variables]}, "
            f"expected {[tuple(w.shape) for w in weights]}"
        )
    for weight, variable in zip(weights, variables):
        weight.value = _reader(variable)


def _reader(variable: Any) -> Any:
    if hasattr(variable, "read"):  # of a file
        return variable.read

    def read() -> Any:
        import numpy

        return numpy.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)

    return read
