"""The tree of a saved model's layers, as far as finding their weights needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted

Path = tuple[str, ...]
Counts = Callable[[str, dict[str, Any]], "tuple[int, int] | None"]


@dataclass
class LayerTree:
    """A layer, and the layers that it owns and that its config names.

    ``children`` are keyed by layer name in a model, by position in a list of cells, and by
    attribute ("layer", "cell", "forward_layer", ...) elsewhere. ``container`` is the attribute that
    lists them, "" where this node is a list itself, or None where each child is an attribute of its
    own. ``counts`` is how many trainable and non-trainable weights the layer itself has, or None
    where that is not known.

    A config tells nothing of the layers that a custom layer makes. Who has its source may give its
    node ``children``, in the order of their creation; their weights then come in that order.
    """

    name: str
    class_name: str
    trainable: bool = True
    is_model: bool = False
    is_operation: bool = False
    container: str | None = None
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    children: dict[str, LayerTree] = field(default_factory=dict)
    counts: tuple[int, int] | None = None

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, LayerTree]]:
        """Every layer that is no model, nor a wrapper of one, with its path, in config order."""
        for key, child in self.children.items():
            below = (*path, key)
            if child.holds_model():
                yield from child.leaves(below)
            elif not child.is_operation:
                yield below, child

    def holds_model(self) -> bool:
        """Whether this is a model or a wrapper (TimeDistributed) around one."""
        return self.is_model or any(child.holds_model() for child in self.children.values())

    def at(self, path: Path) -> LayerTree | None:
        """The descendant at a path, or None where the config names none."""
        node: LayerTree | None = self
        for key in path:
            node = node.children.get(key) if node else None
        return node


def layer_tree(config: dict[str, Any], counts: Counts | None = None) -> LayerTree:
    """The tree of a model's config, as `SavedModel.config` gives it.

    ``counts(class_name, config)`` may say how many trainable and non-trainable weights a layer has,
    whatever its ``trainable`` flag. Legacy files need it where weights of nested models bear no
    layer's name.
    """
    return _node(config, "model", counts)


def plain_class_name(entry: dict[str, Any]) -> str:
    """The Python class's name: without the package that registered it ("package>Class")."""
    name = entry.get("class_name")
    if not isinstance(name, str) or not name:
        raise SavedModelError("the saved config has a layer without a class name")
    return name.split(">")[-1]


def _node(entry: Any, fallback: str, counts: Counts | None) -> LayerTree:
    if not isinstance(entry, dict):
        raise SavedModelError(
            f"the saved config describes {quoted(fallback)} by {type(entry).__name__}"
        )
    config = entry.get("config")
    class_name = plain_class_name(entry)
    layers = config if isinstance(config, list) else None  # Sequential, before Keras 2.2.3
    if not isinstance(config, dict):
        config = {}
    name = config.get("name", entry.get("name", fallback))
    if not isinstance(name, str):
        raise SavedModelError(
            f"the saved config names a {quoted(class_name)} layer {quoted(name)}, not a text"
        )
    # Keras 3 lists operations (x + y) among the layers; Keras 2 wraps them in layers.
    module = entry.get("module")
    node = LayerTree(name, class_name, config.get("trainable") is not False)
    node.config = config
    node.is_operation = isinstance(module, str) and ".ops." in f".{module}."
    if layers is None and _is_model(class_name, config):
        layers = config["layers"]
    if layers is not None:
        node.is_model, node.container = True, "layers"
        for number, layer in enumerate(layers):
            child = _node(layer, f"{class_name.lower()} layer {number}", counts)
            if child.name in node.children:
                raise SavedModelError(f"the saved config has two layers named {quoted(child.name)}")
            node.children[child.name] = child
        return node
    if counts is not None:
        node.counts = counts(class_name, config)
    _add_owned(node, config, counts)
    return node


def _add_owned(node: LayerTree, config: dict[str, Any], counts: Counts | None) -> None:
    """The layers that a wrapper or a recurrent layer names in its own config."""
    if _is_layer_list(config.get("cells")):
        node.container = "cells"
        for number, cell in enumerate(config["cells"]):
            node.children[str(number)] = _node(cell, f"cell {number}", counts)
    elif node.class_name == "Bidirectional":
        backward = config.get("backward_layer") or config.get("layer")
        for key, layer in [("forward_layer", config.get("layer")), ("backward_layer", backward)]:
            node.children[key] = _node(layer, key, counts)
    else:
        for key in ("layer", "cell"):
            if _is_layer_list([config.get(key)]):
                node.children[key] = _node(config[key], key, counts)


def _is_model(class_name: str, config: dict[str, Any]) -> bool:
    """Custom layers may have a config key "layers" too; subclasses of models have more to show."""
    if not _is_layer_list(config.get("layers")):
        return False
    known = class_name in ("Sequential", "Functional", "Model")
    return known or "input_layers" in config or "build_input_shape" in config


def _is_layer_list(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "class_name" in item and "config" in item for item in value
    )


def trainable_order(tree: LayerTree) -> list[tuple[Path, int]]:
    """(layer's path, index among its weights) of the model's trainable weights, in Keras's order.

    Optimizer slots are in this order. SavedModelError where the counts of a layer are not known.
    """
    return [(path, i) for path, indices in _variables(tree, (), True) for i in indices]


def legacy_order(tree: LayerTree, path: Path) -> list[tuple[Path, int]]:
    """The same for all weights of one layer of the model, in the order of legacy HDF5 files.

    They keep a nested model in one group: what is trainable first, then the rest.
    """
    node = tree.at(path)
    if node is None:
        raise SavedModelError(f"the config has no layer {quoted('/'.join(path))}")
    both = [*_variables(node, path, True), *_variables(node, path, False)]
    return [(owner, i) for owner, indices in both for i in indices]


def _variables(node: LayerTree, path: Path, trainable: bool) -> Iterator[tuple[Path, range]]:
    if not node.trainable:
        if not trainable:
            yield from _all_variables(node, path)
    elif node.holds_model():
        for key, child in node.children.items():
            if not child.is_operation:
                yield from _variables(child, (*path, key), trainable)
    else:
        first, second = _counts(node, path)
        yield path, range(first) if trainable else range(first, first + second)


def _all_variables(node: LayerTree, path: Path) -> Iterator[tuple[Path, range]]:
    leaves = node.leaves(path) if node.holds_model() else [(path, node)]
    for owner, leaf in leaves:
        yield owner, range(sum(_counts(leaf, owner)))


def _counts(node: LayerTree, path: Path) -> tuple[int, int]:
    if node.counts is None:
        raise SavedModelError(
            f"how many weights the {quoted(node.class_name)} layer {quoted('/'.join(path))} has is not known"
        )
    return node.counts
