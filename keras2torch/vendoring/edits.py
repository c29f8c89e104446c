"""Hand edits kept over a new generation: the base is found, the three texts are merged, the result is looked at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keras2torch.header import is_untouched, signature, with_header_of
from keras2torch.vendoring.merge import merge
from keras2torch.vendoring.record import base_path
from keras2torch.vendoring.renames import carry_renames, unset_attributes

_COMMITS = 200  # how far back in git's history of a file


@dataclass(frozen=True)
class Kept:
    """A text with somebody's edits in it; ``trouble`` says what they have to look at ("": nothing)."""

    text: str
    trouble: str = ""


def keep_edits(path: Path, edited: str, new: str) -> Kept | None:
    """``new`` with the hand edits of ``edited``; None where the text that was edited cannot be found."""
    base = find_base(path, edited)
    if base is None:
        return None
    edited = with_header_of(new, base, edited)
    base, theirs = carry_renames(with_header_of(new, base, base), edited, new)
    merged = merge(base, edited, theirs, labels=("edited by hand", "generated"))
    if merged.conflicts:
        places = f"{merged.conflicts} place{'s' if merged.conflicts > 1 else ''}"
        return Kept(merged.text, f"conflicts in {places}, marked as git does")
    unset = unset_attributes(merged.text) - unset_attributes(edited) - unset_attributes(new)
    if unset:
        return Kept(merged.text, f"nothing sets {', '.join(sorted(unset))} any more")
    return Kept(merged.text)


def find_base(path: Path, edited: str) -> str | None:
    """The text as generated that ``edited`` was made from: kept in ``.k2t/``, else somewhere in git's history."""
    wanted = signature(edited)
    try:
        kept = base_path(path).read_text(encoding="utf-8")
    except (OSError, ValueError):
        kept = ""
    if is_untouched(kept) and wanted in (None, signature(kept)):
        return kept
    if wanted is None:
        return None
    return next(
        (text for text in _committed(path) if signature(text) == wanted and is_untouched(text)),
        None,
    )


def _committed(path: Path) -> Iterator[str]:
    """The versions of a file in git's history, newest first; none without git."""
    log = _git(path, "log", f"-{_COMMITS}", "--format=%H", "--", path.name)
    for commit in log.split():
        yield _git(path, "show", f"{commit}:./{path.name}")


def _git(path: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=path.parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except (OSError, ValueError):
        return ""
    return done.stdout if done.returncode == 0 else ""
