"""newaxis: a reshape that only adds axes of size 1 is an index with None.

scale = scale.reshape(-1, 64, 1, 1)    ->    scale = scale[:, :, None, None]
"""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, Node, classes_of


def newaxis(module: Module) -> Module:
    """Rewrite where all instances of a class agree."""
    for cls in classes_of(module):
        for nodes in zip(*(instance.nodes for instance in cls.instances)):
            indices = {_index(node) for node in nodes}
            index = indices.pop()
            if indices or index is None:
                continue
            for node in nodes:
                if index.count(None) == 1:
                    node.target, node.args = "unsqueeze", (node.args[0], index.index(None))
                else:
                    parts = tuple(slice(None) if part else None for part in index)
                    node.kind, node.target, node.args = "index", "", (node.args[0], parts)
    return module


def _index(node: Node) -> tuple[bool | None, ...] | None:
    """For each dimension of the result, None if it is new; None where that is not all that the reshape does."""
    if (node.kind, node.target) != ("method", "reshape") or len(node.inputs) != 1:
        return None
    before, after = node.args[0].shape, node.output.shape
    if None in before[1:] or None in after[1:] or len(after) <= len(before):
        return None
    sizes: list[Any] = list(before)
    index: list[bool | None] = []
    for size in after:
        if sizes and size == sizes[0]:
            sizes.pop(0)
            index.append(True)
        elif size == 1:
            index.append(None)
        else:
            return None
    return None if sizes else tuple(index)
