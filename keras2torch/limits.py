"""How much a model may ask for. A file of a few kilobytes can hold models that call one another twice
each, 40 levels deep, and a number of 18 digits where a layer's units are wanted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from keras2torch.errors import SavedModelError, ShapeError

MOST_STEPS = 4_000
"""Of layers and functions in a model, as often as they run. NASNetLarge has about 1,000, ResNet-1001 3,300."""
MOST_RECORDED = 10_000
"""The same while it is read, where a nested model runs once by itself and once for each of its calls."""

MOST_DIMENSIONS = 64
"""Of a tensor in torch."""
MOST_ELEMENTS = 1 << 50
"""Of one weight: a million times what a large layer has."""

_left: list[int] = []  # how many more calls may be recorded, the innermost limit last


@contextlib.contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Raise SavedModelError within this block as soon as more calls than these are recorded."""
    _left.append(calls)
    try:
        yield
    finally:
        _left.pop()


def count_call() -> None:
    """One more call is recorded."""
    if _left:
        _left[-1] -= 1
        if _left[-1] < 0:
            raise too_many()


def too_many() -> SavedModelError:
    """What a model of more steps than are read is refused with."""
    return SavedModelError(
        f"the model takes more than {MOST_STEPS:,} steps, nested models counted as often as they are called",
        fix="generate from the program that makes it: a program has no such limit",
    )


def check_dimensions(shape: Sequence[int | None]) -> None:
    """Raise ShapeError where torch has no tensor of so many dimensions."""
    if len(shape) > MOST_DIMENSIONS:
        raise ShapeError(
            f"a tensor of {len(shape)} dimensions: torch's have {MOST_DIMENSIONS} at most"
        )
