"""``keras.tree`` and ``tf.nest``: nested lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def is_nested(structure: Any) -> bool:
    return isinstance(structure, (list, tuple, dict))


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order (of dicts by sorted key)."""
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flatten(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flatten(item)]
    return [structure]


def map_structure(function: Callable[..., Any], *structures: Any, **kwargs: Any) -> Any:
    """Apply a function to the leaves of structures of one form."""
    first = structures[0]
    if isinstance(first, dict):
        return {k: map_structure(function, *(s[k] for s in structures)) for k in first}
    if isinstance(first, (list, tuple)):
        return type(first)(map_structure(function, *items) for items in zip(*structures))
    return function(*structures)


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """The leaves of a flat list in the form of ``structure``."""
    leaves = iter(flat_sequence)
    return map_structure(lambda _: next(leaves), structure)
