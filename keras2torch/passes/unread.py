"""unread: runs of one function whose last results nobody reads are of one class all the same.

x, skip = block1(x)                      x, skip = block1(x)
_, skip = block2(x)    a class less ->   _, skip = block2(x)    of the same class
"""

from __future__ import annotations

import itertools

from keras2torch.module import Module, ModuleClass, Node, Value, classes_of, members_in
from keras2torch.passes.instances import calls_of, move
from keras2torch.passes.skeleton import skeleton


def unread(module: Module) -> Module:
    """Give such runs the sums and products back that were left out of the model as unread."""
    classes = [cls for cls in classes_of(module) if cls.body.scope is not None]
    for small, large in itertools.permutations(classes, 2):
        if small.instances and _of_one_function(small, large):
            missing = _missing(large.body, small.body)
            if missing and all(_can_make(missing, large.body, body) for body in small.instances):
                _extend(module, large, small, missing)
    return module


def _of_one_function(small: ModuleClass, large: ModuleClass) -> bool:
    scopes = (small.body.scope, large.body.scope)
    return (
        all(scope is not None and scope.kind == "function" for scope in scopes)
        and scopes[0].owner is scopes[1].owner  # type: ignore[union-attr]
        and len(small.body.outputs) < len(large.body.outputs)
    )


def _missing(large: Module, small: Module) -> list[Node]:
    """The nodes of ``large`` without which it is ``small``: of those, only weightless operators."""
    wanted = skeleton(small, loose=True)
    for outputs in itertools.combinations(large.outputs, len(small.outputs)):
        nodes = _needed(large, outputs)
        if skeleton(Module(large.inputs, list(outputs), nodes), loose=True) == wanted:
            missing = [node for node in large.nodes if node not in nodes]
            plain = all(n.kind == "operator" and not members_in(n) for n in missing)
            return missing if plain else []
    return []


def _needed(module: Module, outputs: tuple[Value, ...]) -> list[Node]:
    wanted = set(map(id, outputs))
    found = []
    for node in reversed(module.nodes):
        if any(id(value) in wanted for value in node.outputs):
            wanted.update(id(value) for value in node.inputs)
            found.append(node)
    return found[::-1]


def _twins(missing: list[Node], large: Module, small: Module) -> dict[int, Value]:
    """The values of ``large`` (by id) as they are in ``small``."""
    nodes = [node for node in large.nodes if node not in missing]
    twins = {id(a): b for a, b in zip(large.inputs, small.inputs)}
    for node, own in zip(nodes, small.nodes):
        twins.update((id(a), b) for a, b in zip(node.outputs, own.outputs))
    return twins


def _can_make(missing: list[Node], large: Module, small: Module) -> bool:
    """Whether the operands of what is missing are all of one form, which is then that of the result."""
    twins = _twins(missing, large, small)
    for node in missing:
        operands = [twins.get(id(value)) for value in node.args if isinstance(value, Value)]
        if len(operands) != len(node.args) or None in operands:
            return False
        if len({(v.shape, v.axes, v.dtype, v.flat) for v in operands if v is not None}) != 1:
            return False
        twins[id(node.output)] = operands[0]  # type: ignore[assignment]
    return True


def _extend(root: Module, large: ModuleClass, small: ModuleClass, missing: list[Node]) -> None:
    callers = calls_of(root, small)
    order = [large.body.nodes.index(node) for node in missing]
    for body, calls in zip(small.instances, callers):
        twins = _twins(missing, large.body, body)
        former = list(body.outputs)
        for position, node in zip(order, missing):
            args = tuple(twins[id(value)] for value in node.args)
            output = _like(args[0], node.output.hint)
            made = Node(node.kind, node.target, args, {}, (output,), call=node.call)
            output.node = made
            twins[id(node.output)] = output
            body.nodes.insert(position, made)
        body.outputs = [twins[id(value)] for value in large.body.outputs]
        for call in calls:
            given = {id(a): b for a, b in zip(former, call.outputs)}
            call.outputs = tuple(given.get(id(v)) or _like(v, v.hint) for v in body.outputs)
            call.pattern = call.outputs
            for value in call.outputs:
                value.node = call
    move(root, small.instances, large)


def _like(value: Value, hint: str | None) -> Value:
    return Value(value.shape, value.axes, value.dtype, value.flat, hint=hint)
