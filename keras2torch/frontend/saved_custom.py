"""The weights of custom layers in Keras's own format: found by the attributes that hold the inner layers.

Source: ``_walk_saveable`` and ``_save_container_state`` in keras/src/saving/saving_lib.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_weights import Slot, Weight
from keras2torch.layers.base import Layer
from keras2torch.models import Model
from keras2torch.naming import snake_case

_OURS = {"_fields", "_read", "_arguments", "_weights", "_calls", "_losses", "training_calls"}


def custom_weights(layer: Layer, slot: Slot, order: Callable[[Model], list[Layer]]) -> list[Weight]:
    """The stored weights of a custom layer in the order of ``layer.weights``.

    ``order`` gives the layers of an inner model as Keras lists them. Raises SavedModelError where the file
    lacks some.
    """
    slots: dict[int, tuple[Layer, Slot]] = {}
    _visit(layer, slot, slots, order)
    found: dict[int, Weight] = {}
    for owner, own in slots.values():
        recorded = [w for w in owner._weights if w.trainable]
        recorded += [w for w in owner._weights if not w.trainable]
        if len(recorded) != len(own.variables):
            raise SavedModelError(
                f"the file has {len(own.variables)} weights for the {type(owner).__name__} layer "
                f"{quoted(own.path)}, whose class makes {len(recorded)}",
                fix="give the source that the file was saved with",
            )
        found.update(zip(map(id, recorded), own.variables))
    missing = [weight.path for weight in layer.weights if id(weight) not in found]
    if missing:
        raise SavedModelError(f"the file has no weights for {quoted(missing[0])} of {layer.name!r}")
    return [found[id(weight)] for weight in layer.weights]


def _visit(
    layer: Layer,
    slot: Slot,
    slots: dict[int, tuple[Layer, Slot]],
    order: Callable[[Model], list[Layer]],
) -> None:
    """Each layer belongs to the first slot that leads to it, by attributes in Keras's order."""
    if id(layer) in slots:
        return
    slots[id(layer)] = (layer, slot)
    if isinstance(layer, Model) and not layer.user_defined:
        attributes: list[tuple[str, Any]] = [("layers", order(layer))]
    else:
        attributes = _attributes(layer)
    for name, value in attributes:
        below = slot.attribute(name)
        if below is None:
            continue
        inner_layers = [(value, below)] if isinstance(value, Layer) else _listed(value, below)
        for inner, place in inner_layers:
            _visit(inner, place, slots, order)


def _attributes(layer: Layer) -> list[tuple[str, Any]]:
    """The attributes that may hold layers, the private ones last."""
    held = {
        _KERAS_NAMES.get(name, name): value
        for name, value in [*layer.__dict__.get("_fields", {}).items(), *layer.__dict__.items()]
        if name not in _OURS and isinstance(value, (Layer, list, tuple, dict))
    }
    if isinstance(layer, Model):
        held.setdefault("layers", layer.sublayers())
    return sorted(held.items(), key=lambda item: (item[0].startswith("_"), item[0]))


# Attributes of our layers that Keras's layers call otherwise.
_KERAS_NAMES = {"backward_layer_used": "backward_layer"}


def _listed(values: Any, slot: Slot) -> Iterator[tuple[Layer, Slot]]:
    """The layers in a list or dict: named by their class and a counter, lists in it "container"."""
    counters: dict[str, int] = {}
    for value in values.values() if isinstance(values, dict) else values:
        if not isinstance(value, (Layer, list, tuple, dict)):
            continue
        base = snake_case(type(value).__name__) if isinstance(value, Layer) else "container"
        number = counters.get(base, 0)
        counters[base] = number + 1
        below = slot.children.get(f"{base}_{number}" if number else base)
        if below is None:
            continue
        if isinstance(value, Layer):
            yield value, below
        else:
            yield from _listed(value, below)
