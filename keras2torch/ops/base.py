"""Functions on tensors (``keras.ops``, ``keras.backend``, ``tf``): one rule each, under every public name.

An op is a class like a layer, without state: its fields are nothing, its arguments are those of the call::

    class Reshape(Op, names="keras.ops.reshape keras.backend.reshape tf.reshape"):
        signature = "(x, newshape)"                      # Keras's own, in order, with its defaults
        def output_spec(self, x, newshape): return Spec(...)
        def lower(self, b, x, newshape): ...

Called with no tensor among its arguments, an op computes nothing and records on constants as usual.
``names`` may give ``path(old=new, ...)`` to rename arguments for one spelling: "tf.reduce_mean(input_tensor=x)".
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from keras2torch.errors import K2TError, ShapeError
from keras2torch.frontend import trace
from keras2torch.graph import Constant, Spec, Tensor, record, tensors_in
from keras2torch.layers.base import Operation, call_parameters

OPS: dict[str, Callable[..., Any]] = {}
"""Every translated function by its public path, e.g. ``keras.ops.mean``."""


class Op(Operation):
    """Base of the functions on tensors. ``lower`` and ``output_spec`` take the call's arguments by name."""

    layout = "last"
    name = "op"
    tensors: tuple[str, ...] = ("x",)
    """Arguments that are turned into tensors where a plain number or array is given."""

    def __init_subclass__(cls, names: str = "", **kwargs: Any):
        super().__init_subclass__(**kwargs)
        for path, renames in parse_names(names):
            OPS[path] = function_of(cls(), path, renames)

    def record(self, *args: Any, **kwargs: Any) -> Any:
        """Bind, check shapes, and put the call into the graph."""
        signature = call_parameters(type(self).lower)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise K2TError(f"{self}: {error}", where=trace.user_location()) from None
        bound.apply_defaults()
        arguments = bound.arguments
        for name in self.tensors:
            if name in arguments:
                arguments[name] = to_tensors(arguments[name])
        try:
            specs = self.output_spec(**arguments)
        except (IndexError, TypeError, ValueError) as error:
            shapes = ", ".join(str(t.shape) for t in tensors_in(arguments))
            raise ShapeError(
                f"{self} does not fit inputs of shape {shapes}: {error}", where=trace.user_location()
            ) from error
        return record(self, (), dict(arguments), specs)

    def __str__(self) -> str:
        return f"keras.ops.{type(self).__name__.lower()}"


def to_tensors(value: Any) -> Any:
    """Numbers and arrays as Constants, inside lists too; tensors and None stay."""
    if value is None or isinstance(value, (Tensor, str)):
        return value
    if isinstance(value, (list, tuple)) and tensors_in(value):
        return [to_tensors(item) for item in value]
    return Constant(value)


def parse_names(names: str) -> list[tuple[str, dict[str, str]]]:
    """``"keras.ops.mean tf.reduce_mean(input_tensor=x)"`` as paths and their renamed arguments."""
    found = []
    for path, _, inside in re.findall(r"([\w.]+)(\(([^)]*)\))?", names):
        renames = dict(part.strip().split("=") for part in inside.split(",") if part.strip())
        found.append((path, renames))
    return found


def function_of(op: Op, path: str, renames: dict[str, str]) -> Callable[..., Any]:
    """The function that a script sees under ``path``."""

    def function(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("name", None)  # tf functions take one; it names nothing in torch
        return op.record(*args, **{renames.get(k, k): v for k, v in kwargs.items()})

    function.__name__ = path.rpartition(".")[2]
    function.__qualname__ = path
    function.__signature__ = call_parameters(type(op).lower)  # type: ignore[attr-defined]
    function.op = op  # type: ignore[attr-defined]
    return function


def result_dtype(*tensors: Any) -> str:
    """The dtype of an elementwise result: the widest kind among tensors (numbers are weak)."""
    rank = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
    dtypes = [t.dtype for t in tensors if isinstance(t, Tensor) and t.shape != ()]
    dtypes = dtypes or [t.dtype for t in tensors if isinstance(t, Tensor)]
    floats = any(isinstance(t, float) or (isinstance(t, Tensor) and t.dtype.startswith("float")) for t in tensors)
    best = max(dtypes, key=lambda d: rank.index(d) if d in rank else 0, default="float32")
    return "float32" if floats and not best.startswith(("float", "bfloat")) else best


__all__ = ["OPS", "Op", "Spec", "parse_names", "result_dtype", "to_tensors"]
