"""Constant arrays as source: a formula where the array follows one, else its numbers.

    [0, 1, 2, 3]                       torch.arange(4)
    a lower triangle of ones           torch.tril(torch.ones(10, 10))
    relative positions in a window     outer_sum(torch.arange(...), ...).reshape(49, 49)
    sin and cos of position * rate     the formula of the positional encoding

A formula is taken only where it gives the array again: exactly for integers and masks, to 3e-6 for sines.
"""

from __future__ import annotations

import base64
import functools
import itertools
import zlib
from typing import Any

import numpy

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote

LITERAL = 1024
"""How many numbers are written out at most."""
PACKED = 1 << 17
"""How many characters of packed data a file holds at most for one array."""


def constant_text(array: Any, dtype: str) -> str:
    """The expression that makes ``array`` as a tensor of ``dtype``.

    Raises UnsupportedError for a large array without a formula.
    """
    array = numpy.asarray(array)
    for rule in (_uniform, _range, _linear, _triangle, _eye, _sinusoids, _sums):
        text = rule(array, dtype)
        if text is not None:
            return text
    if array.size <= LITERAL:
        return f"torch.tensor({quote(_values(array))}{_dtype(array, dtype)})"
    repeated = _repeated(array, dtype)
    if repeated is not None:
        return repeated
    return _packed(array, dtype)


def _values(array: Any) -> Any:
    """The numbers as Python's, a float32 by its shortest digits."""
    if array.dtype == "float32":
        array = array.astype(str).astype("float64")
    return array.tolist()


def _dtype(array: Any, dtype: str) -> str:
    """``, dtype=torch.int32`` where torch would take another dtype by itself."""
    natural = {"b": "bool", "i": "int64", "u": "int64", "f": "float32"}.get(array.dtype.kind, "")
    return "" if natural == dtype else f", dtype=torch.{dtype}"


def _sizes(shape: Any) -> str:
    return ", ".join(str(int(n)) for n in shape)


def _shape(shape: Any) -> str:
    return quote(tuple(int(n) for n in shape))


def _number(value: Any) -> str:
    return quote(_values(numpy.asarray(value)))


def _uniform(array: Any, dtype: str) -> str | None:
    """All numbers equal."""
    if array.size < 2 or not (array == array.flat[0]).all():
        return None
    value, kind = array.flat[0], "" if dtype == "float32" else f", dtype=torch.{dtype}"
    if value in (0, 1):
        return f"torch.{'ones' if value else 'zeros'}({_sizes(array.shape)}{kind})"
    return f"torch.full({_shape(array.shape)}, {_number(value)}{_dtype(array, dtype)})"


def _one_axis(array: Any) -> int | None:
    """The only axis that is longer than 1."""
    long = [axis for axis, n in enumerate(array.shape) if n > 1]
    return long[0] if len(long) == 1 else None


def _reshaped(text: str, array: Any) -> str:
    return text if array.ndim == 1 else f"{text}.reshape({_sizes(array.shape)})"


def _range(array: Any, dtype: str) -> str | None:
    """Whole numbers, evenly spaced, in order of the elements."""
    if array.size < 4 or array.dtype.kind not in "iuf":
        return None
    flat = array.reshape(-1).astype("float64")
    step = flat[1] - flat[0]
    if not (flat[0].is_integer() and step.is_integer() and step) or abs(flat).max() > 2**24:
        return None
    if not (flat == flat[0] + step * numpy.arange(flat.size)).all():
        return None
    start, step = int(flat[0]), int(step)
    stop = start + step * flat.size
    bounds = (
        [stop] if (start, step) == (0, 1) else [start, stop] if step == 1 else [start, stop, step]
    )
    kind = "" if dtype == "int64" else f", dtype=torch.{dtype}"
    return _reshaped(f"torch.arange({', '.join(map(str, bounds))}{kind})", array)


def _linear(array: Any, dtype: str) -> str | None:
    """Real numbers, evenly spaced along the only long axis."""
    if array.size < 8 or array.dtype != "float32" or dtype != "float32" or _one_axis(array) is None:
        return None
    flat = array.reshape(-1)
    made = numpy.linspace(flat[0], flat[-1], flat.size, dtype="float64").astype("float32")
    if not numpy.allclose(made, flat, rtol=2e-7, atol=2e-7 * abs(flat).max()):
        return None
    return _reshaped(f"torch.linspace({_number(flat[0])}, {_number(flat[-1])}, {flat.size})", array)


def _triangle(array: Any, dtype: str) -> str | None:
    """Two values, one on and below a diagonal, the other above it: attention masks."""
    if array.ndim < 2 or array.size < 9 or any(n != 1 for n in array.shape[:-2]):
        return None
    matrix = array.reshape(array.shape[-2:])
    below, above = matrix[-1, 0], matrix[0, -1]
    if below == above:
        return None
    for offset in (0, -1, 1):
        mask = numpy.tri(*matrix.shape, k=offset, dtype=bool)  # type: ignore[call-overload]
        if (matrix == numpy.where(mask, below, above)).all():
            break
    else:
        return None
    name, inside, outside = ("tril", below, above) if below else ("triu", above, below)
    if outside:
        return None
    diagonal = offset if name == "tril" else offset + 1
    kind = "" if dtype == "float32" else f", dtype=torch.{dtype}"
    base = f"torch.ones({_sizes(matrix.shape)}{kind})"
    if inside != 1:
        base = f"torch.full({_shape(matrix.shape)}, {_number(inside)}{_dtype(array, dtype)})"
    text = f"torch.{name}({base}{f', {diagonal}' if diagonal else ''})"
    return text if array.ndim == 2 else f"{text}.reshape({_sizes(array.shape)})"


def _eye(array: Any, dtype: str) -> str | None:
    if array.ndim != 2 or array.size < 9 or not (array == numpy.eye(*array.shape)).all():
        return None
    sizes = str(array.shape[0]) if array.shape[0] == array.shape[1] else _sizes(array.shape)
    return f"torch.eye({sizes}{'' if dtype == 'float32' else f', dtype=torch.{dtype}'})"


def _sinusoids(array: Any, dtype: str) -> str | None:
    """Positional encodings: sin and cos of position / 10000 ** (2 i / depth), in turns or side by side."""
    long = [n for n in array.shape if n > 1]
    if array.dtype.kind != "f" or len(long) != 2 or array.size < 64 or long[1] % 2:
        return None
    length, depth = long
    table = array.reshape(length, depth).astype("float64")
    half = depth // 2
    layouts = {
        "positional_encoding": (table[:, 0::2], table[:, 1::2]),
        "positional_encoding_halves": (table[:, :half], table[:, half:]),
    }
    angles = numpy.arange(length)[:, None] / 10000 ** (2 * numpy.arange(half) / depth)
    for name, (sines, cosines) in layouts.items():
        error = max(
            numpy.abs(numpy.sin(angles) - sines).max(), numpy.abs(numpy.cos(angles) - cosines).max()
        )
        if error < 3e-6:
            text = f"{name}({length}, {depth})"
            return text if array.ndim == 2 else f"{text}.reshape({_sizes(array.shape)})"
    return None


def _repeated(array: Any, dtype: str) -> str | None:
    """An array that is constant along some axes: the rest, expanded."""
    kept = tuple(
        slice(0, 1) if n > 1 and (array == array.take([0], axis)).all() else slice(None)
        for axis, n in enumerate(array.shape)
    )
    core = array[kept]
    if core.size == array.size:
        return None
    return f"{constant_text(core, dtype)}.expand({_sizes(array.shape)}).contiguous()"


def _sums(array: Any, dtype: str) -> str | None:
    """Whole numbers that add up along the axes of a grid: indices of relative positions in a window."""
    if array.dtype.kind not in "iu" or not 64 <= array.size <= 1 << 22:
        return None
    long = [n for n in array.shape if n > 1]
    for sizes in itertools.product(*(_factors(n) for n in long)):
        grid = array.astype("int64").reshape([n for pair in sizes for n in pair])
        if grid.ndim < 2 or sum(grid.shape) * 2 > grid.size:
            continue
        parts = _addends(grid)
        if parts is not None:
            made = ", ".join(constant_text(part.astype(array.dtype), dtype) for part in parts)
            return f"outer_sum({made}).reshape({_sizes(array.shape)})"
    return None


def _factors(size: int) -> list[tuple[int, ...]]:
    """The ways to see an axis: as the rows and columns of a grid, squares first, and as it is."""
    pairs = [(n, size // n) for n in range(2, size // 2 + 1) if size % n == 0]
    return [*sorted(pairs, key=lambda pair: abs(pair[0] - pair[1])), (size,)]


def _addends(grid: Any) -> list[Any] | None:
    """A vector for each axis, whose sums are ``grid``; the first one holds what is common."""
    origin = grid.flat[0]
    axes = range(grid.ndim)
    parts = [grid[tuple(slice(None) if a == axis else 0 for a in axes)] for axis in axes]
    parts = [parts[0], *(part - origin for part in parts[1:])]
    made = functools.reduce(numpy.add.outer, parts)
    return parts if (made == grid).all() else None


def _packed(array: Any, dtype: str) -> str:
    """The compressed bytes as text: for tables without a formula."""
    kind = str(array.dtype)
    if array.dtype.kind in "iu":
        kinds = ("uint8", "int16", "int32", "int64")
        kind = next(k for k in kinds if (array.astype(k) == array).all())
    data = numpy.ascontiguousarray(array.astype(numpy.dtype(kind).newbyteorder("<")))
    text = base64.b64encode(zlib.compress(data.tobytes(), 9)).decode()
    if len(text) > PACKED:
        raise UnsupportedError(
            f"the model holds a constant array of shape {array.shape}, too large to write as source",
            fix="make it a (non-trainable) weight of a layer, or compute it in the layer with keras.ops",
        )
    cast = "" if kind == dtype else f".to(torch.{dtype})"
    return f"unpacked({quote(text)}, torch.{kind}).reshape({_sizes(array.shape)}){cast}"
