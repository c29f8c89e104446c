"""Which mask a tensor carries when a model runs, where Keras's MultiHeadAttention takes masks away.

A Functional model notes masks as edges when it is built. Beside them, tensors carry masks when it runs, and
MultiHeadAttention strips its inputs of theirs: a second attention to the same query sees none
(keras/src/layers/attention/multi_head_attention.py, ``call``).
"""

from __future__ import annotations

import math
from typing import Any

from keras2torch.frontend import trace
from keras2torch.graph import Tensor, tensors_in
from keras2torch.layers.operation import call_parameters


def mask_at_run_time(tensor: Tensor) -> Tensor | None:
    """The mask on ``tensor`` at this point of the program; None where an attention before took it."""
    return tensor.mask if _carries(tensor, math.inf, {}) else None


def drop_mask(tensors: list[Tensor], outputs: Any) -> None:
    """Note that the call that made ``outputs`` strips ``tensors`` of their masks."""
    call = tensors_in(outputs)[0].call
    assert call is not None
    for tensor in tensors:
        tensor.mask_dropped = min(call.order, getattr(tensor, "mask_dropped", call.order))  # type: ignore[attr-defined]


def in_traced_call() -> bool:
    """Whether a user's own ``call`` is being traced: it sees only the masks that tensors carry."""
    return any(scope.kind == "layer" for scope in trace.user_scopes())


def _carries(tensor: Tensor, before: float, known: dict[tuple[int, float], bool]) -> bool:
    if tensor.mask is None or getattr(tensor, "mask_dropped", math.inf) < before:
        return False
    call = tensor.call
    if call is None:
        return True
    if call.operation.own_class:  # an attention passes its query's mask on
        return call.kwargs.get("query_mask") is not None
    if "mask" in call_parameters(type(call.operation).lower).parameters:
        return True  # an edge of the graph
    key = (id(tensor), before)
    if key not in known:
        masked = [t for t in call.inputs if t.mask is not None]
        known[key] = all(_carries(t, call.order, known) for t in masked)
    return known[key]
