"""Products of matrices and tensors: matmul, dot, einsum, and what is made of them."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.graph import Shape
from keras2torch.ops.base import Op, Spec, as_operand, axes_of, axis_of, function, ops, product
from keras2torch.ops.core import alike
from keras2torch.ops.dtypes import promote, result_dtype


def _alike(b: Any, *operands: Any) -> list[Any]:
    return alike(b, b.output_tensors[0].dtype, *operands)


def matmul_shape(left: Shape, right: Shape) -> Shape:
    """numpy's rule. Raises ValueError where the shapes do not fit."""
    if not left or not right:
        raise ValueError("a number is no matrix")
    inner = (left[-1], right[-2] if len(right) > 1 else right[0])
    if None not in inner and inner[0] != inner[1]:
        raise ValueError(f"the inner sizes are {inner[0]} and {inner[1]}")
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    return (*broadcast(left[:-2], right[:-2]), *rows, *columns)


class Matmul(Op, names="keras.ops.matmul"):
    tensors = ("x1", "x2")

    def output_spec(self, x1: Any, x2: Any) -> Spec:
        return Spec(matmul_shape(x1.shape, x2.shape), result_dtype(x1, x2))

    def lower(self, b: Any, x1: Any, x2: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.operator("@", *_alike(b, x1, x2), shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x1: Any, x2: Any) -> Any:
        return numpy.matmul(x1, x2)


@function("{tf,tf.compat.v1,tf.linalg}.matmul tf.batch_matmul(x=a, y=b)")
def tf_matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    adj_x: bool = False, adj_y: bool = False,
) -> Any:  # fmt: skip
    """TensorFlow's, with its transposes."""
    a, b = as_operand(a), as_operand(b)
    a = ops.swapaxes(a, -1, -2) if transpose_a or adjoint_a or adj_x else a
    b = ops.swapaxes(b, -1, -2) if transpose_b or adjoint_b or adj_y else b
    return ops.matmul(a, b)


@function("{tf.linalg}.matvec")
def matvec(a: Any, b: Any, transpose_a: bool = False) -> Any:
    a = ops.swapaxes(a, -1, -2) if transpose_a else a
    return ops.squeeze(ops.matmul(a, ops.expand_dims(b, -1)), -1)


class Tensordot(Op, names="keras.ops.tensordot {tf,tf.compat.v1}.tensordot(a=x1, b=x2)"):
    tensors = ("x1", "x2")

    @staticmethod
    def pairs(x1: Any, x2: Any, axes: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        rank1, rank2 = len(x1.shape), len(x2.shape)
        if isinstance(axes, int):
            return tuple(range(rank1 - axes, rank1)), tuple(range(axes))
        first, second = axes
        return axes_of(first, rank1), axes_of(second, rank2)

    def output_spec(self, x1: Any, x2: Any, axes: Any = 2) -> Spec:
        first, second = self.pairs(x1, x2, axes)
        for a, z in zip(first, second):
            if None not in (x1.shape[a], x2.shape[z]) and x1.shape[a] != x2.shape[z]:
                raise ValueError(f"the sizes of axes {a} and {z} differ")
        left = tuple(n for i, n in enumerate(x1.shape) if i not in first)
        right = tuple(n for i, n in enumerate(x2.shape) if i not in second)
        return Spec(left + right, result_dtype(x1, x2))

    def lower(self, b: Any, x1: Any, x2: Any, axes: Any = 2) -> Any:
        x1, x2 = _alike(b, x1, x2)
        shape = b.output_tensors[0].shape
        order = tuple(range(len(shape)))
        first, second = self.pairs(x1, x2, axes)
        if first == (len(x1.shape) - 1,) and second == (0,) and len(x2.shape) <= 2:
            return b.operator("@", x1, x2, shape=shape, axes=order)
        count = len(first)
        plain = first == tuple(range(len(x1.shape) - count, len(x1.shape))) and second == tuple(
            range(count)
        )
        dims: Any = count if plain else (first, second)
        return b.function("torch.tensordot", x1, x2, dims=dims, shape=shape, axes=order)

    def fold(self, x1: Any, x2: Any, axes: Any = 2) -> Any:
        return numpy.tensordot(x1, x2, axes)


@function("keras.ops.dot K.dot(x=x1, y=x2)")
def dot(x1: Any, x2: Any) -> Any:
    """numpy's: over the last axis of the first and the last but one of the second."""
    x1, x2 = as_operand(x1), as_operand(x2)
    if not x1.shape or not x2.shape:
        return ops.multiply(x1, x2)
    if len(x2.shape) <= 2:
        return ops.matmul(x1, x2)
    return ops.tensordot(x1, x2, [[-1], [-2]])


@function("keras.ops.inner")
def inner(x1: Any, x2: Any) -> Any:
    x1, x2 = as_operand(x1), as_operand(x2)
    if not x1.shape or not x2.shape:
        return ops.multiply(x1, x2)
    return ops.tensordot(x1, x2, [[-1], [-1]])


@function("keras.ops.outer")
def outer(x1: Any, x2: Any) -> Any:
    return ops.multiply(ops.reshape(x1, (-1, 1)), ops.reshape(x2, (1, -1)))


@function("keras.ops.vdot")
def vdot(x1: Any, x2: Any) -> Any:
    x1 = as_operand(x1)
    first = ops.conj(x1) if x1.dtype.startswith("complex") else x1
    return ops.matmul(ops.reshape(first, (-1,)), ops.reshape(x2, (-1,)))


class _Einsum(Op):
    tensors = ()
    lists = ("operands",)
    path = "keras.ops.einsum"

    def output_spec(self, subscripts: str, operands: Any) -> Spec:
        return Spec(
            einsum_shape(subscripts, [x.shape for x in operands]),
            promote(*(x.dtype for x in operands)),
        )

    def lower(self, b: Any, subscripts: str, operands: Any) -> Any:
        shape = b.output_tensors[0].shape
        text = subscripts.replace(" ", "").replace("->", " -> ").replace(",", ", ")
        return b.function(
            "torch.einsum", text, *_alike(b, *operands), shape=shape, axes=tuple(range(len(shape)))
        )

    def fold(self, subscripts: str, operands: Any) -> Any:
        return numpy.einsum(subscripts, *operands)


_einsum = _Einsum()


def einsum_shape(subscripts: str, shapes: list[Shape]) -> Shape:
    """The shape of an einsum's result. Raises ValueError where the operands do not fit the text."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ValueError(f"{len(terms)} operands are expected")
    sizes: dict[str, int | None] = {}
    dots: Shape = ()
    for term, shape in zip(terms, shapes):
        before, found, after = term.partition("...")
        extra = len(shape) - len(before) - len(after)
        if extra < 0 or (extra and not found):
            raise ValueError(f"{term!r} does not fit {len(shape)} axes")
        if found:
            dots = broadcast(dots, shape[len(before) : len(before) + extra])
        labels = zip(before + after, shape[: len(before)] + shape[len(before) + extra :])
        for label, n in labels:
            known = sizes.get(label)
            if None not in (known, n) and known != n and 1 not in (known, n):
                raise ValueError(f"the axis {label!r} has the sizes {known} and {n}")
            sizes[label] = n if known in (None, 1) else known
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = ("..." if dots else "") + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1)
        )
    before, found, after = right.partition("...")
    return (*(sizes[c] for c in before), *(dots if found else ()), *(sizes[c] for c in after))


@function("keras.ops.einsum {tf,tf.linalg,tf.compat.v1}.einsum")
def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    return _einsum.record(subscripts, list(operands))


class Kron(Op, names="keras.ops.kron"):
    tensors = ("x1", "x2")

    def output_spec(self, x1: Any, x2: Any) -> Spec:
        rank = max(len(x1.shape), len(x2.shape))
        first = (1,) * (rank - len(x1.shape)) + x1.shape
        second = (1,) * (rank - len(x2.shape)) + x2.shape
        shape = tuple(None if None in (m, n) else m * n for m, n in zip(first, second))
        return Spec(shape, result_dtype(x1, x2))

    def lower(self, b: Any, x1: Any, x2: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.function("torch.kron", x1, x2, shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x1: Any, x2: Any) -> Any:
        return numpy.kron(x1, x2)


class _Cross(Op):
    """Of vectors with three elements along the last axis."""

    tensors = ("x1", "x2")

    def output_spec(self, x1: Any, x2: Any) -> Spec:
        return Spec(broadcast(x1.shape, x2.shape), result_dtype(x1, x2))

    def lower(self, b: Any, x1: Any, x2: Any) -> Any:
        return b.function("torch.linalg.cross", *_alike(b, x1, x2))

    def fold(self, x1: Any, x2: Any) -> Any:
        return numpy.cross(x1, x2)


_cross = _Cross()


@function("keras.ops.cross")
def cross(
    x1: Any, x2: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None
) -> Any:
    """Vectors of two or three elements; of two with two, the third element alone."""
    if axis is not None:
        axisa = axisb = axisc = axis
    x1, x2 = ops.moveaxis(x1, axisa, -1), ops.moveaxis(x2, axisb, -1)
    sizes = (x1.shape[-1], x2.shape[-1])
    if sizes == (2, 2):
        return x1[..., 0] * x2[..., 1] - x1[..., 1] * x2[..., 0]
    x1, x2 = (_third(x) if x.shape[-1] == 2 else x for x in (x1, x2))
    result = _cross.record(x1, x2)
    return ops.moveaxis(result, -1, axisc)


def _third(x: Any) -> Any:
    return ops.pad(x, [(0, 0)] * (len(x.shape) - 1) + [(0, 1)])


@function("tf.linalg.cross(a=x1, b=x2)")
def tf_cross(x1: Any, x2: Any) -> Any:
    return cross(x1, x2)


@function("K.batch_dot")
def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """Keras 2's: for each sample, the dot product over one axis of each.

    Source: batch_dot in keras/src/legacy/backend.py.
    """
    rank1, rank2 = len(x.shape), len(y.shape)
    if rank1 < 2 or rank2 < 2:
        raise ValueError("batch_dot needs at least two axes on both sides")
    if axes is None:
        axes = [rank1 - 1, rank2 - 2 if rank2 > 2 else rank2 - 1]
    elif isinstance(axes, int):
        axes = [axes, axes]
    first, second = axis_of(axes[0], rank1), axis_of(axes[1], rank2)
    x = ops.moveaxis(x, first, -1)
    y = ops.moveaxis(y, second, 1)
    left, right = x.shape[1:-1], y.shape[2:]
    if rank1 == 2 and rank2 == 2:
        return ops.sum(x * y, axis=1, keepdims=True)
    sizes_x, sizes_y = ops.shape(x), ops.shape(y)
    rows = x if rank1 == 3 else ops.reshape(x, (sizes_x[0], _count(left), sizes_x[-1]))
    columns = y if rank2 == 3 else ops.reshape(y, (*sizes_y[:2], _count(right)))
    result = ops.matmul(rows, columns)
    if rank1 == 2:
        result = ops.squeeze(result, 1)
    elif rank2 == 2:
        result = ops.squeeze(result, -1)
    if rank1 <= 3 and rank2 <= 3:
        return result
    batch = ops.shape(x)[0]
    return ops.reshape(result, (batch, *(-1 if n is None else n for n in (*left, *right))))


def _count(sizes: Shape) -> int:
    total = product(sizes)
    return -1 if total is None else total


class CDist(Op, names="keras.ops.cdist"):
    """Euclidean distances between the rows of two sets."""

    tensors = ("x", "y")

    def output_spec(self, x: Any, y: Any) -> Spec:
        shape = (*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-2])
        return Spec(shape, promote(x.dtype, y.dtype, "float"))

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.function("torch.cdist", x, y, shape=shape, axes=tuple(range(len(shape))))


class Corrcoef(Op, names="keras.ops.corrcoef"):
    def output_spec(self, x: Any) -> Spec:
        size = x.shape[0]
        return Spec((size, size) if len(x.shape) == 2 else (), promote(x.dtype, "float"))

    def lower(self, b: Any, x: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.function("torch.corrcoef", x, shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x: Any) -> Any:
        return numpy.corrcoef(x)


class _Correlate(Op):
    tensors = ("x1", "x2")

    def output_spec(self, x1: Any, x2: Any, pads: tuple[int, int]) -> Spec:
        size, width = x1.shape[0], x2.shape[0]
        return Spec(
            (None if None in (size, width) else size + sum(pads) - width + 1,), result_dtype(x1, x2)
        )

    def lower(self, b: Any, x1: Any, x2: Any, pads: tuple[int, int]) -> Any:
        shape = b.output_tensors[0].shape
        rows = b.index(x1, (None, None), shape=(1, 1, *x1.shape))
        if pads[0] == pads[1]:
            options: dict[str, Any] = {"padding": pads[0]} if pads[0] else {}
        else:
            wide = None if x1.shape[0] is None else x1.shape[0] + sum(pads)
            rows, options = b.function("F.pad", rows, pads, shape=(1, 1, wide)), {}
        kernel = b.index(x2, (None, None), shape=(1, 1, *x2.shape))
        made = b.function("F.conv1d", rows, kernel, shape=(1, 1, *shape), **options)
        return b.index(made, (0, 0), shape=shape)


_correlate = _Correlate()


@function("keras.ops.correlate")
def correlate(x1: Any, x2: Any, mode: str = "valid") -> Any:
    """Of two vectors, as numpy has it: the longer one slides under the shorter one."""
    x1, x2 = as_operand(x1), as_operand(x2)
    dtype = promote(x1.dtype, x2.dtype, "float")
    x1, x2 = ops.cast(x1, dtype), ops.cast(x2, dtype)
    swapped = None not in (x1.shape[0], x2.shape[0]) and x1.shape[0] < x2.shape[0]
    if swapped:
        x1, x2 = x2, x1
    width = x2.shape[0]
    pads = (0, 0)
    if mode == "full":
        pads = (width - 1, width - 1)
    elif mode == "same":
        pads = (width // 2, width - 1 - width // 2)
        if swapped:
            pads = pads[::-1]
    result = _correlate.record(x1, x2, pads)
    return ops.flip(result, 0) if swapped else result
