"""merge: stateless submodules of equal arguments are one member, called several times.

self.dropout1 = nn.Dropout(0.5)
self.dropout2 = nn.Dropout(0.5)    ->    self.dropout = nn.Dropout(0.5)
"""

from __future__ import annotations

from collections.abc import Hashable

from keras2torch.module import Module, Submodule, classes_of


def merge(module: Module) -> Module:
    """Merge in every class, where it holds for all its instances."""
    for cls in classes_of(module):
        first: dict[Hashable, int] = {}
        for index in range(len(cls.body.nodes)):
            targets = [instance.nodes[index].target for instance in cls.instances]
            if not all(map(_stateless, targets)):
                continue
            earlier = first.setdefault(tuple(map(_settings, targets)), index)
            for instance in cls.instances:
                instance.nodes[index].target = instance.nodes[earlier].target
    return module


def _stateless(target: object) -> bool:
    return (
        isinstance(target, Submodule)
        and isinstance(target.cls, str)
        and target.cls.startswith(("nn.Dropout", "nn.AlphaDropout"))
        and not target.weights
    )


def _settings(target: Submodule) -> Hashable:
    return target.cls, tuple(target.args.items()), target.note
