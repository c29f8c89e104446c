"""Functions that order and search: sort, top_k, searchsorted, nonzero."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.module import Value
from keras2torch.ops.base import (
    Op,
    Spec,
    as_operand,
    axis_of,
    dim_argument,
    function,
    ops,
    product,
)


class TopK(Op, names="keras.ops.top_k {tf,tf.math}.top_k(input=x) tf.nn.top_k(input=x)"):
    layout = "any"

    def output_spec(self, x: Any, k: int, sorted: bool = True) -> tuple[Spec, Spec]:  # noqa: A002
        shape = (*x.shape[:-1], int(k))
        return Spec(shape, x.dtype), Spec(shape, "int64")

    def lower(self, b: Any, x: Any, k: int, sorted: bool = True) -> Any:  # noqa: A002
        dim = x.dim(-1)
        shape = tuple(k if i == dim else n for i, n in enumerate(x.shape))
        values = [Value(shape, x.axes, x.dtype), Value(shape, x.axes, "int64")]
        kwargs = {} if dim == len(x.axes) - 1 else {"dim": dim}
        return b.multi("method", "topk", (x, int(k)), kwargs, values)

    def fold(self, x: Any, k: int, sorted: bool = True) -> Any:  # noqa: A002
        order = numpy.argsort(-x, axis=-1, kind="stable")[..., :k]
        return numpy.take_along_axis(x, order, -1), order


@function("keras.ops.in_top_k tf.math.in_top_k K.in_top_k")
def in_top_k(targets: Any, predictions: Any, k: int) -> Any:
    """Whether each target's prediction is among the k best (ties count)."""
    if as_operand(targets).shape != () and len(as_operand(targets).shape) > len(
        as_operand(predictions).shape
    ):
        targets, predictions = predictions, targets
    own = ops.take_along_axis(predictions, ops.expand_dims(targets, -1), -1)
    kth = ops.top_k(predictions, k)[0][..., -1:]
    return ops.squeeze(own >= kth, -1)


class Sort(Op, names="keras.ops.sort"):
    layout = "any"

    def output_spec(self, x: Any, axis: Any = -1) -> Spec:
        if axis is None:
            return Spec((product(x.shape),), x.dtype)
        axis_of(axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, axis: Any = -1) -> Any:
        if axis is None:
            x, axis = _flattened(b, x), 0
        dim = dim_argument(x, axis)
        values = [Value(x.shape, x.axes, x.dtype), Value(x.shape, x.axes, "int64")]
        return b.multi("method", "sort", (x,), {} if dim == -1 else {"dim": dim}, values)[0]

    def fold(self, x: Any, axis: Any = -1) -> Any:
        return numpy.sort(x, axis)


def _flattened(b: Any, x: Any) -> Any:
    x = b.last(b.call_record.kwargs["x"])
    return (
        b.method("reshape", x, -1, shape=(product(x.shape),), axes=(0,)) if len(x.shape) != 1 else x
    )


@function("{tf,tf.compat.v1}.sort")
def tf_sort(values: Any, axis: int = -1, direction: str = "ASCENDING") -> Any:
    if direction == "DESCENDING":
        return -ops.sort(-as_operand(values), axis)
    return ops.sort(values, axis)


class Argsort(Op, names="keras.ops.argsort"):
    layout = "any"

    def output_spec(self, x: Any, axis: Any = -1) -> Spec:
        if axis is None:
            return Spec((product(x.shape),), "int64")
        axis_of(axis, len(x.shape))
        return Spec(x.shape, "int64")

    def lower(self, b: Any, x: Any, axis: Any = -1) -> Any:
        if axis is None:
            x, axis = _flattened(b, x), 0
        return b.function("torch.argsort", x, dim=dim_argument(x, axis), stable=True, dtype="int64")

    def fold(self, x: Any, axis: Any = -1) -> Any:
        return numpy.argsort(x, axis, kind="stable")


@function("{tf,tf.compat.v1}.argsort")
def tf_argsort(
    values: Any, axis: int = -1, direction: str = "ASCENDING", stable: bool = False
) -> Any:
    return ops.argsort(-as_operand(values) if direction == "DESCENDING" else values, axis)


class Searchsorted(Op, names="keras.ops.searchsorted {tf}.searchsorted"):
    tensors = ("sorted_sequence", "values")

    def output_spec(self, sorted_sequence: Any, values: Any, side: str = "left") -> Spec:
        return Spec(values.shape, "int64")

    def lower(self, b: Any, sorted_sequence: Any, values: Any, side: str = "left") -> Any:
        kwargs = {"right": True} if side == "right" else {}
        axes = tuple(range(len(values.shape)))
        return b.function(
            "torch.searchsorted",
            sorted_sequence,
            values,
            shape=values.shape,
            axes=axes,
            dtype="int64",
            **kwargs,
        )

    def fold(self, sorted_sequence: Any, values: Any, side: str = "left") -> Any:
        return numpy.searchsorted(sorted_sequence, values, side)  # type: ignore[call-overload]


class Digitize(Op, names="keras.ops.digitize"):
    """The bin of each value: bins[i - 1] <= x < bins[i]."""

    layout = "last"
    tensors = ("x", "bins")

    def output_spec(self, x: Any, bins: Any) -> Spec:
        return Spec(x.shape, "int64")

    def lower(self, b: Any, x: Any, bins: Any) -> Any:
        axes = tuple(range(len(x.shape)))
        return b.function(
            "torch.bucketize", x, bins, right=True, shape=x.shape, axes=axes, dtype="int64"
        )

    def fold(self, x: Any, bins: Any) -> Any:
        return numpy.digitize(x, bins)


class Nonzero(Op, names="keras.ops.nonzero"):
    def output_spec(self, x: Any) -> tuple[Spec, ...]:
        return (Spec((None,), "int64"),) * len(x.shape)

    def lower(self, b: Any, x: Any) -> Any:
        values = [Value((None,), (0,), "int64") for _ in x.shape]
        return b.items("method", "nonzero", (x,), {"as_tuple": True}, *values)

    def fold(self, x: Any) -> Any:
        return numpy.nonzero(x)


@function("tf.boolean_mask(tensor=x)")
def boolean_mask(x: Any, mask: Any, axis: Any = None) -> Any:
    """The elements where the mask holds."""
    key = (*[slice(None)] * int(axis or 0), as_operand(mask))
    return as_operand(x)[key]


class Isin(Op, names="keras.ops.isin"):
    layout = "last"
    tensors = ("x1", "x2")

    def output_spec(
        self, x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False
    ) -> Spec:
        return Spec(x1.shape, "bool")

    def lower(
        self, b: Any, x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False
    ) -> Any:
        kwargs = {"invert": True} if invert else {}
        return b.function(
            "torch.isin", x1, x2, shape=x1.shape, axes=x1.axes, dtype="bool", **kwargs
        )

    def fold(self, x1: Any, x2: Any, assume_unique: bool = False, invert: bool = False) -> Any:
        return numpy.isin(x1, x2, invert=invert)


class UnravelIndex(Op, names="keras.ops.unravel_index"):
    tensors = ("indices",)

    def output_spec(self, indices: Any, shape: Any) -> tuple[Spec, ...]:
        return (Spec(indices.shape, indices.dtype),) * len(shape)

    def lower(self, b: Any, indices: Any, shape: Any) -> Any:
        axes = tuple(range(len(indices.shape)))
        values = [Value(indices.shape, axes, indices.dtype) for _ in shape]
        sizes = tuple(int(n) for n in shape)
        return b.items("function", "torch.unravel_index", (indices, sizes), {}, *values)

    def fold(self, indices: Any, shape: Any) -> Any:
        return numpy.unravel_index(indices, shape)
