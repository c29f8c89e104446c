"""Train mode while a user's ``call`` is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace

training_around: list[Any] = [None]  # the `training=` argument of the traced layers around us


class Question:
    """Whether a ``training`` flag was asked, and what it answers."""

    def __init__(self, answer: bool):
        self.answer, self.asked = answer, False


_questions: list[Question] = []


@contextmanager
def answering(answer: bool) -> Iterator[Question]:
    """A ``training`` flag that is asked inside says so."""
    _questions.append(Question(answer))
    try:
        yield _questions[-1]
    finally:
        _questions.pop()


class TrainingFlag:
    """What ``call(self, x, training)`` receives while it is traced: true in train mode only."""

    def __bool__(self) -> bool:
        if _questions:
            _questions[-1].asked = True
            return _questions[-1].answer
        raise UnsupportedError(
            "a Python `if training:` in call() would be decided when the model is built",
            where=trace.user_location(),
            fix="pass `training` on to the layers inside, which follow the module's mode",
        )

    def __eq__(self, other: Any) -> Any:
        return bool(self) == other if isinstance(other, (bool, int)) else NotImplemented

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return "training"


TRAINING = TrainingFlag()


@contextmanager
def training_mode(value: bool | None) -> Iterator[None]:
    """Layers called inside see this ``training`` unless they are given their own."""
    training_around.append(value)
    try:
        yield
    finally:
        training_around.pop()
