"""Metrics of the program's own, and the plain containers of Keras."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.training import traced
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic


class Mean(Metric):
    name: str | None = "mean"
    dtype: str | None = None


class Sum(Metric):
    name: str | None = "sum"
    dtype: str | None = None


class MeanMetricWrapper(Metric):
    TAKES_KEYWORDS: ClassVar[str | bool] = True
    fn: Any
    name: str | None = None
    dtype: str | None = None

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        """Keywords for the wrapped function: kept with it."""
        self.keywords = keywords


class OwnMetric(Metric):
    """A function of the program's own: its mean over samples, or over batches where it is one number."""

    def __init__(self, function: Any, name: str):
        super().__init__(name=name)
        self.function = function

    def _traced(self, head: Head) -> Any:
        return traced.trace(self.function, str(self.name), head.target_shape or head.shape, head)

    def functions(self, head: Head) -> tuple[str, ...]:
        return self._traced(head).sources

    def each(self, head: Head) -> str:
        target = traced.in_keras_order(head, head.target)
        if head.target_shape is not None and len(head.target_shape) < head.rank and not head.sparse:
            target = f"{head.target}.flatten(-2)"  # Keras gives a metric the targets as they are
        sides = [target, traced.in_keras_order(head, head.probability)]
        return f"{self._traced(head).name}({', '.join(sides)})"

    def statistics(self, head: Head) -> list[Statistic] | None:
        if self._traced(head).rank > 0:
            return None
        return [Statistic("sum", self.each(head)), Statistic("batches", "torch.ones_like(loss)")]

    def by_batch(self, head: Head) -> bool:
        return self._traced(head).rank == 0

    def formula(self, names: list[str], head: Head) -> str:
        return f"{names[0]} / {names[1]}"
