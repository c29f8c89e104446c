"""How a new model starts: Keras's initialisers as lines of torch.

A tensor that starts alike in all modules of a kind is handled in ``init_like_keras``; where modules of one
kind differ, the lines stand in the class that makes them.
Formulas: keras/src/initializers/random_initializers.py of Keras 3.15.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from keras2torch.initial_text import lines_for
from keras2torch.module import (
    Member,
    Module,
    ModuleClass,
    Param,
    Parameter,
    Submodule,
    classes_of,
    parts_of,
)

Kind = tuple[str, bool]  # class, and whether a convolution has groups
Rules = dict[str, tuple[str, ...]]  # tensor name -> the lines that start it


@dataclass
class Initial:
    """``function``: the lines of init_like_keras; ``in_class``: lines for ``__init__`` by class id."""

    function: list[str] = field(default_factory=list)
    in_class: dict[int, list[str]] = field(default_factory=dict)


def initial_lines(root: Module, classes: list[ModuleClass]) -> Initial:
    """Decide how each tensor of each kind of torch module starts.

    ``init_like_keras`` has the usual way of a kind. The lines of a class that holds exceptions stand there
    too, for they run after those of its parts; the exceptions of the root follow in its ``__init__``.
    """
    result = Initial()
    table: dict[Kind, list[Rules]] = {}
    for sub in _all_submodules(root):
        table.setdefault(_kind(sub), []).append(_rules(sub, "module"))
    written = [
        part
        for cls in classes
        for member in cls.body.members
        for part in parts_of(member)
        if part.body is None and part.weights and isinstance(part.cls, str)
    ]
    usual = {kind: _usual(kind, rows, written) for kind, rows in table.items()}
    while True:
        groups = [(cls, _class_lines(root, cls, usual)) for cls in classes]
        stuck = {
            kind
            for cls, members in groups
            for member, lines in members
            if cls.body is not root and isinstance(member, Submodule) and not _movable(cls, lines)
            for kind in map(_kind, _weighted_parts(member))
            if usual[kind]
        }
        if not stuck:
            break
        usual.update((kind, {}) for kind in stuck)  # their lines stand where they are made
    body = _function_body(table, usual)
    for cls, members in groups:
        moved = []
        for member, lines in members:
            served = isinstance(member, Submodule) and any(
                usual[k] for k in map(_kind, _weighted_parts(member))
            )
            if served and cls.body is not root:
                moved += [line.replace("self.", "module.") for line in lines]
            else:
                result.in_class.setdefault(id(cls), []).extend(lines)
        if moved:
            body += [f"if isinstance(module, {cls.name}):", *(f"    {line}" for line in moved)]
    if body:
        result.function = [
            "def init_like_keras(module: nn.Module) -> None:",
            '    """Start the weights as Keras does."""',
            *(f"    {line}" for line in body),
        ]
    return result


def _weighted_parts(member: Submodule) -> list[Submodule]:
    return [p for p in parts_of(member) if p.body is None and p.weights and isinstance(p.cls, str)]


def _movable(cls: ModuleClass, lines: list[str]) -> bool:
    """Whether lines can stand in ``init_like_keras``: they need no argument of the constructor."""
    words = set(re.findall(r"\w+", "\n".join(lines)))
    return not words & {*(p.name for p in cls.parameters), *cls.derived}


def _usual(kind: Kind, rows: list[Rules], written: list[Submodule]) -> Rules:
    """How each tensor of a kind starts most often, counted as it is written."""
    counts: dict[str, Counter[tuple[str, ...]]] = {}
    for sub in written:
        if _kind(sub) == kind:
            for name, text in _rules(sub, "module").items():
                counts.setdefault(name, Counter())[text] += 1
    names = dict.fromkeys(name for rules in rows for name in rules)
    for name in names:
        if name not in counts:
            counts[name] = Counter(rules[name] for rules in rows if name in rules)
    return {name: counts[name].most_common(1)[0][0] for name in names}


# The function for all modules.
def _function_body(table: dict[Kind, list[Rules]], uniform: dict[Kind, Rules]) -> list[str]:
    groups: dict[tuple[tuple[str, tuple[str, ...]], ...], list[Kind]] = {}
    for kind, rules in uniform.items():
        texts = tuple((name, text) for name, text in rules.items() if text)
        if texts:
            groups.setdefault(texts, []).append(kind)
    body: list[str] = []
    for texts, kinds in groups.items():
        rows = [row for kind in kinds for row in table[kind]]
        for test in _tests(kinds, set(table)):
            body.append(f"if {test}:")
            last = ""
            for name, text in texts:
                # Type checkers know the bias of a convolution as optional, that of a dense layer not.
                unsure = name == "bias" and any("Conv" in cls for cls, _ in kinds)
                known = all(name in row for row in rows) and not unsure
                test_of_name = "" if known else _presence(name)
                if test_of_name and test_of_name != last:
                    body.append(f"    if {test_of_name}:")
                last = test_of_name
                body += [f"{'        ' if last else '    '}{line}" for line in text]
    return body


def _presence(name: str) -> str:
    """How to ask a torch module whether it has a tensor that not all of its kind have."""
    if "_l0" not in name:
        return f"module.{name} is not None"
    tests = ["module.bidirectional"] if name.endswith("_reverse") else []
    return " and ".join(tests + (["module.bias"] if name.startswith("bias") else []))


def _tests(kinds: list[Kind], known: set[Kind]) -> list[str]:
    """The conditions that tell these kinds from the others: one, unless groups matter for some."""
    whole, parted = [], []
    for cls, grouped in sorted(kinds):
        other = (cls, not grouped)
        if other in known and other not in kinds:
            parted.append(
                f"isinstance(module, {cls}) and module.groups {'>' if grouped else '=='} 1"
            )
        elif cls not in whole:
            whole.append(cls)
    if whole:
        names = whole[0] if len(whole) == 1 else f"({', '.join(whole)})"
        return [f"isinstance(module, {names})", *parted]
    return parted


# The lines of one class.
def _class_lines(
    root: Module, cls: ModuleClass, usual: dict[Kind, Rules]
) -> list[tuple[Member, list[str]]]:
    """The members of a class that start in another way than the usual, with the lines for it."""
    found: list[tuple[Member, list[str]]] = []
    columns = zip(*(instance.members for instance in cls.instances))
    for named, column in zip(cls.body.members, columns):
        rows = [list(_member_lines(member, f"self.{named.name}", usual)) for member in column]
        own = _common_lines(root, cls, str(named.name), rows)
        if own and isinstance(named, Submodule) and named.present not in (None, True):
            test = f"if not isinstance(self.{named.name}, nn.Identity):"
            own = [test, *(f"    {line}" for line in own)]
        if own:
            found.append((named, own))
    return found


def _common_lines(root: Module, cls: ModuleClass, name: str, rows: list[list[str]]) -> list[str]:
    """The lines of all instances; a number in which they differ becomes a constructor parameter.

    An instance without lines lacks the member, or ``init_like_keras`` starts it again later.
    """
    usual = next((row for row in rows if row), [])
    rows = [row or usual for row in rows]
    result = []
    for column in zip(*rows):
        parts = [re.split(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])", line) for line in column]
        if len({tuple(part[::2]) for part in parts}) > 1 or len(set(map(len, rows))) > 1:
            raise AssertionError(f"instances of {cls.name} start {name} in different ways")
        text = list(parts[0])
        for index in range(1, len(text), 2):
            numbers = [part[index] for part in parts]
            if len(set(numbers)) > 1:
                text[index] = _add_parameter(root, cls, f"{name}_fan", numbers)
        result.append("".join(text))
    return result


def _add_parameter(root: Module, cls: ModuleClass, name: str, numbers: list[str]) -> str:
    """The name of a new constructor parameter with a number for each instance."""
    values: list[Any] = [float(n) if "." in n else int(n) for n in numbers]
    kind = "float" if any(isinstance(value, float) for value in values) else "int"
    owners = {id(part.body): part for part in _owners(root)}
    taken = {parameter.name for parameter in cls.parameters}
    base = name
    for number in range(2, 99):
        if name not in taken:
            break
        if [owners[id(instance)].args[name] for instance in cls.instances] == values:
            return name  # asked for before
        name = f"{base}{number}"
    for parameter in cls.parameters:
        parameter.default = None
    cls.parameters.append(Parameter(name, kind))
    for instance, value in zip(cls.instances, values):
        owners[id(instance)].args[name] = value
    return name


def _owners(root: Module) -> Iterator[Submodule]:
    for cls in classes_of(root):
        for instance in cls.instances:
            for member in instance.members:
                yield from (part for part in parts_of(member) if part.body is not None)


def start_of(param: Param) -> str | None:
    """``zeros`` or ``ones``, where a parameter of the module itself starts so: torch's own constructors do."""
    if param.constant is not None:
        return None
    lines = lines_for(param.initial, "", param.mapping)
    return {"nn.init.zeros_()": "zeros", "nn.init.ones_()": "ones"}.get("".join(lines))


def _member_lines(member: Member, path: str, uniform: dict[Kind, Rules]) -> Iterator[str]:
    if isinstance(member, Param):
        if member.constant is None and start_of(member) is None:
            yield from lines_for(member.initial, path, member.mapping)
        return
    if member.present is False:
        return
    for part, inner in _named_parts(member, path):
        if isinstance(part.cls, str) and part.weights:
            served = uniform[_kind(part)]
            plain = _rules(part, "module")
            for name, lines in _rules(part, inner, full=bool(served)).items():
                if served.get(name, ()) != plain[name]:
                    yield from lines


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
            if isinstance(member, Submodule) and member.present is False:
                continue
            for part in parts_of(member):
                if part.body is not None:
                    yield from visit(part.body)
                elif isinstance(part.cls, str) and part.weights and id(part) not in seen:
                    seen.add(id(part))
                    yield part

    yield from visit(root)


def _kind(sub: Submodule) -> Kind:
    """Modules that one ``isinstance`` (and, for depthwise convolutions, ``groups``) can tell."""
    weight = sub.weights.get("weight")
    grouped = "Conv" in str(sub.cls) and sub.args.get("groups", 1) != 1
    return str(sub.cls), grouped and weight is not None


def _rules(sub: Submodule, path: str, full: bool = False) -> Rules:
    """For each tensor the lines that start it; ``full``: also where torch's own start is the same."""
    found: Rules = {}
    for name, mapping in sub.weights.items():
        # Type checkers do not know the tensors of a recurrent layer by name.
        target = f'{path}.get_parameter("{name}")' if "_l0" in name else f"{path}.{name}"
        lines = lines_for(sub.initial.get(name), target, mapping)
        found[name] = tuple(line for line in lines if full or not _as_torch_does(sub, line))
    return found


def _as_torch_does(sub: Submodule, line: str) -> bool:
    """Normalisations start with scale 1, offset 0, mean 0 and variance 1 in torch, too."""
    match = re.match(r"nn\.init\.(ones|zeros)_\(.*\b(\w+)\)", line)
    return "Norm" in str(sub.cls) and match is not None and _STARTS.get(match[2]) == match[1]


_STARTS = {"weight": "ones", "bias": "zeros", "running_mean": "zeros", "running_var": "ones"}
