"""What is told about a script while it runs: the notes for its user, and when something was last recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Recording:
    """One run of a script. ``notes`` are for the user, in order, each told once."""

    notes: list[str] = field(default_factory=list)
    namespace: dict[str, Any] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)
    """The models that the script has saved, by path, and by the text of their configuration."""
    files: dict[str, Any] = field(default_factory=dict)
    """The content of the files that the script has written (none of them is on the disk)."""
    reads: list[Any] = field(default_factory=list)
    """The calls of Lambdas whose functions read variables around them."""
    unreliable: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """Objects of the script that a statement passed over should have changed: id -> (object, Absent)."""

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


_current: list[Recording] = []


def current() -> Recording | None:
    """The run that is going on, or None outside of one."""
    return _current[-1] if _current else None


def note(text: str) -> None:
    """Tell the user something about the script that is running."""
    if _current:
        _current[-1].note(text)


def save(key: Any, model: Any) -> None:
    """Remember a model under the path that the script saves it to."""
    if _current:
        _current[-1].saved[str(key)] = model


def saved(key: Any) -> Any:
    """The model that the script has saved there, or None."""
    return _current[-1].saved.get(str(key)) if _current else None


def begin(recording: Recording) -> None:
    _current.append(recording)


def end() -> None:
    _current.pop()
