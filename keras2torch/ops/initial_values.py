"""Arithmetic on what an initializer draws: ``tf.random.normal(shape) * 0.01`` starts a variable, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import Constant
from keras2torch.initializers import REGISTRY, InitialValue


def drawn(initializer: str, array: Any, **arguments: Any) -> InitialValue:
    """An array that was drawn now, which starts a variable by its distribution."""
    value = InitialValue(REGISTRY[initializer](**arguments), array.shape, str(array.dtype))
    value.value = array
    value.sampled = True  # type: ignore[attr-defined]
    return value


def combined(name: str, arguments: dict[str, Any]) -> Any:
    """The result of an op on a drawn value: drawn too, where the op scales it; None where it is no such value.

    Raises UnsupportedError for other arithmetic on values that are drawn only when the model is made.
    """
    values = [v for v in arguments.values() if isinstance(v, InitialValue)]
    if not values:
        return None
    value = values[0]
    others = [v for v in arguments.values() if v is not value]
    if name in ("cast", "copy", "identity", "stop_gradient"):
        return value
    factor = _factor(name, arguments, others[0]) if len(others) == 1 and len(values) == 1 else None
    scaled = None if factor is None else _scaled(value.initializer, factor)
    if scaled is not None:
        made = InitialValue(scaled, value.shape, value.dtype)
        made.value = value.value * numpy.float32(factor)
        return made
    if hasattr(value, "sampled") or (kind := type(value.initializer).__name__) in ("Zeros", "Ones"):
        return (
            None if hasattr(value, "sampled") or kind == "Zeros" else _ones(name, arguments, value)
        )
    raise UnsupportedError(
        f"keras.ops.{name} on what the initializer {kind} draws",
        where=trace.user_location(),
        fix="choose the initializer's own scale instead",
    )


@contextmanager
def numpy_draws() -> Iterator[None]:
    """What the program's own initializer draws by numpy.random, it draws from the same distribution later."""
    from keras2torch.ops.base import OPS

    normal, uniform = OPS["keras.random.normal"], OPS["keras.random.uniform"]
    draws: dict[str, Any] = {
        "normal": lambda loc=0.0, scale=1.0, size=(): normal(size, loc, scale),
        "uniform": lambda low=0.0, high=1.0, size=(): uniform(size, low, high),
        "standard_normal": lambda size=(): normal(size),
        "randn": lambda *size: normal(size),
        "rand": lambda *size: uniform(size),
        "random": lambda size=(): uniform(size),
        "random_sample": lambda size=(): uniform(size),
    }
    kept = {name: getattr(numpy.random, name) for name in draws}
    for name, draw in draws.items():
        setattr(numpy.random, name, draw)
    try:
        yield
    finally:
        for name, original in kept.items():
            setattr(numpy.random, name, original)


def _ones(name: str, arguments: dict[str, Any], value: InitialValue) -> None:
    value.value = numpy.ones(value.shape, value.dtype)


def _factor(name: str, arguments: dict[str, Any], other: Any) -> float | None:
    if isinstance(other, Constant) and other.shape == ():
        other = other.value.item()
    if not isinstance(other, (int, float)):
        return None
    if name == "multiply":
        return float(other)
    first = next(iter(arguments.values()))
    return 1 / float(other) if name == "divide" and first is not other and other else None


def _scaled(initializer: Any, factor: float) -> Any:
    name = type(initializer).__name__
    config = initializer.get_config()
    if name in ("RandomNormal", "TruncatedNormal"):
        return REGISTRY[name](mean=config["mean"] * factor, stddev=config["stddev"] * abs(factor))
    if name == "RandomUniform":
        low, high = sorted((config["minval"] * factor, config["maxval"] * factor))
        return REGISTRY[name](minval=low, maxval=high)
    scaling = getattr(type(initializer), "scaling", None)
    if isinstance(scaling, tuple):
        scale, mode, distribution = scaling
        return REGISTRY["VarianceScaling"](
            scale=scale * factor**2, mode=mode, distribution=distribution
        )
    return None
