"""ports: blocks that differ only in what their calls give and read are of one class.

x, skip = block1(x)                x, skip = block1(x)
skip = block2(x)                   _, skip = block2(x)
attention1(x, memory)       ->     attention1(x, memory)
attention2(x)                      attention2(x, x)
conv(pad(x))   conv(x)             conv(pad(x))   conv(pad(x, by nothing))
"""

from __future__ import annotations

import itertools

from keras2torch.module import Module, ModuleClass, Node, Value, classes_of, members_in
from keras2torch.passes.instances import calls_of, move
from keras2torch.passes.skeleton import skeleton


def ports(module: Module) -> Module:
    """Merge classes that come from one function or one kind of layer."""
    for small, large in itertools.permutations(classes_of(module), 2):
        if small.instances and large.instances and _of_one_source(small, large):
            _ = (
                _merge_outputs(module, large, small)
                or _merge_inputs(module, large, small)
                or _merge_pads(module, large, small)
            )
    return module


def _of_one_source(small: ModuleClass, large: ModuleClass) -> bool:
    left, right = small.body.scope, large.body.scope
    if left is None or right is None or left.kind != right.kind:
        return False
    if left.kind == "function":
        return left.owner is right.owner
    return left.kind == "layer" and type(left.owner) is type(right.owner)


# Results that nobody reads.
def _merge_outputs(root: Module, large: ModuleClass, small: ModuleClass) -> bool:
    """Give small instances the sums and products back that were left out of the model as unread."""
    missing = _missing(large.body, small.body)
    if not missing or not all(_can_make(missing, large.body, body) for body in small.instances):
        return False
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
    return True


def _missing(large: Module, small: Module) -> list[Node]:
    """The nodes of ``large`` without which it is ``small``: of those, only weightless operators."""
    if len(small.outputs) >= len(large.outputs):
        return []
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


# One tensor in two places.
def _merge_inputs(root: Module, large: ModuleClass, small: ModuleClass) -> bool:
    """Give small instances the port that they lack, and their callers the same tensor twice."""
    if len(small.body.inputs) + 1 != len(large.body.inputs):
        return False
    pair = _one_in_small(large.body, small.body)
    callers = calls_of(root, small)
    if pair is None or any(node.kwargs for calls in callers for node in calls):
        return False
    first, second = pair
    for body, calls in zip(small.instances, callers):
        port = _like(body.inputs[first], large.body.inputs[second].hint)
        for node, twin in zip(body.nodes, large.body.nodes):
            turned = [value is large.body.inputs[second] for value in twin.inputs]
            node.set_inputs([port if new else v for v, new in zip(node.inputs, turned)])
        body.inputs.insert(second, port)
        for own, like in zip(body.inputs, large.body.inputs):
            own.hint = like.hint or own.hint
        for call in calls:
            call.args = (*call.args[:second], call.args[first], *call.args[second:])
    move(root, small.instances, large)
    return True


def _one_in_small(large: Module, small: Module) -> tuple[int, int] | None:
    """The two inputs of ``large`` that are one in ``small``."""
    wanted = skeleton(small, loose=True)
    for (i, first), (j, second) in itertools.combinations(enumerate(large.inputs), 2):
        alike = first.dtype == second.dtype and len(first.shape) == len(second.shape)
        if alike and skeleton(large, loose=True, read_as={id(second): first}) == wanted:
            return i, j
    return None


# Pads that one run has and the other has not.
def _merge_pads(root: Module, large: ModuleClass, small: ModuleClass) -> bool:
    """Let what is not padded be padded by nothing."""
    form = _without_pads(large.body)
    if form is None or form != _without_pads(small.body):
        return False
    for left, right in zip(_steps(large), _steps(small)):
        pads = [_pad_before(nodes[0]) for nodes in (left, right)]
        if (pads[0] is None) != (pads[1] is None):
            like = pads[0] or pads[1]
            assert like is not None
            lacking, nodes = (large, left) if pads[0] is None else (small, right)
            for instance, node in zip(lacking.instances, nodes):
                _pad_by_nothing(instance, node, like)
    move(root, small.instances, large)
    return True


def _without_pads(module: Module) -> object:
    """The form of the module as if it padded nothing; None where a pad is more than the first step of one reader."""
    users = module.users()
    pads: dict[int, Value] = {}
    for node in module.nodes:
        if node.kind != "pad":
            continue
        readers = users.get(id(node.output), [])
        if len(readers) != 1 or readers[0].kind == "pad":
            return None
        if readers[0].inputs[0] is not node.output or node.output in module.outputs:
            return None
        pads[id(node.output)] = node.args[0]
    return skeleton(module, loose=True, read_as=pads)


def _steps(cls: ModuleClass) -> list[tuple[Node, ...]]:
    """What is no pad, one node of each instance together."""
    rows = zip(*(instance.nodes for instance in cls.instances))
    return [row for row in rows if row[0].kind != "pad"]


def _pad_before(node: Node) -> Node | None:
    maker = node.inputs[0].node if node.inputs else None
    return maker if maker is not None and maker.kind == "pad" else None


def _pad_by_nothing(module: Module, reader: Node, like: Node) -> None:
    source = reader.inputs[0]
    output = _like(source, None)
    none = tuple((0, 0) for _ in like.kwargs["pads"])
    made = Node("pad", "", (source,), {**like.kwargs, "pads": none}, (output,), call=reader.call)
    made.note, output.node = like.note, made
    reader.set_inputs([output, *reader.inputs[1:]])
    module.nodes.insert(module.nodes.index(reader), made)


def _like(value: Value, hint: str | None) -> Value:
    return Value(value.shape, value.axes, value.dtype, value.flat, hint=hint)
