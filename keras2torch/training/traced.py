"""Losses and metrics of the program's own: traced through keras.ops, written as torch functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.quoting import to_identifier
from keras2torch.training.heads import Head

_TAKEN = {"load_data", "to_dataset", "to_device", "batches", "compute_loss", "means", "evaluate"}
_TAKEN |= {"train_one_epoch", "predict", "save", "plot", "main", "parse_args", "penalty", "np"}
_TAKEN |= {
    "loss",
    "net",
    "args",
    "sums",
    "weight",
    "count",
    "label",
    "target",
    "prediction",
    "logits",
}


@dataclass(frozen=True)
class Traced:
    """A function of target and prediction as torch source; ``rank`` of what it returns."""

    name: str
    sources: tuple[str, ...]
    rank: int


def trace(function: Any, name: str, target: tuple[Any, ...], head: Head) -> Traced:
    """Run a user's function once on symbolic tensors of these shapes.

    Raises K2TError where it does what has no translation.
    """
    from keras2torch.expressions import forward_lines
    from keras2torch.graph import Graph, Tensor
    from keras2torch.helpers import helper_sources
    from keras2torch.inputs import Input
    from keras2torch.lower import lower
    from keras2torch.passes import run_passes

    y_true = Input(batch_shape=target, dtype="float32", name="y_true")
    y_pred = Input(batch_shape=head.shape, dtype="float32", name="y_pred")
    try:
        result = function(y_true, y_pred)
    except K2TError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise UnsupportedError(
            f"{name} cannot be traced: {type(error).__name__}: {error}",
            fix="write it with keras.ops, or into compute_loss by hand",
        ) from error
    if not isinstance(result, Tensor):
        raise UnsupportedError(f"{name} does not depend on the prediction by known functions")
    module = run_passes(lower(Graph.between([y_true, y_pred], [result], name)))
    plain = all(value.in_keras_order for value in (*module.inputs, *module.outputs))
    if module.members or not plain:
        raise UnsupportedError(
            f"{name} uses layers or weights", fix="write it into compute_loss by hand"
        )
    for value, argument in zip(module.inputs, ("y_true", "y_pred")):
        value.name = argument
    _, lines, _ = forward_lines(module, [])
    own = to_identifier(name, "loss")
    own = f"{own}_" if own in _TAKEN else own
    text = "\n".join(
        [f"def {own}(y_true: Tensor, y_pred: Tensor) -> Tensor:", *(f"    {x}" for x in lines)]
    )
    return Traced(own, (*helper_sources("\n".join(lines)), text), len(result.shape))


def in_keras_order(head: Head, name: str) -> str:
    """An expression of the output's layout, with its axes as Keras has them."""
    order = head.permutation
    if order is None or tuple(order) == tuple(range(head.rank)):
        return name
    inverse = ", ".join(str(order.index(axis)) for axis in range(head.rank))
    return f"{name}.permute({inverse})"
