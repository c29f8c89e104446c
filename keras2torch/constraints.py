"""``keras.constraints``: recording classes with Keras's signatures, and the names that programs use."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import K2TError
from keras2torch.training.recorded import Recorded


class Constraint(Recorded):
    """Base of the constraints, Keras's and the user's own."""


class MaxNorm(Constraint):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"m": "max_value"}
    max_value: float = 2
    axis: Any = 0


class MinMaxNorm(Constraint):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"low": "min_value", "high": "max_value"}
    min_value: float = 0.0
    max_value: float = 1.0
    rate: float = 1.0
    axis: Any = 0


class NonNeg(Constraint):
    pass


class UnitNorm(Constraint):
    axis: Any = 0


_NAMES: dict[type, str] = {
    Constraint: "Constraint",
    MaxNorm: "MaxNorm max_norm maxnorm",
    MinMaxNorm: "MinMaxNorm min_max_norm",
    NonNeg: "NonNeg non_neg nonneg",
    UnitNorm: "UnitNorm unit_norm unitnorm",
}
REGISTRY: dict[str, type] = {name: cls for cls, names in _NAMES.items() for name in names.split()}


def get(identifier: Any) -> Any:
    """The constraint meant by a name, a config, an object or a function; None stays None.

    Raises K2TError for a name that Keras does not have.
    """
    if isinstance(identifier, str):
        if identifier not in REGISTRY:
            raise K2TError(f"there is no constraint {identifier!r} in Keras")
        return REGISTRY[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Constraint):
        return identifier()
    if identifier is None or callable(identifier) or isinstance(identifier, Constraint):
        return identifier
    raise K2TError(f"{identifier!r} is no constraint")


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The constraint that a saved config describes."""
    name = str(config.get("class_name", "")).rpartition(">")[2]
    if custom_objects and name in custom_objects:
        return custom_objects[name](**config.get("config", {}))
    if name not in REGISTRY:
        raise K2TError(f"there is no constraint {name!r} in Keras")
    return REGISTRY[name](**config.get("config", {}))


def serialize(constraint: Any) -> dict[str, Any]:
    """The config of a constraint."""
    return {"class_name": type(constraint).__name__, "config": constraint.get_config()}
