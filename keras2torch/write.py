"""Files on disk: whole or not at all, and never over somebody's edits."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.header import digest, is_untouched


@dataclass(frozen=True)
class Change:
    """A file that is not what the source gives."""

    path: Path
    reason: str  # "missing", "out of date", "edited by hand"
    old: str
    new: str


def texts(result: Any) -> dict[str, str]:
    """File name -> text of the two Python files.

    Where the training cannot be carried over exactly, the second file only predicts, and a note says why.
    """
    model = result.model_source
    try:
        train = result.train_source
    except UnsupportedError as error:
        train = result.prediction_source(str(error))
        note = f"the training is not carried over, {result.name}_train.py only predicts: {error}"
        if note not in result.notes:
            result.notes.append(note)
    return {f"{result.name}_model.py": model, f"{result.name}_train.py": train}


def changes(result: Any, directory: Path) -> list[Change]:
    """The files in ``directory`` that differ from ``result`` (in more than the tool's version)."""
    found = []
    for name, new in texts(result).items():
        path = directory / name
        if not path.exists():
            found.append(Change(path, "missing", "", new))
            continue
        old = _read(path)
        if digest(old) != digest(new):
            reason = "out of date" if is_untouched(old) else "edited by hand"
            found.append(Change(path, reason, old, new))
    return found


def diff_text(changed: list[Change]) -> str:
    """A unified diff of all changes."""
    lines: list[str] = []
    for change in changed:
        lines += difflib.unified_diff(
            change.old.splitlines(keepends=True),
            change.new.splitlines(keepends=True),
            f"a/{change.path.name}",
            f"b/{change.path.name}",
        )
    return "".join(lines)


def write_all(result: Any, directory: Path, *, force: bool = False) -> list[Path]:
    """Write every file of ``result``; raises K2TError, having written nothing, if one cannot be."""
    plan: list[tuple[Path, Callable[[Path], None]]] = []
    for name, text in texts(result).items():
        path = directory / name
        if path.exists() and not force:
            if path.is_dir():
                raise K2TError(f"{str(path)!r} is a directory")
            old = _read(path)
            if not is_untouched(old) and old != text:
                raise K2TError(
                    f"{str(path)!r} was edited by hand, or is not keras2torch's own",
                    fix="--diff shows what would change; --force overwrites it",
                )
        plan.append((path, _text_writer(text)))
    if weights_available(result):
        path = directory / f"{result.name}.safetensors"
        plan.append((path, lambda target: _write_weights(result, target)))
    _write_plan(directory, plan)
    return [path for path, _ in plan]


def weights_available(result: Any) -> bool:
    """Whether the source holds weights."""
    from keras2torch.weights import has_weights

    return has_weights(result.weight_map)


def _text_writer(text: str) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        target.write_text(text, encoding="utf-8", newline="\n")

    return write


def _write_weights(result: Any, target: Path) -> None:
    from keras2torch.weights import write_safetensors

    write_safetensors(result.weight_map, target)


def _write_plan(directory: Path, plan: list[tuple[Path, Callable[[Path], None]]]) -> None:
    """All into temporary files beside their places, then moved: a failure leaves the directory as it was."""
    made: list[Path] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path, write in plan:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=directory)
            os.close(handle)
            made.append(Path(name))
            write(made[-1])
            made[-1].chmod(0o666 & ~_umask())
        for temporary, (path, _) in zip(made, plan):
            os.replace(temporary, path)
    except OSError as error:
        raise K2TError(
            f"cannot write to {str(directory)!r}: {error.strerror or error}",
            fix="choose another -o DIR",
        ) from None
    finally:
        for temporary in made:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise K2TError(f"cannot read {str(path)!r}: {error}") from None
