"""How a new model starts: Keras's initialisers as lines of torch.

A kind of module whose tensors all start alike is handled in ``init_like_keras``; where modules of one
kind differ, the lines stand in the class that makes them.
Formulas: keras/src/initializers/random_initializers.py of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keras2torch.initial_text import lines_for
from keras2torch.module import Member, Module, ModuleClass, Param, Submodule, parts_of


@dataclass
class Initial:
    """``function``: the lines of init_like_keras; ``in_class``: lines for ``__init__`` by class id."""

    function: list[str] = field(default_factory=list)
    in_class: dict[int, list[str]] = field(default_factory=dict)


def initial_lines(root: Module, classes: list[ModuleClass]) -> Initial:
    """Decide for each kind of torch module whether one rule serves all of them."""
    result = Initial()
    rules: dict[tuple[str, bool], set[tuple[str, ...]]] = {}
    for sub in _all_submodules(root):
        key = _kind(sub)
        rules.setdefault(key, set()).add(tuple(_rule(sub, "module")))
    body: list[str] = []
    uniform: set[tuple[str, bool]] = set()
    grouped: dict[tuple[str, ...], list[tuple[str, bool]]] = {}
    for key, texts in rules.items():
        if len(texts) == 1:
            uniform.add(key)
            lines = next(iter(texts))
            if lines:
                grouped.setdefault(lines, []).append(key)
    for lines, keys in grouped.items():
        body += _branch(keys, lines, rules)
    if body:
        result.function = [
            "def init_like_keras(module: nn.Module) -> None:",
            '    """Start the weights as Keras does."""',
            *(f"    {line}" for line in body),
        ]
    for cls in classes:
        lines = []
        for member in cls.body.members:
            lines += list(_member_lines(member, uniform))
        if lines:
            result.in_class[id(cls)] = lines
    return result


def _member_lines(member: Member, uniform: set[tuple[str, bool]]) -> Iterator[str]:
    path = f"self.{member.name}"
    if isinstance(member, Param):
        if member.constant is None:
            yield from lines_for(member.initial, path, member.mapping)
        return
    for part, inner in _named_parts(member, path):
        if isinstance(part.cls, str) and part.weights and _kind(part) not in uniform:
            yield from _rule(part, inner)


def _named_parts(sub: Submodule, path: str) -> Iterator[tuple[Submodule, str]]:
    if sub.items is None:
        yield sub, path
    else:
        for index, item in enumerate(sub.items):
            yield from _named_parts(item, f"{path}[{index}]")


def _all_submodules(root: Module) -> Iterator[Submodule]:
    seen: set[int] = set()

    def visit(module: Module) -> Iterator[Submodule]:
        for member in module.members:
            for part in parts_of(member):
                if part.body is not None:
                    yield from visit(part.body)
                elif isinstance(part.cls, str) and part.weights and id(part) not in seen:
                    seen.add(id(part))
                    yield part

    yield from visit(root)


def _kind(sub: Submodule) -> tuple[str, bool]:
    """Modules that one ``isinstance`` (and, for depthwise convolutions, ``groups``) can tell."""
    return str(sub.cls), "Conv" in str(sub.cls) and sub.args.get("groups", 1) not in (1,)


def _rule(sub: Submodule, path: str) -> list[str]:
    lines: list[str] = []
    for name, mapping in sub.weights.items():
        lines += lines_for(sub.initial.get(name), f"{path}.{name}", mapping)
    return [line for line in lines if not _as_torch_does(sub, line)]


def _as_torch_does(sub: Submodule, line: str) -> bool:
    """Normalisations start with ones and zeros in torch, too."""
    return "Norm" in str(sub.cls) and line.startswith(("nn.init.ones_", "nn.init.zeros_"))


def _branch(
    keys: list[tuple[str, bool]], lines: tuple[str, ...], rules: dict[Any, Any]
) -> list[str]:
    classes = sorted({cls for cls, _ in keys})
    names = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
    test = f"isinstance(module, {names})"
    both = {cls for cls in classes if {(cls, True), (cls, False)} <= set(rules)}
    if both and len(classes) == 1 and len(keys) == 1:
        test += " and module.groups > 1" if keys[0][1] else " and module.groups == 1"
    elif both and any((cls, flag) not in keys for cls in both for flag in (True, False)):
        # Kinds that share a rule, but not with their depthwise siblings: one branch each.
        result = []
        for key in keys:
            result += _branch([key], lines, rules)
        return result
    out = [f"if {test}:"]
    for line in lines:
        if line.startswith("nn.init.zeros_(module.bias)"):
            out += ["    if module.bias is not None:", f"        {line}"]
        else:
            out.append(f"    {line}")
    return out
