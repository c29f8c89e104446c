"""Files of strangers, opened only where they are plain files: a pipe blocks, and a device never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from keras2torch.errors import K2TError, SavedModelError

MAX_PROGRAM_BYTES = 128 << 20
"""Of a program or a notebook, which may hold pictures."""


def open_regular(
    path: Path, *, follow: bool, what: str, kind: type[K2TError] = SavedModelError
) -> IO[bytes]:
    """Open a plain file for reading; ``follow`` says whether ``path`` may be a symbolic link.

    Links inside a model directory could point anywhere, and a pipe or device would block or never
    end: both are refused, with an error of ``kind`` in which ``what`` names the file.
    """
    try:
        status = path.stat() if follow else path.lstat()
    except OSError as error:
        raise kind(f"{what} cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise kind(f"{what} cannot be read: {error}") from None
    if stat.S_ISLNK(status.st_mode):
        raise kind(f"{what} is a symbolic link; links inside a saved model are refused")
    if not stat.S_ISREG(status.st_mode):
        raise kind(f"{what} is not a regular file")
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if not follow:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.fdopen(os.open(path, flags), "rb", buffering=0x10000)
    except OSError as error:
        raise kind(f"{what} cannot be read: {error.strerror or error}") from None


def read_program(path: Path, kind: type[K2TError]) -> bytes:
    """The bytes of a program or a notebook. Raises ``kind`` where it is none that can be read."""
    with open_regular(path, follow=True, what=repr(str(path)), kind=kind) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_PROGRAM_BYTES:
            raise kind(f"{str(path)!r} has {size:,} bytes: too many for a program")
        return file.read(size)
