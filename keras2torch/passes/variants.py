"""variants: classes that differ by optional parts become one class with a flag.

class BlockA: conv(x) + shortcut(x)          self.shortcut = nn.Conv2d(...) if project else nn.Identity()
class BlockB: conv(x) + x              ->    conv(x) + self.shortcut(x)
"""

from __future__ import annotations

import itertools
from typing import Any

from keras2torch.module import Module, ModuleClass, Node, Submodule, Value, classes_of
from keras2torch.passes.alignment import Alignment, Plan, operands
from keras2torch.passes.as_module import as_module
from keras2torch.passes.instances import calls_of, move
from keras2torch.passes.padding import settle_pad
from keras2torch.passes.regions import weighty

MOST = 3  # optional parts of a class, at most


def variants(module: Module) -> Module:
    """Let larger classes take in smaller ones, children before parents."""
    while True:
        classes = [cls for cls in classes_of(module) if cls is not module.cls]
        if not any(_absorb(module, large, small) for large, small in _pairs(classes)):
            return module


def _pairs(classes: list[ModuleClass]) -> list[tuple[ModuleClass, ModuleClass]]:
    found = [
        (large, small)
        for large in classes
        for small in classes
        if large is not small and _related(large, small) and _size(large) >= _size(small)
    ]
    return sorted(found, key=lambda pair: _size(pair[0]) - _size(pair[1]))


def _size(cls: ModuleClass) -> int:
    return len(cls.body.nodes)


def _related(left: ModuleClass, right: ModuleClass) -> bool:
    """Both found by pattern, or both from one function of the user's."""
    scopes = [left.body.scope, right.body.scope]
    if any(scope is None for scope in scopes):
        return False
    if all(scope.kind == "pattern" for scope in scopes):  # type: ignore[union-attr]
        return True
    return all(scope.kind == "function" for scope in scopes) and (  # type: ignore[union-attr]
        scopes[0].owner is scopes[1].owner  # type: ignore[union-attr]
    )


def _absorb(root: Module, large: ModuleClass, small: ModuleClass) -> bool:
    count = len(small.body.inputs)
    for turn in itertools.permutations(range(count)) if count < 4 else [tuple(range(count))]:
        plan = Alignment(large.body, small.body, turn).plan()
        if plan is not None and _worthwhile(plan, large.body):
            break
    else:
        return False
    chains = _chains(plan, large.body)
    if chains is None:
        return False
    if any(_settle_pads(large.instances, chain) for chain in chains):
        return _absorb(root, large, small)
    callers = calls_of(root, small)
    if any(len(node.args) != count or node.kwargs for nodes in callers for node in nodes):
        return False
    items = [[_items(instance, chain) for instance in large.instances] for chain in chains]
    if any(part is None for row in items for part in row):
        return False
    for instance, calls in zip(small.instances, callers):
        instance.inputs = [instance.inputs[index] for index in turn]
        for call in calls:
            call.args = tuple(call.args[index] for index in turn)
    rebuilt = [_rebuild(large.body, plan.of(small.body, b), b, chains) for b in small.instances]
    additions = [node for node in large.body.nodes if plan.choice.get(id(node)) == "drop"]
    positions = [large.body.nodes.index(node) for node in additions]
    kept = [plan.kept[id(node)] for node in additions]
    for instance, *parts in zip(large.instances, *items):
        _mark(instance, chains, parts, list(zip(positions, kept)))
    for instance, nodes in zip(small.instances, rebuilt):
        instance.nodes, instance.outputs = nodes
    move(root, small.instances, large)
    return True


def _worthwhile(plan: Plan, large: Module) -> bool:
    """The shared part should be the larger one, and the flags few."""
    shared = sum(weighty(node) for node in large.nodes if plan.choice[id(node)] == "match")
    left_out = sum(weighty(node) for node in large.nodes if plan.choice[id(node)] == "skip")
    return shared > 1 and 2 * left_out <= shared


def _chains(plan: Plan, large: Module) -> list[list[int]] | None:
    """Runs of skipped nodes, by index, each feeding only the next; None if there are too many."""
    users = large.users()
    chains: list[list[int]] = []
    ends: dict[int, list[int]] = {}
    for index, node in enumerate(large.nodes):
        if plan.choice[id(node)] != "skip":
            continue
        chain = ends.pop(id(node.inputs[0]), None)
        if chain is None:
            chain = []
            chains.append(chain)
        elif len(users.get(id(node.inputs[0]), [])) != 1 or node.inputs[0] in large.outputs:
            return None
        chain.append(index)
        ends[id(node.output)] = chain
    drops = sum(choice == "drop" for choice in plan.choice.values())
    for node in large.nodes:  # what a dropped operator leaves out must be there anyway
        if plan.choice[id(node)] == "drop":
            other = operands(node)[1 - plan.kept[id(node)]]
            if other.node is not None and plan.choice.get(id(other.node)) != "match":
                return None
    return chains if len(chains) + drops <= MOST else None


def _settle_pads(instances: list[Module], chain: list[int]) -> bool:
    """Fold the first pad of an optional chain, or make it a module; False if there is none."""
    for index in chain:
        if instances[0].nodes[index].kind == "pad":
            settle_pad(instances, index, as_modules=True)
            return True
    return False


def _items(module: Module, chain: list[int]) -> list[Submodule] | None:
    """The nodes of an optional chain as parts of an nn.Sequential."""
    nodes = [module.nodes[index] for index in chain]
    if len(nodes) == 1 and isinstance(nodes[0].target, Submodule):
        return [nodes[0].target]
    items: list[Submodule] = []
    for node in nodes:
        part = as_module(node)
        if part is None:
            return None
        items.append(part)
    return items


def _chain_hints(module: Module, last: Node, items: list[Submodule]) -> tuple[str, ...]:
    """``shortcut`` for what is added to the main branch; else the first layer's name."""
    readers = module.users().get(id(last.output), [])
    if readers and all(r.kind in ("operator", "optional") and r.target == "+" for r in readers):
        return ("shortcut",)
    return tuple(hint for item in items for hint in item.hints[:1])[:1]


def _call(sub: Submodule, source: Value, like: Value, before: Node) -> Node:
    output = Value(like.shape, like.axes, like.dtype, like.flat, hint=like.hint)
    node = Node("call", sub, (source,), {}, (output,), call=before.call, where=before.where)
    output.node = node
    return node


def _mark(
    module: Module,
    chains: list[list[int]],
    parts: list[Any],
    dropped: list[tuple[int, int]],
) -> None:
    """In an instance of the large class: optional chains become one call each, operators optional ones."""
    nodes = list(module.nodes)
    for position, kept in dropped:
        node = nodes[position]
        if node.kind == "operator":
            node.kind = "optional"
            node.args = (*node.args[:2], node.args[kept], True)
    gone: set[int] = set()
    swap: dict[int, Any] = {}
    for chain, items in zip(chains, parts):
        first, last = nodes[chain[0]], nodes[chain[-1]]
        if len(chain) == 1 and isinstance(first.target, Submodule):
            if first.target.present is None:
                first.target.present = True
            continue
        sub = items[0] if len(items) == 1 else Submodule("nn.Sequential", items=tuple(items))
        sub.hints = _chain_hints(module, last, items) or sub.hints
        sub.present = True
        call = _call(sub, first.args[0], last.output, last)
        swap[id(last.output)] = call.output
        nodes[chain[-1]] = call
        gone.update(id(module.nodes[index]) for index in chain)
    module.nodes = [node for node in nodes if id(node) not in gone]
    for node in module.nodes:
        node.replace_inputs(swap)
    module.outputs = [swap.get(id(value), value) for value in module.outputs]


def _rebuild(
    large: Module, plan: Plan, small: Module, chains: list[list[int]]
) -> tuple[list[Node], list[Value]]:
    """The nodes of a small instance in the form of the large class."""
    table: dict[int, Value] = {id(a): b for a, b in zip(large.inputs, small.inputs)}
    ends = {chain[-1]: chain for chain in chains}
    inner = {index for chain in chains for index in chain[:-1]}
    nodes: list[Node] = []
    for index, node in enumerate(large.nodes):
        choice = plan.choice[id(node)]
        if choice == "match":
            own = plan.partner[id(node)]
            values = [table[id(value)] for value in operands(node)]
            if node.kind == "optional" and own.kind == "operator":
                own.kind = "optional"
                kept = [v is node.args[2] for v in node.args[:2]].index(True)
                own.args = (*values, values[kept], True)
            elif own.kind == "optional":
                kept = [v is own.args[2] for v in own.args[:2]].index(True)
                own.args = (*values, values[kept], own.args[3])
            else:
                own.set_inputs(values)
            table.update((id(a), b) for a, b in zip(node.outputs, own.outputs))
            nodes.append(own)
        elif choice == "drop":
            values = [table[id(value)] for value in operands(node)]
            kept_value = values[plan.kept[id(node)]]
            output = Value(kept_value.shape, kept_value.axes, kept_value.dtype)
            made = Node("optional", node.target, (*values, kept_value, False), {}, (output,))
            output.node = made
            table[id(node.output)] = output
            nodes.append(made)
        elif index in ends:
            chain = ends[index]
            source = table[id(large.nodes[chain[0]].inputs[0])]
            parts = _items(large, chain)
            assert parts is not None
            whole = parts[0] if len(parts) == 1 else Submodule("nn.Sequential", items=tuple(parts))
            sub = _absent(whole, large.nodes[chain[0]].inputs[0], source)
            call = _call(sub, source, source, node)
            table[id(node.output)] = call.output
            nodes.append(call)
        else:
            assert index in inner
    return nodes, [table[id(value)] for value in large.outputs]


def _absent(sub: Submodule, like: Value, source: Value) -> Submodule:
    """The place of a member that this instance lacks; how many channels come in is known all the same."""
    items = None
    if sub.items is not None:
        rest = (Submodule(item.cls, {}) for item in sub.items[1:])
        items = (_absent(sub.items[0], like, source), *rest)
    args: dict[str, Any] = {}
    for name in ("in_channels", "in_features", "num_features"):
        if name in sub.args and sub.args[name] in like.shape[1:]:
            args[name] = source.shape[like.shape.index(sub.args[name], 1)]
    return Submodule(sub.cls, args, items=items, present=False)
