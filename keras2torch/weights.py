"""Module tree -> the tensors of its state dict: from Keras's arrays, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras2torch.module import Mapping, Module, Param, walk


def weight_map(module: Module) -> dict[str, Mapping]:
    """State-dict key -> how its tensor comes from Keras weights, in the order of the file."""
    found: dict[str, Mapping] = {}
    for path, member in walk(module):
        if isinstance(member, Param):
            if member.constant is None:
                found[path] = member.mapping
            continue
        for name, mapping in member.weights.items():
            found[f"{path}.{name}"] = mapping
    return found


def arrays(mappings: dict[str, Mapping]) -> Iterator[tuple[str, Any]]:
    """(key, array) of each tensor; nothing if the source holds no weights."""
    import numpy

    for key, mapping in mappings.items():
        values = [source.read() for source in mapping.sources]
        if any(value is None for value in values):
            return
        array = numpy.asarray(mapping.function(*values))
        yield key, numpy.ascontiguousarray(array) if array.ndim else array


def has_weights(mappings: dict[str, Mapping]) -> bool:
    """Whether every tensor that Keras weights make can be read."""
    sources = [source for mapping in mappings.values() for source in mapping.sources]
    return bool(sources) and all(source.value is not None for source in sources)
