"""Losses of numbers: distances, similarities, hinges."""

from __future__ import annotations

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.losses.base import Elementwise, Loss


class MeanSquaredError(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_squared_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).square()"

    def mean(self, head: Head) -> str:
        return f"F.mse_loss({head.probability}, {head.target})"


class MeanAbsoluteError(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_absolute_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).abs()"

    def mean(self, head: Head) -> str:
        return f"F.l1_loss({head.probability}, {head.target})"


class MeanAbsolutePercentageError(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_absolute_percentage_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        difference = f"({head.target} - {head.probability})"
        return f"(100 * ({difference} / {head.target}.abs().clamp(min=1e-7)).abs())"


class MeanSquaredLogarithmicError(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_squared_logarithmic_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        logs = (f"{x}.clamp(min=1e-7).log1p()" for x in (head.probability, head.target))
        return f"({' - '.join(logs)}).square()"


class Huber(Elementwise):
    delta: float = 1.0
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "huber_loss"
    dtype: str | None = None

    def _call(self, head: Head, more: str = "") -> str:
        delta = "" if self.delta == 1 else f", delta={quote(self.delta)}"
        return f"F.huber_loss({head.probability}, {head.target}{more}{delta})"

    def every(self, head: Head) -> str:
        return self._call(head, ', reduction="none"')

    def mean(self, head: Head) -> str:
        return self._call(head)


class LogCosh(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "log_cosh"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        return [f"error = {head.probability} - {head.target}"]

    def every(self, head: Head) -> str:
        return "(error + F.softplus(-2 * error) - math.log(2))"


class CosineSimilarity(Loss):
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "cosine_similarity"
    dtype: str | None = None

    def each(self, head: Head) -> str:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        unit = (f"F.normalize({x}, {head.dim}, eps=1e-7)" for x in (head.probability, head.target))
        return f"-({' * '.join(unit)}).sum({head.dim})"

    def mean(self, head: Head) -> str:
        return f"-{self.each(head)[1:]}.mean()"


class _Hinges(Loss):
    def setup(self, head: Head) -> list[str]:
        return [
            f"binary = (({head.target} == 0) | ({head.target} == 1)).all()",
            f"sign = torch.where(binary, 2 * {head.target} - 1, {head.target})"
            "  # Keras takes 0 and 1 for -1 and 1",
        ]


class Hinge(_Hinges, Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "hinge"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"F.relu(1 - sign * {head.probability})"


class SquaredHinge(_Hinges, Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "squared_hinge"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"F.relu(1 - sign * {head.probability}).square()"


class CategoricalHinge(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_hinge"
    dtype: str | None = None

    def each(self, head: Head) -> str:
        true = f"({head.target} * {head.probability}).sum({head.dim})"
        other = f"((1 - {head.target}) * {head.probability}).amax({head.dim})"
        return f"F.relu({other} - {true} + 1)"
