"""A saved optimizer's state -> that of torch's optimizer, for the training script to go on with."""

from __future__ import annotations

import itertools
import math
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.module import Mapping
from keras2torch.training.optimizers import LearningRateSchedule
from keras2torch.training.optimizers import get as get_optimizer

# The numbers that Keras keeps for each weight, by where the script's optimizer keeps the same ones.
_KEPT = {
    "torch.optim.Adam": {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"},
    "torch.optim.AdamW": {"exp_avg": "exp_avg", "exp_avg_sq": "exp_avg_sq"},
    "torch.optim.SGD": {"momentum_buffer": "momentum_buffer"},
    "SGD": {"momentum_buffer": "velocity"},
    "RMSprop": {"square_avg": "square"},
    "Lion": {"exp_avg": "momentum"},
}


def optimizer_tensors(
    weights: dict[str, Mapping], moments: Any, identifier: Any
) -> dict[str, Mapping]:
    """``name.slot`` -> how it comes from the file, for every parameter that learns; ``step`` is their count.

    ``identifier`` is what compile() was given. Raises UnsupportedError where torch keeps other numbers.
    """
    import numpy

    optimizer: Any = get_optimizer(identifier)
    rate = optimizer.learning_rate
    text = optimizer.lower(isinstance(rate, LearningRateSchedule))
    names = _KEPT.get(text.constructor, {})
    if not set(moments.slots) <= set(names):
        raise UnsupportedError(f"torch's {type(optimizer).__name__} keeps another one")
    if not moments.slots and not isinstance(rate, LearningRateSchedule):
        return {}  # a state that tells nothing
    steps = numpy.array(moments.steps, "float32")
    found = {"step": Mapping((), lambda: steps, ())}
    for slot, by_weight in moments.slots.items():
        learning = {
            name: mapping
            for name, mapping in weights.items()
            if any(id(source) in by_weight for source in mapping.sources)
        }
        _check_rearranged(learning, by_weight)
        # Keras adds -lr times the gradient to its velocity, torch the gradient to its buffer.
        factor = -1 / rate if (text.constructor, slot) == _AGAINST else None
        for name, mapping in learning.items():
            kept = tuple(by_weight[id(source)] for source in mapping.sources)
            found[f"{name}.{names[slot]}"] = _scaled(mapping, kept, factor)
    return found


_AGAINST = ("torch.optim.SGD", "momentum_buffer")


def _scaled(mapping: Mapping, sources: tuple[Any, ...], factor: float | None) -> Mapping:
    make = mapping.function
    if factor is None:
        return Mapping(sources, make, mapping.shape, view=mapping.view)
    return Mapping(sources, lambda *arrays: make(*arrays) * factor, mapping.shape)


def _check_rearranged(weights: dict[str, Mapping], by_weight: dict[int, Any]) -> None:
    """Raise UnsupportedError unless every element of Keras's weights is one element of the tensors."""
    import numpy

    used: dict[int, list[Any]] = {}
    for name, mapping in weights.items():
        if mapping.fixed or not all(id(source) in by_weight for source in mapping.sources):
            raise UnsupportedError(f"{name} holds more than weights of Keras's")
        if mapping.view is None:  # else it has the same elements by definition
            for source, elements in zip(mapping.sources, _elements(mapping)):
                used.setdefault(id(source), []).append(elements)
    for key, parts in used.items():
        elements = numpy.sort(numpy.concatenate(parts))
        if not numpy.array_equal(
            elements, numpy.arange(math.prod(n or 1 for n in by_weight[key].shape))
        ):
            raise UnsupportedError(f"{by_weight[key].name} is no rearranged weight of Keras's")


def _elements(mapping: Mapping) -> list[Any]:
    """Which elements of each source the tensor holds; -1 for a number that none of them has."""
    import numpy

    sizes = [math.prod(n or 1 for n in source.shape) for source in mapping.sources]
    ends = list(itertools.accumulate(sizes))
    numbers = [
        numpy.arange(end - size, end, dtype="float64").reshape(source.shape)
        for size, end, source in zip(sizes, ends, mapping.sources)
    ]
    made = numpy.asarray(mapping.function(*(array + 1 for array in numbers))).reshape(-1) - 1
    made = numpy.where((made % 1 == 0) & (made >= 0) & (made < ends[-1]), made, -1)
    owners = numpy.searchsorted(ends, made, "right")
    return [made[owners == i] - (end - size) for i, (size, end) in enumerate(zip(sizes, ends))]
