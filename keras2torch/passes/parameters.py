"""parameters: literals that differ between the instances of a class become constructor parameters.

nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3)    ->    nn.Conv2d(in_channels, out_channels, 3)

Columns of equal values are one parameter; what follows from others is worked out in the class.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from keras2torch.module import (
    Formula,
    Module,
    ModuleClass,
    Parameter,
    Submodule,
    classes_of,
    parts_of,
)
from keras2torch.passes.formulas import (
    derive,
    equal,
    evened,
    expansion,
    fraction,
    pads_before,
    pads_by_kernel,
    pads_by_stride,
)
from keras2torch.passes.instances import holders
from keras2torch.passes.places import ANYTHING, Place, places
from keras2torch.quoting import is_identifier

_ROLES = {
    "num_features": "channels",
    "num_channels": "channels",
    "normalized_shape": "channels",
    "groups": "channels",
    "shape": "channels",
    "in_channels": "in_channels",
    "in_features": "in_channels",
    "out_channels": "out_channels",
    "out_features": "out_channels",
    "p": "dropout",
    "slope": "slope",
}
UGLY = 12  # characters of a float that is the result of some arithmetic
_DEFAULTS = {"stride": 1, "groups": 1, "dilation": 1, "padding": 0}


@dataclass
class Column:
    """One literal over all instances, and the places that hold it."""

    role: str
    values: list[Any]
    places: list[Place] = field(default_factory=list)
    formula: Formula | None = None
    name: str | None = None
    of_child: bool = False  # an argument of classes of this file only

    @property
    def is_size(self) -> bool:
        """Whether it counts channels or features."""
        return self.role in ("in_channels", "out_channels", "channels")

    @property
    def is_flag(self) -> bool:
        return all(value is ANYTHING or isinstance(value, bool) for value in self.values)


def parameters(module: Module) -> Module:
    """Children before parents, so that a parent sees its children's arguments as literals of its own."""
    owners = holders(module)
    for cls in classes_of(module):
        if cls is not module.cls:
            _parametrise(cls, owners)
    _as_fractions(module)
    return module


def _as_fractions(root: Module) -> None:
    """``0.2 * 6 / 16`` instead of 0.07500000000000001, where one rate rises from block to block."""
    blocks = [p for m in root.members for p in parts_of(m) if isinstance(p.cls, ModuleClass)]
    for key in dict.fromkeys((id(p.cls), name) for p in blocks for name in p.args):
        rows = [part.args for part in blocks if (id(part.cls), key[1]) == (key[0], key[1])]
        rows = [args for args in rows if type(args[key[1]]) is float]
        values = [args[key[1]] for args in rows]
        if not values or max(len(repr(value)) for value in values) < UGLY:
            continue
        rate = fraction(values, len(blocks))
        for args, value in zip(rows, values):
            if rate is not None and value:
                step = round(value * len(blocks) / rate)
                args[key[1]] = Formula(f"{rate} * {step} / {len(blocks)}")


def _parametrise(cls: ModuleClass, owners: dict[int, Submodule]) -> None:
    columns = _columns(cls)
    base: list[Column] = []
    known: dict[str, Column] = {}  # parameters, and what has been worked out from them
    in_order, ports = _in_order(columns)
    for column in in_order:
        column.formula = derive(column, known)
        if column.formula is None and column not in ports and not _user_names(cls, column.values):
            ratio = expansion(column, base)
            if ratio is not None:
                factor, column.formula = ratio
                known["expand_ratio"] = Column("ratio", factor, name="expand_ratio")
                base.append(known["expand_ratio"])
        if column.formula is None:
            column.formula = (
                pads_by_stride(column, known)
                or pads_before(column, known)
                or _pads_by_kernel(cls, column, known)
            )
        if column.formula is None:
            if column.role == "padding":
                column.values = [evened(value) for value in column.values]
            column.name = _name(cls, column, set(known))
            base.append(column)
        elif _wants_name(cls, column):
            column.name = _local_name(cls, column, set(known))
            cls.derived[column.name] = column.formula
        if column.name is not None:
            known[column.name] = column
    _write(cls, columns)
    ordered = sorted(
        base, key=lambda column: (_default(column) is not None, _signature_order(column))
    )
    cls.parameters = [_parameter(column) for column in ordered]
    for index, instance in enumerate(cls.instances):
        args = owners[id(instance)].args
        for column in ordered:
            assert column.name is not None
            value = column.values[index]
            args[column.name] = _fill(column) if value is ANYTHING else value


def _pads_by_kernel(cls: ModuleClass, column: Column, known: dict[str, Column]) -> Formula | None:
    found = pads_by_kernel(column, known)
    if found is None:
        return None
    cls.derived.update(found)
    length = next(len(value) for value in column.values if value is not ANYTHING)
    return Formula(f"({', '.join(['before, after'] * (length // 2))})")


def _columns(cls: ModuleClass) -> list[Column]:
    """Literals that differ, those of equal values together; what all share is written in."""
    columns: list[Column] = []
    partial: list[tuple[Place, list[Any]]] = []  # constant, but not all instances have it
    for place in places(cls.body):
        values = [place.read(instance) for instance in cls.instances]
        known = [value for value in values if value is not ANYTHING]
        if all(type(v) is type(known[0]) and v == known[0] for v in known) and not (
            place.name == "present" and len(known) < len(values)
        ):
            if len(known) < len(values):
                partial.append((place, values))
            continue
        role = _role(place)
        for column in columns:
            if _same_kind(column.role, role) and equal(column.values, values, column.role == role):
                column.values = [b if a is ANYTHING else a for a, b in zip(column.values, values)]
                break
        else:
            column = Column(role, values)
            columns.append(column)
        column.places.append(place)
        column.of_child = all(_of_child(cls, item) for item in column.places)
        if column.role in ("channels", "value") and role in ("in_channels", "out_channels"):
            column.role = role
    return columns


def _of_child(cls: ModuleClass, place: Place) -> bool:
    return place.name is not None and isinstance(place.member(cls.body).cls, ModuleClass)


def _role(place: Place) -> str:
    if place.name is not None:
        return _ROLES.get(place.name, place.name)
    if place.items:
        return "channels"  # an axis of a parameter of the module's own
    if place.slot == 3:
        return "flag"  # of an optional operator
    return place.slot if isinstance(place.slot, str) else "value"


_SIZES = {"in_channels", "out_channels", "channels"}
_FLAGS = {"flag", "present"}


def _same_kind(left: str, right: str) -> bool:
    return (
        left == right
        or {left, right} <= _FLAGS
        or {left, right} <= {*_SIZES, "value"}
        or {left, right} == {"value", "padding"}
    )


def _in_order(columns: list[Column]) -> tuple[list[Column], list[Column]]:
    """The order in which columns become parameters (ports, others, flags), and the ports among them."""
    sizes = [column for column in columns if column.is_size]
    others = [column for column in columns if not column.is_size and not column.is_flag]
    flags = [column for column in columns if column.is_flag and not column.is_size]
    first = [column for column in sizes if column.role == "in_channels"][:1] or sizes[:1]
    given = [c for c in sizes if any(p.name in _OUT for p in c.places)]
    last = [max(given, key=_last_output)] if given else []
    last = [column for column in last if column not in first]
    middle = [column for column in sizes if column not in first and column not in last]
    rank = {"stride": 0, "kernel_size": 1, "dilation": 2, "padding": 4}
    others.sort(key=lambda column: rank.get(column.role, 3))
    return [*first, *last, *middle, *others, *flags], [*first, *last]


_OUT = ("out_channels", "out_features")


def _last_output(column: Column) -> int:
    return max(place.node for place in column.places if place.name in _OUT)


def _name(cls: ModuleClass, column: Column, taken: set[str]) -> str:
    """The user's own argument, torch's word for the role, or the name of the member with the role."""
    own, member = _user_names(cls, column.values), _member_name(cls, column)
    role = column.role
    if role in _FLAGS:
        residual = any(place.name is None for place in column.places)
        candidates = [*own, *(["residual"] if residual else []), member or "residual", "enabled"]
    elif column.is_size:
        linear = all(place.name in ("in_features", "out_features", None) for place in column.places)
        kind = "features" if linear else "channels"
        comes, goes = _is_port(cls, column, True), _is_port(cls, column, False)
        torch_names = [f"in_{kind}"] * comes + [f"out_{kind}"] * goes
        if role == "out_channels" and linear:
            candidates = [*own, *torch_names]
        else:
            candidates = [*torch_names, *own]
        part = _common_part(cls, column)
        if member and member.startswith("branch") and len({p.node for p in column.places}) == 1:
            candidates.append(f"{member}_{kind}")
        candidates += [f"hidden_{kind}"] if "hidden" not in taken else []
        candidates += [f"{name}_{kind}" for name in (part, member) if name]
    elif role == "value":
        floats = any(isinstance(value, float) for value in column.values)
        candidates = [*own, "scale" if floats else "size"]
    else:
        candidates = [role, *own, *([f"{member}_{role}"] if member else [])]
    members = {m.name for m in cls.body.members} if _in_forward(cls, column) else set()
    for name in candidates:
        if name not in taken and name not in members and is_identifier(name):
            return name
    base = candidates[-1]
    return next(n for n in (f"{base}{i}" for i in range(2, 99)) if n not in taken | members)


def _local_name(cls: ModuleClass, column: Column, taken: set[str]) -> str:
    """What is worked out inside ``__init__`` has a short name: ``hidden``."""
    name = _name(cls, column, taken)
    short = "hidden" if name.startswith("hidden_") else name
    return short if short not in taken and not _in_forward(cls, column) else name


def _is_port(cls: ModuleClass, column: Column, inwards: bool) -> bool:
    """Whether a size is that of the class's input (or output) in every instance."""
    for instance, size in zip(cls.instances, column.values):
        ports = instance.inputs if inwards else instance.outputs
        if size is not ANYTHING and not any(size in value.shape[1:] for value in ports):
            return False
    return True


def _common_part(cls: ModuleClass, column: Column) -> str | None:
    """``se`` of se_reduce and se_expand, which share a size: what they are parts of."""
    names = {Place(p.node, p.slot).member(cls.body).name for p in column.places if p.name}
    if len(names) < 2 or None in names:
        return None
    words = [str(name).split("_") for name in names]
    first = {name[0] for name in words}
    return first.pop() if len(first) == 1 and min(map(len, words)) > 1 else None


def _in_forward(cls: ModuleClass, column: Column) -> bool:
    return any(place.in_forward(cls.body) for place in column.places)


def _member_name(cls: ModuleClass, column: Column) -> str | None:
    for place in column.places:
        if place.name is not None:
            return Place(place.node, place.slot).member(cls.body).name
    return None


def _user_names(cls: ModuleClass, values: list[Any]) -> list[str]:
    """Arguments of the user's function that had just these values."""
    rows = [dict(instance.scope.arguments) if instance.scope else {} for instance in cls.instances]
    return [
        name
        for name in rows[0]
        if all(
            v is ANYTHING or (row.get(name) == v and type(row.get(name)) is type(v))
            for row, v in zip(rows, values)
        )
    ]


def _wants_name(cls: ModuleClass, column: Column) -> bool:
    """Whether a formula should get a line of its own in ``__init__``."""
    assert column.formula is not None
    if is_identifier(column.formula.text):
        return False
    if _in_forward(cls, column):
        return True
    return len(column.places) > 1 and not column.is_flag


def _write(cls: ModuleClass, columns: list[Column]) -> None:
    """Put parameters and formulas in the places of the first instance, which is the one written."""
    for column in columns:
        formula = column.formula
        value: Any = formula
        if column.name is not None:
            value = Parameter(column.name)
        elif formula is not None and is_identifier(formula.text):
            value = Parameter(formula.text)
        stored = column.name in cls.derived and _in_forward(cls, column)
        for place in column.places:
            if stored and not place.in_forward(cls.body):
                place.write(cls.body, Formula(f"self.{column.name}"))
            else:
                place.write(cls.body, value)


def _signature_order(column: Column) -> int:
    if column.is_flag:
        return 9
    return {"ratio": 2, "stride": 4, "kernel_size": 3, "padding": 6}.get(
        column.role, 1 if column.is_size else 5
    )


def _parameter(column: Column) -> Parameter:
    assert column.name is not None
    known = [value for value in column.values if value is not ANYTHING]
    kinds = {_kind(value) for value in known}
    annotation = "float" if kinds == {"int", "float"} else " | ".join(sorted(kinds))
    return Parameter(column.name, annotation, _default(column))


def _kind(value: Any) -> str:
    if isinstance(value, (tuple, list)) and value:
        return f"tuple[{', '.join(map(_kind, value))}]"
    return type(value).__name__


def _fill(column: Column) -> Any:
    """What an instance is given that lacks the member: nothing it could notice."""
    if column.role == "dropout":
        return 0.0
    counts = Counter(value for value in column.values if value is not ANYTHING)
    return counts.most_common(1)[0][0]


def _default(column: Column) -> Any:
    """A natural value that many instances leave, as the default; None if there is none."""
    if column.role == "dropout":
        return 0.0 if any(value is ANYTHING for value in column.values) else None
    natural = False if column.is_flag else _DEFAULTS.get(column.role)
    usual = sum(value is ANYTHING or value == natural for value in column.values)
    return natural if natural is not None and 2 * usual >= len(column.values) else None
