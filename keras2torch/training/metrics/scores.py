"""F-scores, intersections over unions, correlations."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic


class FBetaScore(Metric):
    average: str | None = None
    beta: float = 1.0
    threshold: float | None = None
    name: str | None = "fbeta_score"
    dtype: str | None = None

    direction: ClassVar[str | None] = "up"
    weighs: ClassVar[bool] = True

    def templates(self, head: Head) -> tuple[str, ...]:
        return ("fbeta",)

    def setup(self, head: Head) -> list[str]:
        p = head.probability
        if self.threshold is None:
            return [
                f"p = {p}",
                "chosen = ((p >= p.amax(dim=1, keepdim=True)) & (p.abs() > 1e-9)).float()",
            ]
        return [f"chosen = ({p} > {quote(self.threshold)}).float()"]

    def statistics(self, head: Head) -> list[Statistic]:
        axis, size = ("", 1) if self.average == "micro" else ("0", head.classes or 1)
        sums = {
            "true_positives": f"chosen * {head.target}",
            "chosen": "chosen",
            "positives": head.target,
        }
        if head.weight is not None:
            sums = {name: f"{head.weight_of_each} * {text}" for name, text in sums.items()}
        return [
            Statistic(name, f"({text}).sum({axis})" if " " in text else f"{text}.sum({axis})", size)
            for name, text in sums.items()
        ]

    def results(self, head: Head) -> int:
        return head.classes or 1 if self.average is None else 1

    def formula(self, names: list[str], head: Head) -> str:
        return f"fbeta_of_counts({', '.join(names)}, {quote(self.beta)}, {quote(self.average)})"


class F1Score(FBetaScore):
    average: str | None = None
    threshold: float | None = None
    name: str | None = "f1_score"
    dtype: str | None = None
    beta = 1.0  # not an argument of this class


class _IoU(Metric):
    """Intersection over union, from the confusion matrix of all samples."""

    direction: ClassVar[str | None] = "up"
    weighs: ClassVar[bool] = True

    def templates(self, head: Head) -> tuple[str, ...]:
        return "confusion", "iou"

    def classes(self) -> int:
        return int(self.num_classes)  # type: ignore[attr-defined]

    def wanted(self) -> list[int]:
        ids = getattr(self, "target_class_ids", None)
        return list(range(self.classes())) if ids is None else [int(i) for i in ids]

    def sides(self, head: Head) -> tuple[str, str]:
        """Expressions of the true and the chosen class."""
        true, chosen = head.target, head.probability
        if not getattr(self, "sparse_y_true", False):
            true = f"{true}.argmax({head.dim})"
        if not self.sparse_y_pred:  # type: ignore[attr-defined]
            chosen = f"{head.prediction}.argmax({head.dim})"
        return true, chosen

    def statistics(self, head: Head) -> list[Statistic]:
        more = ""
        if getattr(self, "ignore_class", None) is not None:
            more = f", ignored={quote(self.ignore_class)}"  # type: ignore[attr-defined]
        if head.weight is not None:
            counts_whole = self.dtype is None or "int" in str(self.dtype)  # what Keras keeps it in
            more += f", weight={head.weight}{'.long()' if counts_whole else ''}"
        true, chosen = self.sides(head)
        counts = f"confusion_counts({true}, {chosen}, {self.classes()}{more})"
        return [Statistic("matrix", counts, self.classes() ** 2)]

    def formula(self, names: list[str], head: Head) -> str:
        return f"iou_of_counts({names[0]}, {quote(self.wanted())})"


class IoU(_IoU):
    num_classes: int
    target_class_ids: Any
    name: str | None = None
    dtype: str | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1


class BinaryIoU(_IoU):
    target_class_ids: Any = (0, 1)
    threshold: float = 0.5
    name: str | None = None
    dtype: str | None = None

    def classes(self) -> int:
        return 2

    def sides(self, head: Head) -> tuple[str, str]:
        return head.target, f"{head.probability} >= {quote(self.threshold)}"


class MeanIoU(_IoU):
    num_classes: int
    name: str | None = None
    dtype: str | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1


class OneHotIoU(_IoU):
    num_classes: int
    target_class_ids: Any
    name: str | None = None
    dtype: str | None = None
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1


class OneHotMeanIoU(_IoU):
    num_classes: int
    name: str | None = None
    dtype: str | None = None
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1


class R2Score(Metric):
    class_aggregation: str | None = "uniform_average"
    num_regressors: int = 0
    name: str | None = "r2_score"
    dtype: str | None = None
    direction: ClassVar[str | None] = "up"
    weighs: ClassVar[bool] = True

    def templates(self, head: Head) -> tuple[str, ...]:
        return ("r2", "r2_adjusted") if self.num_regressors else ("r2",)

    def statistics(self, head: Head) -> list[Statistic]:
        size, target = head.classes or 1, head.target
        sums = {
            "total": target,
            "squares": f"{target}.square()",
            "errors": f"({target} - {head.probability}).square()",
        }
        if head.weight is None:
            return [Statistic(name, f"{text}.sum(0)", size) for name, text in sums.items()]
        weight = head.weight_of_each
        found = [Statistic(n, f"({weight} * {text}).sum(0)", size) for n, text in sums.items()]
        return [*found, Statistic("weight", f"{head.weight}.sum()")]

    def results(self, head: Head) -> int:
        return head.classes or 1 if self.class_aggregation is None else 1

    def formula(self, names: list[str], head: Head) -> str:
        sums = [*names[:3], [*names, "count"][3], quote(self.class_aggregation)]
        score = f"r2_of_sums({', '.join(sums)})"
        if not self.num_regressors:
            return score
        return f"r2_adjusted({score}, {head.classes or 1} * count, {quote(self.num_regressors)})"


class PearsonCorrelation(Metric):
    name: str | None = "pearson_correlation"
    dtype: str | None = None
    axis: int = -1
    direction: ClassVar[str | None] = "up"

    def setup(self, head: Head) -> list[str]:
        return [
            f"t = {head.target} - {head.target}.mean({head.dim}, keepdim=True)",
            f"p = {head.probability} - {head.probability}.mean({head.dim}, keepdim=True)",
        ]

    def each(self, head: Head) -> str:
        spread = f"std({head.dim}, correction=0)"
        return f"((t * p).mean({head.dim}) / (t.{spread} * p.{spread}))"


class ConcordanceCorrelation(Metric):
    name: str | None = "concordance_correlation"
    dtype: str | None = None
    axis: int = -1
    direction: ClassVar[str | None] = "up"

    def setup(self, head: Head) -> list[str]:
        t, p, dim = head.target, head.probability, head.dim
        return [
            f"t_mean, p_mean = {t}.mean({dim}, keepdim=True), {p}.mean({dim}, keepdim=True)",
            f"spread = {t}.var({dim}, correction=0, keepdim=True)",
            f"spread = spread + {p}.var({dim}, correction=0, keepdim=True)",
            f"product = ({t} - p_mean) * ({p} - p_mean)  # as Keras has it",
        ]

    def each(self, head: Head) -> str:
        return f"(2 * product / (spread + (t_mean - p_mean).square() + 1e-7)).mean({head.dim})"
