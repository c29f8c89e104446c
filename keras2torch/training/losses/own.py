"""Losses of the program's own, and of torch."""

from __future__ import annotations

import inspect
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.losses.base import Loss


class OwnLoss(Loss):
    """A loss of the program's own: a function of target and prediction, or a subclass of Loss."""

    def __init__(self, function: Any, name: str, reduction: str | None = "sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.function = function

    def _traced(self, head: Head) -> Any:
        from keras2torch.training import traced

        target = head.target_shape or head.shape
        if len(target) == 1 and head.rank == 2 and head.shape[-1] == 1:
            target = head.shape  # as Keras's LossFunctionWrapper does
        return traced.trace(self.function, str(self.name), target, head)

    def functions(self, head: Head) -> tuple[str, ...]:
        return self._traced(head).sources

    def each(self, head: Head) -> str:
        from keras2torch.training.traced import in_keras_order

        sides = [in_keras_order(head, head.target), in_keras_order(head, head.probability)]
        traced = self._traced(head)
        return f"{traced.name}({', '.join([*sides, *traced.more])})"

    def by_batch(self, head: Head) -> bool:
        return super().by_batch(head) or self._traced(head).rank == 0

    def mean(self, head: Head) -> str:
        return self.each(head) if self._traced(head).rank == 0 else f"{self.each(head)}.mean()"


class TorchLoss(Loss):
    """A loss module of torch itself, given to ``compile`` by a program in keras2torch's notation."""

    def __init__(self, value: Any):
        super().__init__(name=type(value).__name__)
        self.value = value
        self.kind = type(value).__name__

    @property
    def is_sparse(self) -> bool:
        return self.kind in ("CrossEntropyLoss", "NLLLoss")

    def each(self, head: Head) -> str:
        raise UnsupportedError(f"sample weights with torch's {self.kind}")

    def mean(self, head: Head) -> str:
        functions = {
            "CrossEntropyLoss": "cross_entropy",
            "NLLLoss": "nll_loss",
            "MSELoss": "mse_loss",
            "L1Loss": "l1_loss",
            "SmoothL1Loss": "smooth_l1_loss",
            "HuberLoss": "huber_loss",
            "BCELoss": "binary_cross_entropy",
            "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
        }
        if self.kind not in functions:
            raise UnsupportedError(f"torch's loss {self.kind} is not known to keras2torch")
        more = ""
        for name, parameter in inspect.signature(type(self.value)).parameters.items():
            value = getattr(self.value, name, parameter.default)
            if name in ("size_average", "reduce") or value is parameter.default:
                continue
            if value != parameter.default:
                more += f", {name}={quote(value)}"
        return f"F.{functions[self.kind]}({head.prediction}, {head.target}{more})"
