"""Sizes of tensors: ints where they are known, ``x.shape[1]`` where they are not, and shapes made of them."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend import trace
from keras2torch.graph import Constant, Tensor, tensors_in
from keras2torch.ops.base import (
    OPS,
    Op,
    Spec,
    SymbolicShape,
    as_operand,
    as_plain,
    function,
    product,
)

_ARITHMETIC = {
    "add",
    "subtract",
    "multiply",
    "floor_divide",
    "mod",
    "negative",
    "maximum",
    "minimum",
    "cast",
}


class Size(Op):
    """One size of a tensor, a Python number in torch."""

    layout = "any"
    takes_sizes = True

    def output_spec(self, x: Any, axis: int) -> Spec:
        return Spec((), "int32")

    def lower(self, b: Any, x: Any, axis: int) -> Any:
        return b.size(x, x.dim(axis))


_size = Size()


def size_of(x: Tensor, axis: int) -> Any:
    """The size of one axis: an int, or a scalar tensor."""
    size = x.shape[axis]
    if size is not None:
        return size
    made = _size.record(x, axis % len(x.shape))
    target = trace.assigned_target()  # batch = tf.shape(x)[0]
    if target is not None and made.call is not None:
        made.call.assigned = trace.Assignment(target, (id(made), 0))
    return made


@function("keras.ops.shape")
def shape(x: Any) -> Any:
    """Keras's shape: a tuple of ints and of scalar tensors."""
    if isinstance(x, SymbolicShape):
        return (len(x),)
    x = as_operand(x)
    return tuple(size_of(x, axis) for axis in range(len(x.shape)))


@function("K.shape {tf,tf.compat.v1}.shape(input=x)")
def shape_vector(x: Any, out_type: Any = None) -> Any:
    """TensorFlow's shape: a vector that can be sliced, multiplied and joined."""
    return SymbolicShape(shape(x))


@function("{tf,tf.compat.v1}.shape_n(input=xs)")
def shape_vectors(xs: Any, out_type: Any = None) -> Any:
    return [shape_vector(x) for x in xs]


@function("tf.size(input=x)")
def tf_size(x: Any, out_type: Any = None) -> Any:
    return size(x)


@function("keras.ops.size")
def size(x: Any) -> Any:
    """The number of elements."""
    if isinstance(x, SymbolicShape):
        return len(x)
    total: Any = 1
    for n in shape(x):
        total = n * total if isinstance(n, Tensor) else total * n
    return total


@function("keras.ops.ndim tf.rank(input=x)")
def ndim(x: Any) -> int:
    """The number of axes."""
    return 1 if isinstance(x, SymbolicShape) else len(as_operand(x).shape)


def is_size(value: Any) -> bool:
    """Whether a scalar tensor comes from sizes alone, so that it is a Python number in torch."""
    if not isinstance(value, Tensor) or value.shape != ():
        return False
    if isinstance(value, Constant):
        return value.dtype.startswith("int")
    if value.call is None:
        return False
    operation = value.call.operation
    if isinstance(operation, Size):
        return True
    return operation.name in _ARITHMETIC and all(
        is_size(t) for t in tensors_in((value.call.args, value.call.kwargs))
    )


def joined_shape(items: Any) -> SymbolicShape | None:
    """tf.concat of shapes and lists of sizes as one shape; None where it is a true concatenation."""
    if not isinstance(items, (list, tuple)) or not items:
        return None
    parts: list[Any] = []
    symbolic = False
    for item in items:
        if isinstance(item, Constant) and len(item.shape) == 1:
            item = item.value.tolist()
        if not isinstance(item, (list, tuple)) or not all(
            isinstance(n, int) or is_size(n) for n in item
        ):
            return None
        symbolic = (
            symbolic or isinstance(item, SymbolicShape) or any(isinstance(n, Tensor) for n in item)
        )
        parts += [as_plain(n) for n in item]
    return SymbolicShape(parts) if symbolic else None


def stacked_shape(items: Any) -> SymbolicShape | None:
    """tf.stack of sizes as a shape; None where it is a true stack."""
    if not isinstance(items, (list, tuple)) or not items:
        return None
    if not all(isinstance(n, int) or is_size(n) for n in items) or not any(
        isinstance(n, Tensor) for n in items
    ):
        return None
    return SymbolicShape(as_plain(n) for n in items)


def as_shape(value: Any) -> tuple[Any, ...]:
    """A shape argument as a tuple of ints and scalar tensors (-1 stays). Raises ValueError for anything else."""
    if isinstance(value, Tensor) and not isinstance(value, Constant):
        if value.shape == ():
            return (value,)
        raise ValueError(
            "a shape that is computed from values is not known when the model is built"
        )
    if isinstance(value, Constant):
        value = value.value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, int):
        return (value,)
    return tuple(
        n if isinstance(n, Tensor) and not isinstance(n, Constant) else _known(n) for n in value
    )


def _known(n: Any) -> int:
    n = as_plain(n)
    if n is None:
        return -1
    return int(n)


def static(sizes: Any) -> tuple[int | None, ...]:
    """The sizes that are known, None for the others."""
    return tuple(n if isinstance(n, int) and n >= 0 else None for n in sizes)


def resolved(sizes: tuple[Any, ...], total: int | None) -> tuple[Any, ...]:
    """``sizes`` with -1 worked out where the others are known. Raises ValueError where they do not fit."""
    if sum(isinstance(n, int) and n == -1 for n in sizes) > 1:
        raise ValueError("a shape may hold one -1 at most")
    known = product(static(n for n in sizes if not (isinstance(n, int) and n == -1)))
    if -1 in [n for n in sizes if isinstance(n, int)]:
        if total is None or known is None:
            return sizes
        if known == 0 or total % known:
            raise ValueError(f"{total} elements do not fit into the shape {static(sizes)}")
        return tuple(total // known if isinstance(n, int) and n == -1 else n for n in sizes)
    if total is not None and known is not None and total != known:
        raise ValueError(f"{total} elements do not fit into the shape {static(sizes)}")
    return sizes


def source_of(sizes: Any) -> Tensor | None:
    """The tensor that the first symbolic size was read from."""
    pending = [n for n in sizes if isinstance(n, Tensor)]
    while pending:
        tensor = pending.pop(0)
        if tensor.call is None:
            continue
        if isinstance(tensor.call.operation, Size):
            return tensor.call.kwargs["x"]
        pending = tensors_in((tensor.call.args, tensor.call.kwargs)) + pending
    return None


__all__ = [
    "OPS",
    "Size",
    "as_shape",
    "is_size",
    "joined_shape",
    "resolved",
    "size_of",
    "source_of",
    "stacked_shape",
    "static",
]
