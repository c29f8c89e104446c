"""names: members and classes get their names. The program's own names win, then the field's: conv1, bn1, fc.

Conv2D(..., name="stem")    ->    self.stem
Conv2D(...), Conv2D(...)    ->    self.conv1, self.conv2
"""

from __future__ import annotations

import re
from collections import Counter

from keras2torch.module import Member, Module, ModuleClass, Submodule, classes_of
from keras2torch.naming import RESERVED, common_name, is_generic
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
}


def names(module: Module) -> Module:
    """Name classes, then the members of each class."""
    classes = classes_of(module)
    taken = Counter[str]()
    roots = [cls for cls in classes if cls is module.cls]
    for cls in [*roots, *(cls for cls in classes if cls is not module.cls)]:
        base = to_class_name(cls.name)
        taken[base] += 1
        cls.name = base if taken[base] == 1 else f"{base}{taken[base]}"
    for cls in classes:
        _name_members(cls)
    return module


def type_name(member: Member) -> str:
    """What a member is called for its kind."""
    if not isinstance(member, Submodule):
        return to_identifier(member.hints[-1] if member.hints else "weight", "weight")
    if member.items is not None and not any(item.body for item in member.items):
        dense = any(item.cls == "nn.Linear" for item in member.items)
        return "mlp" if dense and not any("Conv" in str(item.cls) for item in member.items) else "layers"
    cls = member.cls.name if isinstance(member.cls, ModuleClass) else member.cls
    cls = cls.rpartition(".")[2]
    cls = re.sub(r"[123]d\Z", "", cls)
    for prefix, short in _SHORT.items():
        if cls.startswith(prefix):
            return short
    return to_identifier(cls if not cls.isupper() else cls.lower())


def _name_members(cls: ModuleClass) -> None:
    chosen: list[tuple[Member, str, bool]] = []
    taken: Counter[str] = Counter()
    rows = list(zip(*(instance.members for instance in cls.instances)))
    for row in rows:
        hint = _hint(row)
        if hint and taken[hint]:
            hint = None
        if hint:
            taken[hint] += 1
        chosen.append((row[0], hint or type_name(row[0]), hint is not None))
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


def _hint(row: tuple[Member, ...]) -> str | None:
    """A name that the program gave in all instances, without what tells the instances apart."""
    for position in range(len(row[0].hints)):
        if any(len(member.hints) <= position for member in row):
            return None
        name = common_name([member.hints[position] for member in row])
        if name and not is_generic(name) and name not in RESERVED:
            return name
    return None
