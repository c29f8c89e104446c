"""The instances of classes within a tree of modules: who holds them, and who calls them."""

from __future__ import annotations

from keras2torch.module import Module, ModuleClass, Node, Submodule, classes_of, parts_of


def holders(root: Module) -> dict[int, Submodule]:
    """For each child Module (by id), the submodule that stands for it in its parent."""
    found: dict[int, Submodule] = {}

    def visit(module: Module) -> None:
        for member in module.members:
            for part in parts_of(member):
                if part.body is not None and id(part.body) not in found:
                    found[id(part.body)] = part
                    visit(part.body)

    visit(root)
    return found


def move(root: Module, instances: list[Module], cls: ModuleClass) -> None:
    """Make instances of one class instances of another."""
    owners = holders(root)
    for body in instances:
        former = body.cls
        if former is not None:
            former.instances = [other for other in former.instances if other is not body]
        body.cls = owners[id(body)].cls = cls
        cls.instances.append(body)


def calls_of(root: Module, cls: ModuleClass) -> list[list[Node]]:
    """For each instance of a class, the nodes that call it."""
    calls: dict[int, list[Node]] = {id(instance): [] for instance in cls.instances}
    for parent in classes_of(root):
        for instance in parent.instances:
            for node in instance.nodes:
                if isinstance(node.target, Submodule) and id(node.target.body) in calls:
                    calls[id(node.target.body)].append(node)
    return list(calls.values())
