"""The order in which Keras lists the layers of a Functional model: by their distance from the outputs.

Weights files without matching names are read in this order. Source: keras/src/ops/function.py (``map_graph``).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from keras2torch.graph import Call, Graph, relative_scopes


class _Nodes:
    """The calls of a graph, those inside one run of a nested model or custom layer as one node."""

    def __init__(self, graph: Graph):
        inside = relative_scopes(graph)
        self.members: dict[Hashable, list[Call]] = {}
        self.key_of: dict[int, Hashable] = {}
        self.owner: dict[Hashable, Any] = {}
        for call in graph.calls:
            scope = next((s for s in inside(call) if s.kind != "function"), None)
            key: Hashable = id(call) if scope is None else (id(scope.owner), scope.invocation)
            self.members.setdefault(key, []).append(call)
            self.key_of[id(call)] = key
            self.owner[key] = call.operation if scope is None else scope.owner

    def parents(self, key: Hashable) -> list[Hashable]:
        """The nodes that a node's inputs come from, in the order of the inputs."""
        calls = [t.call for call in self.members[key] for t in call.inputs if t.call is not None]
        keys = [self.key_of[id(call)] for call in calls if id(call) in self.key_of]
        return [other for other in dict.fromkeys(keys) if other != key]


def in_keras_order(graph: Graph) -> list[Any]:
    """The operations (layers, nested models, functions) of ``graph``, farthest from the outputs first."""
    nodes = _Nodes(graph)
    visited, first_seen = _post_order(nodes, graph)
    node_depth: dict[Hashable, int] = {}
    depth_of: dict[int, int] = {}
    for key in reversed(visited):
        owner = id(nodes.owner[key])
        depth = max(node_depth.get(key, 0), depth_of.get(owner, 0))
        depth_of[owner] = node_depth[key] = depth
        for parent in nodes.parents(key):
            node_depth[parent] = max(depth + 1, node_depth.get(parent, 0))
    owners = {id(owner): owner for owner in nodes.owner.values()}
    order = sorted(depth_of, key=lambda owner: (-depth_of[owner], first_seen[owner]))
    return [owners[owner] for owner in order]


def _post_order(nodes: _Nodes, graph: Graph) -> tuple[list[Hashable], dict[int, int]]:
    """Nodes behind all that they come from; and for each operation, when the way back first met it."""
    visited: list[Hashable] = []
    done: set[Hashable] = set()
    first_seen: dict[int, int] = {}
    starts = [
        nodes.key_of[id(t.call)]
        for t in graph.outputs
        if t.call is not None and id(t.call) in nodes.key_of
    ]
    pending = [(key, False) for key in reversed(starts)]
    while pending:
        key, finished = pending.pop()
        if finished:
            visited.append(key)
            continue
        if key in done:
            continue
        done.add(key)
        first_seen.setdefault(id(nodes.owner[key]), len(first_seen))
        pending.append((key, True))
        pending += [(parent, False) for parent in reversed(nodes.parents(key))]
    return visited, first_seen
