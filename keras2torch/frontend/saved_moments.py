"""Whose the slots of a saved optimizer are: moments and velocities, by the recorded weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend.archive import SavedModel
from keras2torch.frontend.live import give
from keras2torch.frontend.saved_optimizer import OptimizerState
from keras2torch.frontend.saved_tree import Path, trainable_order
from keras2torch.graph import Weight
from keras2torch.layers.base import Layer
from keras2torch.models import Model


@dataclass(frozen=True)
class Moments:
    """The optimizer's state after ``steps`` updates; ``slots``: torch's name -> id of a weight -> its slot."""

    steps: int
    slots: dict[str, dict[int, Weight]]


def fresh_optimizer(reason: str) -> str:
    """The note on a state that cannot be carried over."""
    return f"the state of the optimizer in the file is not carried over ({reason}): training starts with a fresh one"


def read_moments(model: Model, saved: SavedModel, state: OptimizerState) -> Moments:
    """Pair the slots with the weights of ``model``, in Keras's order.

    Raises UnsupportedError where it is not certain which slot is which, SavedModelError where the file is damaged.
    """
    if not state.slots:
        raise UnsupportedError(state.note)
    counts: dict[str, set[tuple[int, int]]] = {}
    _count(model, counts)

    def known(class_name: str, config: dict[str, Any]) -> tuple[int, int] | None:
        found = counts.get(str(config.get("name")), {(0, 0)})  # an input, an operation
        return next(iter(found)) if len(found) == 1 else None

    weights = [_weight(model, path, i) for path, i in trainable_order(saved.tree(known))]
    slots = {}
    for name, stored in state.slots.items():
        if not stored:  # SGD without momentum has nothing but its count
            continue
        if [tuple(weight.shape) for weight in weights] != [tuple(slot.shape) for slot in stored]:
            raise UnsupportedError("its slots are not in the order of the weights")
        slots[name] = {id(weight): _slot(weight, slot) for weight, slot in zip(weights, stored)}
    return Moments(state.iterations or 0, slots)


def _count(model: Model, counts: dict[str, set[tuple[int, int]]]) -> None:
    """How many weights of each layer learn and how many do not, by its name."""
    for layer in model.sublayers():
        if isinstance(layer, Model):
            _count(layer, counts)
        else:
            learning = sum(weight.trainable for weight in layer.weights)
            pair = (learning, len(layer.weights) - learning)
            counts.setdefault(layer.name, set()).add(pair)


def _weight(model: Model, path: Path, index: int) -> Weight:
    layer: Layer = model
    for name in path:
        layer = next(inner for inner in layer.sublayers() if inner.name == name)
    if layer.user_defined:
        raise UnsupportedError(f"the order of the weights of {layer.name!r} is its own")
    return layer.weights[index]


def _slot(weight: Weight, stored: Any) -> Weight:
    slot = Weight(weight.shape, "float32", str(weight.name))
    give(slot, stored)
    return slot
