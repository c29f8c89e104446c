"""Quantiles, and the functions that pass over NaN."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.errors import UnsupportedError
from keras2torch.graph import Tensor
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, axes_of, axis_of, function, ops
from keras2torch.ops.dtypes import float_dtype, is_float


class _Quantile(Op):
    """Along one axis; several quantiles come first in the result."""

    def output_spec(self, x: Any, q: Any, axis: int, method: str, over_nan: bool) -> Spec:
        rest = tuple(n for i, n in enumerate(x.shape) if i != axis)
        return Spec((*numpy.shape(q), *rest), float_dtype(x))

    def lower(self, b: Any, x: Any, q: Any, axis: int, method: str, over_nan: bool) -> Any:
        shape = b.output_tensors[0].shape
        name = "torch.nanquantile" if over_nan else "torch.quantile"
        wanted = (
            float(q)
            if numpy.ndim(q) == 0
            else b.constant(numpy.asarray(q, "float32"), "float32", "quantiles")
        )
        kwargs: dict[str, Any] = {"dim": -1 if axis == len(x.shape) - 1 else axis}
        if method != "linear":
            kwargs["interpolation"] = method
        return b.function(
            name,
            b.floating(x),
            wanted,
            shape=shape,
            axes=tuple(range(len(shape))),
            dtype="float32",
            **kwargs,
        )

    def fold(self, x: Any, q: Any, axis: int, method: str, over_nan: bool) -> Any:
        rule: Any = numpy.nanquantile if over_nan else numpy.quantile
        return rule(x, q, axis, method=method)


_quantile = _Quantile()


def _quantiles(x: Any, q: Any, axis: Any, method: str, keepdims: bool, over_nan: bool) -> Any:
    """Several axes are first made into one."""
    x, q = as_operand(x), as_plain(q)
    if isinstance(q, Tensor):
        raise UnsupportedError(
            "keras.ops.quantile: the model computes which one", fix="give q as numbers"
        )
    q = q.tolist() if hasattr(q, "tolist") else q
    rank = len(x.shape)
    axes = axes_of(axis, rank)
    place = axes[0] if axes else rank
    if not axes:  # of a number, and with axis=(): each is its own median
        x = ops.expand_dims(x, -1)
    elif len(axes) > 1:
        kept = [i for i in range(rank) if i not in axes]
        x = ops.transpose(x, [*kept, *axes])
        sizes = ops.shape(x)[: len(kept)]
        x, place = ops.reshape(x, (*sizes, -1)), len(kept)
    made = _quantile.record(x, q, place, method, over_nan)
    if keepdims and axes:
        lead = numpy.ndim(q)
        made = ops.expand_dims(made, [a + lead for a in sorted(axes)])
    return made


@function("keras.ops.quantile")
def quantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantiles(x, q, axis, method, keepdims, False)


@function("keras.ops.percentile")
def percentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantiles(x, _hundredth(q), axis, method, keepdims, False)


@function("keras.ops.median")
def median(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The mean of the two in the middle, where torch.median takes the lower one."""
    return _quantiles(x, 0.5, axis, "linear", keepdims, False)


@function("keras.ops.nanquantile")
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantiles(x, q, axis, method, keepdims, True)


@function("keras.ops.nanpercentile")
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: str = "linear", keepdims: bool = False
) -> Any:
    return _quantiles(x, _hundredth(q), axis, method, keepdims, True)


@function("keras.ops.nanmedian")
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _quantiles(x, 0.5, axis, "linear", keepdims, True)


def _hundredth(q: Any) -> Any:
    q = as_plain(q)
    return (
        numpy.asarray(q) / 100 if isinstance(q, (list, tuple)) or hasattr(q, "shape") else q / 100
    )


# Functions that pass over NaN.
def _filled(x: Any, value: Any) -> Any:
    """x with ``value`` where it is NaN (integers never are)."""
    x = as_operand(x)
    return ops.where(ops.isnan(x), value, x) if is_float(x.dtype) else x


@function("keras.ops.nansum")
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.sum(_filled(x, 0.0), axis, keepdims)


@function("keras.ops.nanprod")
def nanprod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.prod(_filled(x, 1.0), axis, keepdims)


@function("keras.ops.nancumsum")
def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return ops.cumsum(_filled(x, 0.0), axis, dtype)


@function("keras.ops.nancumprod")
def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> Any:
    return ops.cumprod(_filled(x, 1.0), axis, dtype)


def _count(x: Any, axis: Any) -> Any:
    return ops.sum(ops.cast(ops.logical_not(ops.isnan(x)), "float32"), axis, keepdims=True)


@function("keras.ops.nanmean")
def nanmean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_operand(x)
    if not is_float(x.dtype):
        return ops.mean(x, axis, keepdims)
    made = ops.sum(_filled(x, 0.0), axis, keepdims=True) / _count(x, axis)
    return made if keepdims else ops.squeeze(made, axes_of(axis, len(x.shape)))


@function("keras.ops.nanvar")
def nanvar(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    x = as_operand(x)
    if not is_float(x.dtype):
        return ops.var(x, axis, keepdims)
    centred = _filled(x - nanmean(x, axis, keepdims=True), 0.0)
    made = ops.sum(ops.square(centred), axis, keepdims=True) / _count(x, axis)
    return made if keepdims else ops.squeeze(made, axes_of(axis, len(x.shape)))


@function("keras.ops.nanstd")
def nanstd(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.sqrt(nanvar(x, axis, keepdims))


def _extreme(x: Any, axis: Any, keepdims: bool, name: str, least: float) -> Any:
    x = as_operand(x)
    run = getattr(ops, name)
    if not is_float(x.dtype):
        return run(x, axis, keepdims)
    empty = ops.all(ops.isnan(x), axis, keepdims)
    return ops.where(empty, float("nan"), run(_filled(x, least), axis, keepdims))


@function("keras.ops.nanmax")
def nanmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _extreme(x, axis, keepdims, "amax", float("-inf"))


@function("keras.ops.nanmin")
def nanmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _extreme(x, axis, keepdims, "amin", float("inf"))


def _place(x: Any, axis: Any, keepdims: bool, name: str, least: float) -> Any:
    x = as_operand(x)
    made = getattr(ops, name)(_filled(x, least), axis, keepdims)
    if not is_float(x.dtype):
        return made
    over = None if axis is None else axis_of(axis, len(x.shape))
    return ops.where(ops.all(ops.isnan(x), over, keepdims), -1, made)


@function("keras.ops.nanargmax")
def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _place(x, axis, keepdims, "argmax", float("-inf"))


@function("keras.ops.nanargmin")
def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _place(x, axis, keepdims, "argmin", float("inf"))
