"""The weights in legacy HDF5 files (``model.save("model.h5")``, ``save_weights("w.h5")``)."""

from __future__ import annotations

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import printable, quoted
from keras2torch.frontend.saved_hdf5 import Dataset, Group
from keras2torch.frontend.saved_tree import LayerTree, Path, legacy_order
from keras2torch.frontend.saved_weights import Weight, Weights, weight_of

# How the attribute that holds a sub-layer reads in the names of its weights.
_SUBLAYER_NAMES = {
    "forward_layer": "forward_",
    "backward_layer": "backward_",
    "query_dense": "query",
    "key_dense": "key",
    "value_dense": "value",
    "output_dense": "attention_output",
}
# Wrappers whose only weights are those of what they wrap.
_WHOLE = ("layer", "cell")
MAX_COMPARISONS = 5_000_000
"""Of weights' names with layers, in one nested model of 1,500 layers with weights."""
TOP_LEVEL = "top_level_model_weights"


class LegacyWeights(Weights):
    """Weights in one group per layer of the outermost model, in the order of ``weight_names``.

    A nested model is one group, trainable weights first. Which layer of it owns a weight follows
    from the number of weights per layer where the tree knows it, as in Keras itself, and else from
    the weights' names ("encoder/dense_1/kernel:0").
    """

    def __init__(self, group: Group, tree: LayerTree):
        self._file = group
        self._tree = tree
        self._layers = {k: node for k, node in tree.children.items() if not node.is_operation}
        self._names = group.strings("layer_names") or []
        self._groups = self._match_layers()
        self._owners: dict[str, dict[Path, list[Weight]]] = {}

    def for_layer(self, path: Path) -> list[Weight]:
        if not path:
            return [weight for key in self._layers for weight in self.for_layer((key,))]
        top, node = path[0], self._tree.at(path)
        if top not in self._layers:
            raise SavedModelError(f"the saved config has no layer {quoted('/'.join(path))}")
        if not self._layers[top].holds_model():
            return self._below(path[:1], path, self._group_weights(top))
        if top not in self._owners:
            self._owners[top] = self._assign(top)
        owners = self._owners[top]
        if node is not None and node.holds_model():
            return [weight for leaf, _ in node.leaves(path) for weight in owners.get(leaf, [])]
        for length in range(len(path), 1, -1):
            below = self._tree.at(path[:length])
            if below is not None and (path[:length] in owners or length == len(path)):
                return self._below(path[:length], path, owners.get(path[:length], []))
        raise SavedModelError(f"the saved config has no layer {quoted('/'.join(path))}")

    def lists_layers(self, path: Path) -> bool:
        node = self._tree.at(path)
        return node is not None and node.holds_model()

    def unclaimed(self) -> list[str]:
        claimed = {weight.name for weight in self.for_layer(())}
        names = list(self._names)
        if self._file.group(TOP_LEVEL) is not None:
            names.append(TOP_LEVEL)
        found = [weight.name for name in names for weight in _weights_in(self._file, name)]
        return sorted(name for name in found if name not in claimed)

    def _match_layers(self) -> dict[str, str]:
        """The file's name for each layer of the outermost model."""
        keys, names = list(self._layers), self._names
        if all(name in self._layers for name in names):
            return {name: name for name in names}
        # A script's automatic names differ from those in the file: the order counts, as in Keras.
        if len(names) != len(keys):
            names = [name for name in names if _weights_in(self._file, name)]
            keys = [key for key in keys if _may_have_weights(self._layers[key])]
        if len(names) != len(keys):
            raise SavedModelError(
                f"{self._file.blocks.name} has weights of {len(names)} layers "
                f"({', '.join(map(printable, names[:6]))}, ...) and the model has {len(keys)} others "
                f"({', '.join(map(printable, keys[:6]))}, ...)"
            )
        return dict(zip(keys, names, strict=True))

    def _group_weights(self, top: str) -> list[Weight]:
        name = self._groups.get(top)
        return [] if name is None else _weights_in(self._file, name)

    def _below(self, owner: Path, path: Path, weights: list[Weight]) -> list[Weight]:
        """The weights of a layer's sub-layer, told by their names."""
        for depth in range(len(owner), len(path)):
            attribute, parent = path[depth], self._tree.at(path[:depth])
            if attribute in _WHOLE:
                continue
            names = [_SUBLAYER_NAMES.get(attribute, attribute)]
            if parent is not None and attribute in parent.children:
                # A cell has its own name; so has a backward layer that the user gave.
                names.append(parent.children[attribute].name)
            found = [weight for weight in weights if _is_below(weight, names)]
            if weights and not found:
                listed = ", ".join(printable(weight.name) for weight in weights[:6])
                raise SavedModelError(
                    f"which weights belong to {quoted('/'.join(path))} cannot be told from: {listed}"
                )
            weights = found
        return weights

    def _assign(self, top: str) -> dict[Path, list[Weight]]:
        """The weights of every layer inside one nested model."""
        weights = self._group_weights(top)
        leaves = dict(self._layers[top].leaves((top,)))
        if all(leaf.counts is not None for leaf in leaves.values()):
            order = legacy_order(self._tree, (top,))
            if len(order) == len(weights):
                owners: dict[Path, dict[int, Weight]] = {}
                for (path, index), weight in zip(order, weights, strict=True):
                    owners.setdefault(path, {})[index] = weight
                return {path: [found[i] for i in sorted(found)] for path, found in owners.items()}
        return self._assign_by_name(weights, leaves)

    def _assign_by_name(
        self, weights: list[Weight], leaves: dict[Path, LayerTree]
    ) -> dict[Path, list[Weight]]:
        owners: dict[Path, list[Weight]] = {}
        if len(weights) * len(leaves) > MAX_COMPARISONS:
            raise SavedModelError("a nested model has too many layers to tell their weights apart")
        above = {path: self._ancestors(path) for path in leaves}
        for weight in weights:
            best: list[Path] = []
            best_score = (-1, 0, 0)
            for path, leaf in leaves.items():
                score = _score(weight.name, leaf.name, above[path])
                if score is not None and score >= best_score:
                    best = [*best, path] if score == best_score else [path]
                    best_score = score
            if len(best) != 1:
                raise SavedModelError(
                    f"the weight {quoted(weight.name)} of a nested model bears the name of "
                    f"{'several layers' if best else 'no layer'}",
                    fix="save the model in the .keras format with the Keras that wrote it",
                )
            owners.setdefault(best[0], []).append(weight)
        return owners

    def _ancestors(self, path: Path) -> list[str]:
        nodes = [self._tree.at(path[:depth]) for depth in range(len(path))]
        return [node.name for node in nodes if node is not None]


def _may_have_weights(node: LayerTree) -> bool:
    if node.is_operation or node.class_name == "InputLayer":
        return False
    if node.holds_model():
        return any(_may_have_weights(leaf) for _, leaf in node.leaves())
    return node.counts is None or sum(node.counts) > 0


def _weights_in(file: Group, layer: str) -> list[Weight]:
    group = file.group(layer)
    if group is None:
        raise SavedModelError(
            f"{file.blocks.name} lists the layer {quoted(layer)} and lacks its group"
        )
    found = []
    for name in group.strings("weight_names") or []:
        dataset = group.find(name)
        if not isinstance(dataset, Dataset):
            raise SavedModelError(
                f"{file.blocks.name} lists the weight {quoted(name)} and lacks it"
            )
        weight = weight_of(dataset)
        weight.name = name
        found.append(weight)
    return found


def _is_below(weight: Weight, names: list[str]) -> bool:
    """Whether a part of the weight's name is one of these, or starts with one like "forward_"."""
    parts = weight.name.split("/")[:-1]
    starts = tuple(name for name in names if name.endswith("_"))
    return any(part in names or part.startswith(starts) for part in parts)


def _score(weight: str, name: str, ancestors: list[str]) -> tuple[int, int, int] | None:
    """How well a weight's name fits a layer; None where it does not.

    "block/inner/dense/kernel" belongs to block > inner > dense, and not to block > dense; plain
    "dense/kernel" to the latter. Ancestors may be left out, but not reordered; what follows the
    layer's name are its sub-layers. Names may contain slashes. Keras 1 wrote "dense_W".
    """
    parts = weight.split("/")[:-1]
    if not parts:
        return (0, 0, len(name)) if weight.startswith(f"{name}_") else None
    position = matched = skipped = 0
    wanted = name.split("/")
    above = [ancestor.split("/") for ancestor in ancestors]
    while position < len(parts):
        if parts[position : position + len(wanted)] == wanted:
            return matched, -(skipped + len(above)), len(wanted)
        while above and parts[position : position + len(above[0])] != above[0]:
            above.pop(0)
            skipped += 1
        if not above:
            return None
        position += len(above.pop(0))
        matched += 1
    return None
