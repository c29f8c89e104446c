"""Functions that move elements about: reshape, transpose, concatenate, split, pad, roll, tile."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.graph import Constant, Shape, Tensor, tensors_in
from keras2torch.module import Value
from keras2torch.ops.base import (
    Op,
    Spec,
    SymbolicShape,
    as_operand,
    as_plain,
    axes_of,
    axis_of,
    device_of,
    dim_argument,
    function,
    in_tensor,
    ops,
    product,
)
from keras2torch.ops.dtypes import promote
from keras2torch.ops.sizes import (
    as_shape,
    is_size,
    joined_shape,
    resolved,
    shape,
    stacked_shape,
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


class Concatenate(
    Op, names="keras.ops.concatenate {tf,tf.compat.v1}.concat(values=xs, concat_dim=axis)"
):
    """Tensors joined along an axis; shapes joined are a shape."""

    layout = "any"
    tensors = ()
    lists = ("xs",)

    def record(self, *args: Any, **kwargs: Any) -> Any:
        joined = joined_shape(args[0] if args else kwargs.get("xs"))
        return super().record(*args, **kwargs) if joined is None else joined

    def output_spec(self, xs: Any, axis: int = 0) -> Spec:
        rank = len(xs[0].shape)
        if any(len(x.shape) != rank for x in xs):
            raise ValueError("all should have the same number of axes")
        axis = axis_of(axis, rank)
        sizes = [x.shape[axis] for x in xs]
        for i in range(rank):
            others = {x.shape[i] for x in xs} - {None}
            if i != axis and len(others) > 1:
                raise ValueError(f"the sizes of axis {i} differ: {sorted(others)}")
        shape = [
            next((x.shape[i] for x in xs if x.shape[i] is not None), None) for i in range(rank)
        ]
        shape[axis] = None if None in sizes else sum(sizes)
        return Spec(tuple(shape), promote(*(x.dtype for x in xs)))

    def lower(self, b: Any, xs: Any, axis: int = 0) -> Any:
        if len(xs) == 1:
            return xs[0]
        return b.cat(xs, dim_argument(xs[0], axis))

    def fold(self, xs: Any, axis: int = 0) -> Any:
        return numpy.concatenate(xs, axis)


@function("K.concatenate")
def backend_concatenate(tensors: Any, axis: int = -1) -> Any:
    return ops.concatenate(tensors, axis)


@function("keras.ops.append")
def append(x1: Any, x2: Any, axis: Any = None) -> Any:
    if axis is None:
        x1, x2, axis = ravel(x1), ravel(x2), 0
    return ops.concatenate([x1, x2], axis)


class Stack(
    Op, names="keras.ops.stack K.stack {tf,tf.compat.v1}.stack(values=x) tf.pack(values=x)"
):
    """Tensors along a new axis; sizes stacked are a shape."""

    tensors = ()
    lists = ("x",)
    takes_sizes = True

    def record(self, *args: Any, **kwargs: Any) -> Any:
        joined = stacked_shape(args[0] if args else kwargs.get("x"))
        return super().record(*args, **kwargs) if joined is None else joined

    def output_spec(self, x: Any, axis: int = 0) -> Spec:
        shape = list(x[0].shape)
        for other in x[1:]:
            if len(other.shape) != len(shape):
                raise ValueError("all should have the same number of axes")
            shape = [m if m is not None else n for m, n in zip(shape, other.shape)]
        shape.insert(axis_of(axis, len(shape) + 1), len(x))
        return Spec(tuple(shape), promote(*(item.dtype for item in x)))

    def lower(self, b: Any, x: Any, axis: int = 0) -> Any:
        shape = b.output_tensors[0].shape
        place = axis_of(axis, len(shape))
        dim = -1 if place == len(shape) - 1 and place else place
        kwargs = {"dim": dim} if dim else {}
        axes = tuple(range(len(shape)))
        if all(isinstance(item, (int, float)) or getattr(item, "scalar", False) for item in x):
            source = next((item.source for item in x if getattr(item, "source", None)), None)
            device = {} if source is None else {"device": device_of(b, source)}
            return b.node("function", "torch.tensor", (list(x),), device, shape=shape, axes=axes)
        items = [in_tensor(b, item) for item in x]
        return b.node("function", "torch.stack", (items,), kwargs, shape=shape, axes=axes)

    def fold(self, x: Any, axis: int = 0) -> Any:
        return numpy.stack(x, axis)


class _Parts(Op):
    """Slices of one axis, as one node with several outputs."""

    layout = "any"

    def sizes(self, x: Any, **arguments: Any) -> list[int | None]:
        raise NotImplementedError

    def parts(self, b: Any, x: Any, axis: int, target: str, *arguments: Any) -> Any:
        """``a, b = x.split(2, dim=1)``."""
        values = []
        for tensor in b.output_tensors:
            kept = x.axes
            if len(tensor.shape) < len(x.axes):
                left = [a for a in x.axes if a != axis]
                kept = tuple(sorted(left).index(a) for a in left)
            values.append(Value(tuple(tensor.shape[a] for a in kept), kept, x.dtype))
        dim = dim_argument(x, axis)
        kwargs = {"dim": dim} if dim else {}
        return b.multi("method", target, (x, *arguments), kwargs, values)


class Split(_Parts, names="keras.ops.split"):
    def output_spec(self, x: Any, indices_or_sections: Any, axis: int = 0) -> list[Spec]:
        axis = axis_of(axis, len(x.shape))
        sizes = self.widths(x.shape[axis], indices_or_sections)
        return [Spec((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.dtype) for n in sizes]

    @staticmethod
    def widths(size: int | None, given: Any) -> list[int | None]:
        if isinstance(given, int):
            if size is None:
                return [None] * given
            if size % given:
                raise ValueError(f"{size} elements cannot be split into {given} equal parts")
            return [size // given] * given
        places = [0, *(int(n) for n in given), size]
        result: list[int | None] = []
        for low, high in zip(places, places[1:]):
            result.append(
                None if high is None or low is None else max(0, min(high, size or high) - low)
            )
        return result

    def lower(self, b: Any, x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        axis = axis_of(axis, len(x.axes))
        if isinstance(indices_or_sections, int):
            if indices_or_sections == 1:
                return [x]
            return self.parts(b, x, axis, "chunk", indices_or_sections)
        places = tuple(int(n) for n in indices_or_sections)
        return self.parts(b, x, axis, "tensor_split", places)

    def fold(self, x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        return numpy.split(x, indices_or_sections, axis)


class ArraySplit(Split, names="keras.ops.array_split"):
    """As split, where the first parts may be one longer."""

    @staticmethod
    def widths(size: int | None, given: Any) -> list[int | None]:
        if not isinstance(given, int) or size is None:
            return Split.widths(size, given)
        return [size // given + (1 if i < size % given else 0) for i in range(given)]

    def lower(self, b: Any, x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        return self.parts(b, x, axis_of(axis, len(x.axes)), "tensor_split", indices_or_sections)

    def fold(self, x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
        return numpy.array_split(x, indices_or_sections, axis)


@function("{tf,tf.compat.v1}.split(split_dim=axis)")
def split(
    value: Any,
    num_or_size_splits: Any = None,
    axis: int = 0,
    num: Any = None,
    num_split: Any = None,
) -> Any:
    """TensorFlow's: a number of parts, or the sizes of the parts."""
    given = as_plain(num_split if num_or_size_splits is None else num_or_size_splits)
    if isinstance(given, int):
        return ops.split(value, given, axis)
    sizes = list(given)
    size = as_operand(value).shape[axis]
    if -1 in sizes and size is not None:
        sizes[sizes.index(-1)] = size - sum(sizes) - 1
    places = [int(n) for n in numpy.cumsum(sizes)[:-1]]
    return ops.split(value, places, axis)


def _split_along(axis: int) -> Any:
    def run(x: Any, indices_or_sections: Any) -> Any:
        return ops.split(x, indices_or_sections, 0 if len(as_operand(x).shape) == 1 else axis)

    return run


for _name, _axis in {"hsplit": 1, "vsplit": 0, "dsplit": 2}.items():
    function(f"keras.ops.{_name}")(_split_along(_axis))


class Unstack(
    _Parts, names="keras.ops.unstack {tf,tf.compat.v1}.unstack(value=x) tf.unpack(value=x)"
):
    def record(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], SymbolicShape):
            return list(args[0])
        return super().record(*args, **kwargs)

    def output_spec(self, x: Any, num: int | None = None, axis: int = 0) -> list[Spec]:
        axis = axis_of(axis, len(x.shape))
        count = x.shape[axis] if num is None else num
        if count is None:
            raise ValueError("an axis of unknown size cannot be unstacked without num=")
        return [Spec((*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype)] * count

    def lower(self, b: Any, x: Any, num: int | None = None, axis: int = 0) -> Any:
        return self.parts(b, x, axis_of(axis, len(x.axes)), "unbind")

    def fold(self, x: Any, num: int | None = None, axis: int = 0) -> Any:
        return [part.squeeze(axis) for part in numpy.split(x, x.shape[axis], axis)]


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


class Pad(Op, names="keras.ops.pad"):
    layout = "any"

    def output_spec(
        self, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None
    ) -> Spec:
        shape = (
            None if n is None else n + low + high
            for n, (low, high) in zip(x.shape, _pads(pad_width, len(x.shape)))
        )
        return Spec(tuple(shape), x.dtype)

    def lower(
        self, b: Any, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None
    ) -> Any:
        by_axis = _pads(pad_width, len(x.axes))
        pads = [by_axis[axis] for axis in x.axes]
        shape = tuple(b.output_tensors[0].shape[axis] for axis in x.axes)
        if mode != "constant":
            return self.mirrored(b, x, pads, mode, shape)
        flat = [n for low_high in reversed(pads) for n in low_high]
        while len(flat) >= 2 and flat[-1] == flat[-2] == 0:
            flat = flat[:-2]
        if not flat:
            return x
        value = constant_values if constant_values is not None else 0
        if x.dtype == "bool":
            value = bool(value)
        args = () if not value else (value,)
        return b.function(
            "F.pad", x, tuple(flat), **({"value": args[0]} if args else {}), shape=shape
        )

    def mirrored(self, b: Any, x: Any, pads: list[Any], mode: str, shape: Shape) -> Any:
        """torch mirrors the last axes only, behind a batch and a channel axis; else rows are picked by index."""
        names = {"reflect": "reflect", "symmetric": "symmetric", "edge": "edge", "wrap": "wrap"}
        if mode not in names:
            raise self.unsupported(
                f'mode="{mode}"', 'use "constant", "reflect", "symmetric", "edge" or "wrap"'
            )
        for dim, (low, high) in enumerate(pads):
            if not low and not high:
                continue
            size = x.shape[dim]
            if size is None:
                raise self.unsupported(
                    f'mode="{mode}" on an axis of unknown size',
                    "give the Input a full shape on that axis",
                )
            rows = numpy.pad(numpy.arange(size), (low, high), mode)
            after = tuple(len(rows) if i == dim else n for i, n in enumerate(x.shape))
            index = b.constant(rows, "int64", "rows")
            x = b.method("index_select", x, dim, index, shape=after, axes=x.axes, dtype=x.dtype)
        return x

    def fold(
        self, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None
    ) -> Any:
        given = {} if constant_values is None else {"constant_values": constant_values}
        return numpy.pad(x, pad_width, mode, **given)


def _pads(pad_width: Any, rank: int) -> list[tuple[int, int]]:
    if isinstance(pad_width, Tensor):
        raise ValueError("pad widths should be numbers")
    pads = numpy.broadcast_to(numpy.asarray(pad_width, "int64"), (rank, 2))
    return [(int(low), int(high)) for low, high in pads]


@function("{tf,tf.compat.v1}.pad(tensor=x)")
def pad(x: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0) -> Any:
    value = constant_values if mode.lower() == "constant" else None
    return ops.pad(x, paddings, mode.lower(), value)


@function("keras.ops.hstack")
def hstack(xs: Any) -> Any:
    axis = 0 if len(xs[0].shape) == 1 else 1
    return ops.concatenate(xs, axis)


@function("keras.ops.vstack")
def vstack(xs: Any) -> Any:
    rows = [ops.expand_dims(x, 0) if len(x.shape) == 1 else x for x in xs]
    return ops.concatenate(rows, 0)


@function("keras.ops.dstack")
def dstack(xs: Any) -> Any:
    deep = []
    for x in xs:
        if len(x.shape) == 1:
            x = ops.expand_dims(x, (0, 2))
        elif len(x.shape) == 2:
            x = ops.expand_dims(x, 2)
        deep.append(x)
    return ops.concatenate(deep, 2)


@function("K.flatten")
def flatten(x: Any) -> Any:
    """All elements in one axis, the batch too."""
    return ops.reshape(x, (-1,))


@function("K.batch_flatten tf.layers.flatten tf.compat.v1.layers.flatten")
def batch_flatten(x: Any) -> Any:
    rest = product(x.shape[1:])
    return ops.reshape(x, (shape(x)[0], -1 if rest is None else rest))
