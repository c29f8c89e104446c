"""Pair the weights of a recorded model with those of the real Keras model of the same program."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend.live import set_weights
from keras2torch.models import Model


def pair_weights(recorded: Any, real: Any) -> None:
    """Let every recorded weight read its array from the real model's. Raises AssertionError if they do not match."""
    ours = [layer for layer in recorded.sublayers() if layer.weights]
    theirs = [layer for layer in real._flatten_layers(include_self=False, recursive=False) if layer.weights]
    if recorded._weights or (recorded.user_defined and not _same_kind(ours, theirs)):
        set_weights(recorded, real.weights)
        return
    by_name = {layer.name: layer for layer in theirs}
    if len(by_name) == len(theirs) and all(layer.name in by_name for layer in ours):
        pairs = [(layer, by_name[layer.name]) for layer in ours]
    else:
        assert len(ours) == len(theirs), (
            f"{[layer.name for layer in ours]} recorded, {[layer.name for layer in theirs]} in Keras"
        )
        pairs = _in_order(ours, theirs)
    for layer, twin in pairs:
        if isinstance(layer, Model):
            pair_weights(layer, twin)
        else:
            set_weights(layer, twin.weights)


def _same_kind(ours: list[Any], theirs: list[Any]) -> bool:
    return len(ours) == len(theirs)


def _in_order(ours: list[Any], theirs: list[Any]) -> list[tuple[Any, Any]]:
    """In order, but each with the next one of its own shapes: branches may be listed in another order."""
    left = list(theirs)
    pairs = []
    for layer in ours:
        shapes = [tuple(w.shape) for w in layer.weights]
        twin = next((t for t in left if [tuple(w.shape) for w in t.weights] == shapes), None)
        assert twin is not None, f"nothing in Keras has the weights of {layer.name}: {shapes}"
        left.remove(twin)
        pairs.append((layer, twin))
    return pairs
