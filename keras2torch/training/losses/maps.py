"""Losses of overlaps and of sequences: Dice, Tversky, CTC."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.losses.base import Loss


class Dice(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "dice"
    axis: Any = None
    dtype: str | None = None

    def each(self, head: Head) -> str:
        both, p, t = _sums(head, self.axis)
        return f"(1 - 2 * {both} / ({t} + {p} + 1e-7))"

    def mean(self, head: Head) -> str:
        return self.each(head)[1:-1] if self.axis is None else f"{self.each(head)}.mean()"


class Tversky(Loss):
    alpha: float = 0.5
    beta: float = 0.5
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "tversky"
    axis: Any = None
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        both, p, t = _sums(head, self.axis)
        return [
            f"both = {both}",
            f"weighted = {quote(self.alpha)} * ({t} - both) + {quote(self.beta)} * ({p} - both)",
        ]

    def each(self, head: Head) -> str:
        return "(1 - both / (both + weighted + 1e-7))"

    def mean(self, head: Head) -> str:
        return self.each(head)[1:-1] if self.axis is None else f"{self.each(head)}.mean()"


def _sums(head: Head, axis: Any) -> tuple[str, str, str]:
    """Sums of product, prediction and target over Keras's ``axis`` (None: over all)."""
    if axis is None:
        dims = ""
    else:
        axes = [axis] if isinstance(axis, int) else list(axis)
        axes = [a % head.rank for a in axes]
        order = head.permutation or tuple(range(head.rank))
        dims = f"dim={quote(tuple(sorted(order.index(a) for a in axes)))}"
    p, t = head.probability, head.target
    return f"({t} * {p}).sum({dims})", f"{p}.sum({dims})", f"{t}.sum({dims})"


class CTC(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "ctc"
    dtype: str | None = None

    sparse: ClassVar[bool] = True

    def setup(self, head: Head) -> list[str]:
        return [
            f"log_p = {head.prediction}.log_softmax(dim=-1).transpose(0, 1)",
            f"lengths = ({head.target} != 0).sum(dim=1)",
            f"steps = torch.full_like(lengths, {head.prediction}.shape[1])",
        ]

    def each(self, head: Head) -> str:
        return f'F.ctc_loss(log_p, {head.target}, steps, lengths, reduction="none")'


class Circle(Loss):
    gamma: float = 80.0
    margin: float = 0.4
    remove_diagonal: bool = True
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "circle"
    dtype: str | None = None

    def templates(self) -> tuple[str, ...]:
        return ("circle",)

    def setup(self, head: Head) -> list[str]:
        if self.reduction == "mean_with_sample_weight":
            raise UnsupportedError(f"{self.name} with reduction {self.reduction!r}")
        sides = [head.indices.target, head.prediction, quote(self.gamma), quote(self.margin)]
        more = "" if self.remove_diagonal else ", itself=True"
        return [f"losses = circle_losses({', '.join(sides)}{more})"]

    def each(self, head: Head) -> str:
        return "losses"

    def mean(self, head: Head) -> str:
        return "losses.sum() / (losses > 0).sum().clamp(min=1)"

    def reduced(self, head: Head) -> str:
        if self.reduction == "sum" or head.weight is None:
            return super().reduced(head)
        return self.mean(head).replace("losses.sum()", f"(losses * {head.weight}).sum()")

    def by_batch(self, head: Head) -> bool:
        return True  # compares the samples of a batch
