"""The literals of a module by their places, which are the same in all instances of a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from keras2torch.module import Formula, Module, Node, Param, Parameter, Submodule
from keras2torch.passes.skeleton import is_literal


class _Anything:
    """Stands where an instance has no value: it lacks the member."""

    def __repr__(self) -> str:
        return "ANYTHING"


ANYTHING: Any = _Anything()


@dataclass(frozen=True)
class Place:
    """Where a literal is: ``node`` index, then an argument of the node or of a member that it uses.

    ``slot`` is "target", or the index or name of the node's argument. For a member, ``items`` leads to
    a part of an nn.Sequential, and ``name`` is the argument ("present": the member's own flag). For a
    parameter of the module itself, ``items`` is the axis of its shape.
    """

    node: int
    slot: int | str
    items: tuple[int, ...] = ()
    name: str | None = None

    def read(self, module: Module) -> Any:
        """The literal in one instance; ANYTHING where the instance lacks the member."""
        node = module.nodes[self.node]
        item = self._item(node)
        if isinstance(item, Param):
            return _written(item)[self.items[0]]
        if self.name is None:
            return item
        sub = item
        for index in (None, *self.items):
            if index is not None:
                if not sub.items:
                    return ANYTHING
                sub = sub.items[index]
            if self.name == "present" and sub.present is not None and index == self._last:
                return sub.present
        return sub.args.get(self.name, ANYTHING)

    @property
    def _last(self) -> int | None:
        return self.items[-1] if self.items else None

    def write(self, module: Module, value: Any) -> None:
        """Put a Parameter or a Formula (or a literal) there."""
        node = module.nodes[self.node]
        item = self._item(node)
        if isinstance(item, Param):
            shape = list(_written(item))
            shape[self.items[0]] = value
            item.written_shape = tuple(shape)  # type: ignore[attr-defined]
        elif self.name is not None:
            sub = self.member(module)
            if self.name == "present":
                sub.present = value
            else:
                sub.args[self.name] = value
        elif isinstance(self.slot, int):
            node.args = (*node.args[: self.slot], value, *node.args[self.slot + 1 :])
        else:
            node.kwargs[self.slot] = value

    def member(self, module: Module) -> Submodule:
        """The submodule that has the argument."""
        sub = self._item(module.nodes[self.node])
        for index in self.items:
            sub = sub.items[index]
        return sub

    def in_forward(self, module: Module) -> bool:
        """Whether ``forward`` reads it (and not ``__init__``)."""
        return self.name is None and not self.items

    def _item(self, node: Node) -> Any:
        if self.slot == "target":
            return node.target
        return node.args[self.slot] if isinstance(self.slot, int) else node.kwargs[self.slot]


def places(module: Module) -> Iterator[Place]:
    """Every literal's place, in the order of ``forward``."""
    seen: set[int] = set()

    def of_submodule(
        sub: Submodule, node: int, slot: int | str, items: tuple[int, ...]
    ) -> Iterator[Place]:
        if sub.present is not None:
            yield Place(node, slot, items, "present")
        for name, value in sub.args.items():
            if _varies(value):
                yield Place(node, slot, items, name)
        for index, item in enumerate(sub.items or ()):
            yield from of_submodule(item, node, slot, (*items, index))

    for index, node in enumerate(module.nodes):
        slots: list[tuple[int | str, Any]] = [("target", node.target)]
        slots += list(enumerate(node.args))
        slots += list(node.kwargs.items())
        for slot, value in slots:
            if isinstance(value, Submodule) and id(value) not in seen:
                seen.add(id(value))
                yield from of_submodule(value, index, slot, ())
            elif isinstance(value, Param) and id(value) not in seen:
                seen.add(id(value))
                if value.constant is None:
                    yield from (Place(index, slot, (axis,)) for axis in range(len(value.shape)))
            elif slot != "target" and _varies(value, flags=node.kind == "optional"):
                yield Place(index, slot)


def _written(param: Param) -> tuple[Any, ...]:
    return getattr(param, "written_shape", param.shape)


def _varies(value: Any, flags: bool = False) -> bool:
    if isinstance(value, (Parameter, Formula)):
        return True
    return is_literal(value) or (flags and isinstance(value, bool))
