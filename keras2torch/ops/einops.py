"""keras.ops.rearrange: a pattern of axes as a reshape, a transpose and a reshape."""

from __future__ import annotations

import re
from typing import Any

from keras2torch.errors import ShapeError
from keras2torch.frontend import trace
from keras2torch.ops.base import as_operand, function, ops

Groups = list[list[str]]


@function("keras.ops.rearrange")
def rearrange(tensor: Any, pattern: str, **axes_lengths: Any) -> Any:
    """``rearrange(x, "b (h w) c -> b h w c", h=4)``."""
    tensor = as_operand(tensor)
    left, right = (_groups(side) for side in pattern.split("->"))
    if len(left) != len(tensor.shape):
        raise _error(pattern, f"does not fit a tensor with {len(tensor.shape)} axes")
    sizes: dict[str, Any] = dict(axes_lengths)
    shape = ops.shape(tensor)
    for group, size in zip(left, shape):
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1:
            raise _error(pattern, f"leaves the sizes of {', '.join(unknown)} open")
        known = 1
        for name in group:
            known *= sizes.get(name, 1)
        if unknown:
            sizes[unknown[0]] = size if len(group) == 1 else size // known
    names = [name for group in left for name in group]
    wanted = [name for group in right for name in group]
    if sorted(names) != sorted(wanted):
        raise _error(pattern, "names different axes on its two sides")
    if any(len(group) != 1 for group in left):
        tensor = ops.reshape(tensor, [sizes[name] for name in names])
    order = [names.index(name) for name in wanted]
    if order != list(range(len(order))):
        tensor = ops.transpose(tensor, order)
    if any(len(group) != 1 for group in right):
        tensor = ops.reshape(tensor, [_product(sizes, group) for group in right])
    return tensor


def _product(sizes: dict[str, Any], group: list[str]) -> Any:
    total: Any = 1
    for name in group:
        total = sizes[name] * total
    return total


def _groups(side: str) -> Groups:
    return [
        part.strip("()").split() if part.startswith("(") else [part]
        for part in re.findall(r"\([^)]*\)|[^\s()]+", side)
    ]


def _error(pattern: str, what: str) -> ShapeError:
    return ShapeError(f"the pattern {pattern!r} {what}", where=trace.user_location())
