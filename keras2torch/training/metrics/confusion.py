"""Metrics of a binary decision: counts, rates, areas under curves."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric, Statistic


class _Confusion(Metric):
    """Counts of a binary decision, summed over everything in the output; for several thresholds, of each."""

    direction: ClassVar[str | None] = "up"
    weighs: ClassVar[bool] = True

    @property
    def limits(self) -> list[float]:
        given = getattr(self, "thresholds", None)
        if given is None:
            return [0.5]
        return [float(t) for t in given] if isinstance(given, (list, tuple)) else [given]

    def setup(self, head: Head) -> list[str]:
        lines = []
        chosen, true = head.probability, head.target
        top_k, class_id = getattr(self, "top_k", None), getattr(self, "class_id", None)
        if top_k is not None:
            lines.append(f"best = {chosen}.topk({top_k}, {head.dim}).indices")
            if getattr(self, "thresholds", None) is None:
                zeros = f"torch.zeros_like({head.prediction}, dtype=torch.bool)"
                chosen = f"{zeros}.scatter({head.class_dim}, best, True)"
            else:
                lines.append(f"p = {chosen}")
                others = "torch.full_like(p, -1e10)"
                chosen = (
                    f"{others}.scatter({head.class_dim}, best, p.gather({head.class_dim}, best))"
                )
        if class_id is not None:
            chosen, true = head.of_class(chosen, class_id), head.of_class(true, class_id)
        if top_k is None or getattr(self, "thresholds", None) is not None:
            if len(self.limits) > 1:
                lines.append(
                    f"thresholds = torch.tensor({quote(self.limits)}, device={head.target}.device)"
                )
                chosen, true = f"{chosen}[..., None] > thresholds", f"{true}[..., None]"
            else:
                chosen = f"{chosen} > {quote(self.limits[0])}"
        return [*lines, f"chosen, true = {chosen}, {true}.bool()"]

    counts: ClassVar[tuple[str, ...]] = ()

    def statistics(self, head: Head) -> list[Statistic]:
        sums = {
            "true_positives": "(chosen & true)",
            "false_positives": "(chosen & ~true)",
            "true_negatives": "(~chosen & ~true)",
            "false_negatives": "(~chosen & true)",
            "chosen": "chosen",
            "positives": "true",
        }
        several = len(self.limits) > 1
        total = ".flatten(0, -2).sum(0)" if several else ".sum()"
        weight = head.weight
        if weight is not None and getattr(self, "class_id", None) is None:
            weight = head.weight_of_each
        found = []
        for name in self.counts:
            text = sums[name]
            if several and name == "positives":
                text = "true.expand_as(chosen)"
            if weight is not None:
                text = f"({weight}{'[..., None]' if several else ''} * {text})"
            found.append(Statistic(name, text + total, len(self.limits)))
        return found

    def results(self, head: Head) -> int:
        return len(self.limits)

    def formula(self, names: list[str], head: Head) -> str:
        return names[0]


def _share(names: list[str], metric: _Confusion, head: Head) -> str:
    """A count over another; zero where that is zero, as in Keras."""
    part, whole = names
    if len(metric.limits) > 1:
        return f"({part} / {whole}).nan_to_num()"
    if head.weight is not None:
        return f"{part} / {whole} if {whole} else 0.0"
    return f"{part} / max({whole}, 1)"


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

    def formula(self, names: list[str], head: Head) -> str:
        return _share(names, self, head)


class Recall(_Confusion):
    thresholds: Any = None
    top_k: int | None = None
    class_id: int | None = None
    name: str | None = None
    dtype: str | None = None
    counts: ClassVar[tuple[str, ...]] = ("true_positives", "positives")

    def formula(self, names: list[str], head: Head) -> str:
        return _share(names, self, head)


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
    weighs: ClassVar[bool] = True

    @property
    def _page(self) -> str:
        """The name of the function of the area, and of its page."""
        curve, method = str(self.curve).lower(), str(self.summation_method).lower()
        if curve not in ("roc", "pr", "prgain") or method not in _HEIGHTS:
            raise UnsupportedError(f"AUC with curve={curve!r}, summation_method={method!r}")
        return f"auc_{curve}" if curve != "prgain" and method == "interpolation" else "auc_by_steps"

    def _counts(self, head: Head) -> str:
        """The name of the function of the counts, and of its page."""
        if self.thresholds is not None:
            return "auc_counts_at"
        weighted = head.weight is not None or (
            self.label_weights is not None and not self.multi_label
        )
        return (
            "auc_counts_by_label"
            if self.multi_label
            else "weighted_auc_counts" if weighted else "auc_counts"
        )

    def templates(self, head: Head) -> tuple[str, ...]:
        return self._counts(head), self._page

    def setup(self, head: Head) -> list[str]:
        page = self._counts(head)
        p = f"{head.prediction}.sigmoid()" if self.from_logits else head.probability
        sides = [p, head.target]
        weight = head.weight_of_each
        if self.label_weights is not None and not self.multi_label:
            labels = f"torch.tensor({quote(self._label_weights)}, device={head.target}.device)"
            weight = f"{weight} * {labels}" if weight else labels
        if page == "auc_counts_at":
            if self.multi_label:
                raise UnsupportedError("AUC with thresholds and multi_label")
            sides.append(quote(self._limits()))
        else:
            sides.append(quote(self.num_thresholds))
        if weight:
            sides.append(weight)
        return [f"positives, negatives = {page}({', '.join(sides)})"]

    @property
    def _label_weights(self) -> list[float]:
        return [float(w) for w in self.label_weights]

    def _limits(self) -> list[float]:
        """The thresholds given, with one below and one above them all."""
        return [-1e-7, *sorted(float(t) for t in self.thresholds), 1 + 1e-7]

    def _shape(self, head: Head) -> list[int]:
        count = self.num_thresholds if self.thresholds is None else len(self.thresholds) + 2
        return [count, head.classes or 1] if self.multi_label else [count]

    def statistics(self, head: Head) -> list[Statistic]:
        names = ("positives", "negatives")
        flat = ".flatten()" if self.multi_label else ""
        return [Statistic(n, f"{n}{flat}", math.prod(self._shape(head))) for n in names]

    def formula(self, names: list[str], head: Head) -> str:
        shape = f".view{quote(tuple(self._shape(head)))}" if self.multi_label else ""
        sides = [f"{name}{shape}" for name in names]
        if self._page == "auc_by_steps":
            sides += [quote(str(self.curve).upper()), _HEIGHTS[str(self.summation_method).lower()]]
        area = f"{self._page}({', '.join(sides)})"
        if not self.multi_label:
            return area
        if self.label_weights is None:
            return f"{area}.mean()"
        weights = f"torch.tensor({quote(self._label_weights)})"
        return f"({area} * {weights}).sum() / {quote(sum(self._label_weights))}"


_HEIGHTS = {
    "interpolation": "lambda a, b: (a + b) / 2",
    "minoring": "torch.minimum",
    "majoring": "torch.maximum",
}


class _AtThreshold(Metric):
    """The best of one rate over the thresholds where another reaches a limit."""

    direction: ClassVar[str | None] = "up"
    wanted: ClassVar[str]
    limited: ClassVar[str]

    weighs: ClassVar[bool] = True

    def templates(self, head: Head) -> tuple[str, ...]:
        return "threshold_counts", "best_where"

    def setup(self, head: Head) -> list[str]:
        p, target, weight = head.probability, head.target, head.weight_of_each
        class_id = getattr(self, "class_id", None)
        if class_id is not None:
            p, target, weight = (
                head.of_class(p, class_id),
                head.of_class(target, class_id),
                head.weight,
            )
        more = f", {weight}" if weight else ""
        call = f"threshold_counts({p}, {target}, {quote(self.num_thresholds)}{more})"  # type: ignore[attr-defined]
        return [f"hits, false_hits, both = {call}"]

    def statistics(self, head: Head) -> list[Statistic]:
        size = int(self.num_thresholds)  # type: ignore[attr-defined]
        names = (("hits", size), ("false_hits", size), ("both", 2))
        return [Statistic(name, name, n) for name, n in names]

    def formula(self, names: list[str], head: Head) -> str:
        hits, false_hits, both = names
        rates = {
            "recall": f"({hits} / {both}[0]).nan_to_num()",
            "sensitivity": f"({hits} / {both}[0]).nan_to_num()",
            "specificity": f"(({both}[1] - {false_hits}) / {both}[1]).nan_to_num()",
            "precision": f"({hits} / ({hits} + {false_hits})).nan_to_num()",
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
