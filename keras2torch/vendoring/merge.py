"""Three texts into one: what the generator changed and what somebody changed by hand, both kept.

As diff3 does, and two steps finer, because generated lines are dense: edits of neighbouring lines do not
conflict, and two edits of one line conflict only where they touch the same or neighbouring words.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

MINE, BASE_END, THEIRS = "<" * 7, "=" * 7, ">" * 7
_MARKER = re.compile(rf"^(?:{MINE} |{THEIRS} )", re.MULTILINE)
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Merged:
    """The text, and in how many places the two sides could not be brought together."""

    text: str
    conflicts: int


@dataclass(frozen=True)
class Edit:
    """``base[start:stop]`` becomes ``new``."""

    start: int
    stop: int
    new: Sequence[str]

    def clashes(self, other: Edit) -> bool:
        """Whether it cannot be told how both are to be done."""
        if max(self.start, other.start) < min(self.stop, other.stop):
            return True
        if self.stop < other.start or other.stop < self.start:
            return False
        if self.start == self.stop and other.start == other.stop:
            return True  # two insertions in one place: which comes first?
        for insertion, change in ((self, other), (other, self)):
            if insertion.start == insertion.stop:
                # Beside a line that was changed an insertion has its place; beside a rewritten passage it has not.
                return len(change.new) != change.stop - change.start
        return False


def merge(base: str, mine: str, theirs: str, *, labels: tuple[str, str]) -> Merged:
    """``mine`` with the changes that lead from ``base`` to ``theirs``.

    Where both changed the same words differently, both stand in the text between the marks that git uses,
    with ``labels`` for the two sides.
    """
    fine = _merge(base, mine, theirs, labels, words=True)
    if _parses(mine) and _parses(theirs) and not fine.conflicts and not _parses(fine.text):
        return _merge(base, mine, theirs, labels, words=False)
    return fine


def has_conflicts(text: str) -> bool:
    """Whether marks of an earlier merge are still there."""
    return _MARKER.search(text) is not None


def _merge(base: str, mine: str, theirs: str, labels: tuple[str, str], words: bool) -> Merged:
    lines = base.splitlines(keepends=True)
    ours, generated = mine.splitlines(keepends=True), theirs.splitlines(keepends=True)
    out: list[str] = []
    conflicts, position = 0, 0
    for start, stop, left, right in _hunks(lines, ours, generated):
        out += lines[position:start]
        position = stop
        settled = _settle(lines[start:stop], left, right, words)
        if settled is None:
            conflicts += 1
            out += _marked(left, right, labels)
        else:
            out += settled
    out += lines[position:]
    return Merged("".join(out), conflicts)


def _hunks(
    base: Sequence[str], left: Sequence[str], right: Sequence[str]
) -> list[tuple[int, int, list[str], list[str]]]:
    """The changed stretches of ``base``, and how each side has them; edits that clash share one."""
    sides = (_edits(base, left), _edits(base, right))
    pending = sorted(
        ((edit, side) for side in (0, 1) for edit in sides[side]),
        key=lambda item: (item[0].start, item[0].stop),
    )
    groups: list[list[tuple[Edit, int]]] = []
    for edit, side in pending:
        if groups and any(edit.clashes(other) for other, at in groups[-1] if at != side):
            groups[-1].append((edit, side))
        else:
            groups.append([(edit, side)])
    found = []
    for group in groups:
        start, stop = min(e.start for e, _ in group), max(e.stop for e, _ in group)
        versions = [
            _apply(base, [e for e, s in group if s == side], start, stop) for side in (0, 1)
        ]
        found.append((start, stop, versions[0], versions[1]))
    return found


def _edits(base: Sequence[str], other: Sequence[str]) -> list[Edit]:
    matcher = difflib.SequenceMatcher(None, base, other, autojunk=False)
    return [
        Edit(i1, i2, other[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _apply(base: Sequence[str], edits: list[Edit], start: int, stop: int) -> list[str]:
    out: list[str] = []
    for edit in edits:
        out += [*base[start : edit.start], *edit.new]
        start = edit.stop
    return [*out, *base[start:stop]]


def _settle(base: list[str], left: list[str], right: list[str], words: bool) -> list[str] | None:
    """One stretch, where one side left it alone, both did the same, or the lines can be merged by words."""
    if left == right or right == base:
        return left
    if left == base:
        return right
    if not words or not len(base) == len(left) == len(right):
        return None
    merged = [_line(*lines) for lines in zip(base, left, right)]
    return None if None in merged else [line for line in merged if line is not None]


def _line(base: str, left: str, right: str) -> str | None:
    if left == right or right == base:
        return left
    if left == base:
        return right
    parts = [_WORD.findall(line) for line in (base, left, right)]
    edits = _edits(parts[0], parts[1]), _edits(parts[0], parts[2])
    for a in edits[0]:
        for b in edits[1]:
            if max(a.start, b.start) <= min(a.stop, b.stop):  # touching is too close
                return None
    every = sorted((*edits[0], *edits[1]), key=lambda edit: edit.start)
    return "".join(_apply(parts[0], every, 0, len(parts[0])))


def _marked(left: list[str], right: list[str], labels: tuple[str, str]) -> list[str]:
    def ended(lines: list[str]) -> list[str]:
        return [line if line.endswith("\n") else line + "\n" for line in lines]

    return [
        f"{MINE} {labels[0]}\n",
        *ended(left),
        f"{BASE_END}\n",
        *ended(right),
        f"{THEIRS} {labels[1]}\n",
    ]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True
