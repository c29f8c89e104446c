"""order: the nodes of a saved model come branch by branch, as a program would write them.

a1 = conv(x)                a1 = conv(x)
b1 = conv(x)                a2 = bn(a1)
a2 = bn(a1)           ->    b1 = conv(x)
b2 = bn(b1)                 b2 = bn(b1)
y = add(a2, b2)             y = add(a2, b2)
"""

from __future__ import annotations

from keras2torch.module import Module, Node, Value


def order(module: Module) -> Module:
    """Sort nodes depth first, where no program gave them an order (a config lists them by depth)."""
    if not any(node.where for node in module.nodes):
        module.nodes = _depth_first(module)
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
