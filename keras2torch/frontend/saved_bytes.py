"""Random access to the bytes of a file, or of one member of a zip file, with bounds checked."""

from __future__ import annotations

import io
import mmap
import os
from typing import IO, Any

import numpy as np

from keras2torch.errors import SavedModelError

MAPPED_BYTES = 8 << 20


def printable(text: str, limit: int = 100) -> str:
    """A name from a file as it may stand in a message: one line, not long, no control characters."""
    shown = text if len(text) <= limit else text[: limit - 3] + "..."
    return shown if shown.isprintable() else repr(shown)[1:-1]


def quoted(value: object) -> str:
    """A value from a file in quotes, for a message; as `printable`."""
    shown = repr(value)
    return shown if len(shown) <= 120 else f"{shown[:110]}...{shown[-1]}"


class ByteSource:
    """``size`` bytes of an open binary file, from ``start`` on."""

    def __init__(self, file: IO[bytes], start: int, size: int, name: str):
        self._file = file
        self._start = start
        self.size = size
        self.name = name

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``; SavedModelError where they are not all there."""
        self._seek(offset, length)
        data = self._file.read(length)
        if len(data) != length:
            raise self._short(offset, length)
        return data

    def read_array(self, offset: int, dtype: np.dtype, count: int) -> np.ndarray:
        """``count`` numbers read straight into a new array; many are a read-only view of the file."""
        self._seek(offset, count * dtype.itemsize)
        if count * dtype.itemsize >= MAPPED_BYTES and isinstance(self._file, io.BufferedReader):
            return self._mapped(self._start + offset, dtype, count)
        array = np.empty(count, dtype)
        view = array.view(np.uint8)
        done = 0
        while done < view.size:
            got = self._file.readinto(view[done:])  # type: ignore[attr-defined]
            if not got:
                raise self._short(offset, view.size)
            done += got
        return array

    def _mapped(self, start: int, dtype: np.dtype, count: int) -> np.ndarray:
        """Fresh memory for hundreds of megabytes costs more than reading them."""
        above = start % mmap.ALLOCATIONGRANULARITY
        length = above + count * dtype.itemsize
        pages = mmap.mmap(
            self._file.fileno(), length, offset=start - above, access=mmap.ACCESS_READ
        )
        return np.frombuffer(pages, dtype, count, above)

    def part(self, offset: int, size: int, name: str) -> ByteSource:
        """A stretch of this source as a source of its own."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise self._short(offset, size)
        return ByteSource(self._file, self._start + offset, size, name)

    def _seek(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise self._short(offset, length)
        self._file.seek(self._start + offset)

    def _short(self, offset: int, length: int) -> SavedModelError:
        return SavedModelError(
            f"{self.name} is damaged or cut short: it refers to bytes {offset:,} to "
            f"{offset + length:,} of {self.size:,}"
        )


class SourceFile(io.RawIOBase):
    """A source as a read-only file object, for modules that want one."""

    def __init__(self, source: ByteSource):
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = 0) -> int:
        start = {0: 0, 1: self._position, 2: self._source.size}[whence]
        if start + offset < 0:
            raise OSError("seek to before the start")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any) -> int:
        length = max(0, min(len(buffer), self._source.size - self._position))
        buffer[:length] = self._source.read(self._position, length) if length else b""
        self._position += length
        return length


def whole_file(file: IO[bytes], name: str) -> ByteSource:
    """All of an open file as a source."""
    size = os.fstat(file.fileno()).st_size
    return ByteSource(file, 0, size, name)
