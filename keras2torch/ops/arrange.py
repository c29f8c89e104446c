"""Functions that move elements about: reshape, transpose, concatenate, split, pad, roll, tile."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.graph import Constant, Shape, tensors_in
from keras2torch.ops.base import (
    Op,
    Spec,
    SymbolicShape,
    as_operand,
    axes_of,
    axis_of,
    function,
    ops,
    product,
)
from keras2torch.ops.sizes import (
    as_shape,
    is_size,
    resolved,
    shape,
    static,
)


class Reshape(
    Op,
    names="keras.ops.reshape K.reshape(shape=newshape) {tf,tf.compat.v1}.reshape(tensor=x, shape=newshape)",
):
    def output_spec(self, x: Any, newshape: Any) -> Spec:
        return Spec(static(resolved(as_shape(newshape), product(x.shape))), x.dtype)

    def lower(self, b: Any, x: Any, newshape: Any) -> Any:
        sizes: list[Any] = list(b.output_tensors[0].shape)
        given = as_sizes(newshape)
        if sizes.count(None) > 1:  # those that only the run knows; one of them is the rest
            rest = [isinstance(n, int) and n == -1 for n in given]
            sizes = [
                None if r else n if n is not None else g for n, g, r in zip(sizes, given, rest)
            ]
        return b.reshape(x, sizes)

    def fold(self, x: Any, newshape: Any) -> Any:
        return numpy.reshape(x, as_shape(newshape))


def as_sizes(given: Any) -> tuple[Any, ...]:
    """A shape argument in ``lower``: numbers and scalar values."""
    if hasattr(given, "tolist"):
        given = given.tolist()
    items = given if isinstance(given, (list, tuple)) else (given,)
    return tuple(-1 if n is None else n for n in items)


@function("keras.ops.ravel tf.experimental.numpy.ravel")
def ravel(x: Any) -> Any:
    return ops.reshape(x, (-1,))


class Transpose(
    Op,
    names="keras.ops.transpose {tf,tf.compat.v1}.transpose(a=x, perm=axes) K.permute_dimensions(pattern=axes)",
):
    layout = "any"

    def output_spec(self, x: Any, axes: Any = None) -> Spec:
        order = self.order(len(x.shape), axes)
        return Spec(tuple(x.shape[a] for a in order), x.dtype)

    @staticmethod
    def order(rank: int, axes: Any) -> tuple[int, ...]:
        if axes is None:
            return tuple(reversed(range(rank)))
        order = axes_of(axes, rank)
        if sorted(order) != list(range(rank)):
            raise ValueError(f"{order} is no order of {rank} axes")
        return order

    def lower(self, b: Any, x: Any, axes: Any = None) -> Any:
        order = self.order(len(x.axes), axes)
        dims = tuple(x.axes.index(axis) for axis in order)
        if dims == tuple(range(len(dims))) and not x.in_keras_order:
            # torch's axes already lie as they should: they only count from another order.
            if b.sole_reader(x):
                x.axes = dims
                return x
            return b.permute(b.last(b.call_record.kwargs["x"]), order)
        return b.permute(x, dims)

    def fold(self, x: Any, axes: Any = None) -> Any:
        return numpy.transpose(x, axes)


@function("K.transpose")
def backend_transpose(x: Any) -> Any:
    return ops.transpose(x)


@function("{tf.linalg,tf}.matrix_transpose(a=x) tf.experimental.numpy.matrix_transpose")
def matrix_transpose(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)


@function("keras.ops.swapaxes tf.experimental.numpy.swapaxes")
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    x = as_operand(x)
    rank = len(x.shape)
    order = list(range(rank))
    first, second = axis_of(axis1, rank), axis_of(axis2, rank)
    order[first], order[second] = order[second], order[first]
    return ops.transpose(x, order)


@function("keras.ops.moveaxis tf.experimental.numpy.moveaxis")
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    x = as_operand(x)
    rank = len(x.shape)
    sources, places = axes_of(source, rank), axes_of(destination, rank)
    order = [axis for axis in range(rank) if axis not in sources]
    for place, axis in sorted(zip(places, sources)):
        order.insert(place, axis)
    return ops.transpose(x, order)


class ExpandDims(
    Op, names="keras.ops.expand_dims {tf,tf.compat.v1}.expand_dims(input=x, dim=axis)"
):
    """New axes of size 1; a size becomes a shape of one."""

    def record(self, *args: Any, **kwargs: Any) -> Any:
        if args and is_size(args[0]) and not isinstance(args[0], Constant):
            return SymbolicShape((args[0],))
        return super().record(*args, **kwargs)

    def output_spec(self, x: Any, axis: Any) -> Spec:
        return Spec(_expanded(x.shape, axis), x.dtype)

    def lower(self, b: Any, x: Any, axis: Any) -> Any:
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        rank = len(x.shape) + len(axes)
        for a in sorted(axes_of(axes, rank)):
            shape = (*x.shape[:a], 1, *x.shape[a:])
            dim = -1 if a == len(shape) - 1 and len(axes) == 1 else a
            x = b.method("unsqueeze", x, dim, shape=shape, axes=tuple(range(len(shape))))
        return x

    def fold(self, x: Any, axis: Any) -> Any:
        return numpy.expand_dims(x, axis)


def _expanded(shape: Shape, axis: Any) -> Shape:
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    result = list(shape)
    for a in sorted(axes_of(axes, len(shape) + len(axes))):
        result.insert(a, 1)
    return tuple(result)


@function("K.expand_dims")
def backend_expand_dims(x: Any, axis: int = -1) -> Any:
    return ops.expand_dims(x, axis)


class Squeeze(
    Op, names="keras.ops.squeeze K.squeeze {tf,tf.compat.v1}.squeeze(input=x, squeeze_dims=axis)"
):
    layout = "any"

    def output_spec(self, x: Any, axis: Any = None) -> Spec:
        gone = self.gone(x.shape, axis)
        return Spec(tuple(n for i, n in enumerate(x.shape) if i not in gone), x.dtype)

    @staticmethod
    def gone(shape: Shape, axis: Any) -> tuple[int, ...]:
        if axis is None or axis == []:
            return tuple(i for i, n in enumerate(shape) if n == 1)
        axes = axes_of(axis, len(shape))
        for a in axes:
            if shape[a] not in (1, None):
                raise ValueError(
                    f"axis {a} has size {shape[a]}, and only axes of size 1 can be squeezed"
                )
        return axes

    def lower(self, b: Any, x: Any, axis: Any = None) -> Any:
        gone = self.gone(b.call_record.kwargs["x"].shape, axis)
        if not gone:
            return x
        dims = tuple(sorted(x.axes.index(a) for a in gone))
        kept = [a for a in x.axes if a not in gone]
        shape = tuple(n for i, n in enumerate(x.shape) if i not in dims)
        dim = dims[0] if len(dims) == 1 else dims
        dim = -1 if dim == len(x.axes) - 1 else dim
        return b.method(
            "squeeze", x, dim, shape=shape, axes=tuple(sorted(kept).index(a) for a in kept)
        )

    def fold(self, x: Any, axis: Any = None) -> Any:
        return numpy.squeeze(x, tuple(axis) if isinstance(axis, list) else axis)


class BroadcastTo(Op, names="keras.ops.broadcast_to tf.broadcast_to(input=x)"):
    def output_spec(self, x: Any, shape: Any) -> Spec:
        sizes = as_shape(shape)
        wide = broadcast(static(sizes), x.shape)
        if len(wide) > len(sizes):
            raise ValueError(f"it has more axes than {static(sizes)}")
        return Spec(tuple(s if s is not None else n for s, n in zip(static(sizes), wide)), x.dtype)

    def lower(self, b: Any, x: Any, shape: Any) -> Any:
        wide = b.output_tensors[0].shape
        own = (1,) * (len(wide) - len(x.shape)) + tuple(x.shape)
        given = as_sizes(shape)
        sizes = [
            n if n is not None else -1 if o is None else g for n, o, g in zip(wide, own, given)
        ]
        if tuple(wide) == tuple(x.shape):
            return x
        return b.method("expand", x, *sizes, shape=wide, axes=tuple(range(len(wide))))

    def fold(self, x: Any, shape: Any) -> Any:
        return numpy.broadcast_to(x, as_shape(shape))


class Repeat(Op, names="keras.ops.repeat tf.repeat(input=x)"):
    """Each element ``repeats`` times (a number, or one for each element of the axis)."""

    def output_spec(self, x: Any, repeats: Any, axis: Any = None) -> Spec:
        counts = numpy.atleast_1d(numpy.asarray(repeats)) if not tensors_in(repeats) else None
        if axis is None:
            total = product(x.shape)
            return Spec((_repeated(total, counts),), x.dtype)
        axis = axis_of(axis, len(x.shape))
        shape = (*x.shape[:axis], _repeated(x.shape[axis], counts), *x.shape[axis + 1 :])
        return Spec(shape, x.dtype)

    def lower(self, b: Any, x: Any, repeats: Any, axis: Any = None) -> Any:
        shape = b.output_tensors[0].shape
        axes = tuple(range(len(shape)))
        if isinstance(repeats, (list, tuple, numpy.ndarray)):
            counts = [int(n) for n in numpy.atleast_1d(repeats)]
            repeats = (
                counts[0]
                if len(counts) == 1
                else b.constant(numpy.array(counts), "int64", "repeats")
            )
        kwargs = {} if axis is None else {"dim": axis_of(axis, len(shape))}
        if isinstance(repeats, int) and axis is not None and x.shape[kwargs["dim"]] == 1:
            sizes = [repeats if i == kwargs["dim"] else -1 for i in range(len(shape))]
            return b.method("expand", x, *sizes, shape=shape, axes=axes)
        return b.method("repeat_interleave", x, repeats, shape=shape, axes=axes, **kwargs)

    def fold(self, x: Any, repeats: Any, axis: Any = None) -> Any:
        return numpy.repeat(x, repeats, axis)


def _repeated(size: int | None, counts: Any) -> int | None:
    if counts is None:
        return None
    if len(counts) == 1:
        return None if size is None else size * int(counts[0])
    return int(counts.sum())


@function("K.repeat_elements")
def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    return ops.repeat(x, rep, axis)


@function("K.repeat")
def backend_repeat(x: Any, n: int) -> Any:
    """(batch, features) to (batch, n, features)."""
    return ops.tile(ops.expand_dims(x, 1), (1, n, 1))


class Tile(
    Op, names="keras.ops.tile {tf,tf.compat.v1}.tile(input=x, multiples=repeats) K.tile(n=repeats)"
):
    def output_spec(self, x: Any, repeats: Any) -> Spec:
        counts = as_shape(repeats)
        rank = max(len(counts), len(x.shape))
        sizes = (1,) * (rank - len(x.shape)) + tuple(x.shape)
        counts = (1,) * (rank - len(counts)) + counts
        shape = tuple(product((n, static([c])[0])) for n, c in zip(sizes, counts))
        return Spec(shape, x.dtype)

    def lower(self, b: Any, x: Any, repeats: Any) -> Any:
        shape = b.output_tensors[0].shape
        counts = as_sizes(repeats)
        counts = (1,) * (len(shape) - len(counts)) + counts
        if all(isinstance(n, int) and n == 1 for n in counts) and len(shape) == len(x.shape):
            return x
        return b.method("repeat", x, *counts, shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x: Any, repeats: Any) -> Any:
        return numpy.tile(x, as_shape(repeats))


class Flip(
    Op, names="keras.ops.flip {tf,tf.compat.v1}.reverse(tensor=x, dims=axis) K.reverse(axes=axis)"
):
    layout = "any"

    def output_spec(self, x: Any, axis: Any = None) -> Spec:
        axes_of(axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, axis: Any = None) -> Any:
        dims = sorted(x.dim(a) for a in axes_of(axis, len(x.axes)))
        return b.method("flip", x, *dims) if dims else x

    def fold(self, x: Any, axis: Any = None) -> Any:
        return numpy.flip(x, tuple(axis) if isinstance(axis, list) else axis)


@function("keras.ops.fliplr")
def fliplr(x: Any) -> Any:
    return ops.flip(x, 1)


@function("keras.ops.flipud")
def flipud(x: Any) -> Any:
    return ops.flip(x, 0)


class Roll(Op, names="keras.ops.roll tf.roll(input=x)"):
    def output_spec(self, x: Any, shift: Any, axis: Any = None) -> Spec:
        axes_of(axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, shift: Any, axis: Any = None) -> Any:
        if isinstance(shift, numpy.ndarray):
            shift = shift.tolist()
        if axis is None:
            return b.function("torch.roll", x, shift)
        dims = axes_of(axis, len(x.shape))
        if isinstance(shift, (list, tuple)):
            return b.function("torch.roll", x, tuple(shift), dims)
        shifts: Any = shift if len(dims) == 1 else (shift,) * len(dims)
        return b.function("torch.roll", x, shifts, dims[0] if len(dims) == 1 else dims)

    def fold(self, x: Any, shift: Any, axis: Any = None) -> Any:
        return numpy.roll(x, shift, tuple(axis) if isinstance(axis, list) else axis)


class Rot90(Op, names="keras.ops.rot90 tf.experimental.numpy.rot90"):
    tensors = ("array",)

    def output_spec(self, array: Any, k: int = 1, axes: Any = (0, 1)) -> Spec:
        first, second = axes_of(axes, len(array.shape))
        shape = list(array.shape)
        if k % 2:
            shape[first], shape[second] = shape[second], shape[first]
        return Spec(tuple(shape), array.dtype)

    def lower(self, b: Any, array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
        dims = axes_of(axes, len(array.shape))
        return b.function("torch.rot90", array, k, dims, shape=b.output_tensors[0].shape)

    def fold(self, array: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
        return numpy.rot90(array, k, axes)


@function("K.flatten")
def flatten(x: Any) -> Any:
    """All elements in one axis, the batch too."""
    return ops.reshape(x, (-1,))


@function("K.batch_flatten tf.layers.flatten tf.compat.v1.layers.flatten")
def batch_flatten(x: Any) -> Any:
    rest = product(x.shape[1:])
    return ops.reshape(x, (shape(x)[0], -1 if rest is None else rest))
