"""The torch-level IR: what a generated file is made of, before it is text.

A ``Module`` is one instance of an ``nn.Module``: its inputs, its members (submodules and parameters),
and the nodes of ``forward`` in order. Lowering makes one flat Module; passes fold regions of it into
child Modules, and group equal Modules into a ``ModuleClass``, which is one class in the file.
All instances of a class have members and nodes aligned one to one; they differ in literals only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from keras2torch.graph import Scope, Shape, Weight


@dataclass(eq=False, repr=False)
class Value:
    """A torch tensor in ``forward``. ``shape`` is in torch's order.

    ``axes[i]`` is the Keras axis that torch dimension ``i`` holds. ``flat`` marks a flattened image
    whose elements lie in another order than Keras's: (Keras's unflattened shape without the batch,
    the permutation that was applied to it before flattening).
    """

    shape: Shape
    axes: tuple[int, ...]
    dtype: str = "float32"
    flat: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    node: Node | None = None
    hint: str | None = None  # a name from the user's program
    name: str | None = None  # given by the names pass
    note: str | None = None  # a short comment behind the line that makes it
    tensor: Any = None  # the Keras tensor it is a form of
    scalar: bool = False  # a Python number (a size, or what is computed from sizes)
    source: Any = None  # of a scalar: the tensor whose size it is

    def dim(self, keras_axis: int) -> int:
        """The torch dimension that holds a Keras axis (negative axes count from the end)."""
        return self.axes.index(keras_axis % len(self.axes))

    @property
    def in_keras_order(self) -> bool:
        return self.axes == tuple(range(len(self.axes))) and self.flat is None


@dataclass(eq=False)
class Parameter:
    """A constructor parameter of a ModuleClass, where a literal differs between instances."""

    name: str
    annotation: str = "int"
    default: Any = None  # None: it has none


@dataclass(frozen=True)
class Formula:
    """An expression over constructor parameters that stands in the place of a literal."""

    text: str


@dataclass
class Mapping:
    """How a torch tensor is made from Keras weights: ``function(*arrays)``; no sources: a constant.

    ``view(*arrays)``, where there is one, has the same elements in the same order, in a shape that needs no copy.
    """

    sources: tuple[Weight, ...]
    function: Callable[..., Any]
    shape: tuple[int, ...]
    trainable: bool = True
    fixed: str = ""  # why a parameter of torch's never changes: Keras does not have it
    view: Callable[..., Any] | None = None


@dataclass(eq=False, repr=False)
class Submodule:
    """A member made by a call in ``__init__``: ``nn.Conv2d(...)``, a helper class, or a child Module.

    ``args`` holds every argument by its torch name, defaults too; emission leaves defaults out.
    ``weights`` maps the names of the module's own tensors ("weight", "bias") to where they come from.
    """

    cls: str | ModuleClass
    args: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Mapping] = field(default_factory=dict)
    hints: tuple[str, ...] = ()  # names, best first
    note: str | None = None
    initial: dict[str, Any] = field(default_factory=dict)  # tensor name -> Initial (see init.py)
    owner: Any = None  # the Keras layer
    body: Module | None = None  # of a child Module: this very instance
    items: tuple[Submodule, ...] | None = None  # of nn.Sequential: its parts, in order
    name: str | None = None
    frozen: bool = False  # Keras's trainable=False: no gradients
    eval_mode: bool = False  # runs in inference mode always (a frozen BatchNormalization)
    present: Any = None  # of a member that only some instances have: a flag, else nn.Identity()


@dataclass(eq=False, repr=False)
class Param:
    """A member that is a tensor of the module itself: ``nn.Parameter``, or a buffer."""

    mapping: Mapping
    dtype: str = "float32"
    hints: tuple[str, ...] = ()
    buffer: bool = False
    constant: Any = None  # of a buffer whose value is written in the file
    initial: Any = None
    owner: Any = None
    name: str | None = None

    flat = None
    in_keras_order = True

    @property
    def frozen(self) -> bool:
        """Keras's trainable=False: no gradients."""
        return not self.buffer and not getattr(self.owner, "trainable", True)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.mapping.shape

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(range(len(self.shape)))

    def dim(self, keras_axis: int) -> int:
        """As for a Value: parameters lie in Keras's axis order."""
        return keras_axis % len(self.shape)


Member = Submodule | Param


@dataclass(eq=False, repr=False)
class Node:
    """One operation of ``forward``.

    kind      target                 reads as
    call      a Submodule            self.conv1(x)
    function  "F.relu"               F.relu(x)
    method    "mean"                 x.mean(dim=1)
    operator  "+"                    x + y        (one argument: -x)
    optional  "+"                    x + y if self.flag else y   (args: x, y, what remains, the flag)
    index     ""                     x[:, 0]
    size      ""                     x.shape[1]
    attribute "device"               x.device
    mode      ""                     x if self.training else y
    pad       ""                     padding to be folded into its consumer, or F.pad(...)
    keep      "added_loss"           self.added_loss = x: read after forward, by nobody within
    loop      nn.ModuleList          for block in self.blocks: x, skip = block(x); skips.append(skip)
                                     (``pattern``: what a run gives; outputs: x, then the lists)
    """

    kind: str
    target: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Value, ...]
    pattern: Any = None  # how outputs are unpacked, where there are several: (y, (h, c))
    call: Any = None  # the Keras call it comes from
    scopes: tuple[Scope, ...] = ()
    where: str | None = None
    note: str | None = None
    folds: float | None = (
        None  # what the `padding` argument fills with; None: it has none to fold into
    )

    @property
    def output(self) -> Value:
        return self.outputs[0]

    @property
    def inputs(self) -> list[Value]:
        return values_in((self.args, self.kwargs))

    def replace_inputs(self, table: dict[int, Any]) -> None:
        """Put other values in the place of some inputs (by id)."""

        def swap(item: Any) -> Any:
            return table.get(id(item), item)

        self.args = map_values(swap, self.args)
        self.kwargs = map_values(swap, self.kwargs)

    def set_inputs(self, values: list[Value]) -> None:
        """Other inputs, position by position."""
        remaining = iter(values)

        def swap(item: Any) -> Any:
            return next(remaining) if isinstance(item, Value) else item

        self.args = map_values(swap, self.args)
        self.kwargs = map_values(swap, self.kwargs)


@dataclass(eq=False, repr=False)
class Module:
    """One instance of an nn.Module."""

    inputs: list[Value]
    outputs: list[Value]
    nodes: list[Node]
    scope: Scope | None = None
    cls: ModuleClass | None = None

    @property
    def members(self) -> list[Member]:
        """Submodules and parameters in the order in which ``forward`` first uses them."""
        found: dict[int, Member] = {}
        for node in self.nodes:
            for member in members_in(node):
                found.setdefault(id(member), member)
        return list(found.values())

    def users(self) -> dict[int, list[Node]]:
        """For each value (by id) the nodes that read it, once per reading."""
        table: dict[int, list[Node]] = {}
        for node in self.nodes:
            for value in node.inputs:
                table.setdefault(id(value), []).append(node)
        return table

    def check(self) -> None:
        """Every value is made once, before it is used, within this module."""
        known = set(map(id, self.inputs))
        for node in self.nodes:
            for value in node.inputs:
                if id(value) not in known:
                    raise AssertionError(f"{node.kind} {node.target} uses a value not yet made")
            for value in node.outputs:
                if id(value) in known:
                    raise AssertionError(f"{node.kind} {node.target} makes a value twice")
                if value.node is not node:
                    raise AssertionError("a value does not know its node")
                known.add(id(value))
            if isinstance(node.target, Submodule) and node.target.body is not None:
                body = node.target.body
                if len(body.inputs) != len(node.inputs) or len(body.outputs) != len(node.outputs):
                    raise AssertionError("a child module is called with other ports than it has")
                body.check()
        for value in self.outputs:
            if id(value) not in known:
                raise AssertionError("an output is never made")

    def __str__(self) -> str:
        return "\n".join(_print(self))


@dataclass(eq=False, repr=False)
class ModuleClass:
    """One class of the generated file and all its instances; the first one is written."""

    name: str
    instances: list[Module]
    parameters: list[Parameter] = field(default_factory=list)
    doc: str | None = None
    derived: dict[str, Formula] = field(default_factory=dict)  # what __init__ works out first

    @property
    def body(self) -> Module:
        return self.instances[0]


def map_values(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply to every Value, Param and Submodule inside lists, tuples, dicts and slices."""
    if isinstance(structure, (Value, Param, Submodule)):
        return function(structure)
    if isinstance(structure, (list, tuple)):
        return type(structure)(map_values(function, item) for item in structure)
    if isinstance(structure, dict):
        return {k: map_values(function, v) for k, v in structure.items()}
    if isinstance(structure, slice):
        parts = (structure.start, structure.stop, structure.step)
        return slice(*(map_values(function, part) for part in parts))
    return structure


def values_in(structure: Any) -> list[Value]:
    """All Values inside a nested structure, in order."""
    found: list[Any] = []
    _collect(structure, found)
    return [item for item in found if isinstance(item, Value)]


def members_in(node: Node) -> list[Member]:
    """The members that a node uses: its target, the parameters and submodules among its arguments."""
    found: list[Any] = [node.target] if isinstance(node.target, Submodule) else []
    _collect(node.args, found)
    _collect(node.kwargs, found)
    return [item for item in found if not isinstance(item, Value)]


def _collect(structure: Any, found: list[Any]) -> None:
    """Every Value, Param and Submodule inside lists, tuples, dicts and slices, in order."""
    if isinstance(structure, (Value, Param, Submodule)):
        found.append(structure)
    elif isinstance(structure, (list, tuple)):
        for item in structure:
            _collect(item, found)
    elif isinstance(structure, dict):
        for item in structure.values():
            _collect(item, found)
    elif isinstance(structure, slice):
        _collect((structure.start, structure.stop, structure.step), found)


def walk(module: Module, prefix: str = "") -> Iterator[tuple[str, Member]]:
    """Every (dotted path, member) of an instance tree, once names are given. Shared ones come once.

    The names are those of the class (its first instance); the members are this instance's own.
    """
    written = module.cls.body if module.cls is not None else module
    for named, member in zip(written.members, module.members):
        path = f"{prefix}{named.name}"
        yield from _walk_member(path, named, member)


def _walk_member(path: str, named: Member, member: Member) -> Iterator[tuple[str, Member]]:
    if isinstance(member, Submodule) and member.present is False:
        return
    yield path, member
    if isinstance(member, Submodule) and isinstance(named, Submodule):
        if member.items is not None and named.items is not None:
            for index, (inner, item) in enumerate(zip(named.items, member.items)):
                yield from _walk_member(f"{path}.{index}", inner, item)
        elif member.body is not None:
            yield from walk(member.body, f"{path}.")


def classes_of(root: Module) -> list[ModuleClass]:
    """The classes a module uses, children before parents, itself last.

    All instances of a class are looked into: the first may lack a part that others have.
    """
    found: list[ModuleClass] = []
    seen: set[int] = set()

    def visit(module: Module) -> None:
        key = id(module.cls or module)
        if key in seen:
            return
        seen.add(key)
        for instance in [module] if module.cls is None else module.cls.instances:
            for member in instance.members:
                for part in parts_of(member):
                    if part.body is not None:
                        visit(part.body)
        if module.cls is not None:
            found.append(module.cls)

    visit(root)
    return found


def parts_of(member: Member) -> Iterable[Submodule]:
    """A submodule, or the items of an nn.Sequential (at any depth)."""
    if isinstance(member, Submodule):
        if member.items is None:
            yield member
        else:
            for item in member.items:
                yield from parts_of(item)


def _print(module: Module, indent: str = "") -> Iterator[str]:
    names: dict[int, str] = {}

    def show(item: Any) -> str:
        if isinstance(item, Value):
            return names.setdefault(id(item), f"%{len(names)}")
        if isinstance(item, Param):
            return f"@{'/'.join(item.hints)}"
        if isinstance(item, Parameter):
            return f"${item.name}"
        if isinstance(item, Formula):
            return f"({item.text})"
        if isinstance(item, (list, tuple)):
            return "(" + ", ".join(show(i) for i in item) + ")"
        if isinstance(item, slice):
            return f"{show(item.start)}:{show(item.stop)}:{show(item.step)}"
        return repr(item)

    title = module.cls.name if module.cls else str(module.scope or "module")
    yield f"{indent}module {title}(" + ", ".join(
        f"{show(v)}{list(v.shape)}" for v in module.inputs
    ) + ")"
    for node in module.nodes:
        made = ", ".join(f"{show(v)}{list(v.shape)}" for v in node.outputs)
        target = node.target
        if isinstance(target, Submodule):
            name = target.cls if isinstance(target.cls, str) else target.cls.name
            flag = "" if target.present is None else f" if {show(target.present)}"
            target = f"{name}({', '.join(f'{k}={show(v)}' for k, v in target.args.items())}){flag}"
        used = [show(a) for a in node.args] + [f"{k}={show(v)}" for k, v in node.kwargs.items()]
        scopes = "".join(f" in {scope}" for scope in node.scopes)
        yield f"{indent}  {made} = {node.kind} {target} ({', '.join(used)}){scopes}"
        if isinstance(node.target, Submodule) and node.target.body is not None:
            yield from _print(node.target.body, indent + "    ")
    yield f"{indent}  return " + ", ".join(show(v) for v in module.outputs)
