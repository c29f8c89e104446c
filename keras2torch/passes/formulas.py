"""Columns that follow from others: ``4 * channels``, ``kernel_size // 2``, ``in_channels != out_channels``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from keras2torch.module import Formula
from keras2torch.passes.places import ANYTHING

Row = tuple[Any, ...]


def equal(left: list[Any], right: list[Any], alike: bool) -> bool:
    """Whether two columns can be one: equal wherever both instances have the member, and somewhere both do.

    Columns that are not ``alike`` in their role should have more than one value in common.
    """
    both = [(a, b) for a, b in zip(left, right) if a is not ANYTHING and b is not ANYTHING]
    if not both or any(a != b or type(a) is not type(b) for a, b in both):
        return False
    return alike or len({a for a, _ in both}) > 1


def derive(column: Any, base: dict[str, Any]) -> Formula | None:
    """The simplest formula over the parameters so far that gives the column; None if there is none."""
    if column.is_flag:
        candidates = _flags(base)
    elif all(v is ANYTHING or type(v) is int for v in column.values):
        candidates = _sizes(base) if column.is_size else _numbers(base, column.role)
        if column.is_size and len(_distinct(column.values)) > 2:
            candidates = itertools.chain(candidates, _sums(base))
        if column.is_size and column.of_child:
            candidates = itertools.chain(candidates, _steps(base, column))
    else:
        return None
    for text, values in candidates:
        if _fits(values, column.values):
            return Formula(text)
    return None


def _distinct(values: list[Any]) -> set[Any]:
    return {value for value in values if value is not ANYTHING}


def _fits(values: list[Any], wanted: list[Any]) -> bool:
    return all(w is ANYTHING or (v is not None and v == w) for v, w in zip(values, wanted))


def _each(function: Callable[..., Any], *columns: list[Any]) -> list[Any]:
    return [None if ANYTHING in row else function(*row) for row in zip(*columns)]


def _whole(base: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: column.values
        for name, column in base.items()
        if all(v is ANYTHING or type(v) is int for v in column.values)
    }


def _is_size(base: dict[str, Any], name: str) -> bool:
    return base[name].is_size


def _sizes(base: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    sizes = {n: v for n, v in _whole(base).items() if _is_size(base, n)}
    for name, values in sizes.items():
        yield name, values
    factors = (2, 4, 3, 6, 8, 16)
    for factor, (name, values) in itertools.product(factors, sizes.items()):
        many = [factor] * len(values)
        yield f"{factor} * {name}", _each(lambda v, k: v * k, values, many)
        yield f"{name} // {factor}", _each(lambda v, k: None if v % k else v // k, values, many)
    for name, ratio in itertools.product(sizes, _whole(base)):
        if base[ratio].role == "ratio":
            yield f"{name} * {ratio}", _each(lambda a, b: a * b, sizes[name], base[ratio].values)


def _sums(base: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    sizes = {n: v for n, v in _whole(base).items() if _is_size(base, n)}
    for (a, left), (b, right) in itertools.permutations(sizes.items(), 2):
        if a < b:
            yield f"{a} + {b}", _each(lambda x, y: x + y, left, right)
        yield f"{a} - {b}", _each(lambda x, y: x - y, left, right)


def _steps(base: dict[str, Any], column: Any) -> Iterator[tuple[str, list[Any]]]:
    """A constant more than another: the next of growing blocks."""
    for name, values in _whole(base).items():
        if not _is_size(base, name) or len(_distinct(values)) < 2:
            continue
        steps = {b - a for a, b in zip(values, column.values) if ANYTHING not in (a, b)}
        if len(steps) == 1 and 0 < (step := steps.pop()) <= 4 * min(_distinct(values)):
            yield f"{name} + {step}", _each(lambda v, k: v + k, values, [step] * len(values))


def _numbers(base: dict[str, Any], role: str) -> Iterator[tuple[str, list[Any]]]:
    """Geometry: a stride, a padding."""
    plain = {n: v for n, v in _whole(base).items() if not _is_size(base, n)}
    for name, values in plain.items():
        if role in ("stride", "padding", "dilation", "value"):
            yield name, values
    if role == "padding":
        yield from _paddings(base)


def _paddings(base: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    whole = _whole(base)
    kernels = {n: v for n, v in whole.items() if base[n].role == "kernel_size"}
    strides = {n: v for n, v in whole.items() if base[n].role == "stride"}
    dilations = {n: v for n, v in whole.items() if base[n].role == "dilation"}
    for name, values in dilations.items():
        yield name, values
        for factor in range(2, 8):
            yield f"{factor} * {name}", _each(lambda v, k: v * k, values, [factor] * len(values))
    for (kernel, k), (dilation, d) in itertools.product(kernels.items(), dilations.items()):
        yield f"({kernel} - 1) * {dilation}", _each(lambda a, b: (a - 1) * b, k, d)
    for kernel, values in kernels.items():
        yield f"{kernel} // 2", _each(lambda k: k // 2, values)
        yield f"{kernel} - 1", _each(lambda k: k - 1, values)
    for (kernel, k), (stride, s) in itertools.product(kernels.items(), strides.items()):
        yield f"({kernel} - {stride}) // 2", _each(lambda a, b: (a - b) // 2, k, s)
        yield f"({kernel} - {stride} + 1) // 2", _each(lambda a, b: (a - b + 1) // 2, k, s)
    for constant, (stride, s) in itertools.product((2, 3, 4), strides.items()):
        yield f"{constant} - {stride}", _each(lambda a, b: a - b, [constant] * len(s), s)


def _flags(base: dict[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """Conditions, the plain ones first."""
    whole = _whole(base)
    strides = {n: v for n, v in whole.items() if base[n].role == "stride"}
    sizes = {n: v for n, v in whole.items() if _is_size(base, n)}
    ratios = {n: v for n, v in whole.items() if base[n].role == "ratio"}
    pairs = list(itertools.combinations(sizes.items(), 2))
    for name, column in base.items():
        if column.is_flag:
            yield name, column.values
            yield f"not {name}", _each(lambda v: not v, column.values)
    for name, values in ratios.items():
        yield f"{name} != 1", _each(lambda v: v != 1, values)
    for (stride, s), ((a, left), (b, right)) in itertools.product(strides.items(), pairs):
        text = f"{stride} != 1 or {a} != {b}"
        yield text, _each(lambda z, x, y: z != 1 or x != y, s, left, right)
        text = f"{stride} == 1 and {a} == {b}"
        yield text, _each(lambda z, x, y: z == 1 and x == y, s, left, right)
    for (a, left), (b, right) in pairs:
        yield f"{a} != {b}", _each(lambda x, y: x != y, left, right)
        yield f"{a} == {b}", _each(lambda x, y: x == y, left, right)
    for name, values in strides.items():
        yield f"{name} != 1", _each(lambda v: v != 1, values)
        yield f"{name} == 1", _each(lambda v: v == 1, values)


def expansion(column: Any, base: list[Any]) -> tuple[list[Any], Formula] | None:
    """A column that is one of a few multiples of another: (the factors, the product)."""
    if any(other.role == "ratio" for other in base):
        return None
    if not column.is_size or len(_distinct(column.values)) < 3:
        return None
    for other in base:
        if not other.is_size or other.name is None:
            continue
        rows = list(zip(column.values, other.values))
        if any(a is not ANYTHING and (b is ANYTHING or a % b) for a, b in rows):
            continue
        factors = [ANYTHING if a is ANYTHING else a // b for a, b in rows]
        if (
            len(_distinct(factors)) < len(_distinct(column.values))
            and max(_distinct(factors)) <= 16
        ):
            return factors, Formula(f"{other.name} * expand_ratio")
    return None


def pads_by_stride(column: Any, base: dict[str, Any]) -> Formula | None:
    """``1 if stride == 1 else (0, 1, 0, 1)``: a tuple of pads that the stride decides."""
    for name, other in base.items():
        if not _are_pads(column) or other.role != "stride":
            continue
        table: dict[Any, set[Any]] = {}
        for pads, stride in zip(column.values, other.values):
            if pads is not ANYTHING:
                table.setdefault(stride, set()).add(pads)
        if 1 in table and len(table) == 2 and all(len(pads) == 1 for pads in table.values()):
            plain = evened(table.pop(1).pop())
            ((_, lopsided),) = table.items()
            return Formula(f"{plain} if {name} == 1 else {evened(lopsided.pop())}")
    return None


def pads_by_kernel(column: Any, base: dict[str, Any]) -> dict[str, Formula] | None:
    """What "same" puts ``before`` and ``after`` along every axis, where it follows from kernel size and stride."""
    if not _are_pads(column):
        return None
    known = [v for v in column.values if v is not ANYTHING]
    found = {}
    for side, start in (("before", 0), ("after", 1)):
        if any(len(set(pads[start::2])) > 1 for pads in known) or side in base:
            return None
        part = [v if v is ANYTHING else v[start] for v in column.values]
        distinct = _distinct(part)
        if len(distinct) == 1:
            return None
        text = next((t for t, values in _paddings(base) if _fits(values, part)), None)
        if text is None:
            return None
        found[side] = Formula(text)
    return found


def pads_before(column: Any, base: dict[str, Any]) -> Formula | None:
    """``(2 * dilation, 0)``: pads of a causal convolution."""
    known = _distinct(column.values)
    if not _are_pads(column) or any(len(pads) != 2 or pads[1] for pads in known):
        return None
    part = [v if v is ANYTHING else v[0] for v in column.values]
    text = next((t for t, values in _paddings(base) if _fits(values, part)), None)
    return Formula(f"({text}, 0)") if text is not None else None


def evened(pads: Any) -> Any:
    """The same on all sides: one number."""
    return pads[0] if isinstance(pads, tuple) and len(pads) > 1 and len(set(pads)) == 1 else pads


def _are_pads(column: Any) -> bool:
    return column.role == "padding" and all(
        v is ANYTHING or isinstance(v, tuple) for v in column.values
    )


def fraction(values: list[float], count: int) -> float | None:
    """The rate of which all values are a number of ``count``-th parts, to the last bit."""
    for rate in (0.1, 0.2, 0.3, 0.4, 0.5):
        steps = [round(value * count / rate) for value in values]
        if max(steps) <= count and all(rate * n / count == v for n, v in zip(steps, values)):
            return rate
    return None
