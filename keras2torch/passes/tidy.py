"""tidy: two steps that torch has one word for become one.

x = x.mean(dim=(2, 3))
x = x.reshape(-1, 64, 1, 1)    ->    x = x.mean(dim=(2, 3), keepdim=True)

What works on the last axis alone needs no axes of size 1 before it:

x = self.fc(x.reshape(-1, 1, 1, 64))     x = self.fc(x)
x = x.reshape(-1, 8, 1, 1)        ->     x = x.reshape(-1, 8, 1, 1)
"""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, Node, Submodule


def tidy(module: Module) -> Module:
    """Rewrite the module and, inside it, the children there already are."""
    for member in module.members:
        if isinstance(member, Submodule) and member.body is not None:
            tidy(member.body)
    users = module.users()
    for node in list(module.nodes):
        if _reshapes(node):
            _without_axes_of_one(module, node, users)
    for node in list(module.nodes):
        before = node.inputs[0].node if node.inputs else None
        if before is None or len(users.get(id(before.output), [])) != 1:
            continue
        if before.output in module.outputs:
            continue
        if _reshapes(before) and _reshapes(node):
            node.args = (before.args[0], *node.args[1:])
            module.nodes.remove(before)
            before = node.inputs[0].node
        if before is not None and _is_hard_sigmoid(before, node):
            _as_hard_sigmoid(module, before, node)
        elif before is not None and _undoes(before, node):
            _skip(module, before, node)
        elif before is not None and _keeps_dimensions(before, node):
            before.kwargs["keepdim"] = True
            value = node.output
            before.outputs, value.node = (value,), before
            module.nodes.remove(node)
    return module


def _is_hard_sigmoid(relu6: Node, node: Node) -> bool:
    """``F.relu6(x + 3) / 6``."""
    if (relu6.kind, relu6.target, len(relu6.args)) != ("function", "F.relu6", 1):
        return False
    plus = relu6.args[0].node
    return (
        node.kind == "operator"
        and (node.target, node.args[1:]) in (("*", (1 / 6,)), ("/", (6.0,)))
        and plus is not None
        and (plus.kind, plus.target, plus.args[1:]) == ("operator", "+", (3.0,))
    )


def _as_hard_sigmoid(module: Module, relu6: Node, node: Node) -> None:
    plus = relu6.args[0].node
    node.kind, node.target, node.args = "function", "F.hardsigmoid", plus.args[:1]
    module.nodes.remove(relu6)
    users = module.users()
    if not users.get(id(plus.output)) and plus.output not in module.outputs:
        module.nodes.remove(plus)


def _undoes(before: Node, node: Node) -> bool:
    """Two transpositions of the same dimensions."""
    same = (before.kind, before.target, node.kind, node.target) == ("method", "transpose") * 2
    return same and set(before.args[1:]) == set(node.args[1:])


def _skip(module: Module, before: Node, node: Node) -> None:
    table = {id(node.output): before.args[0]}
    for other in module.nodes:
        other.replace_inputs(table)
    module.outputs = [before.args[0] if v is node.output else v for v in module.outputs]
    module.nodes = [other for other in module.nodes if other is not node and other is not before]


def _reshapes(node: Node) -> bool:
    """A reshape to sizes that are written, but for the batch's."""
    return (node.kind, node.target) == ("method", "reshape") and len(node.inputs) == 1


_ON_THE_LAST_AXIS = ("nn.Linear", "nn.Dropout")
_ELEMENTWISE = set(
    "F.relu F.relu6 F.silu F.gelu F.elu F.leaky_relu F.softplus F.hardsigmoid F.hardswish "
    "torch.sigmoid torch.tanh".split()
)


def _without_axes_of_one(module: Module, reshape: Node, users: dict[int, list[Node]]) -> None:
    """Leave out a reshape to (N, 1, 1, C) if all that follows it up to the next reshape does not mind."""
    source = reshape.args[0]
    if len(source.shape) != 2 or source.flat is not None:
        return
    if reshape.output.shape[1:] != (*[1] * (len(reshape.output.shape) - 2), source.shape[1]):
        return
    chain: list[Node] = []
    value = reshape.output
    while True:
        readers = users.get(id(value), [])
        if len(readers) != 1 or value in module.outputs:
            return
        (node,) = readers
        if chain and _reshapes(node):
            break
        member = node.target.cls if isinstance(node.target, Submodule) else None
        if node.inputs != [value] or not (
            member in _ON_THE_LAST_AXIS or node.target in _ELEMENTWISE
        ):
            return
        chain.append(node)
        value = node.output
    chain[0].replace_inputs({id(reshape.output): source})
    for node in chain:
        node.output.shape, node.output.axes = (source.shape[0], node.output.shape[-1]), (0, 1)
    module.nodes.remove(reshape)


_REDUCTIONS = ("mean", "sum", "amax", "amin")


def _keeps_dimensions(reduction: Node, reshape: Node) -> bool:
    """A reshape that only puts back the reduced axes, with size 1."""
    if (reduction.kind, reshape.kind, reshape.target) != ("method", "method", "reshape"):
        return False
    if reduction.target not in _REDUCTIONS or reduction.kwargs.keys() != {"dim"}:
        return False
    dims: Any = reduction.kwargs["dim"]
    dims = dims if isinstance(dims, tuple) else (dims,)
    source, shape = reduction.inputs[0].shape, reshape.output.shape
    return shape == tuple(1 if i in dims else n for i, n in enumerate(source))
