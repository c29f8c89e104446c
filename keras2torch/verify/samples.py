"""Seeded random inputs that exercise a model: batches, free sizes, masked steps, numbers of classes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from keras2torch.graph import Call, Tensor
from keras2torch.pipeline import Generated


@dataclass
class Case:
    """Arrays for the inputs in forward()'s order, in Keras's axes."""

    arrays: list[Any]

    @property
    def label(self) -> str:
        shapes = ["x".join(map(str, array.shape)) for array in self.arrays]
        return ", ".join(shapes[:3]) + (f" and {len(shapes) - 3} more" if len(shapes) > 3 else "")


# (batch, sizes of the free axes). Images need a size that all poolings divide, and one that they do not;
# where Keras refuses one, the next of its row is tried.
_IMAGES = (((3, (96, 96)), (3, (192, 192))), ((1, (83, 107)), (1, (96, 160)), (1, (192, 320))))
_OTHERS = (((3, (16, 16)), (3, (64, 64))), ((1, (23, 19)), (1, (32, 24)), (1, (128, 96))))


def cases(result: Generated, seed: int) -> list[list[Case]]:
    """Two cases, each with the alternatives to try in its place."""
    free = any(n is None for port in result.inputs for n in port.shape[1:])
    images = any(len(port.shape) == 4 for port in result.inputs)
    plans = _IMAGES if images else _OTHERS
    found: list[list[Case]] = []
    labels = set()
    for plan in plans:
        tried = [_case(result, *sizes, seed) for sizes in (plan if free else plan[:1])]
        if tried[0].label not in labels:  # the batch may be fixed, too
            labels.add(tried[0].label)
            found.append(tried)
    return found


def single_samples(result: Generated, case: Case, seed: int) -> list[Case]:
    """Batches of one in the sizes of a case, where the batch is free, each with other numbers."""
    shapes = [
        (port.shape[0] or 1, *array.shape[1:]) for port, array in zip(result.inputs, case.arrays)
    ]
    return [Case(_arrays(result, shapes, seed + number)) for number in range(1, 6)]


def _case(result: Generated, batch: int, sizes: tuple[int, int], seed: int) -> Case:
    assert result.graph is not None
    shapes = []
    for port, tensor in zip(result.inputs, result.graph.inputs):
        # A table of positions ends: Keras on JAX would read its last row again, torch refuses.
        most = min(_settings(_readers(result, tensor), "input_dim"), default=max(sizes))
        free = (min(sizes[axis % 2], most) for axis in itertools.count())
        shapes.append((port.shape[0] or batch, *(n or m for n, m in zip(port.shape[1:], free))))
    return Case(_arrays(result, shapes, seed))


def _arrays(result: Generated, shapes: list[tuple[int, ...]], seed: int) -> list[Any]:
    import numpy

    rng = numpy.random.default_rng(seed)
    assert result.graph is not None
    return [
        _array(rng, shape, port.dtype, _readers(result, tensor))
        for shape, port, tensor in zip(shapes, result.inputs, result.graph.inputs)
    ]


def _readers(result: Generated, tensor: Tensor) -> list[Call]:
    """The calls that read an input, directly or through a change of its form."""
    assert result.graph is not None
    reached, found = {id(tensor)}, []
    for call in result.graph.calls:
        if any(id(item) in reached for item in call.inputs):
            found.append(call)
            if not getattr(call.operation, "weights", None):
                reached.update(map(id, call.outputs))
    return found


def _settings(readers: list[Call], name: str) -> list[Any]:
    values = [getattr(call.operation, name, None) for call in readers]
    return [value for value in values if isinstance(value, (int, float))]


def _array(rng: Any, shape: tuple[int, ...], dtype: str, readers: list[Call]) -> Any:
    def settings(name: str) -> list[Any]:
        return _settings(readers, name)

    tables = settings("input_dim") + settings("num_tokens") + settings("num_classes")
    if dtype.startswith("bool"):
        return rng.integers(0, 2, shape).astype(bool)
    if tables or dtype.startswith(("int", "uint")):
        array = rng.integers(0, int(min(tables, default=2)), shape).astype(dtype)
        if any(settings("mask_zero")) and array.ndim > 1:
            array = array.clip(1)
            _end_early(rng, array, 0)
        return array
    scales = [abs(value) for value in settings("scale") if value]
    array = rng.normal(size=shape) / min([1.0, *scales])
    for value in settings("mask_value"):
        _end_early(rng, array, value)
    return array.astype(dtype)


def _end_early(rng: Any, array: Any, value: Any) -> None:
    """Sequences of several lengths, the first one whole, filled up with the value that is masked."""
    steps = array.shape[1]
    for index, length in enumerate(rng.integers(1, steps + 1, len(array))):
        array[index, steps if index == 0 else length :] = value
