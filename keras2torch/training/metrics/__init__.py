"""``keras.metrics``: what the script prints beside the loss, computed as Keras computes it."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.naming import snake_case
from keras2torch.training import losses
from keras2torch.training.heads import Head
from keras2torch.training.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from keras2torch.training.metrics.base import Metric, Statistic
from keras2torch.training.metrics.confusion import (
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from keras2torch.training.metrics.of_losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from keras2torch.training.metrics.own import Mean, MeanMetricWrapper, OwnMetric, Sum
from keras2torch.training.metrics.own_class import OwnMetricClass
from keras2torch.training.metrics.scores import (
    BinaryIoU,
    ConcordanceCorrelation,
    F1Score,
    FBetaScore,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    R2Score,
)


class MetricFunction(losses.LossFunction):
    """A metric used as a function, such as ``keras.metrics.binary_accuracy``."""

    def __init__(self, name: str, cls: Any):
        super().__init__(name, cls)


_CLASSES: tuple[type[Metric], ...] = (
    Metric,
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    AUC,
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    SquaredHinge,
    Mean,
    MeanMetricWrapper,
    Sum,
    BinaryIoU,
    ConcordanceCorrelation,
    F1Score,
    FBetaScore,
    IoU,
    MeanIoU,
    OneHotIoU,
    OneHotMeanIoU,
    PearsonCorrelation,
    R2Score,
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
    if isinstance(identifier, Metric) and _is_own(type(identifier)):
        name = str(identifier.name or snake_case(type(identifier).__name__))
        if type(identifier).__mro__[1] is not Metric:
            raise UnsupportedError(
                f"the metric {name} changes what one of Keras's own does",
                fix="derive it from keras.metrics.Metric, or add it to compute_loss by hand",
            )
        return OwnMetricClass(identifier, name)
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
        return OwnMetric(identifier, getattr(identifier, "__name__", type(identifier).__name__))
    raise K2TError(f"compile() got a metric of type {type(identifier).__name__}")


def _is_own(cls: type) -> bool:
    """Whether a class of the program's own says how the metric is updated, or what it gives."""
    own = (base for base in cls.__mro__ if not base.__module__.startswith("keras2torch."))
    return any({"update_state", "result"} & set(vars(base)) for base in own)


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


__all__ = ["FUNCTIONS", "REGISTRY", "Metric", "MetricFunction", "Statistic", "get", "snake_case"]
