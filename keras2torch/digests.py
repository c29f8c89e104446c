"""What tells whether a file is still the same."""

from __future__ import annotations

import hashlib
import os
import threading

_LARGE = 16 << 20
_known: dict[tuple[str, int, int], _Digest] = {}


def file_digest(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes; read once for as long as it does not change. Raises OSError."""
    path = os.path.abspath(path)
    begin_digest(path)
    status = os.stat(path)
    return _known[path, status.st_size, status.st_mtime_ns].result()


def begin_digest(path: str | os.PathLike[str]) -> None:
    """Start on it: a large file is read beside what else is to be done."""
    path = os.path.abspath(path)
    status = os.stat(path)
    key = (path, status.st_size, status.st_mtime_ns)
    if key not in _known:
        _known[key] = _Digest(path)
        if status.st_size < _LARGE:
            _known[key].run()
        else:
            _known[key].start()


def weights_digest(path: str | os.PathLike[str]) -> str:
    """What tells weights that somebody changed from those that were written, at the speed of reading.

    The SHA-256 of a sum per megabyte, of its 64-bit words times odd numbers. One other word is always another sum.
    It tells changes, not forgeries. Raises OSError.
    """
    import numpy

    buffer = numpy.zeros(1 << 17, "<u8")
    factors = numpy.arange(1, 2 * len(buffer), 2, dtype="<u8")
    factors *= numpy.uint64(0x9E3779B97F4A7C15)  # spread over all bits; odd, so that the product is
    with open(path, "rb", buffering=0) as file:
        whole = hashlib.sha256(str(os.fstat(file.fileno()).st_size).encode())
        while count := file.readinto(buffer.data.cast("B")):
            buffer.view("u1")[count:] = 0
            whole.update(numpy.dot(buffer, factors).tobytes())
    return whole.hexdigest()


class _Digest(threading.Thread):
    """Reads a file; its ``result`` waits for the end."""

    def __init__(self, path: str):
        super().__init__(daemon=True)
        self.path = path
        self.found: str | None = None
        self.error: OSError | None = None

    def run(self) -> None:
        whole, buffer = hashlib.sha256(), bytearray(1 << 20)
        try:
            with open(self.path, "rb", buffering=0) as file:
                while count := file.readinto(buffer):
                    whole.update(memoryview(buffer)[:count])
        except OSError as error:
            self.error = error
        else:
            self.found = whole.hexdigest()

    def result(self) -> str:
        """The hexadecimal digest. Raises OSError."""
        if self.is_alive():
            self.join()
        if self.error is not None:
            raise self.error
        assert self.found is not None
        return self.found
