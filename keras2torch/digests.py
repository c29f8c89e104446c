"""What tells whether a file is still the same."""

from __future__ import annotations

import hashlib
import os
import threading

_LARGE = 16 << 20
_PIECE = 64 << 20  # bytes that one thread reads
_WORDS = 1 << 17  # a megabyte of 64 bits
_known: dict[tuple[str, int, int], _Digest] = {}


def file_digest(path: str | os.PathLike[str]) -> str:
    """What tells a file's bytes, with its kind: "sha256 ..." or, of a large file, "sums ..." (see `sums_digest`).

    Read once for as long as the file does not change. Raises OSError.
    """
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


def sums_digest(path: str | os.PathLike[str], threads: int = 2) -> str:
    """What tells a large file that somebody changed, at the speed of reading: SHA-256 would take longer than a copy.

    The SHA-256 of a sum per megabyte, of its 64-bit words times odd numbers. One other word is always another sum.
    It tells changes, not forgeries. Raises OSError.
    """
    from concurrent.futures import ThreadPoolExecutor

    import numpy

    factors = numpy.arange(1, 2 * _WORDS, 2, dtype="<u8")
    factors *= numpy.uint64(0x9E3779B97F4A7C15)  # spread over all bits; odd, so that the product is

    def sums(start: int) -> bytes:
        buffer = numpy.zeros(_WORDS, "<u8")
        found: list[bytes] = []
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            while len(found) < _PIECE // buffer.nbytes and (
                count := file.readinto(buffer.data.cast("B"))
            ):
                buffer.view("u1")[count:] = 0
                found.append(numpy.dot(buffer, factors).tobytes())
        return b"".join(found)

    size = os.stat(path).st_size
    whole = hashlib.sha256(str(size).encode())
    with ThreadPoolExecutor(threads) as pool:
        for found in pool.map(sums, range(0, size, _PIECE)):
            whole.update(found)
    return whole.hexdigest()


class _Digest(threading.Thread):
    """Reads a file; its ``result`` waits for the end."""

    def __init__(self, path: str):
        super().__init__(daemon=True)
        self.path = path
        self.found: str | None = None
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            size = os.stat(self.path).st_size
            if size < _LARGE:
                with open(self.path, "rb", buffering=0) as file:
                    self.found = f"sha256 {hashlib.sha256(file.read(size)).hexdigest()}"
            else:
                self.found = f"sums {sums_digest(self.path, threads=1)}"
        except OSError as error:
            self.error = error

    def result(self) -> str:
        """The digest. Raises OSError."""
        if self.is_alive():
            self.join()
        if self.error is not None:
            raise self.error
        assert self.found is not None
        return self.found
