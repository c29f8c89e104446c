"""Functions that pick elements: where, take, gather, one_hot, sort, top_k, diagonals."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.graph import Constant, tensors_in
from keras2torch.module import Value
from keras2torch.ops.base import (
    Op,
    Spec,
    as_operand,
    as_plain,
    axis_of,
    function,
    in_tensor,
    ops,
    product,
    shape_of,
)
from keras2torch.ops.core import cast_value
from keras2torch.ops.dtypes import dtype_argument, promote, result_dtype


def long(b: Any, x: Any) -> Any:
    """As torch wants indices in most places: int64."""
    if isinstance(x, int) or x.dtype == "int64":
        return x
    return b.method("long", x, dtype="int64")


def as_index(b: Any, x: Any) -> Any:
    """An index for ``x[...]``: int32 will do; a uint8 would be a mask."""
    return x if isinstance(x, int) or x.dtype in ("int32", "int64") else long(b, x)


class _Where(Op):
    layout = "any"
    broadcasts = True
    weak = True
    tensors = ("condition", "x1", "x2")
    path = "keras.ops.where"

    def output_spec(self, condition: Any, x1: Any, x2: Any) -> Spec:
        return Spec(broadcast(*map(shape_of, (condition, x1, x2))), result_dtype(x1, x2))

    def lower(self, b: Any, condition: Any, x1: Any, x2: Any) -> Any:
        dtype = b.output_tensors[0].dtype
        condition = in_tensor(b, condition)
        if condition.dtype != "bool":
            condition = b.method("bool", condition, dtype="bool")
        return b.function("torch.where", condition, x1, x2, dtype=dtype)

    def fold(self, condition: Any, x1: Any, x2: Any) -> Any:
        return numpy.where(condition, x1, x2)


_where = _Where()


@function("keras.ops.where {tf,tf.compat.v1}.where(x=x1, y=x2)")
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """One of two by a condition; with the condition alone, where it holds."""
    if x1 is None and x2 is None:
        return ops.nonzero(condition)
    return _where.record(condition, x1, x2)


@function("keras.ops.select")
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The choice of the first condition that holds."""
    result = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist))):
        result = where(condition, choice, result)
    return result


class Take(Op, names="keras.ops.take"):
    tensors = ("x", "indices")

    def output_spec(self, x: Any, indices: Any, axis: Any = None) -> Spec:
        if axis is None:
            return Spec(indices.shape, x.dtype)
        axis = axis_of(axis, len(x.shape))
        return Spec((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)

    def lower(self, b: Any, x: Any, indices: Any, axis: Any = None) -> Any:
        shape = b.output_tensors[0].shape
        order = tuple(range(len(shape)))
        constant = b.call_record.kwargs["indices"]
        index: Any = as_index(b, indices)
        if isinstance(constant, Constant) and constant.value.ndim < 2 and constant.value.size <= 16:
            index = constant.value.tolist()  # a list of lists would be an index for each axis
        if axis is None:
            size = product(x.shape)
            x = b.method("reshape", x, -1, shape=(size,), axes=(0,)) if len(x.shape) > 1 else x
            axis = 0
        axis = axis_of(axis, len(x.shape))
        return b.index(
            x, (*[slice(None)] * axis, index) if axis else index, shape=shape, axes=order
        )

    def fold(self, x: Any, indices: Any, axis: Any = None) -> Any:
        return numpy.take(x, indices.astype("int64"), axis)


@function("{tf,tf.compat.v1}.gather K.gather(reference=params) tf.nn.embedding_lookup(ids=indices)")
def gather(
    params: Any,
    indices: Any,
    validate_indices: Any = None,
    axis: Any = None,
    batch_dims: int = 0,
    **kwargs: Any,
) -> Any:
    """TensorFlow's take, along the first axis by default."""
    params, indices = as_operand(params), as_operand(indices)
    axis = batch_dims if axis is None else axis_of(as_plain(axis), len(params.shape))
    if batch_dims < 0:
        batch_dims += len(indices.shape)
    if not batch_dims:
        return ops.take(params, indices, axis)
    return _batch_gather(params, indices, axis, batch_dims)


def _batch_gather(params: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    """Indices of their own for every sample: along one axis, at least as many axes as batch axes."""
    batch, rest = ops.shape(indices)[:batch_dims], ops.shape(indices)[batch_dims:]
    rank = len(params.shape)
    moved = ops.moveaxis(params, axis, batch_dims)
    inner = ops.shape(moved)[batch_dims + 1 :]
    count = product(n if isinstance(n, int) else None for n in rest)
    flat = ops.reshape(indices, (*batch, -1 if count is None else count) + (1,) * len(inner))
    index = ops.broadcast_to(flat, (*batch, ops.shape(flat)[batch_dims], *inner)) if inner else flat
    picked = ops.take_along_axis(moved, index, batch_dims)
    if len(rest) != 1:
        picked = ops.reshape(picked, (*batch, *rest, *inner))
    if axis == batch_dims or rank == batch_dims + 1:
        return picked
    return ops.moveaxis(
        picked, list(range(batch_dims, batch_dims + len(rest))), list(range(axis, axis + len(rest)))
    )


class GatherNd(Op, names="{tf,tf.compat.v1}.gather_nd"):
    tensors = ("params", "indices")

    def output_spec(self, params: Any, indices: Any, batch_dims: int = 0) -> Spec:
        depth = indices.shape[-1]
        if depth is None:
            raise ValueError("the last axis of the indices should have a known size")
        return Spec((*indices.shape[:-1], *params.shape[batch_dims + depth :]), params.dtype)

    def lower(self, b: Any, params: Any, indices: Any, batch_dims: int = 0) -> Any:
        if batch_dims:
            raise self.unsupported(
                "batch_dims", "use tf.gather(..., batch_dims=...) along one axis"
            )
        depth = indices.shape[-1]
        kept = indices.shape[:-1]
        parts = [Value(kept, tuple(range(len(kept))), indices.dtype) for _ in range(depth)]
        made = b.items("method", "unbind", (as_index(b, indices),), {"dim": -1}, *parts)
        shape = b.output_tensors[0].shape
        return b.index(
            params,
            tuple(made) if depth > 1 else made[0],
            shape=shape,
            axes=tuple(range(len(shape))),
        )

    def fold(self, params: Any, indices: Any, batch_dims: int = 0) -> Any:
        return params[tuple(numpy.moveaxis(indices, -1, 0))]


class TakeAlongAxis(Op, names="keras.ops.take_along_axis tf.experimental.numpy.take_along_axis"):
    tensors = ("x", "indices")

    def output_spec(self, x: Any, indices: Any, axis: Any = None) -> Spec:
        if axis is None:
            return Spec((product(indices.shape),), x.dtype)
        axis = axis_of(axis, len(x.shape))
        shape = list(
            broadcast(
                *(tuple(1 if i == axis else n for i, n in enumerate(t.shape)) for t in (x, indices))
            )
        )
        shape[axis] = indices.shape[axis]
        return Spec(tuple(shape), x.dtype)

    def lower(self, b: Any, x: Any, indices: Any, axis: Any = None) -> Any:
        shape = b.output_tensors[0].shape
        options = {"shape": shape, "axes": tuple(range(len(shape))), "dtype": x.dtype}
        if axis is None:
            return b.function("torch.take_along_dim", x, long(b, indices), **options)
        dim = axis_of(axis, len(x.shape))
        return b.function("torch.take_along_dim", x, long(b, indices), dim=dim, **options)

    def fold(self, x: Any, indices: Any, axis: Any = None) -> Any:
        return numpy.take_along_axis(x, indices, axis)


class OneHot(Op, names="keras.ops.one_hot K.one_hot(indices=x)"):
    def output_spec(
        self, x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
    ) -> Spec:
        shape = list(x.shape)
        shape.insert(axis_of(axis, len(shape) + 1), int(num_classes))
        return Spec(tuple(shape), dtype_argument(dtype) or "float32")

    def lower(
        self,
        b: Any,
        x: Any,
        num_classes: int,
        axis: int = -1,
        dtype: Any = None,
        sparse: bool = False,
    ) -> Any:
        if sparse:
            raise self.unsupported("sparse=True", "leave sparse out")
        found = b.output_tensors[0].dtype
        shape = (*x.shape, num_classes)
        made = b.function(
            "F.one_hot",
            long(b, x),
            num_classes,
            shape=shape,
            axes=tuple(range(len(shape))),
            dtype="int64",
        )
        if found != "int64":
            made = cast_value(b, made, found)
        place = axis_of(axis, len(shape))
        if place == len(shape) - 1:
            return made
        order = [*range(place), len(shape) - 1, *range(place, len(shape) - 1)]
        return b.permute(made, tuple(order))

    def fold(
        self, x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
    ) -> Any:
        hot = x[..., None] == numpy.arange(num_classes)
        return numpy.moveaxis(hot, -1, axis_of(axis, hot.ndim))


@function("{tf,tf.compat.v1}.one_hot")
def tf_one_hot(
    indices: Any,
    depth: Any,
    on_value: Any = None,
    off_value: Any = None,
    axis: Any = None,
    dtype: Any = None,
) -> Any:
    made = ops.one_hot(indices, int(as_plain(depth)), -1 if axis is None else axis, dtype)
    if on_value is None and off_value is None:
        return made
    on, off = (1 if on_value is None else on_value), (0 if off_value is None else off_value)
    return ops.where(made > 0, on, off)


@function("keras.ops.multi_hot")
def multi_hot(
    inputs: Any,
    num_classes: Any = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Any:
    """Which of the classes occur along the last axis."""
    num_classes = kwargs.get("num_tokens", num_classes)
    inputs = as_operand(inputs)
    reduction = 1 if len(inputs.shape) > 1 else 0
    hot = ops.one_hot(inputs, num_classes, axis, dtype)
    return ops.max(hot, axis=reduction)


__all__ = ["as_index", "long", "promote", "tensors_in"]
