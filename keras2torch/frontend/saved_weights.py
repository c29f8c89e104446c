"""The weights of a saved model, found by the layer that owns them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_hdf5 import Dataset, Group
from keras2torch.frontend.saved_tree import LayerTree, Path
from keras2torch.naming import snake_case


@dataclass
class Weight:
    """One array of a saved model; nothing is read before `read`.

    ``name`` is its path in the file, ``dtype`` the name of its element type: "float32", "bfloat16".
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], np.ndarray] = field(repr=False)

    def read(self) -> np.ndarray:
        """The values; those of bfloat16, which NumPy lacks, as the same numbers in float32."""
        array = self.load()
        if self.dtype == "bfloat16":
            return widen_bfloat16(array)
        return array

    def read_bits(self) -> np.ndarray:
        """The values as they are stored: bfloat16 as uint16, everything else as in `read`."""
        return self.load()


def widen_bfloat16(bits: np.ndarray) -> np.ndarray:
    """uint16 bits of bfloat16 numbers as float32: a bfloat16 is the upper half of a float32."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


class Weights:
    """What both ways of storing weights offer; see LegacyWeights and AttributeWeights."""

    def for_layer(self, path: Path) -> list[Weight]:
        """A layer's weights in the order of Keras's ``layer.weights``; [] where the file has none.

        ``path`` is the chain of names from the model down: ("encoder", "dense_1"). Below a layer
        that is no model it goes on with attributes: ("both", "forward_layer"), ("attention",
        "query_dense"), ("frames", "layer", "conv"). The path of a nested model gives the weights
        of all its layers. SavedModelError where the config has no such layer, or where the file
        does not tell which weights are its own.

        The sub-layers of custom layers come in the order of their creation from legacy files, and
        from Keras's own format in that of the node's children (see LayerTree), else of their names.
        """
        raise NotImplementedError

    def unclaimed(self) -> list[str]:
        """Names of the file's layer weights that no layer of the config owns."""
        raise NotImplementedError

    def lists_layers(self, path: Path) -> bool:
        """Whether the layers of the model at a path can be asked for by their names, whatever its class."""
        return False


def weight_of(dataset: Dataset) -> Weight:
    """An HDF5 array as a weight."""
    return Weight(dataset.path, dataset.shape, dataset.dtype, dataset.read)


# --- attribute paths: .keras, .weights.h5 -----------------------------------------------------


@dataclass
class Slot:
    """What the file keeps for one object: its own variables, and the objects it owns."""

    path: str
    label: str | None = None
    variables: list[Weight] = field(default_factory=list)
    children: dict[str, Slot] = field(default_factory=dict)

    def empty(self) -> bool:
        """Whether no variable is kept here or below."""
        return not self.variables and all(child.empty() for child in self.children.values())

    def attribute(self, name: str) -> Slot | None:
        """An attribute's slot; Keras 2 kept some under a private name ("_query_dense")."""
        return self.children.get(name, self.children.get(f"_{name}"))


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key that puts "dense_10" after "dense_2"."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]


def slot_of_group(group: Group, path: str = "") -> Slot:
    """The slots in a weights file of Keras's own format."""
    slot = Slot(path or "/")
    for name, child in group.children.items():
        if name == "vars" and isinstance(child, Group):
            label = child.attribute("name")
            slot.label = label if isinstance(label, str) else None
            for key in sorted(child.children, key=natural):
                variable = child.children[key]
                if not isinstance(variable, Dataset):
                    raise SavedModelError(f"{child.path} holds a group where weights belong")
                slot.variables.append(weight_of(variable))
        elif isinstance(child, Group):
            slot.children[name] = slot_of_group(child, f"{path}/{name}")
    return slot


CONTAINER_BEFORE_2_14 = "_layer_checkpoint_dependencies"
# Sub-layers that Keras makes in another order than that of their attributes' names.
_ATTRIBUTE_ORDER = ["query_dense", "key_dense", "value_dense", "output_dense"]
# What a compiled model keeps beside its layers.
_NO_LAYERS = {"optimizer", "metrics", "_metrics", "_compile_metrics", "_loss_tracker", "loss"}


class AttributeWeights(Weights):
    """Weights kept by the attributes that lead to them: ``layers/dense_1/vars/0``.

    Members of a list have the snake-case name of their class and a counter per list, not their own
    name, so that the config's order and classes decide.
    """

    def __init__(self, root: Slot, tree: LayerTree):
        self._root = root
        self._tree = tree
        self._lists: dict[int, dict[str, Slot]] = {}

    def for_layer(self, path: Path) -> list[Weight]:
        slot, node = self._find(path)
        return list(self._collect(slot, node)) if slot else []

    def slot(self, path: Path) -> Slot | None:
        """What the file keeps for a layer, or None where it keeps nothing."""
        return self._find(path)[0]

    def _find(self, path: Path) -> tuple[Slot | None, LayerTree | None]:
        slot: Slot | None = self._root
        node: LayerTree | None = self._tree
        for depth, key in enumerate(path):
            slot, node = self._step(slot, node, key, path[: depth + 1])
            if slot is None:
                return None, None
        return slot, node

    def unclaimed(self) -> list[str]:
        claimed = {weight.name for weight in self.for_layer(())}
        return sorted(
            weight.name for weight in _layer_weights(self._root) if weight.name not in claimed
        )

    def _step(
        self, slot: Slot | None, node: LayerTree | None, key: str, path: Path
    ) -> tuple[Slot | None, LayerTree | None]:
        if node is not None and node.container is not None:
            if key not in node.children:
                raise SavedModelError(f"the saved config has no layer {quoted('/'.join(path))}")
            child = node.children[key]
            return (self._members(slot, node).get(key) if slot else None), child
        below = node.children.get(key) if node else None
        return (slot.attribute(key) if slot else None), below

    def _members(self, slot: Slot, node: LayerTree) -> dict[str, Slot]:
        """The slots of the layers that a model (or a stack of cells) lists, by their keys."""
        if id(slot) not in self._lists:
            container = slot.children.get(node.container) if node.container else slot
            layers = {k: child for k, child in node.children.items() if not child.is_operation}
            if container is None and CONTAINER_BEFORE_2_14 in slot.children:
                container = slot.children[CONTAINER_BEFORE_2_14]
                found = _count_in_pairs(container, layers)
            else:
                container = container or Slot(slot.path)
                found = _by_label(container, layers) or _count(container, layers)
            self._lists[id(slot)] = found
        return self._lists[id(slot)]

    def _collect(self, slot: Slot, node: LayerTree | None) -> Iterator[Weight]:
        if _is_random_state(slot):
            return
        yield from slot.variables
        done = set()
        if node is not None and node.container is not None:
            members = self._members(slot, node)
            for key, child in node.children.items():
                if key in members:
                    yield from self._collect(members[key], child)
            if node.is_model or not node.container:
                return  # what else a model holds is its optimizer, losses and metrics
            done.add(node.container)
        elif node is not None:
            for key, child in node.children.items():
                below = slot.attribute(key)
                if below is not None:
                    done.add(below.path.rsplit("/", 1)[-1])
                    yield from self._collect(below, child)
        if slot is self._root:
            done |= _NO_LAYERS
        for key in sorted(slot.children.keys() - done, key=_attribute_order):
            yield from self._collect(slot.children[key], None)


def _attribute_order(key: str) -> tuple[int, list[tuple[int, str]]]:
    plain = key.lstrip("_")
    known = _ATTRIBUTE_ORDER.index(plain) if plain in _ATTRIBUTE_ORDER else -1
    return known, natural(plain)


def _is_random_state(slot: Slot) -> bool:
    """Dropout keeps the state of its random numbers among the variables; it is no weight."""
    names = (slot.label or "", slot.path.rsplit("/", 1)[-1].lstrip("_"))
    return any(name.startswith(("seed_generator", "random_generator")) for name in names)


# Classes that a config names otherwise than the slots of their layers do.
_CLASS_OF = {"GroupQueryAttention": "GroupedQueryAttention"}


def _count(container: Slot, layers: dict[str, LayerTree]) -> dict[str, Slot]:
    """dense, dense_1, dense_2: a counter per class, over every layer of the list."""
    counters: dict[str, int] = {}
    found = {}
    for key, layer in layers.items():
        base = snake_case(_CLASS_OF.get(layer.class_name, layer.class_name))
        number = counters.get(base, 0)
        counters[base] = number + 1
        slot = container.children.get(f"{base}_{number}" if number else base)
        if slot is not None:
            found[key] = slot
    return found


def _count_in_pairs(container: Slot, layers: dict[str, LayerTree]) -> dict[str, Slot]:
    """Keras 2.12 and 2.13 list a layer with weights twice: dense, dense_2, dense_4."""
    counters: dict[str, int] = {}
    found = {}
    for key, layer in layers.items():
        base = snake_case(layer.class_name)
        number = counters.get(base, 0)
        slot = container.children.get(f"{base}_{number}" if number else base)
        has_weights = slot is not None and not slot.empty()
        counters[base] = number + (2 if has_weights else 1)
        if slot is not None:
            found[key] = slot
    return found


def _by_label(container: Slot, layers: dict[str, LayerTree]) -> dict[str, Slot] | None:
    """By the layers' names, which Keras writes beside the variables since 3.6.

    Used where they are exactly the config's: a script's own names may differ from those of the
    session that wrote the weights, and then the order counts.
    """
    found = {slot.label: slot for slot in container.children.values() if slot.label is not None}
    # Sequential models do not count their InputLayer among their layers.
    missing = [layer for key, layer in layers.items() if key not in found]
    if len(found) < len(container.children) or not found.keys() <= layers.keys():
        return None
    return None if any(layer.class_name != "InputLayer" for layer in missing) else found


def _layer_weights(slot: Slot) -> Iterator[Weight]:
    if _is_random_state(slot):
        return
    yield from slot.variables
    for key, child in slot.children.items():
        if slot.path != "/" or key not in _NO_LAYERS:
            yield from _layer_weights(child)
