"""Element types, shapes, attributes, filters and chunks of HDF5 files; see saved_hdf5.py."""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import ByteSource, quoted

MAX_RANK = 32
MAX_ELEMENTS = 1 << 48
MAX_STRING_BYTES = 64 << 20
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3

HeapReader = Callable[[int, int, int], bytes]
Filters = tuple[tuple[int, tuple[int, ...]], ...]
"""(filter id, its parameters), in the order in which they were applied."""


@dataclass
class ElementType:
    """What one element of an array is; ``numpy`` is None where it is no number that is read."""

    name: str
    size: int
    numpy: np.dtype | None = None
    reason: str = ""


@dataclass
class Chunks:
    """Where a chunked array's pieces are: (offsets, address, stored bytes, filter mask)."""

    extent: tuple[int, ...]
    entries: list[tuple[tuple[int, ...], int, int, int]]
    stored: int

    def size(self, element: int) -> int:
        """Bytes of all chunks, which may reach far beyond the array, in memory."""
        return len(self.entries) * math.prod(self.extent) * element


@dataclass
class Attribute:
    """A small value beside a group or array, decoded when asked for."""

    name: str
    owner: str
    element: ElementType
    shape: tuple[int, ...]
    scalar: bool
    data: bytes

    def value(self, heap: HeapReader) -> object:
        count = math.prod(self.shape)
        if self.element.name == "text":
            size = self.element.size
            raw = [self.data[size * i : size * (i + 1)].rstrip(b"\0") for i in range(count)]
            values: list[object] = [self._text(item) for item in raw]
        elif self.element.name == "string":
            values = []
            left = MAX_STRING_BYTES
            for length, address, index in struct.iter_unpack("<IQI", self.data[: 16 * count]):
                left -= length
                if left < 0:
                    raise SavedModelError(
                        f"{self.owner}: attribute {quoted(self.name)} is too long"
                    )
                raw_text = heap(address, index, length) if length else b""
                values.append(self._text(raw_text.rstrip(b"\0")))
        elif self.element.numpy is not None:
            values = np.frombuffer(self.data, self.element.numpy, count).tolist()
        else:
            raise SavedModelError(
                f"{self.owner}: attribute {quoted(self.name)} holds {self.element.reason}"
            )
        return values[0] if self.scalar else values

    def _text(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            raise SavedModelError(
                f"{self.owner}: attribute {quoted(self.name)} is not UTF-8 text"
            ) from None


def parse_shape(data: bytes, owner: str) -> tuple[int, ...]:
    """The extents in a dataspace message; () for a scalar, (0,) for a null one."""
    if len(data) < 4 or data[0] not in (1, 2):
        raise SavedModelError(f"{owner}: a shape is damaged")
    rank, start = data[1], 8 if data[0] == 1 else 4
    if rank > MAX_RANK or len(data) < start + 8 * rank:
        raise SavedModelError(f"{owner}: a shape of {rank} dimensions is damaged")
    if data[0] == 2 and data[3] == 2:
        return (0,)
    shape = struct.unpack_from(f"<{rank}Q", data, start)
    if math.prod(extent for extent in shape if extent) > MAX_ELEMENTS:
        raise SavedModelError(f"{owner}: a shape of {shape} is damaged")
    return shape


# exponent position, exponent bits, mantissa position, mantissa bits, exponent bias
_FLOATS = {
    (2, (10, 5, 0, 10, 15)): ("float16", "f2"),
    (2, (7, 8, 0, 7, 127)): ("bfloat16", "u2"),
    (4, (23, 8, 0, 23, 127)): ("float32", "f4"),
    (8, (52, 11, 0, 52, 1023)): ("float64", "f8"),
}
_KINDS = ["integers", "numbers", "times", "text", "bit fields", "opaque values", "records"]
_KINDS += ["references", "enumerated values", "lists of varying length", "small arrays"]


def parse_element_type(data: bytes, owner: str) -> ElementType:
    """The element type in a datatype message."""
    if len(data) < 8:
        raise SavedModelError(f"{owner}: an element type is cut short")
    kind, version = data[0] & 15, data[0] >> 4
    bits = int.from_bytes(data[1:4], "little")
    (size,) = struct.unpack_from("<I", data, 4)
    if size == 0 or version not in (1, 2, 3):
        raise SavedModelError(f"{owner}: an element type is damaged")
    order = ">" if bits & 1 else "<"
    if kind == 0 and len(data) >= 12:
        offset, precision = struct.unpack_from("<2H", data, 8)
        if size in (1, 2, 4, 8) and offset == 0 and precision == 8 * size:
            code = "i" if bits & 8 else "u"
            name = ("int" if code == "i" else "uint") + str(precision)
            return ElementType(name, size, np.dtype(f"{order}{code}{size}"))
    if kind == 1 and len(data) >= 20:
        form = struct.unpack_from("<4BI", data, 12)
        found = _FLOATS.get((size, form))
        if found and data[8:12] == struct.pack("<2H", 0, 8 * size) and not bits & 0x40:
            return ElementType(found[0], size, np.dtype(order + found[1]))
    if kind == 3:
        return ElementType("text", size, reason="text")
    if kind == 5 and size == 2:
        return ElementType("opaque2", 2, np.dtype("<u2"), reason="values of an unknown type")
    if kind == 8 and size == 1 and b"FALSE\0" in data and b"TRUE\0" in data:
        return ElementType("bool", 1, np.dtype("i1"))
    if kind == 9 and bits & 15 == 1 and size == 16:
        return ElementType("string", size, reason="strings")
    reason = _KINDS[kind] if kind < len(_KINDS) else "values"
    return ElementType("unsupported", size, reason=f"{reason} of an uncommon form")


def parse_attribute(data: bytes, owner: str) -> Attribute:
    """An attribute message, with its value still encoded."""
    if len(data) < 8 or data[0] not in (1, 2, 3):
        raise SavedModelError(f"{owner}: an attribute is damaged")
    version = data[0]
    name_size, type_size, space_size = struct.unpack_from("<3H", data, 2)
    if version > 1 and data[1] & 3:
        raise SavedModelError(f"{owner}: an attribute refers to a named type, which is not read")
    position = 9 if version == 3 else 8
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(data[position : position + size])
        position += (size + 7) // 8 * 8 if version == 1 else size
    try:
        name = parts[0].split(b"\0")[0].decode("utf-8")
    except UnicodeDecodeError:
        raise SavedModelError(f"{owner}: the name of an attribute is not UTF-8") from None
    element = parse_element_type(parts[1], owner)
    shape = parse_shape(parts[2], owner)
    needed = math.prod(shape) * element.size
    if len(data) - position < needed:
        raise SavedModelError(
            f"{owner}: attribute {quoted(name)} declares {needed:,} bytes: damaged"
        )
    return Attribute(name, owner, element, shape, shape == (), data[position : position + needed])


def parse_filters(data: bytes | None, owner: str) -> Filters:
    """The filters in a pipeline message; those that are not known are refused."""
    if data is None:
        return ()
    filters = []
    try:
        version, count = data[0], data[1]
        position = 8 if version == 1 else 2
        for _ in range(count):
            (number,) = struct.unpack_from("<H", data, position)
            if number not in (DEFLATE, SHUFFLE, CHECKSUM) or version not in (1, 2):
                raise SavedModelError(
                    f"{owner}: compression filter {number} is not read",
                    fix="re-save the weights with gzip or without compression",
                )
            name_size = struct.unpack_from("<H", data, position + 2)[0] if version == 1 else 0
            position += 4 if version == 1 else 2
            _, parameters = struct.unpack_from("<2H", data, position)
            position += 4 + (name_size + 7) // 8 * 8
            values = struct.unpack_from(f"<{parameters}I", data, position)
            position += 4 * (parameters + (parameters % 2 if version == 1 else 0))
            filters.append((number, values))
    except (IndexError, struct.error):
        raise SavedModelError(f"{owner}: a compression filter is damaged") from None
    return tuple(filters)


def read_chunks(
    chunks: Chunks,
    shape: tuple[int, ...],
    dtype: np.dtype,
    filters: Filters,
    source: ByteSource,
    path: str,
) -> np.ndarray:
    """Put a chunked array together; every chunk must be there, once."""
    grid = [range(0, size, step) for size, step in zip(shape, chunks.extent, strict=True)]
    needed = math.prod(len(steps) for steps in grid)
    if needed != len(chunks.entries):
        raise SavedModelError(f"{path} needs {needed:,} chunks and has {len(chunks.entries):,}")
    by_offset = {entry[0]: entry for entry in chunks.entries}
    extent_bytes = math.prod(chunks.extent) * dtype.itemsize
    if extent_bytes > 32 * (chunks.stored + 1024) + 16 * 1024 * 1024:
        raise SavedModelError(f"{path} has chunks of {extent_bytes:,} bytes: refused as a bomb")
    array = np.empty(shape, dtype)
    for offsets in itertools.product(*grid):
        if offsets not in by_offset:
            raise SavedModelError(f"{path} lacks the chunk at {offsets}: it is damaged")
        _, address, length, mask = by_offset[offsets]
        data = _unfilter(source.read(address, length), filters, mask, extent_bytes, dtype, path)
        block = np.frombuffer(data, dtype).reshape(chunks.extent)
        target = tuple(
            slice(o, min(o + e, s)) for o, e, s in zip(offsets, chunks.extent, shape, strict=True)
        )
        array[target] = block[tuple(slice(0, part.stop - part.start) for part in target)]
    return array


def _unfilter(
    data: bytes, filters: Filters, mask: int, size: int, dtype: np.dtype, path: str
) -> bytes:
    """Undo the filters of one chunk, last applied first; ``mask`` has a bit per skipped one."""
    for position in reversed(range(len(filters))):
        number, parameters = filters[position]
        if mask >> position & 1:
            continue
        if number == DEFLATE:
            inflate = zlib.decompressobj()
            try:
                data = inflate.decompress(data, size + 4)
            except zlib.error as error:
                raise SavedModelError(
                    f"a chunk of {path} cannot be decompressed: {error}"
                ) from None
        elif number == CHECKSUM:
            data = data[:-4]
        elif number == SHUFFLE:
            width = parameters[0] if parameters else dtype.itemsize
            if width > 1 and len(data) % width == 0:
                data = np.frombuffer(data, "u1").reshape(width, -1).T.tobytes()
    if len(data) != size:
        raise SavedModelError(f"a chunk of {path} has {len(data):,} bytes instead of {size:,}")
    return data
