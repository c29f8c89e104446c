"""How a small module can be read as a larger one with parts left out."""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, Node, Submodule, Value
from keras2torch.passes.discover import layer_name, words
from keras2torch.passes.skeleton import node_skeleton

IMPOSSIBLE = 1000.0  # the cost of what cannot be


class Plan:
    """How the nodes of a large module relate to those of a small one.

    ``choice``: large node (by id) -> "match", "skip" (a unary one that the small module lacks) or
    "drop" (an operator with one operand left: ``kept`` gives its position).
    """

    def __init__(self) -> None:
        self.choice: dict[int, str] = {}
        self.partner: dict[int, Node] = {}
        self.kept: dict[int, int] = {}

    def of(self, body: Module, instance: Module) -> Plan:
        """The plan for another instance of the small class, whose nodes lie as those of ``body`` do."""
        twin = {id(node): other for node, other in zip(body.nodes, instance.nodes)}
        plan = Plan()
        plan.choice, plan.kept = self.choice, self.kept
        plan.partner = {key: twin[id(node)] for key, node in self.partner.items()}
        return plan


class Alignment:
    """The cheapest way to read the small module as the large one with parts left out."""

    def __init__(self, large: Module, small: Module, turn: tuple[int, ...] | None = None):
        self.large, self.small = large, small
        order = turn if turn is not None else tuple(range(len(small.inputs)))
        self.inputs = (
            [small.inputs[index] for index in order] if len(order) == len(small.inputs) else []
        )
        self.costs: dict[tuple[int, int], tuple[float, str, int]] = {}
        self.skeletons: dict[int, Any] = {}

    def plan(self) -> Plan | None:
        large, small = self.large, self.small
        if len(large.inputs) != len(self.inputs) or len(large.outputs) != len(small.outputs):
            return None
        if any(
            len(a.shape) != len(b.shape) or a.dtype != b.dtype or a.scalar != b.scalar
            for a, b in zip([*large.inputs, *large.outputs], [*self.inputs, *small.outputs])
        ):
            return None
        pairs = list(zip(large.outputs, small.outputs))
        if sum(self.cost(a, b) for a, b in pairs) >= IMPOSSIBLE:
            return None
        plan = Plan()
        matched: dict[int, int] = {}
        members: dict[int, int] = {}
        pending, seen = pairs, set()
        while pending:
            a, b = pending.pop()
            if (id(a), id(b)) in seen:
                continue
            seen.add((id(a), id(b)))
            if a.node is None:
                continue
            _, choice, operand = self.costs[id(a), id(b)]
            if plan.choice.setdefault(id(a.node), choice) != choice:
                return None
            if choice == "match":
                assert b.node is not None
                if matched.setdefault(id(b.node), id(a.node)) != id(a.node):
                    return None
                if plan.partner.setdefault(id(a.node), b.node) is not b.node:
                    return None
                if isinstance(a.node.target, Submodule):
                    if members.setdefault(id(a.node.target), id(b.node.target)) != id(
                        b.node.target
                    ):
                        return None
                pending += list(zip(operands(a.node), operands(b.node)))
            else:
                plan.kept[id(a.node)] = operand
                pending.append((operands(a.node)[operand], b))
        complete = len(matched) == len(small.nodes) and len(plan.choice) == len(large.nodes)
        return plan if complete and len(set(members.values())) == len(members) else None

    def cost(self, a: Value, b: Value) -> float:
        key = (id(a), id(b))
        if key not in self.costs:
            self.costs[key] = (IMPOSSIBLE, "match", 0)
            self.costs[key] = self._cheapest(a, b)
        return self.costs[key][0]

    def _cheapest(self, a: Value, b: Value) -> tuple[float, str, int]:
        if a.node is None or a in self.large.inputs:
            same = b in self.inputs and self.large.inputs.index(a) == self.inputs.index(b)
            return (0.0 if same else IMPOSSIBLE), "match", 0
        options: list[tuple[float, str, int]] = []
        node, other = a.node, b.node
        if other is not None and b not in self.small.inputs and self._alike(node, other):
            if node.outputs.index(a) == other.outputs.index(b):
                total = sum(self.cost(x, y) for x, y in zip(operands(node), operands(other)))
                total += _difference(node, other)
                options.append((total, "match", 0))
        if (
            len(node.outputs) == 1
            and len(node.inputs) == 1
            and node.kind in ("call", "function", "pad")
        ):
            options.append((1 + self.cost(node.inputs[0], b), "skip", 0))
        if (
            node.kind in ("operator", "optional")
            and node.target == "+"
            and len(operands(node)) == 2
        ):
            for operand, value in enumerate(operands(node)):
                if node.kind == "operator" or value is node.args[2]:
                    options.append((1.5 + self.cost(value, b), "drop", operand))
        return min(options, default=(IMPOSSIBLE, "match", 0))

    def _alike(self, a: Node, b: Node) -> bool:
        if a.kind == "optional" and b.kind == "operator":
            return a.target == b.target and len(b.inputs) == 2
        return self._skeleton(a) == self._skeleton(b)

    def _skeleton(self, node: Node) -> Any:
        if id(node) not in self.skeletons:
            self.skeletons[id(node)] = node_skeleton(node)
        return self.skeletons[id(node)]


def _difference(a: Node, b: Node) -> float:
    """Breaks ties: a 3x3 kernel goes with a 3x3 kernel, ``conv1`` with ``conv1``."""
    total = 0.0
    if isinstance(a.target, Submodule) and isinstance(b.target, Submodule):
        for name in ("kernel_size", "groups"):
            left, right = a.target.args.get(name), b.target.args.get(name)
            total += 0.1 * (left != right if name == "kernel_size" else (left == 1) != (right == 1))
    names = [layer_name(node) for node in (a, b)]
    if all(names):
        total += 0.05 * (words(str(names[0]))[-1:] != words(str(names[1]))[-1:])
    return total


def operands(node: Node) -> list[Value]:
    return node.inputs[:2] if node.kind == "optional" else node.inputs
