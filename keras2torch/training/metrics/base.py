"""The base of the metrics: means over samples, or sums and a formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.frontend.eager import Number
from keras2torch.graph import Tensor
from keras2torch.training import own_step
from keras2torch.training.heads import Head
from keras2torch.training.recorded import Recorded


@dataclass(frozen=True)
class Statistic:
    """A sum over samples that a metric needs: its variable, the batch's sum, and how many numbers."""

    name: str
    expression: str
    size: int = 1


class Total(Tensor):
    """A weight of a metric class of the program's own; ``added`` is what a batch adds to it."""

    added: Any = None

    def assign_add(self, value: Any) -> None:
        self.added = value if self.added is None else self.added + value

    def assign_sub(self, value: Any) -> None:
        self.assign_add(-value)

    def assign(self, value: Any) -> None:
        """``self.total.assign(self.total + value)``; any other value begins anew."""
        call = getattr(value, "call", None)
        if call is not None and any(one is self for one in call.inputs):
            others = [one for one in call.inputs if one is not self]
            if type(call.operation).__name__.lower() != "add" or len(others) != 1:
                raise UnsupportedError("a metric of the program's own does more than to add")
            self.assign_add(others[0])


class Metric(Recorded):
    """Base. Most metrics are means over samples: they state ``each``, the value of every sample.

    A metric that is no mean states ``statistics`` (sums over samples, kept on the device) and
    ``result`` (the printed number, from the sums). ``direction`` tells callbacks what is better.
    """

    dtype: str | None = None
    name: str | None = None

    direction: ClassVar[str | None] = None
    weighs: ClassVar[bool] = False
    """Whether ``statistics`` take ``head.weight`` into account, where there is one."""

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        name: Any = None,
        **_: Any,
    ) -> Total:
        """A sum that a class of the program's own keeps."""
        if isinstance(shape, str):  # Keras 2: the name came first
            shape, name = (), shape
        if initializer not in (None, "zeros", "zero"):
            kind = getattr(initializer, "__name__", type(initializer).__name__)
            if kind.lower() != "zeros":
                raise UnsupportedError("a weight of a metric that does not start with zero")
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        return Total(shape, "float32", str(name or f"total{len(vars(self))}"))

    add_variable = add_weight

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        """Zero: nothing trains while a program is recorded."""
        return Number(0.0)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing trains while a program is recorded; a training step of a class's own is followed."""
        own_step.update_metric(self, args, kwargs)

    def reset_state(self) -> None:
        """Nothing trains while a program is recorded."""

    reset_states = reset_state

    def result(self) -> Any:
        found = own_step.metric_result(self)
        return Number(0.0) if found is None else found

    def setup(self, head: Head) -> list[str]:
        """Statements that the expressions rely on."""
        return []

    def each(self, head: Head) -> str:
        """The value per sample (axes after the first are averaged)."""
        raise UnsupportedError(
            f"the metric {type(self).__name__} is a class of the program's own",
            fix="compile with one of keras.metrics, or add it to compute_loss by hand",
        )

    def weight(self, head: Head) -> str:
        """What a sample weighs in a weighted mean."""
        return str(head.weight)

    def mean(self, head: Head) -> str:
        """The mean over the batch."""
        return f"{self.each(head)}.mean()"

    def statistics(self, head: Head) -> list[Statistic] | None:
        """The sums of a metric that is no mean over samples, or None."""
        return None

    def by_batch(self, head: Head) -> bool:
        """Whether it is an average over batches."""
        return False

    def formula(self, names: list[str], head: Head) -> str:
        """The printed number from the summed statistics."""
        raise NotImplementedError

    def results(self, head: Head) -> int:
        """How many numbers the metric gives: one, but for one per class or per threshold."""
        return 1

    def templates(self, head: Head) -> tuple[str, ...]:
        """Pages with the helpers that the expressions call."""
        return ()

    def functions(self, head: Head) -> tuple[str, ...]:
        """Sources of functions that the expressions call."""
        return ()
