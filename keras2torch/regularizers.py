"""``keras.regularizers``: recording classes with Keras's signatures, and the names that programs use."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.training.recorded import Recorded


class Regularizer(Recorded):
    """Base of the regularizers, Keras's and the user's own. Called on a symbolic tensor, it gives the penalty."""

    def __call__(self, x: Any) -> Any:
        from keras2torch.ops.base import ops

        config = self.get_config()
        if not set(config) <= {"l1", "l2"}:
            raise UnsupportedError(
                f"the regularizer {type(self).__name__} has no translation on a tensor",
                fix="use keras.regularizers.L1, L2 or L1L2",
            )
        parts = []
        if config.get("l1"):
            parts.append(float(config["l1"]) * ops.sum(ops.abs(x)))
        if config.get("l2"):
            parts.append(float(config["l2"]) * ops.sum(ops.square(x)))
        return sum(parts[1:], parts[0]) if parts else ops.zeros(())


class L1(Regularizer):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"l": "l1"}
    l1: float = 0.01


class L2(Regularizer):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"l": "l2"}
    l2: float = 0.01


class L1L2(Regularizer):
    l1: float = 0.0
    l2: float = 0.0


class OrthogonalRegularizer(Regularizer):
    factor: float = 0.01
    mode: str = "rows"


def _l1l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Keras 1's ``l1l2``, whose defaults were 0.01."""
    return L1L2(l1=l1, l2=l2)


class WeightRegularizer(L1L2):
    """Keras 1's name."""

    l1: float = 0.0
    l2: float = 0.0


REGISTRY: dict[str, Any] = {
    "Regularizer": Regularizer,
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "L1l2": L1L2,
    "l1_l2": L1L2,
    "l1l2": _l1l2,
    "activity_l1": L1,
    "activity_l2": L2,
    "activity_l1l2": _l1l2,
    "WeightRegularizer": WeightRegularizer,
    "ActivityRegularizer": WeightRegularizer,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def get(identifier: Any) -> Any:
    """The regularizer meant by a name, a config, an object or a function; None stays None.

    Raises K2TError for a name that Keras does not have.
    """
    if isinstance(identifier, str):
        if identifier not in REGISTRY:
            raise K2TError(f"there is no regularizer {identifier!r} in Keras")
        return REGISTRY[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if identifier is None or isinstance(identifier, Regularizer) or callable(identifier):
        return identifier
    raise K2TError(f"{identifier!r} is no regularizer")


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The regularizer that a saved config describes."""
    name = str(config.get("class_name", "")).rpartition(">")[2]
    if custom_objects and name in custom_objects:
        return custom_objects[name](**config.get("config", {}))
    if name not in REGISTRY:
        raise K2TError(f"there is no regularizer {name!r} in Keras")
    return REGISTRY[name](**config.get("config", {}))


def serialize(regularizer: Any) -> dict[str, Any]:
    """The config of a regularizer."""
    return {"class_name": type(regularizer).__name__, "config": regularizer.get_config()}
