"""kinds: blocks of one structure that the network itself tells apart, and that differ in much, are of two classes.

Block(1088, 192, (1, 7), (7, 1), 0.1, ...)  20 times           Block17()  20 times
Block(2080, 192, (1, 3), (3, 1), 0.2, ...)   9 times    ->     Block8()    9 times
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from keras2torch.module import Module, ModuleClass, classes_of
from keras2torch.passes.instances import move
from keras2torch.passes.skeleton import skeleton

TIMES = 4  # each kind
PARAMETERS = 6  # that one class for all would have


def kinds(module: Module) -> Module:
    """Part classes found by pattern along the names of their instances."""
    for cls in classes_of(module):
        scope = cls.body.scope
        if scope is not None and scope.kind == "pattern":
            groups = _groups(cls)
            if len(groups) > 1 and _differ_in_much(groups):
                _part(module, cls, groups[1:])
    return module


def _groups(cls: ModuleClass) -> list[list[Module]]:
    """The instances whose names are equal but for their last number: block17_1, block17_2 ..."""
    found: dict[str, list[Module]] = {}
    for instance in cls.instances:
        name = instance.scope.name if instance.scope is not None else ""
        found.setdefault(re.sub(r"_?\d+[a-z]?(_[a-z]+)?\Z", "", name), []).append(instance)
    return list(found.values())


def _differ_in_much(groups: list[list[Module]]) -> bool:
    """Whether every group is of one mould, and the moulds have many differences."""
    moulds = [{skeleton(instance, exact=True) for instance in group} for group in groups]
    if any(len(group) < TIMES or len(mould) > 1 for group, mould in zip(groups, moulds)):
        return False
    first, *others = (mould.pop() for mould in moulds)
    return all(len(set(_differences(first, other))) >= PARAMETERS for other in others)


def _differences(left: Any, right: Any) -> Iterator[tuple[Any, Any]]:
    if left == right:
        return
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        for pair in zip(left, right):
            yield from _differences(*pair)
    else:
        yield left, right


def _part(root: Module, cls: ModuleClass, groups: list[list[Module]]) -> None:
    for group in groups:
        move(root, group, ModuleClass(cls.name, [], doc=cls.doc))
