"""inline: a block found by pattern that no second use pays for stands in its parent again; so does a mere call.

self.conv1 = Conv1()                     self.conv1_conv = nn.Conv2d(...)
x = self.conv1(x)                 ->     x = F.relu(self.conv1_conv(x))
"""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, ModuleClass, Node, Submodule, classes_of
from keras2torch.passes.regions import branches, weighty

SINGLE = 4  # layers with weights that make a block used once worth a class
GENEROSITY = 5  # lines that a class may cost for the sake of its name


def inline(module: Module) -> Module:
    """Decide for each class found by pattern."""
    parents = _parents(module)  # a class comes before its parents: these stay right
    for cls in classes_of(module):
        scope = cls.body.scope
        found = scope is not None and scope.kind == "pattern"
        if (found and not _pays(cls)) or _only_calls(cls):
            for parent in parents.get(id(cls), []):
                _inline(parent, cls)
    return module


def _only_calls(cls: ModuleClass) -> bool:
    """A function of the program that does nothing but call another."""
    body = cls.body
    if body.scope is None or body.scope.kind != "function" or len(body.nodes) != 1:
        return False
    (node,) = body.nodes
    inner = isinstance(node.target, Submodule) and node.target.body is not None
    return inner and list(node.outputs) == body.outputs


def unwrap(module: Module) -> None:
    """The same for blocks of which nothing but the call of another is left."""
    parents = _parents(module)
    for cls in classes_of(module):
        scope = cls.body.scope
        if scope is None or scope.kind != "pattern" or branches(cls.body.nodes):
            continue
        members = cls.body.members
        inner = members[0] if len(members) == 1 else None
        if isinstance(inner, Submodule) and inner.body is not None:
            for parent in parents.get(id(cls), []):
                _inline(parent, cls)


def _parents(root: Module) -> dict[int, list[Module]]:
    """The modules that call a class (by its id)."""
    found: dict[int, dict[int, Module]] = {}
    for cls in classes_of(root):
        for instance in cls.instances:
            for node in instance.nodes:
                if isinstance(node.target, Submodule) and node.target.body is not None:
                    found.setdefault(id(node.target.cls), {})[id(instance)] = instance
    return {key: list(modules.values()) for key, modules in found.items()}


def _pays(cls: ModuleClass) -> bool:
    members = [
        m
        for m in cls.body.members
        if not isinstance(m, Submodule) or m.weights or m.body or m.items
    ]
    statements = max(1, sum(map(weighty, cls.body.nodes)))
    uses = len(cls.instances)
    branching = branches(cls.body.nodes)
    if uses == 1:
        return branching and statements >= SINGLE
    as_class = 5 + len(members) + statements + 2 * uses
    return as_class <= uses * (len(members) + statements) + GENEROSITY


def _inline(parent: Module, cls: ModuleClass) -> None:
    nodes: list[Node] = []
    swap: dict[int, Any] = {}
    for node in parent.nodes:
        if swap:
            node.replace_inputs(swap)
        target = node.target
        body = target.body if isinstance(target, Submodule) and target.cls is cls else None
        if body is None:
            nodes.append(node)
            continue
        inner: dict[int, Any] = {id(a): b for a, b in zip(body.inputs, node.inputs)}
        for own in body.nodes:
            own.replace_inputs(inner)
            nodes.append(own)
        for outer, value in zip(node.outputs, body.outputs):
            value.hint = value.hint or outer.hint
            value.tensor = outer.tensor if value.tensor is None else value.tensor
            swap[id(outer)] = inner.get(id(value), value)
    parent.nodes = nodes
    parent.outputs = [swap.get(id(value), value) for value in parent.outputs]
