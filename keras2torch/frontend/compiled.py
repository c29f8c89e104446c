"""The compile settings of a saved or live model -> the arguments of compile()."""

from __future__ import annotations

import struct
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.training import losses, metrics, optimizers, schedules


def compile_arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Keras 3's ``compile_config`` and the ``training_config`` of legacy files, as compile() takes them.

    Raises UnsupportedError for an object that is not Keras's own.
    """
    optimizer = settings.get("optimizer", settings.get("optimizer_config"))
    arguments = {
        "optimizer": _object(optimizer, {**schedules.REGISTRY, **optimizers.REGISTRY}),
        "loss": _object(settings.get("loss"), losses.REGISTRY),
        "metrics": _object(settings.get("metrics"), metrics.REGISTRY),
    }
    for name in ("loss_weights", "weighted_metrics"):
        if settings.get(name) is not None:
            arguments[name] = _object(settings[name], metrics.REGISTRY)
    return {name: value for name, value in arguments.items() if value is not None}


def _as_written(value: float) -> float:
    """0.003 for 0.003000000026077032: Keras keeps a learning rate in a float32, and saves what that holds."""
    if _single(value) != value:
        return value
    return next(
        short for digits in range(1, 18) if _single(short := float(f"{value:.{digits}g}")) == value
    )


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0]) if abs(value) < 3e38 else value


def _object(value: Any, registry: dict[str, Any]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_object(item, registry) for item in value]
    if isinstance(value, float):
        return _as_written(value)
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _object(item, registry) for key, item in value.items()}
    name, inner = str(value["class_name"]).rpartition(">")[2], value.get("config")
    if name == "function":
        return str(inner)
    if name == "MeanMetricWrapper" and isinstance(inner, dict) and isinstance(inner.get("fn"), str):
        # What Keras 2 made of "accuracy" or another name: of its own functions.
        function = inner["fn"]
        return (
            "accuracy" if function.endswith("_accuracy") and "top_k" not in function else function
        )
    if name not in registry:
        raise UnsupportedError(f"{name} is no optimizer, loss or metric of Keras")
    if not isinstance(inner, dict):
        return registry[name]()
    given = {
        k: _object(v, registry) for k, v in inner.items() if not k.startswith("_") and v is not None
    }
    known = getattr(registry[name], "__signature__", None)
    old = getattr(registry[name], "OLD_NAMES", {})
    if known is not None:
        given = {k: v for k, v in given.items() if k in known.parameters or k in old or k == "name"}
    return registry[name](**given)
