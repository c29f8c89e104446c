"""Casts, conversions, gradients' stop, and what scripts ask about tensors."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.constructors import Dtype
from keras2torch.errors import ScriptError
from keras2torch.frontend import trace
from keras2torch.graph import Constant, Tensor
from keras2torch.ops.base import OPS, Op, Spec, SymbolicShape, as_operand, function, ops
from keras2torch.ops.dtypes import dtype_argument, dtype_of, is_float, is_integer, strong

_METHODS = {
    "float32": "float", "float16": "half", "bfloat16": "bfloat16", "int32": "int", "int64": "long", "bool": "bool",
}  # fmt: skip


def cast_value(b: Any, x: Any, dtype: str) -> Any:
    """``x.float()`` and the like."""
    if dtype in _METHODS:
        return b.method(_METHODS[dtype], x, dtype=dtype)
    return b.method("to", x, Dtype(dtype), dtype=dtype)


def alike(b: Any, dtype: str, *operands: Any) -> list[Any]:
    """The operands in one dtype, for what torch does to tensors of one dtype only."""
    return [x if x.dtype == dtype else cast_value(b, x, dtype) for x in operands]


def to_dtype(x: Any, dtype: str) -> Any:
    """A numpy array in another dtype; bfloat16, which numpy has not got, stays float32."""
    return x.astype(dtype if dtype in numpy.sctypeDict else "float32")


class Cast(Op, names="keras.ops.cast K.cast {tf,tf.compat.v1}.cast"):
    layout = "any"
    takes_flat = True
    takes_sizes = True

    def output_spec(self, x: Any, dtype: Any) -> Spec:
        return Spec(x.shape, dtype_argument(dtype) or x.dtype)

    def lower(self, b: Any, x: Any, dtype: Any) -> Any:
        name = dtype_argument(dtype) or x.dtype
        if getattr(x, "scalar", False):  # a Python number takes part in any arithmetic
            return (
                b.function(_PYTHON[name[:3]], x, shape=(), dtype=name, scalar=True)
                if name[:3] in _PYTHON
                else x
            )
        if isinstance(x, (int, float)):
            return x
        # The maximal index that torch gives is an int64, where Keras says int32: both are integers.
        return x if x.dtype == name else cast_value(b, x, name)

    def fold(self, x: Any, dtype: Any) -> Any:
        return to_dtype(x, dtype_argument(dtype) or str(x.dtype))


_PYTHON = {"flo": "float", "bfl": "float", "boo": "bool"}

for _path, _dtype in {
    "to_float": "float32",
    "to_int32": "int32",
    "to_int64": "int64",
    "to_double": "float32",
}.items():
    OPS[f"tf.{_path}"] = OPS[f"tf.compat.v1.{_path}"] = (
        lambda x, name=None, _dtype=_dtype: ops.cast(x, _dtype)
    )


class SaturateCast(Op, names="keras.ops.saturate_cast tf.saturate_cast(value=x)"):
    """A cast that clips to what the dtype can hold."""

    layout = "any"

    def output_spec(self, x: Any, dtype: Any) -> Spec:
        return Spec(x.shape, dtype_argument(dtype) or x.dtype)

    def lower(self, b: Any, x: Any, dtype: Any) -> Any:
        name = dtype_argument(dtype) or x.dtype
        if name == x.dtype:
            return x
        low, high = _limits(name)
        own_low, own_high = _limits(x.dtype)
        if low > own_low or high < own_high:
            if is_float(x.dtype) and is_integer(name):  # the largest float that the integer holds
                high = min(
                    high,
                    (
                        float(numpy.nextafter(numpy.float32(high), numpy.float32(0)))
                        if high > 2**24
                        else high
                    ),
                )
            x = b.method("clamp", x, low, high)
        return cast_value(b, x, name)

    def fold(self, x: Any, dtype: Any) -> Any:
        name = dtype_argument(dtype) or str(x.dtype)
        low, high = _limits(name)
        return numpy.clip(x, low, high).astype(name)


def _limits(dtype: str) -> tuple[float, float]:
    if dtype == "bool":
        return 0, 1
    if is_integer(dtype):
        info = numpy.iinfo(dtype)
        return int(info.min), int(info.max)
    limit = 3.3895313892515355e38 if dtype == "bfloat16" else float(numpy.finfo(dtype).max)
    return -limit, limit


@function("keras.ops.convert_to_tensor {tf,tf.compat.v1}.convert_to_tensor(value=x)")
def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """The value as a tensor, cast if a dtype is given."""
    x = as_operand(x)
    return x if dtype is None else ops.cast(x, dtype)


@function("keras.ops.array tf.experimental.numpy.array")
def array(x: Any, dtype: Any = None) -> Any:
    return convert_to_tensor(x, dtype)


@function("{tf,tf.compat.v1,K}.constant")
def constant_(value: Any, dtype: Any = None, shape: Any = None, **kwargs: Any) -> Any:
    """tf.constant: a value, spread out to ``shape`` if that is given."""
    x = convert_to_tensor(value, dtype)
    if shape is None:
        return x
    return ops.broadcast_to(x, shape) if x.shape in ((), (1,)) else ops.reshape(x, shape)


class Copy(Op, names="keras.ops.copy {tf,tf.compat.v1}.identity(input=x) K.identity"):
    """The same values; nothing here changes a tensor in place."""

    layout = "any"
    takes_flat = True
    takes_sizes = True

    def output_spec(self, x: Any) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        return x

    def fold(self, x: Any) -> Any:
        return x


class _StopGradient(Op):
    layout = "any"
    takes_flat = True

    def output_spec(self, x: Any) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        return b.method("detach", x)

    def fold(self, x: Any) -> Any:
        return x


_stop_gradient = _StopGradient()


@function(
    "keras.ops.stop_gradient K.stop_gradient(variables=variable) {tf,tf.compat.v1}.stop_gradient(input=variable)"
)
def stop_gradient(variable: Any) -> Any:
    """No gradient goes back through this tensor (or these)."""
    if isinstance(variable, (list, tuple)):
        return type(variable)(stop_gradient(item) for item in variable)
    return _stop_gradient.record(variable)


@function("keras.ops.dtype K.dtype")
def dtype(x: Any) -> str:
    return x.dtype if isinstance(x, (Tensor, SymbolicShape)) else strong(dtype_of(x))


@function("keras.ops.is_tensor {tf,K}.is_tensor")
def is_tensor(x: Any) -> bool:
    return isinstance(x, (Tensor, SymbolicShape))


@function("keras.ops.convert_to_numpy")
def convert_to_numpy(x: Any) -> Any:
    """The values of a constant. Raises ScriptError for a symbolic tensor, as Keras does."""
    if isinstance(x, Tensor) and not isinstance(x, Constant):
        raise ScriptError(
            "keras.ops.convert_to_numpy asks for the values of a symbolic tensor",
            where=trace.user_location(),
            fix="compute with keras.ops on the tensor itself",
        )
    return as_operand(x).value


class View(Op, names="keras.ops.view tf.bitcast(input=x, type=dtype)"):
    """The same bytes, read as another dtype."""

    def output_spec(self, x: Any, dtype: Any = None) -> Spec:
        name = dtype_argument(dtype) or x.dtype
        old, new = (numpy.dtype(n).itemsize for n in (x.dtype, name))
        last = x.shape[-1] if x.shape else None
        size = None if last is None else last * old // new
        return Spec((*x.shape[:-1], size) if old != new else x.shape, name)

    def lower(self, b: Any, x: Any, dtype: Any = None) -> Any:
        spec = b.output_tensors[0]
        return b.method(
            "view", x, Dtype(spec.dtype), shape=spec.shape, axes=x.axes, dtype=spec.dtype
        )

    def fold(self, x: Any, dtype: Any = None) -> Any:
        return x.view(dtype_argument(dtype) or x.dtype)


class ViewAsComplex(Op, names="keras.ops.view_as_complex"):
    layout = "last"

    def output_spec(self, x: Any) -> Spec:
        if x.shape[-1] != 2:
            raise ValueError("the last axis should hold two numbers")
        return Spec(x.shape[:-1], "complex64")

    def lower(self, b: Any, x: Any) -> Any:
        return b.function(
            "torch.view_as_complex",
            b.method("contiguous", x),
            shape=x.shape[:-1],
            dtype="complex64",
        )

    def fold(self, x: Any) -> Any:
        return x[..., 0] + 1j * x[..., 1]


class ViewAsReal(Op, names="keras.ops.view_as_real"):
    def output_spec(self, x: Any) -> Spec:
        return Spec((*x.shape, 2), "float32")

    def lower(self, b: Any, x: Any) -> Any:
        return b.function("torch.view_as_real", x, shape=(*x.shape, 2), dtype="float32")

    def fold(self, x: Any) -> Any:
        return numpy.stack([x.real, x.imag], -1)
