"""Functions that join tensors and take them apart: concatenate, stack, split, pad."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Shape, Tensor
from keras2torch.module import Value
from keras2torch.ops.arrange import ravel
from keras2torch.ops.base import (
    Op,
    Spec,
    SymbolicShape,
    as_operand,
    as_plain,
    axis_of,
    device_of,
    dim_argument,
    function,
    in_tensor,
    ops,
)
from keras2torch.ops.dtypes import promote
from keras2torch.ops.sizes import (
    joined_shape,
    stacked_shape,
)


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
        return b.items("method", target, (x, *arguments), kwargs, *values)


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
            rows = numpy.pad(numpy.arange(size), (low, high), mode)  # type: ignore[call-overload]
            after = tuple(len(rows) if i == dim else n for i, n in enumerate(x.shape))
            index = b.constant(rows, "int64", "rows")
            x = b.method("index_select", x, dim, index, shape=after, axes=x.axes, dtype=x.dtype)
        return x

    def fold(
        self, x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None
    ) -> Any:
        given = {} if constant_values is None else {"constant_values": constant_values}
        return numpy.pad(x, pad_width, mode, **given)  # type: ignore[call-overload]


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
