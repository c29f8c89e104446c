"""The structure of a module apart from its literals: what two instances of one class have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.module import Module, Node, Param, Parameter, Submodule, Value


def is_literal(value: Any) -> bool:
    """Numbers, and tuples of numbers: what may differ between instances of a class."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(is_literal(item) for item in value)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def skeleton(
    module: Module,
    exact: bool = False,
    loose: bool = False,
    read_as: dict[int, Value] | None = None,
) -> Any:
    """A hashable form that is equal for modules of one class; with ``exact``, literals count too.

    ``loose``: an argument may be 3 in one and (1, 3) in another, as of two runs of one user's function.
    ``read_as``: as if these values (by id) were others, and did not exist themselves.
    """
    gone = read_as or {}
    show = _shower(exact, numbered=True, loose=loose, read_as=gone)
    lines = [("inputs", tuple(show(v) for v in module.inputs if id(v) not in gone))]
    for node in module.nodes:
        if id(node.output) not in gone:
            parts = (node.target, node.args, node.kwargs, node.outputs, node.pattern)
            lines.append((node.kind, *map(show, parts)))
    lines.append(("outputs", tuple(show(v) for v in module.outputs)))
    return tuple(lines)


def node_skeleton(node: Node, loose: bool = False) -> Any:
    """What one node does, apart from literals, from which values, and with which member.

    ``loose``: a square kernel and one of two sizes are alike.
    """
    show = _shower(False, numbered=False, loose=loose)
    return (node.kind, show(node.target), show(node.args), show(node.kwargs), len(node.outputs))


def _shower(
    exact: bool, numbered: bool, loose: bool = False, read_as: dict[int, Value] | None = None
) -> Callable[[Any], Any]:
    gone = read_as or {}
    values: dict[int, int] = {}
    members: dict[int, int] = {}

    def show(item: Any) -> Any:
        while id(item) in gone:
            item = gone[id(item)]
        if isinstance(item, Value):
            return ("value", values.setdefault(id(item), len(values)) if numbered else 0)
        if isinstance(item, Param):
            return (
                "param",
                members.setdefault(id(item), len(members)),
                item.buffer,
                item.frozen,
                item.hints[-1:],
                _config(item.initial),
                _content(item.constant),
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
        args = tuple(
            (k, "literal" if loose and is_literal(v) else show(v)) for k, v in sub.args.items()
        )
        items = tuple(show(item) for item in sub.items or ())
        optional = sub.present is not None
        return (cls, args, weights, initial, sub.frozen, sub.eval_mode, items, optional)

    return show


def _kind(item: Any) -> str:
    return "number" if not isinstance(item, (list, tuple)) else "numbers"


def _content(constant: Any) -> Any:
    """A constant's own value: modules that hold different ones are of different classes."""
    if constant is None or not hasattr(constant, "tobytes"):
        return repr(constant)
    return str(constant.dtype), tuple(constant.shape), constant.tobytes()


def _config(value: Any) -> str:
    config = getattr(value, "get_config", None)
    return f"{type(value).__name__}{config()!r}" if callable(config) else repr(value)
