"""Losses and metrics of the program's own: traced through keras.ops, written as torch functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.quoting import to_identifier
from keras2torch.training.heads import Head

_TAKEN = {"load_data", "to_dataset", "to_device", "batches", "compute_loss", "means", "evaluate"}
_TAKEN |= {"train_one_epoch", "predict", "save", "plot", "main", "parse_args", "penalty", "np"}
_TAKEN |= {"constrain", "learning_rate", "take_average", "start_phase", "hold_variance"}
_TAKEN |= {"release_variance", "batch_norms", "default_device", "to_tensors", "losses", "F"}
_TAKEN |= {"auc_counts", "auc_counts_at", "auc_counts_by_label", "weighted_auc_counts"}
_TAKEN |= {"auc_roc", "auc_pr", "auc_by_steps", "best_where", "threshold_counts"}
_TAKEN |= {
    "fbeta_of_counts",
    "confusion_counts",
    "iou_of_counts",
    "r2_of_sums",
    "r2_adjusted",
    "for_bar",
}
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
    """A function of target and prediction as torch source; ``rank`` of what it returns.

    ``more`` are the expressions of what it takes beside the two.
    """

    name: str
    sources: tuple[str, ...]
    rank: int
    more: tuple[str, ...] = ()


def trace(function: Any, name: str, target: tuple[Any, ...], head: Head) -> Traced:
    """Run a user's function once on symbolic tensors of these shapes.

    Raises K2TError where it does what has no translation.
    """
    ends, result = run(function, name, target, head.shape)
    more = [(tensor, place) for tensor, place in head.kept if reads([result], tensor, head.kept)]
    inputs = [*ends, *(tensor for tensor, _ in more)]
    arguments = ["y_true", "y_pred", *(_argument(place) for _, place in more)]
    own = to_identifier(name, "loss")
    own = f"{own}_" if own in _TAKEN else own
    sources = function_source(own, inputs, arguments, [result])
    return Traced(own, sources, len(result.shape), tuple(place for _, place in more))


def function_source(
    name: str, inputs: list[Any], arguments: list[str], results: list[Any], doc: str = ""
) -> tuple[str, ...]:
    """The helpers of a function of symbolic tensors, and its source; UnsupportedError where it has weights."""
    from keras2torch.expressions import forward_lines
    from keras2torch.graph import Graph
    from keras2torch.helpers import helper_sources
    from keras2torch.lower import lower
    from keras2torch.passes import run_passes

    module = run_passes(lower(Graph.between(inputs, results, name)))
    plain = all(value.in_keras_order for value in (*module.inputs, *module.outputs))
    if module.members or not plain:
        raise UnsupportedError(
            f"{name} uses layers or weights", fix="write it into compute_loss by hand"
        )
    for value, argument in zip(module.inputs, arguments):
        value.name = argument
    _, lines, kind = forward_lines(module, [])
    signature = ", ".join(f"{argument}: Tensor" for argument in arguments)
    body = [f'"""{doc}"""', *lines] if doc else lines
    text = "\n".join([f"def {name}({signature}) -> {kind}:", *(f"    {x}" for x in body)])
    return (*helper_sources("\n".join(lines)), text)


def _argument(place: str) -> str:
    return place.rpartition(".")[2].removeprefix("last_")


def run(
    function: Any, name: str, target: tuple[Any, ...], shape: tuple[Any, ...]
) -> tuple[list[Any], Any]:
    """The function on symbolic tensors: these, and what it returns."""
    from keras2torch.frontend.standins.finder import importing_stand_ins
    from keras2torch.graph import Tensor
    from keras2torch.inputs import Input

    y_true = Input(batch_shape=target, dtype="float32", name="y_true")
    y_pred = Input(batch_shape=shape, dtype="float32", name="y_pred")
    try:
        with importing_stand_ins():
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
    return [y_true, y_pred], result


def reads(results: list[Any], tensor: Any, places: Any) -> bool:
    """Whether results are made of a tensor; ``places``: this one and others, each with what holds it."""
    return any(found is tensor for found in first_met(results, {id(other) for other, _ in places}))


def first_met(results: list[Any], known: set[int]) -> list[Any]:
    """Of the tensors that are known (by id, or by a twin) or that a layer made, those met first on the way back."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    pending = list(results)
    while pending:
        tensor = pending.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        if (
            id(tensor) in known
            or any(id(twin) in known for twin in tensor.twins)
            or _of_layer(tensor)
        ):
            found[id(tensor)] = tensor
        elif tensor.call is not None:
            pending += reversed(tensor.call.inputs)
    return sorted(found.values(), key=lambda tensor: tensor.call.order if tensor.call else -1)


def _of_layer(tensor: Any) -> bool:
    """Whether a layer, or a model called as one, made the tensor."""
    from keras2torch.layers.base import Layer

    call = tensor.call
    if call is None:
        return False
    return isinstance(call.operation, Layer) or any(s.kind != "function" for s in call.scopes)


def tensors_read(training: Any, step: Any, known: set[int]) -> list[Any]:
    """The model's tensors (known by id) that its compiled losses read beside target and prediction.

    ``step`` is its class's own training step, which then counts alone.
    """
    found: dict[int, Any] = {}
    try:
        if step is not None:
            return first_met(step.results, known)
        losses = training.losses() if training is not None and training.compiled else []
        for i, loss in enumerate(losses):
            function = getattr(loss, "function", None)
            if function is None:
                continue
            shape = training.output_shapes[i]
            target = training.target_shape(i) or shape
            _, result = run(function, str(loss.name), target, shape)
            found.update((id(tensor), tensor) for tensor in first_met([result], known))
    except K2TError:
        pass  # told when the training script is made
    return list(found.values())


def in_keras_order(head: Head, name: str) -> str:
    """An expression of the output's layout, with its axes as Keras has them."""
    order = head.permutation
    if order is None or tuple(order) == tuple(range(head.rank)):
        return name
    inverse = ", ".join(str(order.index(axis)) for axis in range(head.rank))
    return f"{name}.permute({inverse})"
