"""``keras.metrics``: what the script prints beside the loss, computed as Keras computes it."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend.eager import Number
from keras2torch.quoting import quote
from keras2torch.training import losses, traced
from keras2torch.training.heads import Head
from keras2torch.training.recorded import Recorded


@dataclass(frozen=True)
class Statistic:
    """A sum over samples that a metric needs: its variable, the batch's sum, and how many numbers."""

    name: str
    expression: str
    size: int = 1


class Metric(Recorded):
    """Base. Most metrics are means over samples: they state ``each``, the value of every sample.

    A metric that is no mean states ``statistics`` (sums over samples, kept on the device) and
    ``result`` (the printed number, from the sums). ``direction`` tells callbacks what is better.
    """

    dtype: str | None = None
    name: str | None = None

    direction: ClassVar[str | None] = None

    def __call__(self, *args: Any, **kwargs: Any) -> float:
        """Zero: nothing trains while a program is recorded."""
        return Number(0.0)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Nothing trains while a program is recorded."""

    reset_state = reset_states = update_state

    def result(self) -> float:
        return Number(0.0)

    def setup(self, head: Head) -> list[str]:
        """Statements that the expressions rely on."""
        return []

    def each(self, head: Head) -> str:
        """The value per sample (axes after the first are averaged)."""
        raise UnsupportedError(
            f"the metric {type(self).__name__} is a class of the program's own",
            fix="compile with one of keras.metrics, or add it to compute_loss by hand",
        )

    def mean(self, head: Head) -> str:
        """The mean over the batch."""
        return f"{self.each(head)}.mean()"

    def statistics(self, head: Head) -> list[Statistic] | None:
        """The sums of a metric that is no mean over samples, or None."""
        return None

    def formula(self, names: list[str]) -> str:
        """The printed number from the summed statistics."""
        raise NotImplementedError

    def templates(self) -> tuple[str, ...]:
        """Pages with the helpers that the expressions call."""
        return ()

    def functions(self, head: Head) -> tuple[str, ...]:
        """Sources of functions that the expressions call."""
        return ()


def snake_case(name: str) -> str:
    """Keras's own: ``AUC`` -> auc, ``MeanIoU`` -> mean_io_u."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class _Match(Metric):
    """Shares of right answers."""

    direction: ClassVar[str | None] = "up"

    def right(self, head: Head) -> str:
        raise NotImplementedError

    def each(self, head: Head) -> str:
        return f"({self.right(head)}).float()"


class Accuracy(_Match):
    name: str | None = "accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        return f"{head.probability} == {head.target}"


class BinaryAccuracy(_Match):
    name: str | None = "binary_accuracy"
    dtype: str | None = None
    threshold: float = 0.5

    def right(self, head: Head) -> str:
        if head.activation == "sigmoid" and self.threshold == 0.5:
            return f"(({head.prediction} > 0) == {head.target})"[1:-1]
        return f"({head.probability} > {quote(self.threshold)}) == {head.target}"


class CategoricalAccuracy(_Match):
    name: str | None = "categorical_accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        if head.sparse:  # Keras's argmax over the last axis of class indices
            raise UnsupportedError("categorical_accuracy on class indices", fix='use "accuracy"')
        return f"{head.prediction}.argmax({head.dim}) == {head.target}.argmax({head.dim})"


class SparseCategoricalAccuracy(_Match):
    name: str | None = "sparse_categorical_accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        return f"{head.prediction}.argmax({head.dim}) == {head.target}"


class TopKCategoricalAccuracy(_Match):
    k: int = 5
    name: str | None = "top_k_categorical_accuracy"
    dtype: str | None = None

    def label(self, head: Head) -> str:
        return f"{head.target}.argmax({head.dim}, keepdim=True)"

    def right(self, head: Head) -> str:
        p, dim = head.prediction, head.class_dim
        at_label = f"{p}.gather({dim}, {self.label(head)})"
        return f"({p} > {at_label}).sum({head.dim}) < {quote(self.k)}"


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    k: int = 5
    name: str | None = "sparse_top_k_categorical_accuracy"
    dtype: str | None = None
    from_sorted_ids: bool = False

    def label(self, head: Head) -> str:
        return f"{head.target}.unsqueeze({head.class_dim})"


class _LossMetric(Metric):
    """A loss printed as a metric: the same expression on what Keras's model returns."""

    direction: ClassVar[str | None] = "down"
    loss: ClassVar[type[losses.Loss]]

    def _loss(self) -> losses.Loss:
        own = self.loss.__signature__.parameters
        kept = {k: v for k, v in self.arguments.items() if k in own and k not in ("name", "dtype")}
        return self.loss(**kept)

    def setup(self, head: Head) -> list[str]:
        return self._loss().setup(head)

    def each(self, head: Head) -> str:
        return self._loss().each(head)

    def mean(self, head: Head) -> str:
        return self._loss().mean(head)


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

    def each(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).square()"

    def statistics(self, head: Head) -> list[Statistic]:
        count = f"len({head.target})"
        return [
            Statistic("squared_error", f"{count} * F.mse_loss({head.probability}, {head.target})")
        ]

    def formula(self, names: list[str]) -> str:
        return f"math.sqrt({names[0]} / count)"


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


class _Own(Metric):
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

    def formula(self, names: list[str]) -> str:
        return f"{names[0]} / {names[1]}"


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
        call = f"threshold_counts({head.probability}, {head.target}, {quote(self.num_thresholds)})"
        return [f"hits, false_hits, both = {call}"]

    num_thresholds: ClassVar[int]

    def statistics(self, head: Head) -> list[Statistic]:
        size = self.num_thresholds
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


class FBetaScore(Metric):
    average: str | None = None
    beta: float = 1.0
    threshold: float | None = None
    name: str | None = "fbeta_score"
    dtype: str | None = None

    direction: ClassVar[str | None] = "up"

    def templates(self) -> tuple[str, ...]:
        return ("fbeta",)

    def setup(self, head: Head) -> list[str]:
        if self.average is None:
            raise UnsupportedError(
                f"the metric {self.name} has one result per class",
                fix='give it average="macro", "micro" or "weighted"',
            )
        p = head.probability
        if self.threshold is None:
            return [
                f"p = {p}",
                "chosen = ((p >= p.amax(dim=1, keepdim=True)) & (p.abs() > 1e-9)).float()",
            ]
        return [f"chosen = ({p} > {quote(self.threshold)}).float()"]

    def statistics(self, head: Head) -> list[Statistic]:
        axis, size = ("", 1) if self.average == "micro" else ("0", head.classes or 1)
        return [
            Statistic("true_positives", f"(chosen * {head.target}).sum({axis})", size),
            Statistic("chosen", f"chosen.sum({axis})", size),
            Statistic("positives", f"{head.target}.sum({axis})", size),
        ]

    def formula(self, names: list[str]) -> str:
        return f"fbeta({', '.join(names)}, {quote(self.beta)}, {quote(self.average)})"


class F1Score(FBetaScore):
    average: str | None = None
    threshold: float | None = None
    name: str | None = "f1_score"
    dtype: str | None = None
    beta: ClassVar[float] = 1.0


class _IoU(Metric):
    """Intersection over union, from the confusion matrix of all samples."""

    direction: ClassVar[str | None] = "up"

    def templates(self) -> tuple[str, ...]:
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
            more = f", {quote(self.ignore_class)}"  # type: ignore[attr-defined]
        true, chosen = self.sides(head)
        counts = f"confusion({true}, {chosen}, {self.classes()}{more})"
        return [Statistic("matrix", counts, self.classes() ** 2)]

    def formula(self, names: list[str]) -> str:
        return f"iou({names[0]}, {quote(self.wanted())})"


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

    def templates(self) -> tuple[str, ...]:
        return ("r2",)

    def setup(self, head: Head) -> list[str]:
        if self.class_aggregation is None or self.num_regressors:
            raise UnsupportedError(
                "R2Score is carried with one averaged result and without num_regressors only"
            )
        return []

    def statistics(self, head: Head) -> list[Statistic]:
        size, target = head.classes or 1, head.target
        return [
            Statistic("total", f"{target}.sum(0)", size),
            Statistic("squares", f"{target}.square().sum(0)", size),
            Statistic("errors", f"({target} - {head.probability}).square().sum(0)", size),
        ]

    def formula(self, names: list[str]) -> str:
        weighted = quote(self.class_aggregation == "variance_weighted_average")
        return f"r2({', '.join(names)}, count, {weighted})"


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


class MetricFunction(losses.LossFunction):
    """A metric used as a function, such as ``keras.metrics.binary_accuracy``."""

    def __init__(self, name: str, cls: Any):
        super().__init__(name, cls)


_CLASSES: tuple[type[Metric], ...] = tuple(
    cls
    for cls in list(globals().values())
    if inspect.isclass(cls) and issubclass(cls, Metric) and not cls.__name__.startswith("_")
)
_BY_CLASS_NAME = {cls.__name__: cls for cls in _CLASSES}
_SHORT = {
    "bce": BinaryCrossentropy,
    "BCE": BinaryCrossentropy,
    "mse": MeanSquaredError,
    "MSE": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "MAE": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "MAPE": MeanAbsolutePercentageError,
    "msle": MeanSquaredLogarithmicError,
    "MSLE": MeanSquaredLogarithmicError,
    "cosine_proximity": CosineSimilarity,
    "rmse": RootMeanSquaredError,
    "kld": KLDivergence,
    "KLD": KLDivergence,
    "kullback_leibler_divergence": KLDivergence,
    "log_cosh": LogCoshError,
    "logcosh": LogCoshError,
    "auc": AUC,
}
_NAMES: dict[str, type[Metric]] = {
    **_BY_CLASS_NAME,
    **{snake_case(name): cls for name, cls in _BY_CLASS_NAME.items()},
    **_SHORT,
}
FUNCTIONS: dict[str, MetricFunction] = {
    name: MetricFunction(name, _NAMES[name])
    for name in (
        "binary_accuracy",
        "categorical_accuracy",
        "sparse_categorical_accuracy",
        "top_k_categorical_accuracy",
        "sparse_top_k_categorical_accuracy",
        "concordance_correlation",
        "pearson_correlation",
    )
}
REGISTRY: dict[str, Any] = {**_BY_CLASS_NAME, **losses.FUNCTIONS, **FUNCTIONS}


def get(identifier: Any, head: Head, pairs: bool = True) -> Metric:
    """The metric that ``compile`` means, under the name that Keras prints.

    "accuracy" is resolved by the shapes of target and prediction, as Keras does it.
    """
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return _accuracy(head)(name=identifier)
    if isinstance(identifier, str):
        if identifier not in _NAMES:
            raise K2TError(f"there is no metric {identifier!r} in Keras")
        return _named(_NAMES[identifier](), identifier)
    if isinstance(identifier, losses.LossFunction):
        name = identifier.__name__
        cls = _NAMES.get(name) or _NAMES.get(snake_case(identifier.cls.__name__))
        if cls is None:
            raise UnsupportedError(f"the loss {name} as a metric is not carried")
        return _named(cls(), name)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        identifier = identifier()
    if isinstance(identifier, Metric):
        return _named(identifier, identifier.name or snake_case(type(identifier).__name__))
    if isinstance(identifier, losses.Loss):
        cls = _NAMES.get(snake_case(type(identifier).__name__))
        if cls is not None:
            kept = {
                k: v for k, v in identifier.arguments.items() if k in cls.__signature__.parameters
            }
            return cls(**kept)
    if callable(identifier):
        return _Own(identifier, getattr(identifier, "__name__", type(identifier).__name__))
    raise K2TError(f"compile() got a metric of type {type(identifier).__name__}")


def _named(metric: Metric, name: str) -> Metric:
    metric.name = name
    return metric


def _accuracy(head: Head) -> type[Metric]:
    if head.shape[-1] == 1:
        return BinaryAccuracy
    target = head.target_shape
    if target is None:
        return SparseCategoricalAccuracy if head.sparse else CategoricalAccuracy
    if len(target) < head.rank or (target[-1] == 1 and (head.shape[-1] or 0) > 1):
        return SparseCategoricalAccuracy
    return CategoricalAccuracy
