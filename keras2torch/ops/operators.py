"""Python's operators on symbolic tensors: arithmetic, comparisons, ``x[:, 0]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import is_absent
from keras2torch.graph import OPERATORS, Constant, Tensor, map_structure
from keras2torch.ops import elementwise  # noqa: F401 - the operators stand for its functions
from keras2torch.ops.base import OPS, Op, Spec, SymbolicShape, as_operand, function, ops

_ARITHMETIC = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "mod",
    "pow": "power",
    "matmul": "matmul",
}
_LOGIC = {"and": "and", "or": "or", "xor": "xor"}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _can_be_tensor(value: Any) -> bool:
    if isinstance(value, (Tensor, bool, int, float, SymbolicShape)) or hasattr(value, "__array__"):
        return True
    return isinstance(value, (list, tuple)) or is_absent(value)


def _binary(name: str, reflected: bool) -> Callable[..., Any]:
    def operator(x: Any, y: Any) -> Any:
        if not _can_be_tensor(y):
            return NotImplemented
        if isinstance(y, SymbolicShape):
            y = y.as_tensor()
        run = OPS[f"keras.ops.{name}"]
        return run(y, x) if reflected else run(x, y)

    return operator


def _logical(name: str, reflected: bool) -> Callable[..., Any]:
    def operator(x: Any, y: Any) -> Any:
        if not _can_be_tensor(y):
            return NotImplemented
        kind = "logical" if x.dtype == "bool" else "bitwise"
        run = OPS[f"keras.ops.{kind}_{name}"]
        return run(y, x) if reflected else run(x, y)

    return operator


for _symbol, _name in _ARITHMETIC.items():
    OPERATORS[f"__{_symbol}__"] = _binary(_name, False)
    OPERATORS[f"__r{_symbol}__"] = _binary(_name, True)
for _symbol, _name in _LOGIC.items():
    OPERATORS[f"__{_symbol}__"] = _logical(_name, False)
    OPERATORS[f"__r{_symbol}__"] = _logical(_name, True)
for _symbol, _name in _COMPARISONS.items():
    OPERATORS[f"__{_symbol}__"] = _binary(_name, False)


def _invert(x: Tensor) -> Any:
    kind = "logical_not" if x.dtype == "bool" else "bitwise_invert"
    return OPS[f"keras.ops.{kind}"](x)


OPERATORS["__neg__"] = lambda x: ops.negative(x)
OPERATORS["__pos__"] = lambda x: x
OPERATORS["__abs__"] = lambda x: ops.abs(x)
OPERATORS["__invert__"] = _invert


# Indexing.
class GetItem(Op):
    """``x[key]`` with numbers, slices, None, an Ellipsis and tensors of indices."""

    layout = "any"
    path = "x[...]"

    def _argument(self, name: str, value: Any) -> Any:
        return value if name == "key" else super()._argument(name, value)

    def output_spec(self, x: Any, key: Any) -> Spec:
        return Spec(_indexed_shape(x.shape, key), x.dtype)

    def lower(self, b: Any, x: Any, key: Any) -> Any:
        call = b.call_record
        tensors = [item for item in call.kwargs["key"] if _is_array(item)]
        shape = call.outputs[0].shape
        if tensors or any(item is None for item in key):
            x = b.last(call.kwargs["x"])
            key = map_structure(b.last, call.kwargs["key"])
            x, items = _forward_steps(b, x, _expanded(key, len(x.shape)))
            return b.index(x, _shortened(items), shape=shape, axes=tuple(range(len(shape))))
        items = _expanded(key, len(x.shape))
        kept = [axis for axis in x.axes if isinstance(items[axis], slice)]
        axes = tuple(sorted(kept).index(axis) for axis in kept)
        x, items = _forward_steps(b, x, [items[axis] for axis in x.axes])
        if all(_is_full(item) for item in items):
            return x
        short = _shortened(items, any(item is Ellipsis for item in key))
        return b.index(x, short, shape=tuple(shape[axis] for axis in axes), axes=axes)

    def fold(self, x: Any, key: Any) -> Any:
        return x[key]


_get_item = GetItem()


@function("keras.ops.get_item")
def get_item(x: Any, key: Any) -> Any:
    return x[key]


def index(x: Tensor, key: Any) -> Any:
    """``x[key]``, with the key brought into one form."""
    items = key if isinstance(key, tuple) else (key,)
    return _get_item.record(as_operand(x), tuple(_item(item) for item in items))


OPERATORS["__getitem__"] = index


def _item(item: Any) -> Any:
    """A number, a slice of numbers and sizes, None, an Ellipsis, or a tensor."""
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        return slice(*(_bound(part) for part in (item.start, item.stop, item.step)))
    if isinstance(item, (bool, numpy.bool_)):
        raise IndexError("a bool is no index")
    if isinstance(item, (int, numpy.integer)):
        return int(item)
    tensor = as_operand(item)
    if isinstance(tensor, Constant) and tensor.shape == ():
        return int(tensor.value)
    return tensor


def _bound(part: Any) -> Any:
    if part is None or isinstance(part, int):
        return part
    if isinstance(part, Tensor) and not isinstance(part, Constant):
        return part
    return int(part)


def _is_array(item: Any) -> bool:
    return isinstance(item, Tensor) and item.shape != ()


def _is_full(item: Any) -> bool:
    return isinstance(item, slice) and item.start is item.stop is None and item.step in (None, 1)


def _expanded(key: tuple[Any, ...], rank: int) -> list[Any]:
    """The key with an Ellipsis written out and a slice for every axis left."""
    positions = [i for i, item in enumerate(key) if item is Ellipsis]
    if len(positions) > 1:
        raise IndexError("more than one Ellipsis in an index")
    used = sum(_axes_taken(item) for item in key)
    if used > rank:
        raise IndexError(f"{used} indices for {rank} axes")
    missing = [slice(None)] * (rank - used)
    if not positions:
        return [*key, *missing]
    at = positions[0]
    return [*key[:at], *missing, *key[at + 1 :]]


def _axes_taken(item: Any) -> int:
    if item is None or item is Ellipsis:
        return 0
    return len(item.shape) if _is_mask(item) else 1


def _is_mask(item: Any) -> bool:
    return getattr(item, "dtype", None) == "bool" and len(item.shape) > 0


def _indexed_shape(shape: tuple[int | None, ...], key: tuple[Any, ...]) -> tuple[int | None, ...]:
    items = _expanded(key, len(shape))
    result: list[int | None] = []
    axis = 0
    arrays: list[tuple[int, tuple[int | None, ...]]] = []  # (where in the key, shape)
    place = 0
    numbers: list[int] = []
    for position, item in enumerate(items):
        if item is None:
            result.append(1)
        elif isinstance(item, slice):
            result.append(_slice_size(shape[axis], item))
            axis += 1
        elif isinstance(item, int):
            size = shape[axis]
            if size is not None and not -size <= item < size:
                raise IndexError(f"index {item} is out of range for an axis of size {size}")
            numbers.append(position)
            axis += 1
        else:
            if not arrays:
                place = len(result)
            arrays.append((position, (None,) if _is_mask(item) else item.shape))
            axis += _axes_taken(item)
    if arrays:
        advanced = [position for position, found in arrays if found != ()]
        if numbers and len(advanced) > 0 and _apart([*advanced, *numbers]) or _apart(advanced):
            raise UnsupportedError(
                "an index with tensors on axes that are apart orders its axes differently in torch",
                where=trace.user_location(),
                fix="index one axis at a time, or transpose first",
            )
        result[place:place] = broadcast(*(found for _, found in arrays))
    return tuple(result)


def _apart(positions: list[int]) -> bool:
    return bool(positions) and max(positions) - min(positions) + 1 != len(set(positions))


def _slice_size(size: int | None, item: slice) -> int | None:
    parts = (item.start, item.stop, item.step)
    if any(isinstance(part, Tensor) for part in parts):
        return None
    if size is not None:
        return len(range(*item.indices(size)))
    start, stop, step = parts
    if start is not None and stop is not None and (start < 0) == (stop < 0) and start < 0:
        return None if step not in (None, 1) else max(0, stop - start)
    return None


def _forward_steps(b: Any, x: Any, items: list[Any]) -> tuple[Any, list[Any]]:
    """torch has no negative steps: such an axis is flipped first, and sliced forwards."""
    flipped: list[int] = []
    result: list[Any] = []
    dim = 0
    for item in items:
        if isinstance(item, slice) and isinstance(item.step, int) and item.step < 0:
            flipped.append(dim)
            item = _on_flipped(item, x.shape[dim])
        result.append(item)
        if item is not None:
            dim += _axes_taken(item)
    if flipped:
        x = b.method("flip", x, *flipped, shape=x.shape, axes=x.axes)
    return x, result


def _on_flipped(item: slice, size: int | None) -> slice:
    """What a slice with a negative step is on the flipped axis."""
    step = None if item.step == -1 else -item.step
    if item.start is item.stop is None:
        return slice(None, None, step)
    if size is None:
        raise UnsupportedError(
            "a slice that runs backwards over an axis of unknown size",
            fix="flip the axis with keras.ops.flip, then slice it",
        )
    span = range(*item.indices(size))
    if not len(span):
        return slice(0, 0)
    stop = size - span[-1]
    return slice(size - 1 - span[0] or None, None if stop == size else stop, step)


def _shortened(items: list[Any], dots: bool = False) -> Any:
    """Without full slices at the end; those in front as an Ellipsis if the program wrote one."""
    count = len(items)
    items = list(items)
    while items and _is_full(items[-1]):
        items.pop()
    dots = dots and len(items) == count  # behind an Ellipsis no axis may be left out
    leading = next((i for i, item in enumerate(items) if not _is_full(item)), 0)
    if dots and leading > 1:
        items = [Ellipsis, *items[leading:]]
    return tuple(items) if len(items) != 1 else items[0]
