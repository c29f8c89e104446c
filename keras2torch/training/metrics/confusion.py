"""Metrics of a binary decision: counts, rates, areas under curves."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic


class _Confusion(Metric):
    """Counts of a binary decision at one threshold, summed over everything in the output."""

    direction: ClassVar[str | None] = "up"

    def threshold(self) -> float:
        thresholds = getattr(self, "thresholds", None)
        if isinstance(thresholds, (list, tuple)):
            if len(thresholds) != 1:
                raise UnsupportedError(
                    f"the metric {self.name or type(self).__name__} has several thresholds, "
                    "so several results",
                    fix="give one threshold to each metric",
                )
            thresholds = thresholds[0]
        if getattr(self, "top_k", None) is not None or getattr(self, "class_id", None) is not None:
            raise UnsupportedError(
                f"top_k and class_id of the metric {self.name or type(self).__name__} are not carried"
            )
        return 0.5 if thresholds is None else thresholds

    def setup(self, head: Head) -> list[str]:
        chosen = f"{head.probability} > {quote(self.threshold())}"
        return [f"chosen, true = {chosen}, {head.target}.bool()"]

    counts: ClassVar[tuple[str, ...]] = ()

    def statistics(self, head: Head) -> list[Statistic]:
        sums = {
            "true_positives": "(chosen & true).sum()",
            "false_positives": "(chosen & ~true).sum()",
            "true_negatives": "(~chosen & ~true).sum()",
            "false_negatives": "(~chosen & true).sum()",
            "chosen": "chosen.sum()",
            "positives": "true.sum()",
        }
        return [Statistic(name, sums[name]) for name in self.counts]

    def formula(self, names: list[str]) -> str:
        return names[0]


class TruePositives(_Confusion):
    thresholds: Any = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("true_positives",)
    direction: ClassVar[str | None] = None


class FalsePositives(_Confusion):
    thresholds: Any = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("false_positives",)
    direction: ClassVar[str | None] = None


class TrueNegatives(_Confusion):
    thresholds: Any = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("true_negatives",)
    direction: ClassVar[str | None] = None


class FalseNegatives(_Confusion):
    thresholds: Any = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("false_negatives",)
    direction: ClassVar[str | None] = None


class Precision(_Confusion):
    thresholds: Any = None
    top_k: int | None = None
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("true_positives", "chosen")

    def formula(self, names: list[str]) -> str:
        return f"{names[0]} / max({names[1]}, 1)"


class Recall(_Confusion):
    thresholds: Any = None
    top_k: int | None = None
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("true_positives", "positives")

    def formula(self, names: list[str]) -> str:
        return f"{names[0]} / max({names[1]}, 1)"


class AUC(Metric):
    num_thresholds: int = 200
    curve: str = "ROC"
    summation_method: str = "interpolation"
    name: str | None = None
    dtype: str | None = None
    thresholds: Any = None
    multi_label: bool = False
    num_labels: int | None = None
    label_weights: Any = None
    from_logits: bool = False

    direction: ClassVar[str | None] = "up"

    def templates(self) -> tuple[str, ...]:
        return "auc_counts", f"auc_{self.curve.lower()}"

    def _check(self) -> None:
        plain = self.summation_method.lower() == "interpolation" and self.thresholds is None
        if not plain or self.multi_label or self.label_weights is not None:
            raise UnsupportedError(
                "AUC is carried with interpolation between evenly spaced thresholds only",
                fix="leave summation_method, thresholds, multi_label, label_weights at defaults",
            )

    def setup(self, head: Head) -> list[str]:
        self._check()
        p = f"{head.prediction}.sigmoid()" if self.from_logits else head.probability
        count = quote(self.num_thresholds)
        return [f"positives, negatives = auc_counts({p}, {head.target}, {count})"]

    def statistics(self, head: Head) -> list[Statistic]:
        return [
            Statistic("positives", "positives", self.num_thresholds),
            Statistic("negatives", "negatives", self.num_thresholds),
        ]

    def formula(self, names: list[str]) -> str:
        return f"auc_{self.curve.lower()}({names[0]}, {names[1]})"


class _AtThreshold(Metric):
    """The best of one rate over the thresholds where another reaches a limit."""

    direction: ClassVar[str | None] = "up"
    wanted: ClassVar[str]
    limited: ClassVar[str]

    def templates(self) -> tuple[str, ...]:
        return "threshold_counts", "best_where"

    def setup(self, head: Head) -> list[str]:
        if getattr(self, "class_id", None) is not None:
            raise UnsupportedError(f"class_id of the metric {type(self).__name__} is not carried")
        call = f"threshold_counts({head.probability}, {head.target}, {quote(self.num_thresholds)})"  # type: ignore[attr-defined]
        return [f"hits, false_hits, both = {call}"]

    def statistics(self, head: Head) -> list[Statistic]:
        size = int(self.num_thresholds)  # type: ignore[attr-defined]
        names = (("hits", size), ("false_hits", size), ("both", 2))
        return [Statistic(name, name, n) for name, n in names]

    def formula(self, names: list[str]) -> str:
        hits, false_hits, both = names
        rates = {
            "recall": f"{hits} / {both}[0].clamp(min=1)",
            "sensitivity": f"{hits} / {both}[0].clamp(min=1)",
            "specificity": f"(1 - {false_hits} / {both}[1].clamp(min=1))",
            "precision": f"{hits} / ({hits} + {false_hits}).clamp(min=1)",
        }
        limit = quote(getattr(self, self.limited))
        return f"best_where({rates[self.wanted]}, {rates[self.limited]} >= {limit})"


class PrecisionAtRecall(_AtThreshold):
    recall: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    wanted: ClassVar[str] = "precision"
    limited: ClassVar[str] = "recall"


class RecallAtPrecision(_AtThreshold):
    precision: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    wanted: ClassVar[str] = "recall"
    limited: ClassVar[str] = "precision"


class SensitivityAtSpecificity(_AtThreshold):
    specificity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    wanted: ClassVar[str] = "sensitivity"
    limited: ClassVar[str] = "specificity"


class SpecificityAtSensitivity(_AtThreshold):
    sensitivity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    wanted: ClassVar[str] = "specificity"
    limited: ClassVar[str] = "sensitivity"
