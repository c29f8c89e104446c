"""Sums, means, extremes and what else takes axes away; in any axis order."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Shape
from keras2torch.ops.base import (
    OPS,
    Op,
    Spec,
    SymbolicShape,
    axes_of,
    axis_of,
    constant,
    dim_argument,
    function,
    ops,
    product,
)
from keras2torch.ops.core import cast_value
from keras2torch.ops.dtypes import dtype_argument, float_dtype, is_float
from keras2torch.ops.elementwise import same

_TF = "(input_tensor=x, keep_dims=keepdims, reduction_indices=axis)"


def reduced(shape: Shape, axis: Any, keepdims: bool) -> Shape:
    """The shape without the reduced axes (or with 1 in their places)."""
    axes = axes_of(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


class Reduction(Op):
    """``torch`` is the method's name; ``floats``: integers must become floats first."""

    layout = "any"
    torch = ""
    floats = False
    result: Any = staticmethod(same)
    numpy: Any = None

    def output_spec(self, x: Any, axis: Any = None, keepdims: bool = False) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), self.result(x))

    def lower(self, b: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = axes_of(axis, len(x.axes))
        if not axes:
            return x
        if self.floats and not is_float(x.dtype) and not x.dtype.startswith("complex"):
            x = b.method("float", x, dtype="float32")
        return self.reduce(b, x, axes, keepdims)

    def reduce(self, b: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return b.reduce(self.torch, x, axes, keepdims, dtype=b.output_tensors[0].dtype)

    def fold(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = axes_of(axis, x.ndim)
        return type(self).numpy(x, axis=axes, keepdims=keepdims) if axes else x


def summed(x: Any) -> str:
    """torch sums integers as int64, where Keras says int32."""
    return x.dtype if is_float(x.dtype) or x.dtype.startswith("complex") else "int64"


class Sum(Reduction, names=f"keras.ops.sum K.sum {{tf,tf.math}}.reduce_sum{_TF}"):
    torch = "sum"
    result = staticmethod(summed)
    numpy = staticmethod(numpy.sum)


class Mean(Reduction, names=f"keras.ops.mean K.mean {{tf,tf.math}}.reduce_mean{_TF}"):
    torch = "mean"
    floats = True
    result = staticmethod(float_dtype)
    numpy = staticmethod(numpy.mean)


class Var(Reduction, names=f"keras.ops.var K.var tf.math.reduce_variance{_TF}"):
    torch = "var"
    floats = True
    result = staticmethod(float_dtype)
    numpy = staticmethod(numpy.var)

    def lower(self, b: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axes_of(axis, len(x.axes)):
            return super().lower(b, x, axis, keepdims)
        raise self.unsupported("axis=() takes each number by itself", "leave the call out")

    def reduce(self, b: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        return b.reduce(self.torch, x, axes, keepdims, correction=0)


class Std(Var, names=f"keras.ops.std K.std tf.math.reduce_std{_TF}"):
    torch = "std"
    numpy = staticmethod(numpy.std)


class AllTrue(Reduction, names=f"keras.ops.all K.all {{tf,tf.math}}.reduce_all{_TF}"):
    torch = "all"
    result = staticmethod(lambda x: "bool")
    numpy = staticmethod(numpy.all)


class AnyTrue(Reduction, names=f"keras.ops.any K.any {{tf,tf.math}}.reduce_any{_TF}"):
    torch = "any"
    result = staticmethod(lambda x: "bool")
    numpy = staticmethod(numpy.any)


class Amax(Reduction, names=f"keras.ops.amax K.max {{tf,tf.math}}.reduce_max{_TF}"):
    torch = "amax"  # several axes, and equal gradients where values tie
    numpy = staticmethod(numpy.max)


class Amin(Reduction, names=f"keras.ops.amin K.min {{tf,tf.math}}.reduce_min{_TF}"):
    torch = "amin"
    numpy = staticmethod(numpy.min)


@function("keras.ops.max")
def max_(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    result = ops.amax(x, axis, keepdims)
    return result if initial is None else ops.maximum(result, initial)


@function("keras.ops.min")
def min_(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    result = ops.amin(x, axis, keepdims)
    return result if initial is None else ops.minimum(result, initial)


@function("keras.ops.ptp")
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.amax(x, axis, keepdims) - ops.amin(x, axis, keepdims)


class Logsumexp(
    Reduction, names=f"keras.ops.logsumexp K.logsumexp {{tf,tf.math}}.reduce_logsumexp{_TF}"
):
    torch = "logsumexp"
    floats = True
    result = staticmethod(float_dtype)

    def reduce(self, b: Any, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
        whole = len(axes) == len(x.axes) and not keepdims
        result = b.reduce(self.torch, x, axes, keepdims)
        if whole:  # torch wants the axes even where they are all
            result.node.kwargs["dim"] = tuple(range(len(x.axes))) if len(x.axes) > 1 else 0
        return result

    def fold(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        rule: Any = numpy.logaddexp.reduce
        return rule(x.astype("float64"), axis=axes_of(axis, x.ndim), keepdims=keepdims)


class Prod(Op, names="keras.ops.prod"):
    layout = "any"

    def output_spec(
        self, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None
    ) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), dtype_argument(dtype) or summed(x))

    def lower(
        self, b: Any, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None
    ) -> Any:
        axes = axes_of(axis, len(x.axes))
        if len(axes) == len(x.axes) and not keepdims:
            return b.method("prod", x, shape=(), dtype=b.output_tensors[0].dtype)
        for a in sorted(axes, reverse=True):  # torch multiplies along one axis at a time
            x = b.reduce("prod", x, (a,), keepdims)
        return x

    def fold(self, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
        return numpy.prod(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@function(f"K.prod {{tf,tf.math}}.reduce_prod{_TF}")
def reduce_prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The product; of sizes, a size."""
    if isinstance(x, SymbolicShape):
        total: Any = 1
        for n in x:
            total = total * n if isinstance(total, int) and isinstance(n, int) else n * total
        return total
    return ops.prod(x, axis, keepdims)


class CountNonzero(Op, names="keras.ops.count_nonzero {tf,tf.math}.count_nonzero(input=x)"):
    layout = "any"

    def output_spec(self, x: Any, axis: Any = None) -> Spec:
        return Spec(reduced(x.shape, axis, False), "int64")

    def lower(self, b: Any, x: Any, axis: Any = None) -> Any:
        axes = axes_of(axis, len(x.axes))
        if not axes:
            raise self.unsupported("axis=() counts each number by itself", "use x != 0")
        return b.reduce("count_nonzero", x, axes, dtype="int64")

    def fold(self, x: Any, axis: Any = None) -> Any:
        return numpy.count_nonzero(x, axis=axes_of(axis, x.ndim))


class ArgExtreme(Op):
    """The index of an extreme, along one axis or over all (in Keras's order)."""

    layout = "any"

    def output_spec(self, x: Any, axis: Any = None, keepdims: bool = False) -> Spec:
        return Spec(reduced(x.shape, axis, keepdims), "int64")

    def lower(self, b: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None:
            x = b.last(b.call_record.kwargs["x"])
        if x.dtype == "bool":
            x = b.method("int", x, dtype="int32")
        if axis is None:
            flat = b.method(self.name, x, shape=(), dtype="int64")
            ones = (1,) * len(x.shape)
            return b.method("reshape", flat, *ones, shape=ones) if keepdims else flat
        return b.reduce(self.name, x, (axis,), keepdims, dtype="int64")

    def fold(self, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return getattr(numpy, self.name)(x, axis=axis, keepdims=keepdims)


class Argmax(ArgExtreme, names="keras.ops.argmax"):
    pass


class Argmin(ArgExtreme, names="keras.ops.argmin"):
    pass


@function("{tf,tf.math}.argmax(input=x, dimension=axis)")
def argmax(x: Any, axis: Any = None, output_type: Any = None) -> Any:
    """TensorFlow's: along the first axis by default."""
    return ops.argmax(x, 0 if axis is None else axis)


@function("{tf,tf.math}.argmin(input=x, dimension=axis)")
def argmin(x: Any, axis: Any = None, output_type: Any = None) -> Any:
    return ops.argmin(x, 0 if axis is None else axis)


@function("K.argmax")
def backend_argmax(x: Any, axis: int = -1) -> Any:
    return ops.argmax(x, axis)


@function("K.argmin")
def backend_argmin(x: Any, axis: int = -1) -> Any:
    return ops.argmin(x, axis)


class Cumulative(Op):
    """Running sums and products along one axis (None: over the flattened tensor)."""

    layout = "any"
    numpy: Any = None

    def output_spec(self, x: Any, axis: Any = None, dtype: Any = None) -> Spec:
        dtype = dtype_argument(dtype) or ("int64" if x.dtype == "bool" else x.dtype)
        if axis is None:
            return Spec((product(x.shape),), dtype)
        axis_of(axis, len(x.shape))
        return Spec(x.shape, dtype)

    def lower(self, b: Any, x: Any, axis: Any = None, dtype: Any = None) -> Any:
        if axis is None:
            x = b.last(b.call_record.kwargs["x"])
            size = b.output_tensors[0].shape
            x = b.method("reshape", x, -1, shape=size, axes=(0,)) if len(x.shape) != 1 else x
            return b.method(self.name, x, dim=0)
        options = {"dtype": b.output_tensors[0].dtype}
        wanted = dtype_argument(dtype)
        if wanted not in (None, x.dtype):
            x = cast_value(b, x, str(wanted))
        return b.method(self.name, x, dim=dim_argument(x, axis), **options)

    def fold(self, x: Any, axis: Any = None, dtype: Any = None) -> Any:
        return type(self).numpy(x, axis=axis)


class Cumsum(Cumulative, names="keras.ops.cumsum"):
    numpy = staticmethod(numpy.cumsum)


class Cumprod(Cumulative, names="keras.ops.cumprod"):
    numpy = staticmethod(numpy.cumprod)


def _cumulative(name: str, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    """TensorFlow's options: from the end, and without the element itself."""
    run, flip = OPS[f"keras.ops.{name}"], ops.flip
    x = flip(x, axis) if reverse else x
    result = run(x, axis)
    if exclusive:
        keep = [slice(None)] * len(x.shape)
        keep[axis] = slice(0, -1)
        pads = [(0, 0)] * len(x.shape)
        pads[axis] = (1, 0)
        result = ops.pad(result[tuple(keep)], pads, constant_values=0 if name == "cumsum" else 1)
    return flip(result, axis) if reverse else result


@function("K.cumsum {tf,tf.math}.cumsum")
def cumsum(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    return _cumulative("cumsum", x, axis, exclusive, reverse)


@function("K.cumprod {tf,tf.math}.cumprod")
def cumprod(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Any:
    return _cumulative("cumprod", x, axis, exclusive, reverse)


@function("keras.ops.average")
def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """The weighted mean: weights of x's shape, or a vector along one axis."""
    if weights is None:
        return ops.mean(x, axis)
    weights = weights if hasattr(weights, "shape") else constant(weights)
    if len(weights.shape) == 1 and len(x.shape) > 1:
        sizes = [1] * len(x.shape)
        sizes[axis] = weights.shape[0]
        weights = ops.reshape(weights, sizes)
    total = ops.sum(x * weights, axis)
    return total / ops.sum(ops.broadcast_to(weights, ops.shape(x)), axis)
