"""Triangles and diagonals of matrices."""

# ruff: noqa: N803 - Keras names the size of vander N

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.ops.base import Op, Spec, as_operand, as_plain, axes_of, axis_of, function, ops


class Tril(Op, names="keras.ops.tril tf.experimental.numpy.tril"):
    def output_spec(self, x: Any, k: int = 0) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, k: int = 0) -> Any:
        return b.method(self.name, x, k) if k else b.method(self.name, x)

    def fold(self, x: Any, k: int = 0) -> Any:
        return getattr(numpy, self.name)(x, k)


class Triu(Tril, names="keras.ops.triu tf.experimental.numpy.triu"):
    pass


@function("tf.linalg.band_part(input=x) {tf,tf.compat.v1}.matrix_band_part(input=x)")
def band_part(x: Any, num_lower: Any, num_upper: Any) -> Any:
    """A band about the diagonal; a negative width keeps that whole side."""
    low, high = int(as_plain(num_lower)), int(as_plain(num_upper))
    x = ops.tril(x, high) if high >= 0 else x
    return ops.triu(x, -low) if low >= 0 else x


class Diagonal(Op, names="keras.ops.diagonal"):
    def output_spec(self, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Spec:
        first, second = axes_of((axis1, axis2), len(x.shape))
        rest = tuple(n for i, n in enumerate(x.shape) if i not in (first, second))
        return Spec((*rest, diagonal_size(x.shape[first], x.shape[second], offset)), x.dtype)

    def lower(self, b: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        shape = b.output_tensors[0].shape
        given = {"offset": (offset, 0), "dim1": (axis1, 0), "dim2": (axis2, 1)}
        kwargs = {k: v for k, (v, default) in given.items() if v != default}
        return b.method("diagonal", x, shape=shape, axes=tuple(range(len(shape))), **kwargs)

    def fold(self, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
        return numpy.diagonal(x, offset, axis1, axis2)


def diagonal_size(rows: int | None, columns: int | None, offset: int) -> int | None:
    """How long a diagonal is."""
    if rows is None or columns is None:
        return None
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


@function("keras.ops.trace")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return ops.sum(ops.diagonal(x, offset, axis1, axis2), -1)


@function("{tf,tf.linalg}.trace")
def tf_trace(x: Any) -> Any:
    return ops.trace(x, 0, -2, -1)


class Diag(Op, names="keras.ops.diag"):
    """A vector on a diagonal, or the diagonal of a matrix."""

    def output_spec(self, x: Any, k: int = 0) -> Spec:
        if len(x.shape) == 1:
            size = None if x.shape[0] is None else x.shape[0] + abs(k)
            return Spec((size, size), x.dtype)
        return Spec((diagonal_size(x.shape[0], x.shape[1], k),), x.dtype)

    def lower(self, b: Any, x: Any, k: int = 0) -> Any:
        shape = b.output_tensors[0].shape
        return b.function(
            "torch.diag", x, *([k] if k else []), shape=shape, axes=tuple(range(len(shape)))
        )

    def fold(self, x: Any, k: int = 0) -> Any:
        return numpy.diag(x, k)


@function("keras.ops.diagflat")
def diagflat(x: Any, k: int = 0) -> Any:
    return ops.diag(ops.reshape(x, (-1,)), k)


class DiagEmbed(Op, names="tf.linalg.diag(diagonal=x) {tf,tf.compat.v1}.matrix_diag(diagonal=x)"):
    """The last axis on the diagonal of a matrix."""

    def output_spec(self, x: Any) -> Spec:
        return Spec((*x.shape, x.shape[-1]), x.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.function("torch.diag_embed", x, shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x: Any) -> Any:
        return x[..., None] * numpy.eye(x.shape[-1], dtype=x.dtype)


@function(
    "tf.linalg.{diag_part,tensor_diag_part}(input=x) {tf,tf.compat.v1}.{matrix_diag_part,diag_part}(input=x)"
)
def diag_part(x: Any) -> Any:
    return ops.diagonal(x, 0, -2, -1)


@function("tf.linalg.set_diag(input=x) {tf,tf.compat.v1}.matrix_set_diag(input=x)")
def set_diag(x: Any, diagonal: Any) -> Any:
    """x with another diagonal."""
    x = as_operand(x)
    rows, columns = x.shape[-2:]
    eye = ops.eye(rows, columns, dtype="bool")
    return ops.where(eye, ops.expand_dims(diagonal, -1), x)


@function("keras.ops.vander")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    """Powers of a vector's elements, the highest first."""
    x = as_operand(x)
    count = x.shape[0] if N is None else N
    powers = numpy.arange(count) if increasing else numpy.arange(count)[::-1]
    return ops.power(ops.expand_dims(x, -1), powers.astype("int32"))


@function("keras.ops.diff")
def diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    """Differences of neighbours, n times."""
    a = as_operand(a)
    axis = axis_of(axis, len(a.shape))
    for _ in range(n):
        lead = (slice(None),) * axis
        later, sooner = a[lead + (slice(1, None),)], a[lead + (slice(None, -1),)]
        a = ops.not_equal(later, sooner) if a.dtype == "bool" else later - sooner
    return a


@function("keras.ops.trapezoid")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral by the trapezoidal rule."""
    y = ops.moveaxis(y, axis, -1)
    if not y.dtype.startswith("float"):
        y = ops.cast(y, "float32")
    middle = y[..., 1:] + y[..., :-1]
    if x is not None:
        x = as_operand(x)
        dx = diff(ops.moveaxis(x, axis, -1) if len(x.shape) > 1 else x)
    return ops.sum(dx * middle, -1) * 0.5
