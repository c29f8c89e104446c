"""discover: blocks of networks that come without user functions, by layer names, branches and repetition.

conv2_block1_1_conv(x)                  conv2_block1(x)
conv2_block1_add(...)            ->     conv2_block2(x)      with a child module each
conv2_block2_1_conv(x) ...
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from keras2torch.graph import Scope
from keras2torch.module import Module, Node, Submodule, members_in
from keras2torch.passes.ledger import Ledger
from keras2torch.passes.outline import count_uses, outline, region
from keras2torch.passes.regions import branches, pieces, weighty
from keras2torch.passes.skeleton import skeleton

LONGEST_PERIOD = 12
MOST_INPUTS = 2  # of a block that only its branches tell
_GLUE = ("permute", "transpose", "reshape")  # between two axis orders: belongs to no layer


@dataclass
class _Piece:
    """Nodes between two cuts; ``prefix``: the words that the names of its layers share."""

    nodes: list[Node]
    prefix: tuple[str, ...]
    position: int
    block: str | None = None  # the name of the block that it belongs to
    group: int = 0
    weight: int = field(init=False)

    def __post_init__(self) -> None:
        self.weight = sum(map(weighty, self.nodes))

    @property
    def is_branching(self) -> bool:
        return self.weight > 1 and branches(self.nodes)

    @property
    def is_activation(self) -> bool:
        """One weightless function that keeps the shape."""
        node = self.nodes[0]
        return (
            len(self.nodes) == 1
            and node.kind == "function"
            and len(node.inputs) == 1
            and node.output.shape == node.inputs[0].shape
        )


def discover(module: Module) -> Module:
    """Find blocks in the module and in nested models, and fold each into a child module."""
    for member in module.members:
        if isinstance(member, Submodule) and member.body is not None:
            if member.body.scope is None or member.body.scope.kind in ("model", "sequential"):
                discover(member.body)
    found = [_Piece(nodes, _prefix(nodes), index) for index, nodes in enumerate(pieces(module))]
    _by_names(found)
    _by_suffix(module, found)
    _by_branches(module, found)
    _by_repetition(module, found)
    scopes: dict[int, Scope] = {}
    for piece in found:
        if piece.block is not None:
            scope = scopes.setdefault(
                piece.group, Scope("pattern", piece.block, None, -piece.group)
            )
            for node in piece.nodes:
                node.scopes = (scope,)
    return outline(module)


def layer_name(node: Node) -> str | None:
    """The Keras layer's name, where a person chose it."""
    target = node.target
    if isinstance(target, Submodule) and (target.body is not None or target.items is not None):
        return target.hints[0] if target.hints else None
    if node.kind == "method" and node.target in _GLUE:
        return None
    operation = getattr(node.call, "operation", None)
    if operation is None or not getattr(operation, "named", False):
        return None
    return str(operation.name)


def words(name: str) -> tuple[str, ...]:
    """``conv2_block1_1_conv`` -> conv2, block1, 1, conv."""
    return tuple(word for word in re.split(r"[^A-Za-z0-9]+", name.lower()) if word)


def _prefix(nodes: list[Node]) -> tuple[str, ...]:
    names = [words(name) for name in map(layer_name, nodes) if name]
    if not names:
        return ()
    shared = []
    for column in zip(*names):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return tuple(shared)


def _take(run: list[_Piece], name: str) -> None:
    """The group's number is that of its first node, which is in no other group."""
    group = 1 + run[0].position
    for piece in run:
        piece.block, piece.group = name, group


# By names.
def _by_names(found: list[_Piece]) -> None:
    """Runs of pieces whose layers share a prefix that counts: ``block_3_``, then any."""
    total = sum(piece.weight for piece in found)
    deepest = max((len(piece.prefix) for piece in found), default=0)
    for worthy, numbered in ((_is_block, True), (_is_small_block, True), (_is_block, False)):
        for depth in range(deepest, 0, -1):
            for run in _named_runs(found, depth, numbered):
                if worthy(run) and 2 * sum(piece.weight for piece in run) <= total:
                    _take(run, "_".join(run[0].prefix[:depth]))


def _named_runs(found: list[_Piece], depth: int, numbered: bool) -> list[list[_Piece]]:
    def key(piece: _Piece) -> tuple[str, ...] | None:
        prefix = piece.prefix[:depth]
        if piece.block is not None or len(prefix) < depth:
            return None
        return None if numbered and not re.search(r"\d", prefix[-1]) else prefix

    runs: list[list[_Piece]] = []
    before: tuple[str, ...] | None = None
    between: list[_Piece] = []
    for piece in found:
        own = key(piece)
        if own is None and before is not None and not piece.prefix and not piece.block:
            if piece.is_activation and not between:  # goes with what it activates
                runs[-1].append(piece)
                continue
            if len(piece.nodes) == 1 and not piece.weight:
                between.append(piece)
                continue
        if own is not None:
            if own == before:
                runs[-1] += [*between, piece]
            else:
                runs.append([piece])
        before, between = own, []
    return runs


def _is_block(run: list[_Piece]) -> bool:
    return sum(piece.weight for piece in run) > 1


def _is_small_block(run: list[_Piece]) -> bool:
    members = {id(m) for p in run for n in p.nodes for m in members_in(n) if _weighted(m)}
    return len(members) > 1 and sum(len(piece.nodes) for piece in run) > 3


def _weighted(member: Any) -> bool:
    return not isinstance(member, Submodule) or bool(member.weights) or member.body is not None


def _by_suffix(module: Module, found: list[_Piece]) -> None:
    """Cells whose layers' names end in the cell's number: adjust_bn_3, normal_concat_3."""
    runs: list[list[_Piece]] = []
    before: str | None = None
    for piece in found:
        own = _suffix(piece) if piece.block is None else None
        if own is not None and own == before:
            runs[-1].append(piece)
        elif own is not None:
            runs.append([piece])
        before = own
    runs = [part for run in runs for part in _two_kinds(run)]
    cells = [run for run in runs if any(piece.is_branching for piece in run)]
    if len(cells) > 2:
        for run in cells:
            names = [name for name in map(layer_name, reversed(run[-1].nodes)) if name]
            _take(run, names[0])
        _gather(module, found)


def _two_kinds(run: list[_Piece]) -> list[list[_Piece]]:
    """normal_concat_8, then reduction_concat_reduce_8: two cells of one number, the second with a word more."""
    last = {
        words(name)[-2:-1] for piece in run[-1:] for name in map(layer_name, piece.nodes) if name
    }
    if len(last) != 1:
        return [run]
    start = len(run)
    while start and all(
        words(name)[-2:-1] in last for name in map(layer_name, run[start - 1].nodes) if name
    ):
        start -= 1
    parts = [run[:start], run[start:]]
    both = all(any(piece.is_branching for piece in part) for part in parts)
    return parts if both else [run]


def _gather(module: Module, found: list[_Piece]) -> None:
    """What only a cell reads, and is named like it or not at all, belongs to it, wherever it stands."""
    users = module.users()
    owner = {id(node): piece for piece in found for node in piece.nodes}
    for piece in reversed(found):
        if piece.block is not None or any(
            value in module.outputs for value in piece.nodes[-1].outputs
        ):
            continue
        outside = [
            owner[id(reader)]
            for node in piece.nodes
            for value in node.outputs
            for reader in users.get(id(value), [])
            if owner[id(reader)] is not piece
        ]
        groups = {other.group for other in outside}
        if len(groups) != 1 or outside[0].block is None:
            continue
        own, cell = _suffix(piece), {_suffix(other) for other in outside}
        if own in cell or (own is None and piece.is_activation):
            piece.block, piece.group = outside[0].block, outside[0].group


def _suffix(piece: _Piece) -> str | None:
    given = {words(name)[-1] for name in map(layer_name, piece.nodes) if name}
    return given.pop() if len(given) == 1 and all(word.isdigit() for word in given) else None


# By branches.
def _by_branches(module: Module, found: list[_Piece]) -> None:
    """A piece with parallel branches is a block, with the activation behind it."""
    total = sum(piece.weight for piece in found)
    ledger = Ledger(module)
    for index, piece in enumerate(found):
        if piece.block is not None or not piece.is_branching or 2 * piece.weight > total:
            continue
        run = [piece]
        for after in found[index + 1 :]:
            if after.block is not None or not after.is_activation:
                break
            run.append(after)
        body = region(ledger, [node for part in run for node in part.nodes])
        if body is None or len(body.inputs) > MOST_INPUTS or len(body.outputs) > 1:
            continue  # a cut through the middle of things
        if max(count_uses(body).values()) > 1:
            continue  # two runs of one block
        if any(map(_is_programs_block, body.members)):
            continue  # a stage of the program's own blocks, which it gave no name
        names = [name for name in map(layer_name, reversed(piece.nodes)) if name]
        _take(run, names[0] if names else "block")


def _is_programs_block(member: Any) -> bool:
    """A block of the program's that computes with several layers."""
    body = member.body if isinstance(member, Submodule) else None
    if body is None or body.scope is None or body.scope.kind not in ("function", "layer"):
        return False
    return sum(map(weighty, body.nodes)) > 1


# By repetition.
def _by_repetition(module: Module, found: list[_Piece]) -> None:
    """Periods of pieces of equal structure: norm, attention, add, norm, dense, dense, add."""
    units = [list(run) for run in _units(found)]
    alphabet: dict[Any, int] = {}
    text = []
    ledger = Ledger(module)
    for unit in units:
        nodes = [node for piece in unit for node in piece.nodes]
        body = region(ledger, nodes) if not (unit[0].block and unit[0].prefix) else None
        shape = skeleton(body) if body is not None else ("alone", id(unit[0]))
        text.append(alphabet.setdefault(shape, len(alphabet)))
    while True:
        best = _best_repeat(text, units)
        if best is None:
            return
        start, period, times = best
        for i in range(times):
            begin = start + i * period
            run = [piece for unit in units[begin : begin + period] for piece in unit]
            _take(run, "block")
            text[begin : begin + period] = [-(begin + k) - 1 for k in range(period)]


def _units(found: list[_Piece]) -> list[list[_Piece]]:
    """Blocks found so far, and the pieces between them."""
    result = []
    for group, members in itertools.groupby(found, lambda piece: piece.group):
        run = list(members)
        result += [run] if group else [[piece] for piece in run]
    return result


def _best_repeat(text: list[int], units: list[list[_Piece]]) -> tuple[int, int, int] | None:
    """(start, period, times) of the repeat that saves most."""
    best, most = None, 0
    for start in range(len(text)):
        for period in range(1, min(LONGEST_PERIOD, (len(text) - start) // 2) + 1):
            times = 1
            window = text[start : start + period]
            if any(letter < 0 for letter in window):
                break
            while text[start + times * period : start + (times + 1) * period] == window:
                times += 1
            if times < 2:
                continue
            saved = _saved(units[start : start + period], times)
            if saved > most:
                best, most = (start, period, times), saved
    return best


def _saved(period: list[list[_Piece]], times: int) -> int:
    """Roughly the lines that a class for a period saves."""
    weight = sum(piece.weight for unit in period for piece in unit)
    blocks = [unit for unit in period if unit[0].block is not None]
    if weight < 2 or (len(period) == 1 and blocks):
        return 0
    kinds = [_kinds(unit) for unit in blocks]
    for left, right in itertools.permutations(kinds, 2):
        if not left - right:  # one is a variant of the other: a stage, not a block
            return 0
    members = sum(
        1 for unit in period for p in unit for n in p.nodes for m in members_in(n) if _weighted(m)
    )
    return (times - 1) * 2 * members - 6


def _kinds(unit: list[_Piece]) -> Counter[str]:
    return Counter(
        str(member.cls)
        for piece in unit
        for node in piece.nodes
        for member in members_in(node)
        if isinstance(member, Submodule) and _weighted(member)
    )
