"""loops: runs of blocks of one class that nn.Sequential cannot hold become a loop over nn.ModuleList.

x = self.block1(x, memory)             for block in self.blocks:
x = self.block2(x, memory)      ->         x = block(x, memory)
x = self.block3(x, memory)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from keras2torch.module import Module, ModuleClass, Node, Submodule, Value, classes_of
from keras2torch.passes.outline import count_uses
from keras2torch.passes.sequential import group_hints, stage_of

SHORTEST = 3


@dataclass
class _Run:
    """``length`` calls from node ``start`` on: output ``gives`` of each is argument ``takes`` of the next.

    ``gathers``: the outputs that are collected, each with the node that reads them all.
    """

    start: int
    length: int
    takes: int = 0
    gives: int = 0
    gathers: tuple[int, ...] = ()


def loops(module: Module) -> Module:
    """Loop in every class, alike in all its instances."""
    for cls in classes_of(module):
        start = 0
        uses = count_uses(cls.body)  # a loop changes no other's
        while start < len(cls.body.nodes):
            run = _run_from(cls.body, start, uses)
            if run is not None:
                for instance in cls.instances:
                    _loop(instance, run)
            start += 1
    return module


def _run_from(module: Module, start: int, uses: Counter[int]) -> _Run | None:
    first = module.nodes[start]
    if not _is_block(first, uses):
        return None
    for gives in range(len(first.outputs)):
        for takes in range(len(first.args)):
            run = _Run(start, _length(module, start, takes, gives, uses), takes, gives)
            if run.length >= SHORTEST and _settle(module, run):
                return run
    return None


def _is_block(node: Node, uses: Counter[int]) -> bool:
    """A call of a block that has no other."""
    target = node.target
    if not isinstance(target, Submodule) or not isinstance(target.cls, ModuleClass):
        return False
    plain = node.kind == "call" and not node.kwargs and target.present is None
    values = all(isinstance(arg, Value) for arg in node.args)
    flat = all(isinstance(item, Value) for item in node.pattern or ())
    return plain and values and flat and uses[id(target)] == 1


def _length(module: Module, start: int, takes: int, gives: int, uses: Counter[int]) -> int:
    """How many blocks from ``start`` on hand one tensor along and read the same others."""
    first = module.nodes[start]
    others = _without(first.args, takes)
    length = 1
    for node in module.nodes[start + 1 :]:
        before = module.nodes[start + length - 1]
        if not _is_block(node, uses) or node.target.cls is not first.target.cls:
            break
        if stage_of(node.target) != stage_of(first.target):
            break
        if node.args[takes] is not before.outputs[gives] or _without(node.args, takes) != others:
            break
        length += 1
    return length


def _without(args: tuple[Any, ...], index: int) -> list[int]:
    return [id(arg) for position, arg in enumerate(args) if position != index]


def _settle(module: Module, run: _Run) -> bool:
    """Whether what the run gives can be had after a loop; fills in ``gathers``."""
    nodes = module.nodes[run.start : run.start + run.length]
    users = module.users()
    for node, after in zip(nodes, nodes[1:]):
        carried = node.outputs[run.gives]
        if carried in module.outputs or users.get(id(carried), []) != [after]:
            return False
    gathers = []
    for index in range(len(nodes[0].outputs)):
        column = [node.outputs[index] for node in nodes]
        if index == run.gives:
            continue
        if any(value in module.outputs for value in column):
            return False
        if any(users.get(id(value)) for value in column):
            if _reader(module, column) is None:
                return False
            gathers.append(index)
    run.gathers = tuple(gathers)
    return len(nodes[0].outputs) > 1 or len(nodes[0].args) > 1


def _reader(module: Module, column: list[Value]) -> list[Node] | None:
    """The nodes that read all of these and nothing else does: one with a list of them, or a chain of sums."""
    users = module.users()
    readers = [users.get(id(value), []) for value in column]
    if any(len(found) != 1 for found in readers):
        return None
    nodes = list(dict.fromkeys(found[0] for found in readers))
    if len(nodes) == 1:
        lists = [arg for arg in nodes[0].args if isinstance(arg, (list, tuple))]
        return nodes if any(list(items) == column for items in lists) else None
    total: Value = column[0]
    for value, node in zip(column[1:], nodes):
        if node.kind != "operator" or node.target != "+" or list(node.args) != [total, value]:
            return None
        inner = node is not nodes[-1]
        if inner and (len(users.get(id(node.output), [])) != 1 or node.output in module.outputs):
            return None
        total = node.output
    return nodes if len(nodes) == len(column) - 1 else None


def _loop(module: Module, run: _Run) -> None:
    nodes = module.nodes[run.start : run.start + run.length]
    first, last = nodes[0], nodes[-1]
    lists = []
    for index in run.gathers:
        column = [node.outputs[index] for node in nodes]
        value = column[0]
        gathered = Value(value.shape, value.axes, value.dtype, value.flat, hint=value.hint)
        lists.append(gathered)
        _read_list(module, column, gathered)
    blocks = Submodule(
        "nn.ModuleList",
        items=tuple(node.target for node in nodes),
        hints=group_hints(module, nodes),
    )
    carried = last.outputs[run.gives]
    pattern = tuple(
        ("carry" if index == run.gives else "gather" if index in run.gathers else None)
        for index in range(len(first.outputs))
    )
    outputs = (carried, *lists)
    made = Node("loop", blocks, first.args, {"takes": run.takes}, outputs, pattern=pattern)
    made.call, made.where = last.call, first.where
    for value in outputs:
        value.node = made
    module.nodes[run.start : run.start + run.length] = [made]


def _read_list(module: Module, column: list[Value], gathered: Value) -> None:
    """Let what reads the values one by one read them as a list."""
    readers = _reader(module, column)
    assert readers is not None
    last = readers[-1]
    if last.kind == "operator":
        last.kind, last.target, last.args = "function", "sum", (gathered,)
        gone = set(map(id, readers[:-1]))
        module.nodes = [node for node in module.nodes if id(node) not in gone]
    else:
        last.args = tuple(
            gathered if isinstance(arg, (list, tuple)) and list(arg) == column else arg
            for arg in last.args
        )
