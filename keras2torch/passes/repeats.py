"""repeats: a short chain written many times over, in any class, becomes a class of its own.

x = F.relu(self.bn1(self.conv1(x)))          x = self.conv1(x)
x = F.relu(self.bn2(self.conv2(x)))    ->    x = self.conv2(x)
...                                          with class ConvNormAct
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from keras2torch.graph import Scope
from keras2torch.module import (
    Module,
    ModuleClass,
    Node,
    Submodule,
    Value,
    classes_of,
    members_in,
)
from keras2torch.passes.discover import layer_name
from keras2torch.passes.inline import unwrap
from keras2torch.passes.ledger import Ledger
from keras2torch.passes.outline import count_uses, fold
from keras2torch.passes.regions import weighty
from keras2torch.passes.skeleton import node_skeleton

LONGEST = 12  # nodes of a chain
LEAST = 8  # lines that a class should save

Chain = list[int]  # indices of nodes, each feeding only the next


def repeats(module: Module) -> Module:
    """Fold the chain that saves most lines, as long as one saves enough."""
    for cls in classes_of(module):
        _add_empty_pads(cls)
    while True:
        chains = [(cls, chain) for cls in classes_of(module) for chain in _chains(cls.body)]
        best = _best(chains)
        if best is None:
            unwrap(module)
            return module
        made = ModuleClass("ConvNormAct", [])
        found = [
            (instance, [instance.nodes[index] for index in chain[start : start + len(best)]])
            for cls, chain in chains
            for start in _occurrences(_letters(cls, chain), best)
            for instance in cls.instances
        ]
        ledgers = {id(instance): Ledger(instance) for instance, _ in found}
        for instance, nodes in found:
            _fold(ledgers[id(instance)], nodes, made)


def _add_empty_pads(cls: ModuleClass) -> None:
    """A pad of nothing in front of each convolution that has none, so that all look alike."""
    uses = count_uses(cls.body)
    for index in reversed(range(len(cls.body.nodes))):
        node = cls.body.nodes[index]
        if (
            node.folds is None
            or not isinstance(node.target, Submodule)
            or uses[id(node.target)] > 1
        ):
            continue
        if node.inputs[0].node is not None and node.inputs[0].node.kind == "pad":
            continue
        if node.target.body is None and node.target.items is None:
            for instance in cls.instances:
                _add_empty_pad(instance, index)


def _add_empty_pad(module: Module, index: int) -> None:
    node = module.nodes[index]
    source = node.inputs[0]
    value = Value(source.shape, source.axes, source.dtype)
    kwargs = {"pads": ((0, 0),) * (len(source.shape) - 2), "value": node.folds, "mode": "constant"}
    pad = Node("pad", "", (source,), kwargs, (value,), where=node.where, call=node.call)
    value.node = pad
    node.args = (value, *node.args[1:])
    module.nodes.insert(index, pad)


def _chains(body: Module) -> list[Chain]:
    """Maximal runs of unary nodes, by index."""
    users, uses = body.users(), count_uses(body)
    position = {id(node): index for index, node in enumerate(body.nodes)}
    chains: list[Chain] = []
    ends: dict[int, Chain] = {}
    for node in body.nodes:
        if not _unary(node, uses):
            continue
        before = node.inputs[0]
        chain = ends.pop(id(before), None)
        if chain is None or len(users.get(id(before), [])) > 1 or before in body.outputs:
            chain = []
            chains.append(chain)
        chain.append(position[id(node)])
        ends[id(node.output)] = chain
    return [chain for chain in chains if len(chain) > 1]


def _unary(node: Node, uses: Counter[int]) -> bool:
    target = node.target
    if isinstance(target, Submodule):
        if target.body is not None or target.items is not None or target.present is not None:
            return False
        if uses[id(target)] > 1:
            return False
    return (
        node.kind in ("call", "function", "pad")
        and len(node.inputs) == 1
        and len(node.outputs) == 1
    )


def _letters(cls: ModuleClass, chain: Chain) -> list[Any]:
    return [node_skeleton(cls.body.nodes[index], loose=True) for index in chain]


def _occurrences(text: list[Any], pattern: tuple[Any, ...]) -> list[int]:
    """Where the pattern begins, without overlaps."""
    found, index = [], 0
    while index + len(pattern) <= len(text):
        if tuple(text[index : index + len(pattern)]) == pattern:
            found.append(index)
            index += len(pattern)
        else:
            index += 1
    return found


def _best(chains: list[tuple[ModuleClass, Chain]]) -> tuple[Any, ...] | None:
    """The pattern that saves most lines."""
    texts = [_letters(cls, chain) for cls, chain in chains]
    nodes = [[cls.body.nodes[index] for index in chain] for cls, chain in chains]
    costs: dict[tuple[Any, ...], tuple[int, int]] = {}
    for text, row in zip(texts, nodes):
        for start, length in itertools.product(range(len(text)), range(2, LONGEST + 1)):
            part = row[start : start + length]
            pattern = tuple(text[start : start + length])
            if len(part) == length and pattern not in costs and _sensible(part):
                costs[pattern] = (_members(part), max(1, sum(map(weighty, part))))
    best, most = None, 0.0
    for pattern, (members, statements) in costs.items():
        count = sum(len(_occurrences(text, pattern)) for text in texts)
        saved = count * (members + statements - 2) - (5 + members + statements)
        preference = saved + count * len(pattern) / 4  # the longer one among equals
        if count > 2 and saved >= LEAST and preference > most:
            best, most = pattern, preference
    return best


def _sensible(part: list[Node]) -> bool:
    """It begins with what computes (or its padding or activation), not in the middle of a layer."""
    if sum(map(weighty, part)) == 0 or _members(part) < 2 or part[-1].kind == "pad":
        return False
    first = part[0]
    if isinstance(first.target, Submodule):
        return weighty(first) and first.folds is None or _not_padded(first)
    return first.kind == "pad" or sum(map(weighty, part)) > 1


def _not_padded(node: Node) -> bool:
    before = node.inputs[0].node
    return weighty(node) and (before is None or before.kind != "pad")


def _members(part: list[Node]) -> int:
    """Lines of ``__init__``: one for each member, one more where a tensor is fixed."""
    found = [m for node in part for m in members_in(node) if isinstance(m, Submodule)]
    return sum(1 + any(mapping.fixed for mapping in m.weights.values()) for m in found)


def _fold(ledger: Ledger, nodes: list[Node], made: ModuleClass) -> None:
    names = [name for name in map(layer_name, nodes) if name]
    scope = Scope("pattern", names[0] if names else "", None, 0)
    submodule = fold(ledger, nodes, scope)
    submodule.hints = tuple(names[:1])
    body = submodule.body
    assert body is not None
    submodule.cls = body.cls = made
    made.instances.append(body)
