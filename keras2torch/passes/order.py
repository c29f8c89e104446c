"""order: the nodes of a saved model come branch by branch, as a program would write them.

a1 = conv(x)                a1 = conv(x)
b1 = conv(x)                a2 = bn(a1)
a2 = bn(a1)           ->    b1 = conv(x)
b2 = bn(b1)                 b2 = bn(b1)
y = add(a2, b2)             y = add(a2, b2)
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from keras2torch.module import Module, Node, Value


def order(module: Module) -> Module:
    """Sort nodes depth first, where no program gave them an order (a config lists them by depth)."""
    if not any(node.where for node in module.nodes):
        module.nodes = _depth_first(module)
        _sink(module)
    return module


def _depth_first(module: Module) -> list[Node]:
    done: set[int] = set()
    found: list[Node] = []
    pending: list[tuple[Value | None, Node | None]] = [(v, None) for v in reversed(module.outputs)]
    while pending:
        value, finished = pending.pop()
        if finished is not None:
            if id(finished) not in done:
                done.add(id(finished))
                found.append(finished)
            continue
        node = value.node if value is not None else None
        if node is None or id(node) in done:
            continue
        pending.append((None, node))
        pending.extend((item, None) for item in reversed(node.inputs))
    return found


def _sink(module: Module) -> None:
    """A step that only a later part reads goes there, past the joins of the part before."""
    users = module.users()
    given = set(map(id, module.outputs))
    order = list(module.nodes)
    position = {id(node): float(index) for index, node in enumerate(order)}
    joins = [i for i, node in enumerate(order) if len(set(map(id, node.inputs))) > 1]
    taken = list(position.values())
    for node in reversed(order):
        readers = [reader for value in node.outputs for reader in users.get(id(value), [])]
        if len(node.inputs) != 1 or not readers or not given.isdisjoint(map(id, node.outputs)):
            continue
        first = min(readers, key=lambda reader: position[id(reader)])
        here, there = position[id(node)], position[id(first)]
        direct = {position[id(v.node)] for v in first.inputs if v.node is not None}
        between = joins[bisect_right(joins, here) : bisect_left(joins, there)]
        if any(join not in direct for join in between):
            position[id(node)] = (taken[bisect_left(taken, there) - 1] + there) / 2
            del taken[bisect_left(taken, here)]
            insort(taken, position[id(node)])
    module.nodes = sorted(order, key=lambda node: position[id(node)])
