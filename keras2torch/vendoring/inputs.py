"""Which files a generated text depends on: all that were opened or listed while it was made."""

from __future__ import annotations

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keras2torch.digests import file_digest

_seen: set[str] | None = None  # while somebody watches
_hooked = False


@contextmanager
def files_used() -> Iterator[set[str]]:
    """The absolute paths of the files that are opened in the block, and of listed folders (with a final slash).

    Python's own, installed packages' and keras2torch's are left out.
    """
    global _seen, _hooked
    if not _hooked:
        _hooked = True
        sys.addaudithook(_hook)
    found: set[str] = set()
    _seen = found
    try:
        yield found
    finally:
        _seen = None


def digest_of(path: str) -> str | None:
    """Of a file's bytes, or of a folder's list; None where there is nothing (that is a fact, too)."""
    try:
        if path.endswith("/"):
            content = "\0".join(sorted(os.listdir(path))).encode()
            return hashlib.sha256(content).hexdigest()
        return file_digest(path)
    except OSError:
        return None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None or event not in ("open", "os.listdir", "os.scandir"):
        return
    if event != "open" and sys._getframe(1).f_code.co_filename.startswith("<frozen"):
        return  # the import system looks around
    given, *rest = arguments
    given = "." if given is None else given
    writes = isinstance(rest[0], str) and set(rest[0]) & set("wax") if rest else False
    if not isinstance(given, (str, bytes, os.PathLike)) or writes:
        return
    path = os.path.abspath(os.fsdecode(given))
    if not path.startswith(_OTHERS) and not path.endswith(".pyc"):
        _seen.add(path if event == "open" else path + "/")


def _others() -> tuple[str, ...]:
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    package = Path(__file__).resolve().parent.parent
    places |= {str(package), str(package.parent / "templates"), "/proc", "/sys", "/dev", "/etc"}
    return tuple(os.path.join(place, "") for place in sorted(places))


_OTHERS = _others()
