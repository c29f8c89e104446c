"""Frozen layers as lines: ``self.base.requires_grad_(False)`` in the constructor, ``self.base.eval()`` in ``train``.

A module that is frozen as a whole is named once, where it is made; the classes inside say nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from keras2torch.helpers import helper_sources
from keras2torch.module import Member, Module, ModuleClass, Param, Submodule, classes_of, parts_of
from keras2torch.quoting import comment, identifier

_TRAINING = ("Dropout", "BatchNorm", "InstanceNorm")


@dataclass
class Frozen:
    """The lines of every class of a file."""

    root: Module

    def __post_init__(self) -> None:
        self._holders: dict[int, list[Submodule]] = {}
        for cls in classes_of(self.root):
            for instance in cls.instances:
                for member in instance.members:
                    for part in parts_of(member):
                        if isinstance(part.cls, ModuleClass):
                            self._holders.setdefault(id(part.cls), []).append(part)

    def constructor_lines(self, cls: ModuleClass) -> list[str]:
        """What does not learn: layers with ``trainable=False``, and weights that Keras does not have."""
        if self._said_outside(cls, _is_frozen):
            return []
        return [
            line for member in _members(cls) for line in _freezing(member, f"self.{member.name}")
        ]

    def train_lines(self, cls: ModuleClass) -> list[str]:
        """A ``train`` that leaves frozen batch normalisation in inference mode."""
        if self._said_outside(cls, _is_always_eval):
            return []
        lines = [
            line for member in _members(cls) for line in _resting(member, f"self.{member.name}")
        ]
        return ["super().train(mode)", *lines, "return self"] if lines else []

    def _said_outside(self, cls: ModuleClass, test: Callable[[Submodule], bool]) -> bool:
        holders = self._holders.get(id(cls), [])
        return bool(holders) and all(test(holder) for holder in holders)


def _members(cls: ModuleClass) -> Iterator[Submodule]:
    """The submodules of a class, each as an instance has it that has it at all."""
    named = {index: member.name for index, member in enumerate(cls.body.members)}
    for index, row in enumerate(zip(*(instance.members for instance in cls.instances))):
        found = [m for m in row if isinstance(m, Submodule) and m.present is not False]
        if found:
            found[0].name = named[index]
            yield found[0]


def leaves_of(member: Member) -> Iterator[Member]:
    """Parameters and modules of torch's own (or of a helper), at any depth."""
    if isinstance(member, Param):
        yield member
        return
    if member.present is False:
        return
    for part in parts_of(member):
        if part.body is None:
            yield part
        else:
            for inner in part.body.members:
                yield from leaves_of(inner)


def _is_frozen(sub: Submodule) -> bool:
    leaves = [leaf for leaf in leaves_of(sub) if isinstance(leaf, Param) or leaf.weights]
    return bool(leaves) and all(
        leaf.frozen or (isinstance(leaf, Param) and leaf.buffer) for leaf in leaves
    )


def _freezing(sub: Submodule, path: str) -> Iterator[str]:
    if _is_frozen(sub):
        yield f"{path}.requires_grad_(False)"
    elif sub.items:
        yield from _of_items(sub, path, _freezing)
    elif sub.body is None:
        for name, mapping in sub.weights.items():
            if mapping.fixed:
                yield f"{path}.{identifier(name)}.requires_grad_(False)  # {comment(mapping.fixed)}"


def _is_always_eval(sub: Submodule) -> bool:
    """Whether frozen batch normalisation is all in it that knows train mode from eval mode."""
    leaves = [leaf for leaf in leaves_of(sub) if isinstance(leaf, Submodule)]
    resting = [leaf for leaf in leaves if leaf.eval_mode]
    others = [leaf for leaf in leaves if not leaf.eval_mode]
    bodies = [part.body for part in parts_of(sub) if part.body is not None]
    return (
        bool(resting)
        and not any(map(_knows_training, others))
        and not any(map(_asks_training, bodies))
    )


def _knows_training(leaf: Submodule) -> bool:
    cls = str(leaf.cls)
    if cls.startswith("nn."):
        dropout = leaf.args.get("dropout", 0.0)  # of nn.LSTM
        return any(word in cls for word in _TRAINING) or bool(dropout)
    return any("self.training" in source for source in helper_sources(cls))


def _resting(sub: Submodule, path: str) -> Iterator[str]:
    if _is_always_eval(sub):
        yield f"{path}.eval()"
    elif sub.items:
        yield from _of_items(sub, path, _resting)


def _of_items(
    sub: Submodule, path: str, lines_of: Callable[[Submodule, str], Iterator[str]]
) -> Iterator[str]:
    """The lines of the items of an nn.Sequential, which some instances may not have."""
    lines = [
        line for i, item in enumerate(sub.items or ()) for line in lines_of(item, f"{path}[{i}]")
    ]
    if lines and sub.present not in (None, True):
        yield f"if isinstance({path}, nn.Sequential):"
        lines = [f"    {line}" for line in lines]
    yield from lines


def _asks_training(body: Module) -> bool:
    """Whether a ``forward`` inside depends on ``self.training`` itself."""
    from keras2torch.constructors import TrainOnly

    inner = [
        part.body for member in body.members for part in parts_of(member) if part.body is not None
    ]
    values = [v for node in body.nodes for v in (*node.args, *node.kwargs.values())]
    return any(isinstance(v, TrainOnly) for v in values) or any(map(_asks_training, inner))
