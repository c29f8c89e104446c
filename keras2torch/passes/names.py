"""names: members and classes get their names. The program's own names win, then the field's: conv1, bn1, fc.

Conv2D(..., name="stem")    ->    self.stem
Conv2D(...), Conv2D(...)    ->    self.conv1, self.conv2
"""

from __future__ import annotations

import itertools
import re
from collections import Counter

from keras2torch.module import Member, Module, ModuleClass, Submodule, classes_of, parts_of
from keras2torch.naming import (
    RESERVED,
    common_name,
    digits_last,
    in_one_style,
    is_generic,
    snake_case,
    without_common_words,
    without_prefix,
)
from keras2torch.passes.sequential import GENERATED, stage_of
from keras2torch.passes.vocabulary import (
    DOCUMENTATION,
    block_name,
    branch_names,
    reduces,
    shortcut_names,
)
from keras2torch.quoting import to_class_name, to_identifier

_SHORT = {
    "Linear": "fc",
    "BatchNorm": "bn",
    "LayerNorm": "norm",
    "RMSNorm": "norm",
    "GroupNorm": "norm",
    "InstanceNorm": "norm",
    "ConvTranspose": "deconv",
    "Conv": "conv",
    "ZeroPad": "pad",
    "ConstantPad": "pad",
    "ReflectionPad": "pad",
    "MultiheadAttention": "attention",
    "PReLU": "prelu",
    "ReLU": "act",
    "LeakyReLU": "act",
    "SiLU": "act",
    "GELU": "act",
    "ELU": "act",
}


def names(module: Module) -> Module:
    """Name classes, then the members of each class."""
    classes = classes_of(module)
    family = _family(classes)
    _name_classes(module, classes, family)
    for cls in classes:
        _name_members(cls, family)
    return module


_FAMILY = 8  # names that say it


def _family(classes: list[ModuleClass]) -> str:
    """``convnext_tiny_``: the words that nearly every name begins with, which tell nothing apart."""
    given = [
        to_identifier(member.hints[0]).split("_")
        for cls in classes
        for instance in cls.instances
        for member in instance.members
        if isinstance(member, Submodule) and member.hints and member.weights
    ]
    shared: list[str] = []
    while given:
        word, count = Counter(name[len(shared)] for name in given).most_common(1)[0]
        same = [name for name in given if name[len(shared)] == word]
        if 20 * count < 19 * len(given) or count < _FAMILY or any(map(str.isdigit, word)):
            break
        if any(len(name) <= len(shared) + 1 or len(name[len(shared) + 1]) < 2 for name in same):
            break
        shared.append(word)
        given = same
    return "_".join([*shared, ""])


def _name_classes(module: Module, classes: list[ModuleClass], family: str) -> None:
    bases = {}
    for cls in classes:
        scope = cls.body.scope
        if scope is not None and scope.kind == "pattern":
            known = block_name(cls.body)
            cls.name = known or _shared_name(cls)
            cls.doc = cls.doc or DOCUMENTATION.get(known or "")
        if family and cls.name.startswith(prefix := to_class_name(family.rstrip("_"))):
            cls.name = cls.name[len(prefix) :] or cls.name
        bases[id(cls)] = to_class_name(cls.name)
    _tell_apart(classes, bases)
    totals = Counter(bases.values())
    taken = Counter[str]()
    roots = [cls for cls in classes if cls is module.cls]
    for cls in [*roots, *(cls for cls in classes if cls is not module.cls)]:
        base = bases[id(cls)]
        taken[base] += 1
        if base == "Inception" and totals[base] <= 26:
            cls.name = (
                f"{base}{chr(ord('A') + taken[base] - 1)}" if totals[base] > 1 else f"{base}Block"
            )
        else:
            cls.name = base if taken[base] == 1 else f"{base}{taken[base]}"


def _tell_apart(classes: list[ModuleClass], bases: dict[int, str]) -> None:
    """Of blocks that the field calls the same, those that make the image smaller are called so."""
    totals = Counter(bases.values())
    for base in [base for base, count in totals.items() if count > 1]:
        same = [cls for cls in classes if bases[id(cls)] == base]
        if base in ("Inception", "Transition") or any(cls.body.scope is None for cls in same):
            continue
        down = [cls for cls in same if _found(cls) and all(map(reduces, cls.instances))]
        numbers = {id(cls): name for cls in same if (name := _numbered_name(cls)) is not None}
        if len(set(numbers.values())) == len(numbers) > 1:
            bases.update(numbers)
        elif 0 < len(down) < len(same):
            bases.update((id(cls), f"Down{base}") for cls in down)


def _numbered_name(cls: ModuleClass) -> str | None:
    """``Block35`` of block35_1, block35_2 ...: what the program itself numbers its kinds of blocks with."""
    given = {
        to_identifier(i.scope.name).split("_")[0] for i in cls.instances if i.scope is not None
    }
    name = given.pop() if len(given) == 1 and len(cls.instances) > 1 and _found(cls) else ""
    return to_class_name(name) if re.fullmatch(r"block\d+", name) else None


def _found(cls: ModuleClass) -> bool:
    """Whether the class has no name of the program's."""
    return cls.body.scope is not None and cls.body.scope.kind == "pattern"


def _shared_name(cls: ModuleClass) -> str:
    """What the Keras names of the instances share, without numbers."""
    given = [instance.scope.name for instance in cls.instances if instance.scope]
    shared = common_name(given) or given[0]
    words = [word for word in re.sub(r"\d+[a-z]?(?![a-z])", "", shared).split("_") if word]
    return to_class_name("_".join(words)) if words else "Block"


def type_name(member: Member) -> str:
    """What a member is called for its kind."""
    if not isinstance(member, Submodule):
        return to_identifier(member.hints[-1] if member.hints else "weight", "weight")
    if member.items is not None and not any(item.body for item in member.items):
        dense = any(item.cls == "nn.Linear" for item in member.items)
        return (
            "mlp"
            if dense and not any("Conv" in str(item.cls) for item in member.items)
            else "layers"
        )
    if member.items is not None:
        return "blocks"
    cls = member.cls.name if isinstance(member.cls, ModuleClass) else member.cls
    cls = cls.rpartition(".")[2]
    cls = re.sub(r"[123]d\Z", "", cls)
    for prefix, short in _SHORT.items():
        if cls.startswith(prefix):
            return short
    return to_identifier(cls if not cls.isupper() else cls.lower())


def _name_members(cls: ModuleClass, family: str) -> None:
    prefixes = [_prefix(instance) or family for instance in cls.instances]
    rows = [
        [
            (m, p)
            for m, p in zip(row, prefixes)
            if not (isinstance(m, Submodule) and m.present is False)
        ]
        for row in zip(*(instance.members for instance in cls.instances))
    ]
    firsts = cls.body.members
    branches, shortcuts = branch_names(cls.body), shortcut_names(cls.body)
    hints = [
        name if name and name not in GENERATED else {**branches, **shortcuts}.get(id(first), name)
        for first, name in zip(firsts, _hints(cls, rows))
    ]
    if _found(cls):  # conv0 of a block tells less
        hints = [
            shortcuts.get(id(first), name) if re.fullmatch(r"[a-z]+\d+", name or "") else name
            for first, name in zip(firsts, hints)
        ]
    hints = _lone_stages(firsts, [_more_than_a_layer(*pair) for pair in zip(firsts, hints)])
    hints = _groups_apart(firsts, hints)
    hints = in_one_style(hints, [_is_block(member) for member in firsts])
    hints = [hint if hint and hint.isidentifier() else None for hint in hints]  # 1 of conv3_1
    shared = Counter(hint for hint in hints if hint)
    taken: Counter[str] = Counter()
    chosen: list[tuple[Member, str, bool]] = []
    for first, hint in zip(firsts, hints):
        variable = getattr(getattr(first, "owner", None), "variable", None)
        if hint and shared[hint] > 1 and variable and to_identifier(variable).endswith(hint):
            hint = None  # one variable for several layers names none of them
        elif hint and shared[hint] > 1:
            taken[hint] += 1
            hint = f"{hint}{'_' if hint[-1].isdigit() else ''}{taken[hint]}"
            hint = None if hint in shared else hint
        chosen.append((first, hint or type_name(first), hint is not None))
    totals = Counter(name for _, name, given in chosen if not given)
    used = {name for _, name, given in chosen if given}
    counts: Counter[str] = Counter()
    for member, name, given in chosen:
        if not given:
            single = totals[name] == 1 and name not in used and name not in RESERVED
            if not single:
                counts[name] += 1
                while f"{name}{counts[name]}" in used:
                    counts[name] += 1
                name = f"{name}{counts[name]}"
        used.add(name)
        member.name = name


def _more_than_a_layer(member: Member, hint: str | None) -> str | None:
    """``transition2`` for a block that is named after one of its layers only: pool2."""
    match = re.fullmatch(r"(?:pool|conv|bn|relu|act|add)_?(\d+)", hint or "")
    cls = member.cls if isinstance(member, Submodule) else None
    if match is None or not isinstance(cls, ModuleClass) or cls.doc not in DOCUMENTATION.values():
        return hint
    return f"{to_identifier(re.sub(r'(?<=[a-z])(?=[A-Z])', '_', cls.name).lower())}{match[1]}"


def _lone_stages(members: list[Member], hints: list[str | None]) -> list[str | None]:
    """``stage1`` for block1a, where the stages of several blocks are called stage2, stage3 ..."""
    if sum(bool(re.fullmatch(r"stage\d+", hint or "")) for hint in hints) < 2:
        return hints
    found = list(hints)
    staged = {
        id(item.cls)
        for member, hint in zip(members, hints)
        if isinstance(member, Submodule) and re.fullmatch(r"stage\d+", hint or "")
        for item in member.items or ()
    }
    for index, member in enumerate(members):
        if not isinstance(member, Submodule) or id(member.cls) not in staged:
            continue
        stage = stage_of(member) if member.body else None
        if stage is not None and re.fullmatch(r"stage\d+", stage) and stage not in found:
            found[index] = stage
    return found


def _groups_apart(members: list[Member], hints: list[str | None]) -> list[str | None]:
    """``encoder_blocks`` and ``decoder_blocks`` instead of blocks1 and blocks2."""
    found = list(hints)
    same = [i for i, hint in enumerate(hints) if hint in GENERATED and hints.count(hint) > 1]
    classes = [next(iter(parts_of(members[index]))).cls for index in same]
    if len(set(classes)) == len(same):
        for index, cls in zip(same, classes):
            if isinstance(cls, ModuleClass) and not re.search(r"[a-z][A-Z]\Z", cls.name):
                found[index] = f"{snake_case(cls.name)}s"
    return found


def _common_words(names: list[list[str]]) -> list[str]:
    """The words that all of these begin with."""
    columns = itertools.takewhile(lambda column: len(set(column)) == 1, zip(*names))
    return [column[0] for column in columns]


def _is_block(member: Member) -> bool:
    return isinstance(member, Submodule) and any(part.body for part in parts_of(member))


def _prefix(instance: Module) -> str:
    """The block's own name, which the names of its layers begin with."""
    scope = instance.scope
    if scope is None or scope.kind not in ("pattern", "function", "sequential", "model"):
        return ""
    if scope.kind == "pattern" and scope.name:
        return f"{to_identifier(scope.name)}_"
    weighted = [
        m
        for m in instance.members
        if isinstance(m, Submodule) and m.hints and (m.weights or m.items)
    ]
    given = [to_identifier(m.hints[0]).split("_") for m in weighted]
    shared = _common_words(given) if len(given) > 1 else []
    if scope.kind != "function":
        own = to_identifier(scope.name or "").split("_")
        return "_".join([*_common_words([shared, own]), ""]).lstrip("_")
    shared = shared[: min(map(len, given), default=1) - 1]
    numbers = [i for i, word in enumerate(shared) if word[-1:].isdigit()]
    return "_".join([*shared[: numbers[-1] + 1], ""]) if numbers else ""


def _hints(cls: ModuleClass, rows: list[list[tuple[Member, str]]]) -> list[str | None]:
    """The program's names for the members, without the block's own name in front."""
    scope = cls.body.scope
    found = [_hint(row) for row in rows]
    if scope is not None and scope.kind == "pattern":
        found = without_common_words(without_prefix(found))
    result: list[str | None] = []
    for name in found:
        name = digits_last(name) if name else None
        usable = name and not is_generic(name) and name not in RESERVED
        result.append(name if usable else None)
    return result


def _hint(row: list[tuple[Member, str]]) -> str | None:
    """A name that the program gave in all instances, without what tells the instances apart."""
    for position in range(len(row[0][0].hints)):
        if any(len(member.hints) <= position for member, _ in row):
            return None
        given = [_without(member.hints[position], prefix) for member, prefix in row]
        if all(
            isinstance(m, Submodule) and m.body and m.body.scope and m.body.scope.kind == "pattern"
            for m, _ in row
        ):
            given = [_MERGERS.sub("", name) for name in given]  # a block is more than its last step
        name = common_name(given)
        if name and not is_generic(name) and name not in RESERVED:
            return name
    return None


_MERGERS = re.compile(r"_(concat|concatenate|add|merge|out)(?=_|\Z)")


def _without(hint: str, prefix: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", hint).lower()
    if prefix and name.startswith(prefix) and len(name) > len(prefix):
        return name[len(prefix) :]
    number = re.search(r"_\d+(?=_\Z)", prefix)
    if number is not None and name.endswith(number[0]):  # adjust_conv_4 in cell_4
        return name[: -len(number[0])]
    return hint
