"""What layers and functions on tensors share: fields, a shape rule, a lowering; and values as Keras takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from keras2torch.errors import K2TError
from keras2torch.graph import Constant, Tensor

if TYPE_CHECKING:
    from keras2torch.lower import Builder

REQUIRED = object()
_counters: dict[str, int] = {}


class Field:
    """A Keras argument of a layer: remembers on the instance that somebody read it."""

    def __init__(self, name: str, default: Any):
        self.name, self.default = name, default

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        instance.__dict__["_read"].add(self.name)
        value = instance.__dict__["_fields"].get(self.name, self.default)
        if value is REQUIRED:
            raise AttributeError(self.name)
        return instance.as_kept(self.name, value)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__["_fields"][self.name] = value


class Operation:
    """Base of layers and of functions on tensors: a signature, a shape rule, a lowering."""

    fields: dict[str, Field] = {}
    old_names: dict[str, str | None] = {}
    ignored: tuple[str, ...] = ()
    layout = "last"
    """How ``lower`` wants its tensors: "last" (Keras's axis order), "spatial" (N, C, *S) or "any"."""
    own_class = False
    """Whether the nodes of one call become a class of the layer's name in the generated file."""
    class_doc: str | None = None
    name: str

    def output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape rule: the Spec (or list of Specs) of what the call returns."""
        raise NotImplementedError

    def lower(self, b: Builder, *args: Any, **kwargs: Any) -> Any:
        """Lowering: emits torch nodes through ``b``; returns a Value, or a list as ``output`` does."""
        raise NotImplementedError

    def __str__(self) -> str:
        return type(self).__name__


@cache
def call_parameters(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of ``lower`` without ``self`` and ``b``: that of the layer's ``call``."""
    parameters = list(inspect.signature(function).parameters.values())[2:]
    return inspect.Signature(parameters)


def unique_name(base: str) -> str:
    """The next automatic name: ``dense``, ``dense_1``, ..."""
    count = _counters.get(base, 0)
    _counters[base] = count + 1
    return base if count == 0 else f"{base}_{count}"


def clear_names() -> None:
    """Start automatic names anew (keras.backend.clear_session)."""
    _counters.clear()


def pair(value: Any, rank: int) -> tuple[int, ...]:
    """An int or a sequence of ints as a tuple of ``rank`` ints."""
    if isinstance(value, (list, tuple)) or hasattr(value, "__len__"):
        result = tuple(int(n) for n in value)
        if len(result) == 1:
            result *= rank
        if len(result) != rank:
            raise K2TError(f"{value!r} should be an integer or {rank} integers")
        return result
    return (int(value),) * rank


def as_tensor(value: Any, dtype: str | None = None) -> Any:
    """Arrays and numbers become Constants; tensors stay."""
    if isinstance(value, Tensor):
        return value
    return Constant(value, dtype)


# Other names: policies by what their variables are, and Python's types as Keras takes them.
_DTYPES = {
    **{"mixed_float16": "float32", "mixed_bfloat16": "float32", "half": "float16"},
    **{"int": "int32", "float": "float32", "double": "float64"},
}


def dtype_name(dtype: Any) -> str | None:
    """A dtype's name from a string, numpy dtype, stand-in dtype, policy object or policy config."""
    if dtype is None:
        return None
    if isinstance(dtype, str):
        return _DTYPES.get(dtype, dtype)
    if isinstance(dtype, dict):
        return dtype_name(dtype.get("config", {}).get("name"))
    for attribute in ("variable_dtype", "__name__", "name"):
        name = getattr(dtype, attribute, None)
        if isinstance(name, str):
            return dtype_name(name)
    raise K2TError(f"{dtype!r} is not a dtype")


def map_shapes(function: Callable[[Any], Any], shape: Any) -> Any:
    """Apply to each shape in a nested structure of shapes (tuples of ints and None)."""
    if isinstance(shape, dict):
        return {k: map_shapes(function, v) for k, v in shape.items()}
    if shape and all(n is None or isinstance(n, int) for n in shape):
        return function(shape)
    return [map_shapes(function, item) for item in shape]
