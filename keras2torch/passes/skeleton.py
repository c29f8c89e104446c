"""The structure of a module apart from its literals: what two instances of one class have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keras2torch.module import Module, ModuleClass, Node, Param, Parameter, Submodule, Value


def is_literal(value: Any) -> bool:
    """Numbers, and tuples of numbers: what may differ between instances of a class."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(is_literal(item) for item in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def skeleton(module: Module, exact: bool = False) -> Any:
    """A hashable form that is equal for modules of one class; with ``exact``, literals count too."""
    values: dict[int, int] = {}
    members: dict[int, int] = {}

    def show(item: Any) -> Any:
        if isinstance(item, Value):
            return ("value", values.setdefault(id(item), len(values)))
        if isinstance(item, Param):
            return (
                "param",
                members.setdefault(id(item), len(members)),
                item.buffer,
                item.frozen,
                item.hints[-1:],
            )
        if isinstance(item, Submodule):
            return _submodule(item, members)
        if isinstance(item, Parameter):
            return ("parameter", item.name)
        if is_literal(item):
            return ("literal", item if exact else _kind(item))
        if isinstance(item, (list, tuple)):
            return (type(item).__name__, *(show(i) for i in item))
        if isinstance(item, dict):
            return tuple((k, show(v)) for k, v in item.items())
        if isinstance(item, slice):
            return (
                "slice",
                *(
                    repr(part) if not isinstance(part, Value) else show(part)
                    for part in (item.start, item.stop, item.step)
                ),
            )
        return repr(item)

    def _submodule(sub: Submodule, seen: dict[int, int]) -> Any:
        if id(sub) in seen:
            return ("member", seen[id(sub)])
        seen[id(sub)] = len(seen)
        cls = sub.cls if isinstance(sub.cls, str) else id(sub.cls)
        if sub.body is not None and exact:
            cls = skeleton(sub.body, exact=True)
        weights = tuple((name, m.trainable) for name, m in sub.weights.items())
        initial = tuple((name, _config(value)) for name, value in sub.initial.items())
        args = tuple((k, show(v)) for k, v in sub.args.items())
        items = tuple(show(item) for item in sub.items or ())
        return (cls, args, weights, initial, sub.frozen, sub.eval_mode, items)

    lines = [("inputs", tuple(show(v) for v in module.inputs))]
    for node in module.nodes:
        lines.append(
            (
                node.kind,
                show(node.target),
                show(node.args),
                show(node.kwargs),
                show(node.outputs),
                show(node.pattern),
            )
        )
    lines.append(("outputs", tuple(show(v) for v in module.outputs)))
    return tuple(lines)


def _kind(item: Any) -> str:
    return "number" if not isinstance(item, (list, tuple)) else "numbers"


def _config(value: Any) -> str:
    config = getattr(value, "get_config", None)
    return f"{type(value).__name__}{config()!r}" if callable(config) else repr(value)


class Slot:
    """A place in a module that holds a literal."""

    def __init__(
        self, holder: Any, key: Any, name: str, member: Submodule | None, node: Node | None
    ):
        self.holder, self.key, self.name, self.member, self.node = holder, key, name, member, node

    @property
    def value(self) -> Any:
        return (
            getattr(self.holder, self.key)
            if isinstance(self.holder, Param)
            else self.holder[self.key]
        )

    def set(self, value: Any) -> None:
        """Replace the literal (by a Parameter)."""
        if isinstance(self.holder, Node):
            raise TypeError("use _NodeArgs")
        self.holder[self.key] = value


class _Args:
    """A node's positional arguments as a mutable sequence."""

    def __init__(self, node: Node):
        self.node = node

    def __getitem__(self, index: int) -> Any:
        return self.node.args[index]

    def __setitem__(self, index: int, value: Any) -> None:
        self.node.args = (*self.node.args[:index], value, *self.node.args[index + 1 :])


class _ParamShape:
    """The shape of a parameter, where instances differ in it."""

    def __init__(self, param: Param):
        self.param = param

    def __getitem__(self, key: str) -> Any:
        return getattr(self.param, "written_shape", self.param.shape)

    def __setitem__(self, key: str, value: Any) -> None:
        self.param.written_shape = value  # type: ignore[attr-defined]


def slots(module: Module) -> Iterator[Slot]:
    """Every literal of a module, in the same order for all instances of a class."""
    seen: set[int] = set()

    def of_submodule(sub: Submodule) -> Iterator[Slot]:
        for name, value in sub.args.items():
            if is_literal(value) or isinstance(value, Parameter):
                yield Slot(sub.args, name, name, sub, None)
        for item in sub.items or ():
            yield from of_submodule(item)

    for node in module.nodes:
        if isinstance(node.target, Submodule) and id(node.target) not in seen:
            seen.add(id(node.target))
            yield from of_submodule(node.target)
        for index, value in enumerate(node.args):
            if isinstance(value, Submodule) and id(value) not in seen:
                seen.add(id(value))
                yield from of_submodule(value)
            elif isinstance(value, Param) and id(value) not in seen:
                seen.add(id(value))
                if value.constant is None:
                    yield Slot(_ParamShape(value), "shape", "shape", None, node)
            elif is_literal(value):
                yield Slot(_Args(node), index, _argument_name(node), None, node)
        for name, value in node.kwargs.items():
            if is_literal(value):
                yield Slot(node.kwargs, name, name, None, node)


def _argument_name(node: Node) -> str:
    return {"reshape": "size", "flatten": "start_dim", "transpose": "dim", "permute": "dim"}.get(
        str(node.target), "scale" if node.target in ("*", "/") else "value"
    )


ClassTest = Callable[[ModuleClass], bool]
