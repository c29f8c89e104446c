"""What ``generate`` is given, opened: a script, a notebook, a saved model, a recorded or a live model."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras2torch import config
from keras2torch.digests import begin_digest, file_digest
from keras2torch.errors import K2TError
from keras2torch.models import Model


@dataclass
class Source:
    """A recorded model, and where it comes from."""

    model: Model
    name: str  # of the file, for the header
    stem: str  # for the names of the generated files
    path: Path | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str | None:
        """Of the file that the model comes from; None where there is no single one."""
        return file_digest(self.path) if self.path is not None else None


def open_source(
    source: Any,
    *,
    model: str | None = None,
    custom: str | Path | None = None,
    weights: str | Path | None = None,
) -> Source:
    """Open a path, a recorded or a live model, or what ``to_json()`` gave. Raises K2TError for anything else."""
    if isinstance(source, Model):
        return Source(source, "a recorded model", source.variable or source.name)
    if isinstance(source, str) and source.lstrip().startswith("{"):
        return _open_json(source, custom)
    if isinstance(source, (str, os.PathLike)):
        return _open_path(Path(source), model, custom, weights)
    if _is_live(source):
        from keras2torch.frontend.live import read_live

        config.reset()
        notes: list[str] = []
        recorded = read_live(source, notes, _definitions(custom))
        return Source(recorded, f"a keras.{type(source).__name__}", source.name, notes=notes)
    raise K2TError(
        f"an object of type {type(source).__name__} is no source",
        fix="give a path (model.py, .ipynb, .keras, .h5, .json), a recorded model or a keras.Model",
    )


def _is_live(source: Any) -> bool:
    return any(cls.__module__.startswith(("keras.", "tf_keras.")) for cls in type(source).__mro__)


def _open_json(text: str, custom: str | Path | None) -> Source:
    from keras2torch.frontend.saved import read_json

    notes: list[str] = []
    config.reset()
    recorded = read_json(text, notes=notes, custom=_definitions(custom))
    return Source(recorded, "the JSON of a model", recorded.name, notes=notes)


def _definitions(custom: str | Path | None) -> dict[str, Any] | None:
    """What the program with the custom layers defines."""
    if custom is None:
        return None
    from keras2torch.frontend.script import run_definitions

    return run_definitions(custom)


def _open_path(
    path: Path, model: str | None, custom: str | Path | None, weights: str | Path | None
) -> Source:
    if not path.exists():
        raise K2TError(f"there is no file {str(path)!r}", fix="check the path")
    notes: list[str] = []
    config.reset()
    if path.is_file():
        begin_digest(path)
    if path.suffix in (".py", ".ipynb"):
        if path.is_dir():
            raise K2TError(f"{str(path)!r} is a directory", fix="give the program's file")
        from keras2torch.frontend.script import run_script

        recorded = run_script(path, model=model, notes=notes)
        if weights is not None:
            from keras2torch.frontend.saved_attach import attach_file

            attach_file(recorded, weights)
    else:
        from keras2torch.frontend.saved import read_saved

        recorded = read_saved(path, notes=notes, custom=_definitions(custom))
    opened = path if path.is_file() else None
    return Source(recorded, path.name, path.name.split(".")[0], opened, notes)
