"""What is known of the shape of data that is not here: how many columns a script itself has chosen.

    df = pd.read_csv("absent.csv")      two axes
    df[["age", "hours"]].values         (?, 2)
    data[:, 0:8]                        (?, 8)
    scaler.fit_transform(x)             the shape of x

Only what the script's own text fixes is taken; whatever else a method does leaves the shape unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.frontend.absent import Absent, find_absent, is_absent

_SAME_COLUMNS = frozenset(
    "copy astype dropna fillna sample head tail sort_values sort_index replace drop_duplicates interpolate clip "
    "abs round query ffill bfill nlargest nsmallest".split()
)
_AS_ARRAY = frozenset("to_numpy as_matrix toarray todense numpy".split())
_REDUCTIONS = frozenset("mean std var min max sum median".split())
_NAMED = "usecols", "names"


def read(source: Any, arguments: dict[str, Any]) -> Absent:
    """What ``pandas.read_csv`` and its like give: a frame, whose columns may be named in the call."""
    listed = next(
        (arguments[n] for n in _NAMED if isinstance(arguments.get(n), (list, tuple))), None
    )
    count: Any = Absent(source) if listed is None else len(listed)
    if listed is not None and isinstance(arguments.get("index_col"), (int, str)):
        count -= 1
    return Absent(source, (Absent(source), count), "frame")


def attribute(value: Absent, name: str) -> Any:
    """An attribute or method that keeps or chooses axes; None for all others."""
    shape, kind = value._shape, value._kind
    if name == "filter":
        return lambda items=None, **kwargs: _or_unknown(value, columns(value, items))
    if shape is None:
        return None
    if name in ("iloc", "loc") and kind == "frame":
        return Absent(value._source, shape, "rows")
    if name == "values":
        return Absent(value._source, shape)
    if name == "T":
        return Absent(value._source, shape[::-1])
    if name in ("flatten", "ravel"):
        return lambda *args, **kwargs: Absent(value._source, (value._new(),))
    if name in _AS_ARRAY:
        return lambda *args, **kwargs: Absent(value._source, shape)
    if name in _REDUCTIONS:
        return lambda *args, **kwargs: _reduced(value, *args, **kwargs)
    if kind == "frame" and name in _SAME_COLUMNS:
        return lambda *args, **kwargs: _rows_of(value, None if kwargs.get("axis") else shape)
    if kind == "frame" and name == "reset_index":
        return lambda *args, **kwargs: _rows_of(value, shape if kwargs.get("drop") else None)
    if kind == "frame" and name in ("drop", "pop"):
        return lambda *args, **kwargs: _dropped(value, name, *args, **kwargs)
    return None


def columns(value: Absent, names: Any) -> Absent | None:
    """``frame[["a", "b"]]``: as many columns as are named."""
    chosen = isinstance(names, list) and bool(names) and find_absent(names) is None
    if chosen and (value._kind == "frame" or all(isinstance(n, str) for n in names)):
        return Absent(value._source, (value._new(), len(names)), "frame")
    return None


def item(value: Absent, key: Any) -> Absent:
    """``value[key]``."""
    shape, kind = value._shape, value._kind
    if isinstance(key, list):
        found = columns(value, key) if kind != "rows" else None
        if found is not None:
            return found
    if shape is None or not shape:
        return value._new()
    if kind == "frame" and not isinstance(key, slice):
        if isinstance(key, (str, int)):
            return Absent(value._source, (value._new(),))
        if is_absent(key):  # df[df.x > 0]
            return _rows_of(value, shape)
    left = _picked(value, key if isinstance(key, tuple) else (key,))
    whole = left is not None and len(left) == 2 and kind in ("frame", "rows")
    return Absent(value._source, left, "frame" if whole else None)


def combined(first: Absent, others: Any) -> tuple[Any, ...] | None:
    """The shape of arithmetic between arrays, where the rank of each is known."""
    shapes: list[tuple[Any, ...]] = []
    for other in others:
        shape = other._shape if is_absent(other) else _shape(other)
        if shape is None:
            return None
        shapes.append(shape)
    rank = max(map(len, shapes))
    padded = [(*[1] * (rank - len(shape)), *shape) for shape in shapes]
    return tuple(_broadcast(first, sizes) for sizes in zip(*padded))


def joined(found: Absent, parts: Any, axis: Any) -> tuple[Any, ...] | None:
    """The shape of arrays one behind the other along ``axis``; None where it is not known."""
    shapes = [part._shape if is_absent(part) else _shape(part) for part in parts]
    known = [shape for shape in shapes if shape is not None]
    if not known or not isinstance(axis, int) or (axis != 0 and len(known) < len(shapes)):
        return None
    first = known[0]
    if any(len(shape) != len(first) for shape in known) or not -len(first) <= axis < len(first):
        return None
    axis %= len(first)
    sizes = [shape[axis] for shape in known]
    counted = len(known) == len(shapes) and all(isinstance(size, int) for size in sizes)
    return (*first[:axis], sum(sizes) if counted else found._new(), *first[axis + 1 :])


def stacked(values: Any, found: Absent) -> Absent:
    """``np.array([absent, absent])``: one more axis in front, where all items have one shape."""
    shapes = [v._shape for v in values if is_absent(v)] if isinstance(values, list) else []
    alike = len(shapes) == len(values) and shapes[0] is not None
    known = alike and all(shape == shapes[0] for shape in shapes)
    return Absent(found._source, (found._new(), *shapes[0]) if known else None)


def split(original: Callable[..., Any]) -> Callable[..., Any]:
    """``train_test_split``: every array twice, with other rows."""

    def train_test_split(*arrays: Any, **options: Any) -> Any:
        found = find_absent(list(arrays)) or find_absent(list(arrays)[1:])
        if found is None:
            return original(*arrays, **options)
        return [part for array in arrays for part in (_part(array, found), _part(array, found))]

    return train_test_split


def scaling(original: Callable[..., Any]) -> Callable[..., Any]:
    """The methods of a scaler: what comes out is as wide as what goes in."""

    def scale(scaler: Any, data: Any, *args: Any, **options: Any) -> Any:
        found = find_absent(data)
        if found is None:
            return original(scaler, data, *args, **options)
        return Absent(found._source, data._shape if is_absent(data) else None)

    return scale


def _or_unknown(value: Absent, known: Absent | None) -> Absent:
    return value._new() if known is None else known


def _part(array: Any, found: Absent) -> Any:
    if is_absent(array):
        return _rows_of(array, array._shape)
    shape = _shape(array)
    return Absent(found._source, (found._new(), *shape[1:]) if shape else None)


def _rows_of(value: Absent, shape: Any) -> Absent:
    """Other rows of the same kind of data."""
    return Absent(value._source, (value._new(), *shape[1:]) if shape else None, value._kind)


def _dropped(value: Absent, name: str, *args: Any, **kwargs: Any) -> Any:
    """``drop`` gives what is left, ``pop`` the column; both may change the frame itself."""
    assert value._shape is not None
    labels = kwargs.get("columns", kwargs.get("labels", args[0] if args else None))
    axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
    rows = name == "drop" and "columns" not in kwargs and axis in (0, "index")
    count = len(labels) if isinstance(labels, (list, tuple)) else 1
    size = value._shape[1]
    known = isinstance(size, int) and not is_absent(labels)
    left = (value._new(), size if rows else size - count if known else value._new())
    if name == "pop" or kwargs.get("inplace"):
        value._shape = left
    return (
        Absent(value._source, (value._new(),))
        if name == "pop"
        else Absent(value._source, left, "frame")
    )


def _reduced(value: Absent, axis: Any = None, **kwargs: Any) -> Absent:
    assert value._shape is not None
    if axis is None and value._kind == "frame":
        axis = 0
    if axis is None or not isinstance(axis, int):
        return Absent(value._source, () if axis is None else None)
    shape = list(value._shape)
    shape[axis : axis + 1 or None] = [1] if kwargs.get("keepdims") else []
    return Absent(value._source, tuple(shape))


def _picked(value: Absent, keys: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The shape behind an index with a part for some of the axes."""
    shape: list[Any] = list(value._shape or ())
    if Ellipsis in [key for key in keys if key is Ellipsis]:
        return None
    result: list[Any] = []
    for key in keys:
        if key is None:
            result.append(1)
            continue
        if not shape:
            return None
        size = shape.pop(0)
        if isinstance(key, slice):
            result.append(_length(value, key, size))
        elif isinstance(key, list):
            result.append(len(key) if find_absent(key) is None else value._new())
        elif is_absent(key):  # rows that are chosen by a mask or by their numbers, or a single one
            if key._shape is None or len(key._shape) > 1:
                return None
            result += [value._new()] * len(key._shape)
        elif not isinstance(key, (int, str)):
            return None
    return (*result, *shape)


def _length(value: Absent, key: slice, size: Any) -> Any:
    """How long a slice is: as it says, which supposes that the data is as long as the script takes it to be."""
    start, stop, step = key.start, key.stop, key.step
    if (start, stop, step) == (None, None, None):
        return size
    if any(part is not None and type(part) is not int for part in (start, stop, step)):
        return value._new()
    if isinstance(size, int):
        return len(range(*key.indices(size)))
    start = start or 0
    if stop is not None and 0 <= start < stop:
        return len(range(start, stop, step or 1))
    return -start if start < 0 and stop is None and step is None else value._new()


def _shape(value: Any) -> tuple[Any, ...] | None:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return shape
    return () if isinstance(value, (int, float)) else None


def _broadcast(value: Absent, sizes: tuple[Any, ...]) -> Any:
    known = [size for size in sizes if isinstance(size, int) and size != 1]
    if known:
        return known[0]
    return 1 if all(isinstance(size, int) for size in sizes) else value._new()
