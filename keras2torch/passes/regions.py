"""Where a flat module can be cut: pieces between positions where few tensors are alive.

A network is mostly a main line: after a residual or inception block one tensor alone is alive, so the
positions with one live tensor bound the blocks. Where skips run along (a U-Net) or cells read the two
cells before (NASNet), the large pieces are cut again at positions with two, three ... live tensors.
"""

from __future__ import annotations

from keras2torch.module import Module, Node, Submodule, members_in

WIDEST = 6  # live tensors at a cut, at most


def pieces(module: Module) -> list[list[Node]]:
    """The nodes in order, in pieces that begin and end at cuts."""
    live = _live_counts(module)
    total = sum(map(weighty, module.nodes))
    found: list[list[Node]] = []

    def split(start: int, stop: int, width: int) -> None:
        begin = start
        for position in range(start, stop):
            if live[position] > width and position < stop - 1:
                continue
            piece = module.nodes[begin : position + 1]
            weight = sum(map(weighty, piece))
            if width < WIDEST and len(piece) > 1 and weight > 3 and 2 * weight > total:
                split(begin, position + 1, width + 1)
            else:
                found.append(piece)
            begin = position + 1

    split(0, len(module.nodes), 1)
    return found


def _live_counts(module: Module) -> list[int]:
    """How many tensors are alive after each node (to be read later, or given as an output)."""
    last: dict[int, int] = {}
    for index, node in enumerate(module.nodes):
        for value in node.inputs:
            last[id(value)] = index
    for value in module.outputs:
        last[id(value)] = len(module.nodes)
    made = {id(value): -1 for value in module.inputs}
    for index, node in enumerate(module.nodes):
        made.update((id(value), index) for value in node.outputs)
    change = [0] * (len(module.nodes) + 2)
    for key, first in made.items():
        if last.get(key, first) > first:
            change[max(first, 0)] += 1
            change[last[key]] -= 1
    counts, alive = [], 0
    for index in range(len(module.nodes)):
        alive += change[index]
        counts.append(alive)
    return counts


def weighty(node: Node) -> bool:
    """Whether a node computes with weights of its own (a convolution, a dense layer, a block), not just scales."""
    return any(
        isinstance(member, Submodule)
        and (member.body is not None or member.items is not None or bool(member.weights))
        and "Norm" not in str(member.cls)
        for member in members_in(node)
    )


def branches(nodes: list[Node]) -> bool:
    """Whether the nodes are more than a plain chain."""
    for before, node in zip(nodes, nodes[1:]):
        if len(set(map(id, node.inputs))) != 1 or node.inputs[0] is not before.output:
            return True
    return False
