"""Losses of probabilities: cross-entropies and divergences."""

from __future__ import annotations

from typing import ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.losses.base import Elementwise, Loss


class KLDivergence(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "kl_divergence"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        return [
            f"p = {head.target}.clamp(1e-7, 1)",
            f"q = {head.probability}.clamp(1e-7, 1)",
        ]

    def each(self, head: Head) -> str:
        return f"(p * (p / q).log()).sum({head.dim})"


class Poisson(Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "poisson"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target} * ({head.probability} + 1e-7).log())"


class BinaryCrossentropy(Elementwise):
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "binary_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "sigmoid"

    def _logits(self, head: Head) -> bool:
        return self.from_logits or head.activation == "sigmoid"

    def _target(self, head: Head) -> str:
        if not self.label_smoothing:
            return head.target
        smoothing = quote(self.label_smoothing)
        return f"{head.target} * (1 - {smoothing}) + 0.5 * {smoothing}"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        lines = [f"p = {head.probability}.clamp(1e-7, 1 - 1e-7)"]
        return lines + ([f"smoothed = {self._target(head)}"] if self.label_smoothing else [])

    def every(self, head: Head) -> str:
        if self._logits(head):
            target = self._target(head)
            return (
                f"F.binary_cross_entropy_with_logits({head.prediction}, {target}, "
                'reduction="none")'
            )
        target = "smoothed" if self.label_smoothing else head.target
        return f"-({target} * p.log() + (1 - {target}) * (1 - p).log())"

    def mean(self, head: Head) -> str:
        if self._logits(head):
            target = self._target(head)
            return f"F.binary_cross_entropy_with_logits({head.prediction}, {target})"
        return super().mean(head)


class BinaryFocalCrossentropy(Elementwise):
    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "binary_focal_crossentropy"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        smoothing = quote(self.label_smoothing)
        target = (
            f"{head.target} * (1 - {smoothing}) + 0.5 * {smoothing}"
            if self.label_smoothing
            else head.target
        )
        p = f"{head.prediction}.sigmoid()" if self.from_logits else head.probability
        lines = [
            f"p, t = {p}, {target}",
            "likelihood = t * p + (1 - t) * (1 - p)",
            "clipped = p.clamp(1e-7, 1 - 1e-7)",
            "entropy = -(t * clipped.log() + (1 - t) * (1 - clipped).log())",
        ]
        if self.apply_class_balancing:
            alpha = quote(self.alpha)
            lines.append(f"balance = t * {alpha} + (1 - t) * (1 - {alpha})")
        return lines

    def every(self, head: Head) -> str:
        balance = "balance * " if self.apply_class_balancing else ""
        return f"({balance}(1 - likelihood) ** {quote(self.gamma)} * entropy)"


class CategoricalCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "softmax"

    def _logits(self, head: Head) -> bool:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        return self.from_logits or head.activation == "softmax"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        lines = [
            f"p = {head.probability}",
            f"p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
        ]
        if self.label_smoothing:
            s, classes = quote(self.label_smoothing), quote(head.classes)
            lines.append(f"smoothed = {head.target} * (1 - {s}) + {s} / {classes}")
        return lines

    def _call(self, head: Head, more: str = "") -> str:
        if self.label_smoothing:
            more += f", label_smoothing={quote(self.label_smoothing)}"
        prediction, target = map(head.classes_second, (head.prediction, head.target))
        return f"F.cross_entropy({prediction}, {target}{more})"

    def each(self, head: Head) -> str:
        if self._logits(head):
            return self._call(head, ', reduction="none"')
        target = "smoothed" if self.label_smoothing else head.target
        return f"-({target} * p.log()).sum({head.dim})"

    def mean(self, head: Head) -> str:
        return self._call(head) if self._logits(head) else f"{self.each(head)}.mean()"


class CategoricalFocalCrossentropy(Loss):
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_focal_crossentropy"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        p = f"{head.prediction}.softmax({head.dim})" if self.from_logits else head.probability
        s, classes = quote(self.label_smoothing), quote(head.classes)
        target = (
            f"{head.target} * (1 - {s}) + {s} / {classes}" if self.label_smoothing else head.target
        )
        return [
            f"p, t = {p}, {target}",
            f"p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
        ]

    def each(self, head: Head) -> str:
        alpha = quote(list(self.alpha) if isinstance(self.alpha, (list, tuple)) else self.alpha)
        if alpha.startswith("["):
            alpha = f"torch.tensor({alpha}, device=p.device)"
        return f"-({alpha} * (1 - p) ** {quote(self.gamma)} * t * p.log()).sum({head.dim})"


class SparseCategoricalCrossentropy(Loss):
    from_logits: bool = False
    ignore_class: int | None = None
    reduction: str | None = "sum_over_batch_size"
    axis: int = -1
    name: str | None = "sparse_categorical_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "softmax"
    sparse: ClassVar[bool] = True

    def _logits(self, head: Head) -> bool:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        return self.from_logits or head.activation == "softmax"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        return [
            f"p = {head.probability}",
            f"log_p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()",
        ]

    def _call(self, head: Head, more: str = "") -> str:
        if self.ignore_class is not None:
            more += f", ignore_index={quote(self.ignore_class)}"
        if self._logits(head):
            return f"F.cross_entropy({head.classes_second(head.prediction)}, {head.target}{more})"
        return f"F.nll_loss({head.classes_second('log_p')}, {head.target}{more})"

    def each(self, head: Head) -> str:
        return self._call(head, ', reduction="none"')

    def mean(self, head: Head) -> str:
        if self.ignore_class is None:
            return self._call(head)
        total = self._call(head, ', reduction="sum"')
        return f"{total} / {self._counted(head)}"

    def _counted(self, head: Head) -> str:
        """How many labels are not ignored; one, where none is."""
        return f"({head.target} != {quote(self.ignore_class)}).sum().clamp(min=1)"

    def reduced(self, head: Head) -> str:
        averages = self.reduction in ("sum_over_batch_size", "mean", "auto")
        if self.ignore_class is None or head.weight is None:
            return super().reduced(head)
        if not averages and self.reduction != "sum":
            raise UnsupportedError(f"{self.name}: ignore_class with reduction {self.reduction!r}")
        total = f"({self.each(head)} * {head.weight}).sum()"
        return f"{total} / {self._counted(head)}" if averages else total

    def by_batch(self, head: Head) -> bool:
        return self.ignore_class is not None or super().by_batch(head)


class CategoricalGeneralizedCrossEntropy(Loss):
    q: float = 0.5
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_generalized_cross_entropy"
    dtype: str | None = None

    sparse: ClassVar[bool] = True

    def each(self, head: Head) -> str:
        dim = head.class_dim
        p = f"{head.probability}.gather({dim}, {head.target}.unsqueeze({dim})).squeeze({dim})"
        return f"((1 - {p} ** {quote(self.q)}) / {quote(self.q)})"
