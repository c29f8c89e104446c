"""glue: a change of axis order behind every use of a block becomes the block's own last step.

x = self.stem(image)
x = x.permute(0, 3, 1, 2)    ->    x = self.stem(image)    whose forward ends in the permute
"""

from __future__ import annotations

from keras2torch.module import Module, ModuleClass, Node, Submodule, Value, classes_of

_ORDERS = ("permute", "transpose")
_KINDS = (
    "model",
    "sequential",
    "pattern",
    "function",
)  # a custom layer gives what its call() gives


def glue(module: Module) -> Module:
    """Move it where all instances of the class agree."""
    for cls in classes_of(module):
        scope = cls.body.scope
        if scope is not None and scope.kind in _KINDS and len(cls.body.outputs) == 1:
            _glue(module, cls)
    return module


def _glue(root: Module, cls: ModuleClass) -> None:
    calls = [
        (parent, node)
        for other in classes_of(root)
        for parent in other.instances
        for node in parent.nodes
        if isinstance(node.target, Submodule) and node.target.cls is cls
    ]
    if len(calls) != len(cls.instances):
        return
    users = {key: parent.users() for key, parent in {id(p): p for p, _ in calls}.items()}
    readers = [_only_reader(parent, call, users[id(parent)]) for parent, call in calls]
    if None in readers:
        return
    if len({(node.target, node.args[1:], tuple(node.kwargs)) for node in readers if node}) != 1:
        return
    for (parent, call), reader in zip(calls, readers):
        assert reader is not None and isinstance(call.target, Submodule)
        body = call.target.body
        assert body is not None
        (inner,), outer = body.outputs, reader.output
        made = Value(outer.shape, outer.axes, outer.dtype, outer.flat, hint=outer.hint)
        made.node = Node(
            reader.kind, reader.target, (inner, *reader.args[1:]), {}, (made,), where=reader.where
        )
        body.nodes.append(made.node)
        body.outputs = [made]
        call.outputs, outer.node = (outer,), call
        parent.nodes.remove(reader)


def _only_reader(parent: Module, call: Node, users: dict[int, list[Node]]) -> Node | None:
    """The change of axes that alone reads a block's output."""
    readers = users.get(id(call.output), [])
    if len(readers) != 1 or call.output in parent.outputs:
        return None
    node = readers[0]
    plain = node.kind == "method" and node.target in _ORDERS and not node.kwargs
    return node if plain and len(node.inputs) == 1 else None
