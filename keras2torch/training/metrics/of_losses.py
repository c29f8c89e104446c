"""Losses printed as metrics, and the root mean squared error."""

from __future__ import annotations

from typing import ClassVar

from keras2torch.quoting import quote
from keras2torch.training import losses
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic


class _LossMetric(Metric):
    """A loss printed as a metric: the same expression on what Keras's model returns."""

    direction: ClassVar[str | None] = "down"
    loss: ClassVar[type[losses.Loss]]

    def _loss(self) -> losses.Loss:
        own = self.loss.__signature__.parameters
        kept = {k: v for k, v in self.arguments.items() if k in own and k not in ("name", "dtype")}
        return self.loss(**kept)

    def setup(self, head: Head) -> list[str]:
        return self._loss().setup(self.seen(head))

    def each(self, head: Head) -> str:
        return self._loss().each(self.seen(head))

    def mean(self, head: Head) -> str:
        return self._loss().mean(self.seen(head))

    def seen(self, head: Head) -> Head:
        """The head as the loss would see it, if the network were trained with it."""
        return head.indices if self.loss.sparse else head


class MeanSquaredError(_LossMetric):
    name: str | None = "mean_squared_error"
    dtype: str | None = None
    loss = losses.MeanSquaredError


class MeanAbsoluteError(_LossMetric):
    name: str | None = "mean_absolute_error"
    dtype: str | None = None
    loss = losses.MeanAbsoluteError


class MeanAbsolutePercentageError(_LossMetric):
    name: str | None = "mean_absolute_percentage_error"
    dtype: str | None = None
    loss = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(_LossMetric):
    name: str | None = "mean_squared_logarithmic_error"
    dtype: str | None = None
    loss = losses.MeanSquaredLogarithmicError


class LogCoshError(_LossMetric):
    name: str | None = "logcosh"
    dtype: str | None = None
    loss = losses.LogCosh


class KLDivergence(_LossMetric):
    name: str | None = "kl_divergence"
    dtype: str | None = None
    loss = losses.KLDivergence
    direction: ClassVar[str | None] = None


class Poisson(_LossMetric):
    name: str | None = "poisson"
    dtype: str | None = None
    loss = losses.Poisson
    direction: ClassVar[str | None] = None


class BinaryCrossentropy(_LossMetric):
    name: str | None = "binary_crossentropy"
    dtype: str | None = None
    from_logits: bool = False
    label_smoothing: float = 0
    loss = losses.BinaryCrossentropy


class CategoricalCrossentropy(_LossMetric):
    name: str | None = "categorical_crossentropy"
    dtype: str | None = None
    from_logits: bool = False
    label_smoothing: float = 0
    axis: int = -1
    loss = losses.CategoricalCrossentropy


class SparseCategoricalCrossentropy(_LossMetric):
    name: str | None = "sparse_categorical_crossentropy"
    dtype: str | None = None
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1
    loss = losses.SparseCategoricalCrossentropy

    def mean(self, head: Head) -> str:
        # As a metric without weights, Keras averages over the samples that are ignored, too.
        return super().mean(head) if self.ignore_class is None else f"{self.each(head)}.mean()"

    def weight(self, head: Head) -> str:
        if self.ignore_class is None:
            return super().weight(head)
        return f"({head.weight} * ({head.indices.target} != {quote(self.ignore_class)}))"


class Hinge(_LossMetric):
    name: str | None = "hinge"
    dtype: str | None = None
    loss = losses.Hinge


class SquaredHinge(_LossMetric):
    name: str | None = "squared_hinge"
    dtype: str | None = None
    loss = losses.SquaredHinge


class CategoricalHinge(_LossMetric):
    name: str | None = "categorical_hinge"
    dtype: str | None = None
    loss = losses.CategoricalHinge


class CosineSimilarity(_LossMetric):
    name: str | None = "cosine_similarity"
    dtype: str | None = None
    axis: int = -1
    loss = losses.CosineSimilarity
    direction: ClassVar[str | None] = "up"

    def each(self, head: Head) -> str:
        return self._loss().each(head)[1:]  # the metric is the similarity itself, not its negative

    def mean(self, head: Head) -> str:
        return f"{self.each(head)}.mean()"


class RootMeanSquaredError(Metric):
    name: str | None = "root_mean_squared_error"
    dtype: str | None = None
    direction: ClassVar[str | None] = "down"

    weighs: ClassVar[bool] = True

    def each(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).square()"

    def statistics(self, head: Head) -> list[Statistic]:
        if head.weight is not None:
            each = f"{self.each(head)}.mean({head.dim})"
            return [
                Statistic("squared_error", f"({each} * {head.weight}).sum()"),
                Statistic("weight", f"{head.weight}.sum()"),
            ]
        count = f"len({head.target})"
        return [
            Statistic("squared_error", f"{count} * F.mse_loss({head.probability}, {head.target})")
        ]

    def formula(self, names: list[str], head: Head) -> str:
        return f"math.sqrt({names[0]} / {[*names, 'count'][1]})"
