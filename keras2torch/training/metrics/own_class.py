"""Metric classes of the program's own: what ``update_state`` adds to their weights, and ``result`` of the sums."""

from __future__ import annotations

import math
import re
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Tensor
from keras2torch.quoting import quote, to_identifier
from keras2torch.training import traced
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic, Total


class OwnMetricClass(Metric):
    """An instance of such a class: run once on symbolic tensors. Its weights may only be added to."""

    def __init__(self, metric: Any, name: str):
        super().__init__(name=name)
        self.metric = metric
        self.totals = [value for value in vars(metric).values() if isinstance(value, Total)]

    @property
    def stem(self) -> str:
        return to_identifier(str(self.name), "metric")

    def _increments(self, head: Head) -> tuple[list[Tensor], list[Any]]:
        """The symbolic target and prediction, and what is added to every total."""
        target = head.target_shape or head.shape
        for total in self.totals:
            total.added = None
        ends, _ = traced.run(self._update, str(self.name), target, head.shape)
        if any(total.added is None for total in self.totals):
            raise UnsupportedError(f"the metric {self.name} keeps more than sums over batches")
        return ends, [total.added for total in self.totals]

    def _update(self, y_true: Any, y_pred: Any) -> Any:
        self.metric.update_state(y_true, y_pred)
        return y_pred

    def functions(self, head: Head) -> tuple[str, ...]:
        return (*self._sums_source(head)[0], *self._result_source())

    def _sums_source(self, head: Head) -> tuple[tuple[str, ...], list[Any]]:
        """The function of what a batch adds, and its results."""
        ends, added = self._increments(head)
        results = [value for value in added if isinstance(value, Tensor)]
        if not results:
            raise UnsupportedError(f"the metric {self.name} does not depend on the prediction")
        doc = "What this batch adds."
        arguments = ["y_true", "y_pred"]
        return traced.function_source(f"{self.stem}_sums", ends, arguments, results, doc), added

    def _result_source(self) -> tuple[str, ...]:
        from keras2torch.frontend.standins.finder import importing_stand_ins

        names = [to_identifier(str(total.name), "total") for total in self.totals]
        try:
            with importing_stand_ins():
                result = self.metric.result()
        except K2TError:
            raise
        except Exception as error:  # the user's code may raise anything
            raise UnsupportedError(
                f"the result of {self.name} cannot be traced: {error}"
            ) from error
        if not isinstance(result, Tensor) or result.shape:
            raise UnsupportedError(f"the metric {self.name} gives no single number")
        doc = "The metric, of the sums over all batches."
        return traced.function_source(f"{self.stem}_result", self.totals, names, [result], doc)

    def setup(self, head: Head) -> list[str]:
        sides = [head.target, head.probability]
        call = ", ".join(traced.in_keras_order(head, side) for side in sides)
        return [f"{self.stem}_added = {self.stem}_sums({call})"]

    def statistics(self, head: Head) -> list[Statistic] | None:
        sources, added = self._sums_source(head)
        kinds = re.findall(r"Tensor|float|int", sources[-1].partition("->")[2].partition(":")[0])
        tensors = [value for value in added if isinstance(value, Tensor)]
        found = []
        for total, value in zip(self.totals, added):
            if not isinstance(value, Tensor):
                text = f"torch.full_like(loss, {quote(float(value))})"
            else:
                index = next(i for i, tensor in enumerate(tensors) if tensor is value)
                text = f"{self.stem}_added[{index}]" if len(tensors) > 1 else f"{self.stem}_added"
                if kinds[index] != "Tensor":  # made of the shapes alone
                    text = f"torch.full_like(loss, {text})"
                text += ".flatten()" if len(value.shape) > 1 else ""
            name = to_identifier(str(total.name), "total")
            found.append(Statistic(name, text, math.prod(n or 1 for n in total.shape)))
        return found

    def formula(self, names: list[str], head: Head) -> str:
        shaped = []
        for total, name in zip(self.totals, names):
            text = f"torch.as_tensor({name})"
            shaped.append(text if not total.shape else f"{text}.reshape({quote(total.shape)})")
        return f"float({self.stem}_result({', '.join(shaped)}))"

    def by_batch(self, head: Head) -> bool:
        return True  # what it adds need not be a sum over samples
