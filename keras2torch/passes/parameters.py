"""parameters: literals that differ between the instances of a class become constructor parameters.

nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3)    ->    nn.Conv2d(in_channels, out_channels, 3)
"""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, ModuleClass, Parameter, Submodule, classes_of, parts_of
from keras2torch.passes.skeleton import Slot, slots
from keras2torch.quoting import is_identifier

_ROLES = {
    "in_features": "in_features",
    "in_channels": "in_channels",
    "out_channels": "out_channels",
    "num_features": "channels",
    "normalized_shape": "dim",
    "p": "dropout",
    "size": "size",
}


def parameters(module: Module) -> Module:
    """Children before parents, so that a parent sees its children's arguments as literals of its own."""
    holders = _holders(module)
    for cls in classes_of(module):
        if cls is not module.cls:
            _parametrise(cls, holders)
    return module


def _holders(root: Module) -> dict[int, Submodule]:
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


def _parametrise(cls: ModuleClass, holders: dict[int, Submodule]) -> None:
    table = [list(slots(instance)) for instance in cls.instances]
    groups: dict[tuple[Any, ...], list[Slot]] = {}
    for row in zip(*table):
        column = tuple(slot.value for slot in row)
        if any(value != column[0] or type(value) is not type(column[0]) for value in column[1:]):
            groups.setdefault(column, []).append(row[0])
    taken: set[str] = set()
    for column, group in groups.items():
        name = _name(cls, column, group, taken)
        taken.add(name)
        parameter = Parameter(name, _annotation(column))
        cls.parameters.append(parameter)
        for slot in group:
            slot.set(parameter)
        for instance, value in zip(cls.instances, column):
            holders[id(instance)].args[name] = value


def _name(cls: ModuleClass, column: tuple[Any, ...], group: list[Slot], taken: set[str]) -> str:
    """torch's word for the role, else the user's own argument, else a numbered one."""
    role = _ROLES.get(group[0].name, group[0].name)
    candidates = [role, *_user_names(cls, column)]
    if role == "out_features":
        candidates = [*_user_names(cls, column), role]
    candidates += [_ROLES.get(slot.name, slot.name) for slot in group]
    if role.endswith("channels"):
        candidates.append("hidden_channels")
    if role.endswith("features"):
        candidates.append("hidden_features")
    for name in candidates:
        if name not in taken and is_identifier(name):
            return name
    number = 2
    while f"{role}{number}" in taken:
        number += 1
    return f"{role}{number}"


def _user_names(cls: ModuleClass, column: tuple[Any, ...]) -> list[str]:
    """Arguments of the user's function that had just these values."""
    scopes = [instance.scope for instance in cls.instances]
    rows = [dict(scope.arguments) if scope else {} for scope in scopes]
    return [name for name in rows[0] if all(row.get(name) == v for row, v in zip(rows, column))]


def _annotation(column: tuple[Any, ...]) -> str:
    kinds = {"tuple" if isinstance(v, (tuple, list)) else type(v).__name__ for v in column}
    if kinds == {"int", "float"}:
        return "float"
    return " | ".join(sorted(kinds))
