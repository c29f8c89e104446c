"""What was generated last, kept beside the files in ``.k2t/``: the base of merges, and the proof that nothing changed.

For ``digits_model.py`` the text as generated is ``.k2t/digits_model.py.base``. ``.k2t/digits.json`` holds the digests
of all that the text was made of, and of the files as they were left: where these are the same, generating
again would give the same. Both belong into the repository.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from keras2torch.vendoring.inputs import digest_of
from keras2torch.vendoring.project import Target

FOLDER = ".k2t"
# A program that asks for these may give another model although no file has changed.
_SURROUNDINGS = re.compile(
    rb"\b(environ|getenv|gethostname|platform|exists|isfile|isdir|is_file|is_dir)\b"
)


@dataclass
class Record:
    """How the files of one source were left.

    ``tool``     digest of the version of keras2torch that generated
    ``options``  of the command line
    ``inputs``   file (from the output folder) -> digest; None: not known, so nothing can be proved
    ``bases``    name of a generated file -> digest of the text as generated
    ``left``     name of a generated file -> digest of the text as it was left, edits and all; "": with conflicts
    ``weights``  digest of the file of weights; "" where the source holds none
    """

    tool: str
    options: dict[str, str | None]
    inputs: dict[str, str | None] | None
    bases: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    weights: str = ""

    def text(self) -> str:
        """As JSON, one entry a line."""
        return json.dumps(self.__dict__, indent=1, sort_keys=True) + "\n"


def record_path(directory: Path, stem: str) -> Path:
    """Where the record of the files ``<stem>_*`` is."""
    return directory / FOLDER / f"{stem}.json"


def base_path(path: Path) -> Path:
    """Where the text of ``path`` as generated is."""
    return path.parent / FOLDER / f"{path.name}.base"


def read_record(directory: Path, stem: str) -> Record | None:
    """The record; None where there is none that can be read."""
    try:
        return Record(**json.loads(record_path(directory, stem).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def proves_current(target: Target) -> bool:
    """Whether generating ``target`` again would change nothing, told from digests alone."""
    record = read_record(target.output, target.stem)
    if record is None or record.inputs is None or record.tool != tool_digest():
        return False
    if record.options != options_text(target) or (
        record.weights and not weights_path(target).is_file()
    ):
        return False
    for name, left in record.left.items():
        try:
            text = (target.output / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            return False
        if text_digest(text) != left:
            return False
    return bool(record.left) and all(
        digest_of(os.path.join(target.output, name)) == known
        for name, known in record.inputs.items()
    )


def weights_path(target: Target) -> Path:
    """Where the weights of a source that holds any are."""
    return target.output / f"{target.stem}.safetensors"


def input_digests(target: Target, used: set[str]) -> dict[str, str | None] | None:
    """The digests of all that was read for ``target``; None where the program looks at more than files."""
    paths = {os.path.abspath(p) for p in (target.source, target.custom, target.weights) if p}
    paths |= {p for p in used if FOLDER not in Path(p).parts and Path(p).name != "pyproject.toml"}
    for path in paths:
        if path.endswith((".py", ".ipynb")) and _SURROUNDINGS.search(_bytes(path)):
            return None
    return {_from(target.output, path): digest_of(path) for path in sorted(paths)}


def options_text(target: Target) -> dict[str, str | None]:
    """The arguments as they stand in a record."""
    return {
        key: _from(target.output, str(value)) if isinstance(value, Path) else value
        for key, value in {**target.options(), "source": target.source}.items()
    }


def text_digest(text: str) -> str:
    """Of a text file, whatever its line ends on disk."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _black_version() -> str:
    black = sys.modules.get("black")  # which has set the text already; else its metadata take less
    if black is not None:
        return str(black.__version__)
    from importlib.metadata import version

    return version("black")


@cache
def tool_digest() -> str:
    """Of keras2torch itself (its code and templates) and of black's version."""
    package = Path(__file__).resolve().parent.parent
    whole = hashlib.sha256(_black_version().encode())
    for root in (str(package), str(package.parent / "templates")):
        for folder, folders, names in os.walk(root):  # half the time of Path.rglob
            folders.sort()
            for name in sorted(names):
                if name.endswith((".py", ".jinja")):
                    path = os.path.join(folder, name)
                    whole.update(path[len(root) :].replace(os.sep, "/").encode() + b"\0")
                    with open(path, "rb") as file:
                        whole.update(file.read())
    return whole.hexdigest()[:16]


def _from(directory: Path, path: str) -> str:
    """A path as seen from the output folder, so that a clone of the repository elsewhere has the same."""
    end = "/" if path.endswith("/") else ""
    try:
        return os.path.relpath(path, directory).replace(os.sep, "/") + end
    except ValueError:  # on another drive
        return os.path.abspath(path) + end


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
