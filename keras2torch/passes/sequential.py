"""sequential: runs of blocks of one class become nn.Sequential.

x = self.block1(x)
x = self.block2(x)    ->    x = self.blocks(x)
"""

from __future__ import annotations

import re
from collections import Counter

from keras2torch.module import Module, ModuleClass, Node, Submodule, classes_of
from keras2torch.passes.as_module import as_module
from keras2torch.passes.outline import count_uses
from keras2torch.passes.regions import weighty


def sequential(module: Module) -> Module:
    """Group in every class, alike in all its instances."""
    for cls in classes_of(module):
        for instance in cls.instances:
            for member in instance.members:
                if isinstance(member, Submodule) and member.body is not None:
                    _unfold(member)
    for cls in classes_of(module):
        start = 0
        uses, users = count_uses(cls.body), cls.body.users()  # grouping changes no other's
        while start < len(cls.body.nodes):
            length = _run_length(cls.body, start, uses, users)
            if length > 1:
                for instance in cls.instances:
                    _group(instance, start, length)
            start += 1
    return module


def _run_length(
    module: Module, start: int, uses: Counter[int], users: dict[int, list[Node]]
) -> int:
    """How many nodes from ``start`` on are single-input calls of one class, each feeding only the next."""
    cls: ModuleClass | None = None
    length = 0
    for node in module.nodes[start:]:
        target = node.target
        if not isinstance(target, Submodule) or not isinstance(target.cls, ModuleClass):
            break
        if len(node.args) != 1 or node.kwargs or len(node.outputs) != 1 or uses[id(target)] != 1:
            break
        if target.present is not None:  # not every instance has it
            break
        if cls is not None:
            before = module.nodes[start + length - 1].output
            readers = users.get(id(before), [])
            if stage_of(target) != stage_of(module.nodes[start + length - 1].target):
                break
            if target.cls is not cls or node.args[0] is not before or len(readers) != 1:
                break
            if before in module.outputs:
                break
        cls = target.cls
        length += 1
    return length


def _group(module: Module, start: int, length: int) -> None:
    run = module.nodes[start : start + length]
    items = tuple(node.target for node in run)
    submodule = Submodule("nn.Sequential", items=items, hints=group_hints(module, run))
    last = run[-1]
    node = Node(
        "call", submodule, run[0].args, {}, last.outputs, where=run[0].where, call=last.call
    )
    for value in node.outputs:
        value.node = node
    module.nodes[start : start + length] = [node]


GENERATED = ("blocks", "layers", "convs")  # names of groups, where nothing better is known


def group_hints(module: Module, run: list[Node]) -> tuple[str, ...]:
    """What a run of blocks is called."""
    items = [node.target for node in run]
    stage = stage_of(items[0])
    if stage is not None:
        return (stage,)
    scope = items[0].body.scope
    if scope is None or scope.kind != "pattern":
        return ("blocks",) if "block" in items[0].cls.name.lower() else ("layers",)
    if sum(map(weighty, items[0].body.nodes)) > 1:
        return ("blocks",)
    first = module.cls is not None and module.scope is None and run[0].args[0] is module.inputs[0]
    return ("stem",) if first else ("convs",)


def stage_of(sub: Submodule) -> str | None:
    """The stage that a name with two numbers tells: conv2_block1 and stage_2_block_1 are of stage2."""
    name = sub.hints[0] if sub.hints else ""
    match = re.match(r"(.*?[a-z])_?(\d+)(?:[a-z]|_.*\d.*)\Z", name.lower())
    if match is None:
        return None
    word = match[1].rpartition("_")[2]
    return (
        f"stage{match[2]}"
        if word in ("conv", "stage", "block", "layer", "group")
        else f"{word}{match[2]}"
    )


LONGEST = 6  # items of a chain that is written in place


def _unfold(member: Submodule) -> None:
    """A child that is a short plain chain, written as nn.Sequential instead of a class."""
    body = member.body
    assert body is not None
    if body.scope is None or body.scope.kind != "sequential" or len(body.nodes) > LONGEST:
        return
    if len(body.inputs) != 1 or len(body.outputs) != 1:
        return
    items: list[Submodule] = []
    before = body.inputs[0]
    for node in body.nodes:
        item = as_module(node) if node.inputs and node.inputs[0] is before else None
        if item is None or any(item is other for other in items):
            return
        items.append(item)
        before = node.output
    if before is not body.outputs[0]:
        return
    member.cls, member.items, member.body = "nn.Sequential", tuple(items), None
