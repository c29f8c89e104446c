"""Elementwise functions with arguments, and those that are a few others in a row."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.ops.base import Op, Spec, function, in_tensor, ops, shape_of
from keras2torch.ops.core import alike, cast_value
from keras2torch.ops.dtypes import float_dtype, is_integer, result_dtype


class Round(Op, names="keras.ops.round K.round {tf,tf.math}.round tf.math.rint"):
    layout = "any"
    takes_flat = True

    def output_spec(self, x: Any, decimals: int = 0) -> Spec:
        return Spec(x.shape, "int32" if x.dtype == "bool" else x.dtype)

    def lower(self, b: Any, x: Any, decimals: int = 0) -> Any:
        if is_integer(x.dtype) and decimals >= 0:
            return x
        if decimals:
            rounded = b.function("torch.round", b.floating(x), decimals=decimals)
            return rounded if rounded.dtype == x.dtype else cast_value(b, rounded, x.dtype)
        return b.function("torch.round", x)

    def fold(self, x: Any, decimals: int = 0) -> Any:
        return numpy.round(x, decimals)


class Clip(Op, names="keras.ops.clip K.clip(min_value=x_min, max_value=x_max) "
           "tf.clip_by_value(t=x, clip_value_min=x_min, clip_value_max=x_max)"):  # fmt: skip
    layout = "any"
    takes_flat = True
    broadcasts = True
    weak = True
    tensors = ("x", "x_min", "x_max")

    def output_spec(self, x: Any, x_min: Any, x_max: Any) -> Spec:
        bounds = [v for v in (x_min, x_max) if v is not None]
        dtype = result_dtype(x, *bounds)
        return Spec(broadcast(*map(shape_of, (x, *bounds))), "int32" if dtype == "bool" else dtype)

    def lower(self, b: Any, x: Any, x_min: Any, x_max: Any) -> Any:
        dtype = b.output_tensors[0].dtype
        if x_min is not None and x_max is not None:
            if isinstance(x_min, (int, float)) != isinstance(x_max, (int, float)):
                x_min, x_max = in_tensor(b, x_min), in_tensor(b, x_max)
            return b.method("clamp", x, x_min, x_max, dtype=dtype)
        return b.method(
            "clamp", x, **({"max": x_max} if x_min is None else {"min": x_min}), dtype=dtype
        )

    def fold(self, x: Any, x_min: Any, x_max: Any) -> Any:
        return numpy.clip(x, x_min, x_max)


class NanToNum(Op, names="keras.ops.nan_to_num"):
    layout = "any"
    takes_flat = True

    def output_spec(self, x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(
        self, b: Any, x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None
    ) -> Any:
        given = {"nan": nan or None, "posinf": posinf, "neginf": neginf}
        return b.function(
            "torch.nan_to_num", x, **{k: v for k, v in given.items() if v is not None}
        )

    def fold(self, x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
        return numpy.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


class Isclose(Op, names="keras.ops.isclose"):
    layout = "any"
    broadcasts = True
    tensors = ("x1", "x2")

    def output_spec(
        self, x1: Any, x2: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
    ) -> Spec:
        return Spec(broadcast(x1.shape, x2.shape), "bool")

    def lower(
        self, b: Any, x1: Any, x2: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
    ) -> Any:
        given: dict[str, Any] = {} if (rtol, atol) == (1e-5, 1e-8) else {"rtol": rtol, "atol": atol}
        if equal_nan:
            given["equal_nan"] = True
        x1, x2 = alike(b, result_dtype(x1, x2), x1, x2)
        return b.function("torch.isclose", x1, x2, dtype="bool", **given)

    def fold(
        self, x1: Any, x2: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
    ) -> Any:
        return numpy.isclose(x1, x2, rtol, atol, equal_nan)


@function("keras.ops.allclose")
def allclose(x1: Any, x2: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    return ops.all(ops.isclose(x1, x2, rtol, atol, equal_nan))


@function("keras.ops.heaviside")
def heaviside(x1: Any, x2: Any) -> Any:
    """0 below zero, 1 above, x2 at zero."""
    dtype = float_dtype(x1, x2)
    at_zero = ops.where(ops.greater(x1, 0), 1.0, ops.cast(x2, dtype))
    return ops.where(ops.less(x1, 0), 0.0, at_zero)


@function("keras.ops.divide_no_nan {tf,tf.math}.divide_no_nan(x=x1, y=x2)")
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """x1 / x2, and 0 where x2 is 0."""
    zero = ops.equal(x2, 0)
    return ops.where(zero, 0.0, ops.divide(x1, ops.where(zero, 1.0, x2)))


@function("keras.ops.cbrt")
def cbrt(x: Any) -> Any:
    return ops.sign(x) * ops.abs(x) ** (1 / 3)


@function("{tf,tf.math}.squared_difference(x=x1, y=x2)")
def squared_difference(x1: Any, x2: Any) -> Any:
    return ops.square(ops.subtract(x1, x2))


@function("{tf,tf.math}.add_n(inputs=xs)")
def add_n(xs: Any) -> Any:
    """The sum of a list of tensors."""
    total = xs[0]
    for x in xs[1:]:
        total = ops.add(total, x)
    return total


@function("{tf.math,tf}.scalar_mul")
def scalar_mul(scalar: Any, x: Any) -> Any:
    return ops.multiply(scalar, x)


@function("{tf.math,tf}.multiply_no_nan(x=x1, y=x2)")
def multiply_no_nan(x1: Any, x2: Any) -> Any:
    """x1 * x2, and 0 where x2 is 0 even if x1 is not finite."""
    return ops.where(ops.equal(x2, 0), 0.0, ops.multiply(x1, x2))


@function("tf.math.xlogy")
def xlogy(x: Any, y: Any) -> Any:
    zero = ops.equal(x, 0)
    safe = ops.where(zero, 1.0, y)
    return ops.where(zero, 0.0, ops.multiply(x, ops.log(safe)))


@function("K.sqrt")
def backend_sqrt(x: Any) -> Any:
    """Keras 2's: of negative numbers it is 0."""
    return ops.sqrt(x if _is_bounded(x) else ops.maximum(x, 0.0))


def _is_bounded(x: Any) -> bool:
    """Whether a tensor is K.maximum(..., a positive number), as distances are computed."""
    call = getattr(x, "call", None)
    if call is None or call.operation.name != "maximum":
        return False
    return any(isinstance(v, (int, float)) and v >= 0 for v in call.kwargs.values())
