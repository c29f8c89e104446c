"""Keras's losses in terms of keras.ops: what a loss of the program's own calls while it is traced."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend.eager import is_eager
from keras2torch.graph import Tensor, tensors_in
from keras2torch.ops.base import ops

EPSILON = 1e-7


def is_symbolic(*values: Any) -> bool:
    """Whether any value is, or holds, a symbolic tensor (not one computed from arrays alone)."""
    return not all(map(is_eager, tensors_in(values)))


def _fit(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Keras's squeeze_or_expand_to_same_rank, and the target in the prediction's dtype."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    if str(y_true.dtype) != str(y_pred.dtype):
        y_true = ops.cast(y_true, str(y_pred.dtype))
    if len(y_true.shape) == len(y_pred.shape) + 1 and y_true.shape[-1] == 1:
        if len(y_pred.shape) == 1:
            return y_true, ops.expand_dims(y_pred, -1)
        return ops.squeeze(y_true, -1), y_pred
    if len(y_pred.shape) == len(y_true.shape) + 1 and y_pred.shape[-1] == 1:
        if len(y_true.shape) == 1:
            return ops.expand_dims(y_true, -1), y_pred
        return y_true, ops.squeeze(y_pred, -1)
    return y_true, y_pred


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    share = (y_true - y_pred) / ops.maximum(ops.abs(y_true), EPSILON)
    return 100.0 * ops.mean(ops.abs(share), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    error = ops.abs(y_pred - y_true)
    small, large = 0.5 * ops.square(error), delta * error - 0.5 * delta * delta
    return ops.mean(ops.where(error <= delta, small, large), axis=-1)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    p, q = ops.clip(y_true, EPSILON, 1), ops.clip(y_pred, EPSILON, 1)
    return ops.sum(p * ops.log(p / q), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + EPSILON), axis=-1)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    p = ops.clip(p, EPSILON, 1.0 - EPSILON)
    entropy = y_true * ops.log(p) + (1.0 - y_true) * ops.log(1.0 - p)
    return ops.mean(-entropy, axis=axis)


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[axis]
    if from_logits:
        log_p = ops.log_softmax(y_pred, axis=axis)
    else:
        p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
        log_p = ops.log(ops.clip(p, EPSILON, 1.0 - EPSILON))
    return -ops.sum(y_true * log_p, axis=axis)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: Any = None, axis: int = -1
) -> Tensor:
    if ignore_class is not None or axis != -1:
        raise UnsupportedError("ignore_class or axis in a loss of the program's own")
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, -1)
    one_hot = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1])
    return categorical_crossentropy(one_hot, y_pred, from_logits)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    y_true, y_pred = _fit(y_true, y_pred)
    unit = [
        x / ops.maximum(ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True)), EPSILON)
        for x in (y_true, y_pred)
    ]
    return -ops.sum(unit[0] * unit[1], axis=axis)


FUNCTIONS = {
    "MeanSquaredError": mean_squared_error,
    "MeanAbsoluteError": mean_absolute_error,
    "MeanAbsolutePercentageError": mean_absolute_percentage_error,
    "Huber": huber,
    "KLDivergence": kl_divergence,
    "Poisson": poisson,
    "BinaryCrossentropy": binary_crossentropy,
    "CategoricalCrossentropy": categorical_crossentropy,
    "SparseCategoricalCrossentropy": sparse_categorical_crossentropy,
    "CosineSimilarity": cosine_similarity,
}


def call_loss(kind: str, y_true: Any, y_pred: Any, **options: Any) -> Tensor:
    """The loss of class ``kind`` on symbolic tensors, one value per sample."""
    if kind not in FUNCTIONS:
        raise UnsupportedError(f"the loss {kind}, called by a loss of the program's own")
    return FUNCTIONS[kind](y_true, y_pred, **options)


def reduce(values: Tensor, reduction: str | None, sample_weight: Any = None) -> Tensor:
    """What a Loss object makes of the values per sample."""
    if sample_weight is not None:
        values = values * sample_weight
    if reduction in (None, "none") or not values.shape:
        return values
    return ops.sum(values) if reduction == "sum" else ops.mean(values)
