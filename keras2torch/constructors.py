"""Members -> constructor calls of ``__init__``, and the values that may stand in generated text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch.module import Formula, ModuleClass, Parameter, Submodule
from keras2torch.quoting import identifier, quote
from keras2torch.torch_signatures import signature_of


def submodule_text(sub: Submodule) -> str:
    """``nn.Conv2d(3, 16, 3, padding=1)``, without the arguments that are torch's defaults."""
    if sub.present is not None and sub.present is not True:
        return f"{_constructor(sub)} if {literal(sub.present)} else nn.Identity()"
    return _constructor(sub)


def _constructor(sub: Submodule) -> str:
    if sub.items is not None:
        parts = _items(sub.items)
        if sub.cls != "nn.ModuleList":
            return f"{sub.cls}({', '.join(parts)})"
        if len(parts) == 1 and parts[0].startswith("*("):
            return f"{sub.cls}({parts[0][2:-1]})"
        return f"{sub.cls}([{', '.join(parts)}])"
    if isinstance(sub.cls, ModuleClass):
        return f"{sub.cls.name}({_child_arguments(sub)})"
    signature = signature_of(sub.cls)
    given = []
    for name, value in sub.args.items():
        if name in signature.positional:
            given.append(literal(value))
        elif (
            name not in signature.defaults
            or isinstance(value, Parameter)
            or value != signature.defaults[name]
            or (type(value) is bool) != (type(signature.defaults[name]) is bool)
        ):
            given.append(f"{identifier(name)}={literal(value)}")
    return f"{sub.cls}({', '.join(given)})"


def _child_arguments(sub: Submodule) -> str:
    """Leading channel counts by position, the rest by name."""
    parts, positional = [], True
    defaults = {p.name: p.default for p in sub.cls.parameters}  # type: ignore[union-attr]
    for name, value in sub.args.items():
        if defaults[name] is not None and type(value) is not Parameter and value == defaults[name]:
            continue
        positional = positional and (
            name.endswith(("channels", "features", "dim")) or name in ("filters", "units")
        )
        parts.append(literal(value) if positional else f"{name}={literal(value)}")
    return ", ".join(parts)


def _items(items: tuple[Submodule, ...]) -> list[str]:
    """The parts of an nn.Sequential; three and more equal ones, or ones that grow evenly, as a generator."""
    texts = [submodule_text(item) for item in items]
    result: list[str] = []
    index = 0
    while index < len(texts):
        count = 1
        while index + count < len(texts) and texts[index + count] == texts[index]:
            count += 1
        growing = _growing(items[index:])
        if count > 2:
            result.append(f"*({texts[index]} for _ in range({count}))")
        elif growing is not None:
            count, text = growing
            result.append(text)
        else:
            count = 1
            result.append(texts[index])
        index += count
    return result


def _growing(items: tuple[Submodule, ...]) -> tuple[int, str] | None:
    """Three and more instances of a class that differ by even steps in one argument."""
    first = items[0]
    if not isinstance(first.cls, ModuleClass):
        return None

    def change(left: Submodule, right: Submodule) -> tuple[str, int] | None:
        if left.cls is not right.cls:
            return None
        names = [name for name in left.args if left.args[name] != right.args[name]]
        values = [side.args[name] for name in names for side in (left, right)]
        if len(names) != 1 or any(type(value) is not int for value in values):
            return None
        return names[0], values[1] - values[0]

    even = change(*items[:2]) if len(items) > 2 else None
    if even is None:
        return None
    count = 2
    while count < len(items) and change(*items[count - 1 : count + 1]) == even:
        count += 1
    if count < 3:
        return None
    name, step = even
    start = first.args[name]
    stop = start + count * step
    text = submodule_text(Submodule(first.cls, {**first.args, name: Parameter(name)}))
    return count, f"*({text} for {name} in range({start}, {stop}, {step}))"


def literal(value: Any) -> str:
    """A literal, or the constructor parameter that stands in its place."""
    if isinstance(value, Parameter):
        return value.name
    if isinstance(value, Formula):
        return value.text
    if isinstance(value, tuple) and any(isinstance(item, (Parameter, Formula)) for item in value):
        half = len(value) // 2
        if len(value) == 4 and value[:half] == value[half:]:
            return f"{literal(value[:half])} * 2"
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Dtype):
        return f"torch.{identifier(value.name)}"
    if isinstance(value, Name):
        return identifier(value.name)
    if isinstance(value, TrainOnly):
        return f"{quote(value.value)} if self.training else 0.0"
    return quote(value)


@dataclass(frozen=True)
class TrainOnly:
    """A number in train mode, 0 in eval mode, as an argument (a dropout rate)."""

    value: float


@dataclass(frozen=True)
class Name:
    """The name of a helper, as an argument."""

    name: str


@dataclass(frozen=True)
class Dtype:
    """``torch.float32`` and the like, as an argument."""

    name: str
