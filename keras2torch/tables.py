"""A long nn.Sequential of one class as a table: a row for each stage, as torchvision writes its networks."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from keras2torch.constructors import literal, submodule_text
from keras2torch.module import Formula, ModuleClass, Submodule

STAGES = 4  # rows that make a table


@dataclass
class _Stage:
    """A block and those behind it that only repeat it, on its own channels and without its stride."""

    args: dict[str, Any]
    count: int = 1


def table_lines(member: Submodule) -> list[str] | None:
    """The statements that fill ``member``; None where listing its parts is as short.

    blocks: list[nn.Module] = []
    in_channels = 32
    for out_channels, stride, count in ((64, 1, 3), (128, 2, 4), ...):
        for _ in range(count):
            blocks.append(Block(in_channels, out_channels, stride))
            in_channels, stride = out_channels, 1
    self.blocks = nn.Sequential(*blocks)
    """
    items = member.items
    if not items or not isinstance(items[0].cls, ModuleClass) or member.present is not None:
        return None
    if any(item.cls is not items[0].cls or item.present is not None for item in items):
        return None
    ports = _ports(items)
    if ports is None:
        return None
    source, result = ports
    first_only = _stride(items[0].cls)
    stages = _stages(items, source, result, first_only)
    if len(stages) < STAGES or len(stages) + 7 > _listed(items):
        return None
    columns = [
        name
        for name in items[0].args
        if name != source and (name == result or len({s.args[name] for s in stages}) > 1)
    ]
    call = {
        name: Formula(name) if name in columns else value for name, value in items[0].args.items()
    }
    call[source] = Formula(source)
    rest = ", 1" if first_only in columns else ""
    rows = [", ".join(literal(stage.args[name]) for name in columns) for stage in stages]
    return [
        f"{member.name}: list[nn.Module] = []",
        f"{source} = {literal(items[0].args[source])}",
        f"for {', '.join(columns)}, count in (",
        *(f"    ({row}, {stage.count})," for row, stage in zip(rows, stages)),
        "):",
        "    for _ in range(count):",
        f"        {member.name}.append({_call(items[0].cls, call)})",
        f"        {source}{', stride' if rest else ''} = {result}{rest}",
        f"self.{member.name} = nn.Sequential(*{member.name})",
    ]


def _ports(items: tuple[Submodule, ...]) -> tuple[str, str] | None:
    """The two arguments of which the one repeats the other of the block before."""
    whole = [name for name, value in items[0].args.items() if type(value) is int]
    for source, result in itertools.permutations(whole, 2):
        pairs = list(zip(items, items[1:]))
        if all(b.args[source] == a.args[result] for a, b in pairs) and source.startswith("in_"):
            if len({item.args[result] for item in items}) > 1:
                return source, result
    return None


def _stride(cls: ModuleClass) -> str:
    """The argument that only the first block of a stage has."""
    return next((p.name for p in cls.parameters if p.name == "stride" and p.default == 1), "")


def _stages(
    items: tuple[Submodule, ...], source: str, result: str, first_only: str
) -> list[_Stage]:
    stages: list[_Stage] = []
    for item in items:
        if stages:
            repeated = {**stages[-1].args, source: stages[-1].args[result]}
            if first_only:
                repeated[first_only] = 1
            if item.args == repeated:
                stages[-1].count += 1
                continue
        stages.append(_Stage(item.args))
    return stages


def _call(cls: ModuleClass, args: dict[str, Any]) -> str:
    """By position as long as the variables are called as the parameters are."""
    texts = {name: literal(value) for name, value in args.items()}
    leading = list(itertools.takewhile(lambda item: item[0] == item[1], texts.items()))
    others = {name: args[name] for name in list(args)[len(leading) :]}
    rest = submodule_text(Submodule(cls, others)).partition("(")[2]
    return f"{cls.name}({', '.join(filter(None, [*(text for _, text in leading), rest[:-1]]))})"


def _listed(items: tuple[Submodule, ...]) -> int:
    """The lines of an nn.Sequential that lists its parts, equal ones together."""
    return 2 + sum(1 for _ in itertools.groupby(items, lambda item: submodule_text(item)))
