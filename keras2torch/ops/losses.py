"""Losses as functions on tensors: one value for each prediction.

Formulas: keras/src/backend/jax/nn.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.ops.base import (
    Op,
    Spec,
    as_operand,
    as_plain,
    function,
    ops,
)
from keras2torch.ops.dtypes import float_dtype


# Losses, one value for each prediction.
class _BinaryCrossentropy(Op):
    layout = "any"
    tensors = ("target", "output")

    def output_spec(self, target: Any, output: Any, from_logits: bool) -> Spec:
        return Spec(output.shape, float_dtype(output))

    def lower(self, b: Any, target: Any, output: Any, from_logits: bool) -> Any:
        target, output = b.floating(target), b.floating(output)
        if from_logits:
            return b.function(
                "F.binary_cross_entropy_with_logits", output, target, reduction="none"
            )
        output = b.method("clamp", output, config.epsilon, 1 - config.epsilon)
        return b.function("F.binary_cross_entropy", output, target, reduction="none")


_binary_crossentropy = _BinaryCrossentropy()


@function("keras.ops.binary_crossentropy K.binary_crossentropy")
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    return _binary_crossentropy.record(target, output, from_logits)


@function("tf.nn.sigmoid_cross_entropy_with_logits")
def tf_sigmoid_crossentropy(labels: Any, logits: Any) -> Any:
    return binary_crossentropy(labels, logits, True)


def _log_probabilities(output: Any, from_logits: bool, axis: int, normalised: bool = True) -> Any:
    if from_logits:
        return ops.log_softmax(output, axis)
    if normalised:
        output = output / ops.sum(output, axis, keepdims=True)
    return ops.log(ops.clip(output, config.epsilon, 1.0 - config.epsilon))


@function("keras.ops.categorical_crossentropy K.categorical_crossentropy")
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    return -ops.sum(
        ops.multiply(target, _log_probabilities(as_operand(output), from_logits, axis)), axis
    )


@function("tf.nn.softmax_cross_entropy_with_logits tf.nn.softmax_cross_entropy_with_logits_v2")
def tf_softmax_crossentropy(labels: Any, logits: Any, axis: int = -1) -> Any:
    return categorical_crossentropy(labels, logits, True, axis)


@function("keras.ops.sparse_categorical_crossentropy K.sparse_categorical_crossentropy")
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    target, output = ops.cast(target, "int32"), as_operand(output)
    if len(target.shape) == len(output.shape) and target.shape[-1] == 1:
        target = ops.squeeze(target, -1)
    logs = _log_probabilities(output, from_logits, axis)
    picked = ops.take_along_axis(logs, ops.expand_dims(target, axis), axis)
    return -ops.squeeze(picked, axis)


@function("tf.nn.sparse_softmax_cross_entropy_with_logits")
def tf_sparse_softmax_crossentropy(labels: Any, logits: Any) -> Any:
    return sparse_categorical_crossentropy(labels, logits, True)


class CTCLoss(Op, names="keras.ops.ctc_loss"):
    """The negative log likelihood of each sequence."""

    tensors = ("target", "output", "target_length", "output_length")

    def output_spec(
        self, target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
    ) -> Spec:
        return Spec((output.shape[0],), float_dtype(output))

    def lower(
        self,
        b: Any,
        target: Any,
        output: Any,
        target_length: Any,
        output_length: Any,
        mask_index: int = 0,
    ) -> Any:
        logs = b.function("F.log_softmax", output, dim=-1)
        turned = b.permute(logs, (1, 0, 2))
        blank = {"blank": mask_index} if mask_index else {}
        return b.function(
            "F.ctc_loss", turned, target, output_length, target_length, reduction="none",
            shape=(output.shape[0],), axes=(0,), dtype="float32", **blank,
        )  # fmt: skip


@function("keras.ops.psnr")
def psnr(x1: Any, x2: Any, max_val: Any) -> Any:
    """Peak signal-to-noise ratio, of all images together."""
    error = ops.mean(ops.square(ops.subtract(x1, x2)))
    return 20 * ops.log10(float(as_plain(max_val))) - 10 * ops.log10(error)


@function("tf.nn.l2_loss(t=x)")
def l2_loss(x: Any) -> Any:
    return ops.sum(ops.square(x)) / 2


@function("K.ctc_batch_cost")
def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Any:
    """Keras 2's: of probabilities, with the last class as the blank; one number a row."""
    y_pred = as_operand(y_pred)
    lengths = [ops.reshape(ops.cast(n, "int32"), (-1,)) for n in (label_length, input_length)]
    logits = ops.log(y_pred + config.epsilon)
    loss = ops.ctc_loss(
        ops.cast(y_true, "int32"), logits, *lengths, mask_index=y_pred.shape[-1] - 1
    )
    return ops.expand_dims(loss, 1)
