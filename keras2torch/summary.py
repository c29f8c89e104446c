"""The layer table of a model as Keras prints it, from the recording alone."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Call, relative_scopes
from keras2torch.layers.base import Layer
from keras2torch.models import Model


def summary_text(model: Model) -> str:
    """Layer (type), output shape, number of parameters; then the totals."""
    rows = [("Layer (type)", "Output Shape", "Param #")]
    for layer, shape in _rows(model):
        count = layer.count_params() if isinstance(layer, Layer) else 0
        kind = (
            type(layer).__name__ if isinstance(layer, Layer) else getattr(layer, "kind", "Function")
        )
        rows.append((f"{layer.name} ({kind})", _shape(shape), f"{count:,}"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    line = "─" * (sum(widths) + 4)
    table = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    total = sum(_size(w) for w in model.weights)
    trainable = sum(_size(w) for w in model.trainable_weights)
    return "\n".join(
        [
            f'Model: "{model.name}"',
            line,
            table[0],
            line,
            *table[1:],
            line,
            f"Total params: {total:,}",
            f"Trainable params: {trainable:,}",
            f"Non-trainable params: {total - trainable:,}",
        ]
    )


class _Row:
    def __init__(self, name: str, kind: str):
        self.name, self.kind = name, kind


def _rows(model: Model) -> list[tuple[Any, Any]]:
    graph = model.graph
    inner = relative_scopes(graph)
    found: dict[int, tuple[Any, Any]] = {}
    for tensor in graph.inputs:
        found[id(tensor)] = (_Row(str(tensor.name), "InputLayer"), tensor.shape)
    for call in graph.calls:
        layer = _owner(call, inner)
        key = id(layer) if isinstance(layer, Layer) else id(call)
        shape = call.outputs[0].shape
        found[key] = (
            layer if isinstance(layer, Layer) else _Row(call.operation.name, str(call.operation)),
            shape,
        )
    return list(found.values())


def _owner(call: Call, inner: Any) -> Any:
    owners = [
        scope.owner
        for scope in inner(call)
        if scope.kind != "function" and isinstance(scope.owner, Layer)
    ]
    return owners[0] if owners else call.operation


def _shape(shape: Any) -> str:
    return (
        "("
        + ", ".join("None" if n is None else str(n) for n in shape)
        + ("," if len(shape) == 1 else "")
        + ")"
    )


def _size(weight: Any) -> int:
    total = 1
    for n in weight.shape:
        total *= n or 1
    return total
