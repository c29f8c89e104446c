"""``keras.activations``: functions that know their Keras name, so that a layer given one can lower it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.layers.activations import ACTIVATIONS, activation_name
from keras2torch.layers.base import REGISTRY


def _activation(name: str) -> Callable[..., Any]:
    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        from keras2torch.ops import OPS

        op = OPS.get(f"keras.activations.{name}") or OPS.get(f"keras.ops.{name}")
        if op is not None:
            return op(x, *args, **kwargs)
        if args or kwargs:
            raise UnsupportedError(
                f"keras.activations.{name} with arguments is not translated",
                where=trace.user_location(),
            )
        return REGISTRY["Activation"](name)(x)

    function.__name__ = name
    function.activation_name = name  # type: ignore[attr-defined]
    return function


_FUNCTIONS = {name: _activation(name) for name in ACTIVATIONS}


def get(identifier: Any) -> Any:
    """The function meant by a name, a function or a config; None means linear."""
    if isinstance(identifier, dict):
        return deserialize(identifier)
    name = (
        activation_name(identifier) if identifier is None or isinstance(identifier, str) else None
    )
    if name is not None:
        return _FUNCTIONS[name]
    if callable(identifier):
        return identifier
    raise K2TError(f"there is no activation {identifier!r} in Keras", where=trace.user_location())


def deserialize(config: Any, custom_objects: Any = None) -> Any:
    """The function that a saved config describes."""
    name = config.get("config", config.get("class_name")) if isinstance(config, dict) else config
    return (custom_objects or {}).get(name) or get(name)


def serialize(activation: Any) -> Any:
    """The name of a function."""
    return activation_name(activation) or getattr(activation, "__name__", None)


NAMES: dict[str, Any] = {
    **_FUNCTIONS,
    "get": get,
    "deserialize": deserialize,
    "serialize": serialize,
}
