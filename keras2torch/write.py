"""Files on disk: whole or not at all, and never over somebody's edits."""

from __future__ import annotations

import contextlib
import difflib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras2torch.digests import sums_digest
from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.header import digest, is_untouched, sign
from keras2torch.vendoring.edits import Kept, keep_edits
from keras2torch.vendoring.merge import has_conflicts
from keras2torch.vendoring.record import (
    FOLDER,
    Record,
    base_path,
    read_record,
    record_path,
    text_digest,
    tool_digest,
)

Stage = Callable[[Path, Callable[[Path], None]], None]


class MergeConflictError(K2TError):
    """Files were written, and ``troubles`` (path -> what) tells where hand edits need a look."""

    def __init__(self, troubles: dict[Path, str], paths: list[Path]):
        super().__init__("; ".join(f"{path}: {what}" for path, what in troubles.items()))
        self.troubles, self.paths = troubles, paths


@dataclass(frozen=True)
class Origin:
    """What is known of how a result was made: for the record, see ``vendoring.record``."""

    options: dict[str, str | None] = field(default_factory=dict)
    inputs: Callable[[], dict[str, str | None] | None] = lambda: None


@dataclass(frozen=True)
class Change:
    """A file that is not what the source gives."""

    path: Path
    reason: str  # "missing", "out of date", "edited by hand", "unresolved conflicts"
    old: str
    new: str


def drafts(result: Any) -> dict[str, str]:
    """File name -> text of the two Python files, not signed yet: their digests may take a while.

    Where the training cannot be carried over exactly, the second file only predicts, and a note says why.
    """
    model = result.model_draft
    try:
        train = result.train_draft
    except UnsupportedError as error:
        train = result.prediction_draft(str(error))
        note = f"the training is not carried over, {result.name}_train.py only predicts: {error}"
        if note not in result.notes:
            result.notes.append(note)
    return {f"{result.name}_model.py": model, f"{result.name}_train.py": train}


def texts(result: Any) -> dict[str, str]:
    """File name -> text of the two Python files; see ``drafts``."""
    return {name: sign(text, result.source) for name, text in drafts(result).items()}


def changes(result: Any, directory: Path) -> list[Change]:
    """The files in ``directory`` that are not as ``result`` and the edits that it was told of make them.

    The tool's version in the header does not count; nor do hand edits over which somebody has generated since.
    """
    found = []
    record = read_record(directory, result.name)
    for name, new in texts(result).items():
        path = directory / name
        if not path.exists():
            found.append(Change(path, "missing", "", new))
            continue
        old = _read(path)
        if digest(old) == digest(new):
            continue
        if has_conflicts(old):
            found.append(Change(path, "unresolved conflicts", old, new))
            continue
        settled = record is not None and record.left.get(name) == text_digest(old)
        if settled and record is not None and record.bases.get(name) == digest(new):
            continue
        reason = "out of date" if settled or is_untouched(old) else "edited by hand"
        found.append(Change(path, reason, old, new))
    path = directory / f"{result.name}.safetensors"
    if weights_available(result) and not path.exists():
        found.append(Change(path, "missing", "", ""))
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


def write_all(
    result: Any, directory: Path, *, force: bool = False, origin: Origin | None = None
) -> list[Path]:
    """Write every file of ``result``, with the hand edits of the files that are there (unless ``force``).

    Raises K2TError, having written nothing, if a file cannot be written; MergeConflictError, having written all,
    if an edit needs a look.
    """
    from keras2torch.weights import write_safetensors

    origin = origin or Origin()
    record = Record(tool_digest(), origin.options, None)
    more: list[Path] = []
    with _staged(directory) as (stage, move):
        if weights_available(result):  # first: meanwhile, a large source's digest is made
            weights = directory / f"{result.name}.safetensors"
            if not force:
                _refuse_changed_weights(weights, read_record(directory, result.name))
            stage(weights, lambda target: _write_weights(result, target, record))
            more.append(weights)
        state = f"{result.name}_optimizer.safetensors"
        if result.optimizer_map and state in drafts(result)[f"{result.name}_train.py"]:
            more.append(directory / state)
            stage(more[-1], lambda target: write_safetensors(result.optimizer_map, target))
        troubles, paths = _stage_texts(result, directory, stage, record, force)
        record.inputs = origin.inputs()
        stage(record_path(directory, result.name), _text_writer(record.text()))
        move()
    if troubles:
        raise MergeConflictError(troubles, paths + more)
    return paths + more


def _stage_texts(
    result: Any, directory: Path, stage: Stage, record: Record, force: bool
) -> tuple[dict[Path, str], list[Path]]:
    """What needs a look, and the paths."""
    troubles: dict[Path, str] = {}
    paths = []
    for name, new in texts(result).items():
        path = directory / name
        kept = Kept(new) if force or not path.exists() else _kept(path, new)
        if kept.trouble:
            troubles[path] = kept.trouble
        stage(path, _text_writer(kept.text))
        stage(base_path(path), _text_writer(new))
        record.bases[name] = digest(new)
        record.left[name] = "" if kept.trouble else text_digest(kept.text)
        paths.append(path)
    return troubles, paths


def _kept(path: Path, new: str) -> Kept:
    """``new``, with the hand edits of the file that is there."""
    if path.is_dir():
        raise K2TError(f"{str(path)!r} is a directory")
    old = _read(path)
    if has_conflicts(old):
        raise K2TError(
            f"{str(path)!r} has conflicts that nobody has resolved",
            fix="edit it, or --force overwrites it",
        )
    if is_untouched(old) or old == new:
        return Kept(new)
    kept = keep_edits(path, old, new)
    if kept is None:
        raise K2TError(
            f"{str(path)!r} was edited by hand, or is not keras2torch's own, and what it was is not in "
            f"{base_path(path).parent.name}/ or in git",
            fix="--diff shows what would change; --force overwrites it",
        )
    return kept


def weights_available(result: Any) -> bool:
    """Whether the source holds weights."""
    from keras2torch.weights import has_weights

    return has_weights(result.weight_map)


def _text_writer(text: str) -> Callable[[Path], None]:
    def write(target: Path) -> None:
        target.write_text(text, encoding="utf-8", newline="\n")

    return write


def _write_weights(result: Any, target: Path, record: Record) -> None:
    from keras2torch.weights import write_safetensors

    write_safetensors(result.weight_map, target)
    record.weights = sums_digest(target)


def _refuse_changed_weights(path: Path, record: Record | None) -> None:
    """Weights that somebody trained further cannot be merged, and are not overwritten."""
    if record is not None and record.weights and path.exists():
        try:
            found = sums_digest(path)
        except OSError as error:
            raise K2TError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
        if found != record.weights:
            raise K2TError(
                f"{str(path)!r} holds other weights than were written there",
                fix="move it away, or --force overwrites it",
            )


@contextlib.contextmanager
def _staged(directory: Path) -> Iterator[tuple[Stage, Callable[[], None]]]:
    """Files are made beside their places, then moved there together: a failure leaves all as it was."""
    made: dict[Path, Path] = {}
    folders = [folder for folder in (directory / FOLDER, directory) if not folder.exists()]
    done = False

    def stage(path: Path, write: Callable[[Path], None]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        made[path] = Path(name)
        write(made[path])
        made[path].chmod(0o666 & ~_umask())

    def move() -> None:
        nonlocal done
        for path, temporary in made.items():
            os.replace(temporary, path)
        done = True

    try:
        yield stage, move
    except OSError as error:
        raise K2TError(
            f"cannot write to {str(directory)!r}: {error.strerror or error}",
            fix="choose another -o DIR",
        ) from None
    finally:
        for temporary in made.values():
            temporary.unlink(missing_ok=True)
        for folder in [] if done else folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise K2TError(f"cannot read {str(path)!r}: {error}") from None
