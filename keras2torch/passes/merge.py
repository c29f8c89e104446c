"""merge: stateless submodules of equal arguments are one member, called several times.

self.dropout1 = nn.Dropout(0.5)
self.dropout2 = nn.Dropout(0.5)    ->    self.dropout = nn.Dropout(0.5)
"""

from __future__ import annotations

from keras2torch.module import Module, Submodule, classes_of


def merge(module: Module) -> Module:
    """Merge in every class, where it holds for all its instances."""
    for cls in classes_of(module):
        nodes = cls.body.nodes
        for index, node in enumerate(nodes):
            if not _stateless(node.target):
                continue
            for later in range(index + 1, len(nodes)):
                if all(_equal(i.nodes[index].target, i.nodes[later].target) for i in cls.instances):
                    for instance in cls.instances:
                        instance.nodes[later].target = instance.nodes[index].target
    return module


def _stateless(target: object) -> bool:
    return (
        isinstance(target, Submodule)
        and isinstance(target.cls, str)
        and target.cls.startswith(("nn.Dropout", "nn.AlphaDropout"))
    )


def _equal(left: object, right: object) -> bool:
    if left is right or not isinstance(left, Submodule) or not isinstance(right, Submodule):
        return False
    alike = left.cls == right.cls and left.args == right.args and left.note == right.note
    return alike and not right.weights
