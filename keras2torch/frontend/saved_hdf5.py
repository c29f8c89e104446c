"""A reader of the HDF5 that Keras writes, safe on hostile files.

The C library hangs or reads without bound on some damaged files (an attribute whose global heap
loops, for one), and offers no way to stop it. This reader knows the part of the format that
h5py writes by default, which every Keras version uses: superblocks 0 to 3, object headers 1 and 2,
groups kept in symbol tables or in link messages, contiguous, compact and version-1 chunked data.
Whatever else the format allows is refused by name, as are links to other files or paths, virtual
and externally stored data, and objects reached twice.

Everything in the file is visited once when it is opened; data is read only by `Dataset.read`.

Reference: The HDF Group, "HDF5 File Format Specification Version 3.0".
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field

import numpy as np

from keras2torch.frontend.saved_bytes import ByteSource, printable, quoted
from keras2torch.frontend.saved_hdf5_blocks import (
    ATTRIBUTE,
    EXTERNAL,
    FILTERS,
    LAYOUT,
    LINK_INFO,
    REPACK,
    SPACE,
    SYMBOL_TABLE,
    TYPE,
    UNDEFINED,
    USED,
    Blocks,
    Message,
)
from keras2torch.frontend.saved_hdf5_data import (
    Attribute,
    Chunks,
    ElementType,
    Filters,
    parse_attribute,
    parse_element_type,
    parse_filters,
    parse_shape,
    read_chunks,
)

MAX_OBJECTS = 100_000
MAX_GROUP_DEPTH = 64
MAX_EXPANSION = 32
"""Compressed weights rarely halve; a bomb of zeros reaches 1,000 to 1."""
EXPANSION_FLOOR = 16 << 20


@dataclass
class Node:
    """What groups and datasets have in common: a path in the file, and attributes."""

    blocks: Blocks
    path: str
    attributes: dict[str, Attribute]

    def attribute(self, name: str) -> object:
        """The attribute's value: a str, a number, a list of either, or None where there is none."""
        found = self.attributes.get(name)
        return None if found is None else found.value(self.blocks.heap_object)

    def strings(self, name: str) -> list[str] | None:
        """A list of strings, put together where it was split (``name0``, ``name1``, ...)."""
        parts = [self.attribute(name)] if name in self.attributes else []
        if not parts:
            while f"{name}{len(parts)}" in self.attributes:
                parts.append(self.attribute(f"{name}{len(parts)}"))
            if not parts:
                return None
        strings: list[str] = []
        for part in parts:
            if not isinstance(part, list) or not all(isinstance(item, str) for item in part):
                raise self.blocks.fail(
                    f"attribute {quoted(name)} of {self.path} is no list of strings"
                )
            strings += part
        return strings


@dataclass
class Dataset(Node):
    """An array in the file; nothing is read before `read`."""

    shape: tuple[int, ...]
    element: ElementType
    filters: Filters
    inline: bytes | None = None
    address: int = 0
    stored: int = 0
    chunks: Chunks | None = None

    @property
    def size(self) -> int:
        """Bytes of the whole array in memory."""
        return math.prod(self.shape) * self.element.size

    @property
    def dtype(self) -> str:
        """The name of the element type: "float32", "bfloat16", ... or "unsupported"."""
        if self.element.name == "opaque2":
            # NumPy has no bfloat16, so h5py writes two opaque bytes. Keras names the type beside
            # them in its own format, not in the legacy one; it has no other type of this kind.
            return "bfloat16" if self.attribute("dtype") in ("bfloat16", None) else "unsupported"
        return self.element.name

    def read(self) -> np.ndarray:
        """The values, in native byte order; bfloat16 as the uint16 of its bits."""
        dtype = self.element.numpy
        if dtype is None or self.dtype == "unsupported":
            raise self.blocks.fail(f"{self.path} holds {self.element.reason}, not numbers")
        source, count = self.blocks.source, math.prod(self.shape)
        if self.chunks is not None:
            array = read_chunks(self.chunks, self.shape, dtype, self.filters, source, self.path)
        elif self.inline is not None:
            array = np.frombuffer(self.inline, dtype, count).reshape(self.shape).copy()
        else:
            array = source.read_array(self.address, dtype, count).reshape(self.shape)
        array = array.astype(dtype.newbyteorder("="), copy=False)
        return array.astype(np.bool_) if self.element.name == "bool" else array


@dataclass
class Group(Node):
    """A folder of the file."""

    children: dict[str, Group | Dataset] = field(default_factory=dict)

    def find(self, path: str) -> Group | Dataset | None:
        """The group or dataset at a path below this one, or None."""
        node: Group | Dataset = self
        for name in path.split("/"):
            if not name:
                continue
            if not isinstance(node, Group) or name not in node.children:
                return None
            node = node.children[name]
        return node

    def group(self, path: str) -> Group | None:
        """The group at a path below this one, or None."""
        found = self.find(path)
        return found if isinstance(found, Group) else None


def open_hdf5(source: ByteSource) -> Group:
    """Read and check the whole structure of a file; returns its root group."""
    blocks = Blocks(source)
    address = blocks.superblock()
    messages = blocks.messages(address)
    root = _open_object(blocks, messages, "/")
    if not isinstance(root, Group):
        raise blocks.fail("its root is not a group")
    seen = {address}
    stored = expanded = 0
    pending = [(root, messages, 0)]
    while pending:
        group, messages, depth = pending.pop()
        if depth > MAX_GROUP_DEPTH:
            raise blocks.fail(f"its groups are nested more than {MAX_GROUP_DEPTH} deep")
        for name, address in blocks.links(messages, group.path):
            path = printable(group.path.rstrip("/") + "/" + printable(name), 300)
            if address in seen:
                raise blocks.fail(f"{path} is a second way to an object: such links are refused")
            if name in group.children:
                raise blocks.fail(f"{path} is there twice")
            if len(seen) > MAX_OBJECTS:
                raise blocks.fail(f"it holds more than {MAX_OBJECTS:,} objects")
            seen.add(address)
            below = blocks.messages(address)
            child = _open_object(blocks, below, path)
            group.children[name] = child
            if isinstance(child, Group):
                pending.append((child, below, depth + 1))
                continue
            stored += child.stored
            if child.chunks:
                expanded += max(child.size, child.chunks.size(child.element.size))
    # Arrays never share bytes, so what they hold together cannot exceed the file.
    if stored > source.size:
        raise blocks.fail(f"its arrays claim {stored:,} bytes of {source.size:,}")
    if expanded > MAX_EXPANSION * source.size + EXPANSION_FLOOR:
        raise blocks.fail(f"its compressed arrays claim {expanded:,} bytes: refused as a bomb")
    return root


def _open_object(blocks: Blocks, messages: list[Message], path: str) -> Group | Dataset:
    kinds = {message.kind: message.data for message in messages}
    if any(message.shared and message.kind in USED for message in messages):
        raise blocks.fail(f"{path} refers to a named type or a shared header", REPACK)
    attributes: dict[str, Attribute] = {}
    for message in messages:
        if message.kind == ATTRIBUTE:
            attribute = parse_attribute(message.data, f"{blocks.name}: {path}")
            if attribute.name in attributes:
                raise blocks.fail(f"{path} has the attribute {quoted(attribute.name)} twice")
            attributes[attribute.name] = attribute
    if LAYOUT in kinds:
        return _open_dataset(blocks, kinds, path, attributes)
    if SYMBOL_TABLE in kinds or LINK_INFO in kinds:
        return Group(blocks, path, attributes)
    raise blocks.fail(f"{path} is neither a group nor an array")


def _open_dataset(
    blocks: Blocks, kinds: dict[int, bytes], path: str, attributes: dict[str, Attribute]
) -> Dataset:
    if EXTERNAL in kinds:
        raise blocks.fail(f"{path} keeps its data in another file: refused")
    if SPACE not in kinds or TYPE not in kinds:
        raise blocks.fail(f"{path} has no shape or no type: it is damaged")
    owner = f"{blocks.name}: {path}"
    array = Dataset(
        blocks,
        path,
        attributes,
        parse_shape(kinds[SPACE], owner),
        parse_element_type(kinds[TYPE], owner),
        parse_filters(kinds.get(FILTERS), owner),
    )
    try:
        _lay_out(array, kinds[LAYOUT])
    except (struct.error, IndexError):
        raise blocks.fail(f"the layout of {path} is cut short") from None
    if array.filters and array.chunks is None:
        raise blocks.fail(f"{path} is compressed but not in chunks: it is damaged")
    return array


def _lay_out(array: Dataset, layout: bytes) -> None:
    """Find an array's bytes, and check that as many are there as its shape declares."""
    blocks, path = array.blocks, array.path
    version, kind = layout[0], layout[1]
    if version not in (3, 4) or kind == 2 and version == 4:
        raise blocks.fail(f"{path} is laid out in a way that is not read", REPACK)
    if kind == 0:
        (held,) = struct.unpack_from("<H", layout, 2)
        array.inline = layout[4 : 4 + held]
        held = len(array.inline)
    elif kind == 1:
        array.address, held = struct.unpack_from("<2Q", layout, 2)
        if array.address == UNDEFINED or array.address + held > blocks.source.size:
            held = 0
        array.stored = held
    elif kind == 2:
        array.chunks = _chunks(array, layout)
        array.stored = array.chunks.stored
        return
    elif kind == 3:
        raise blocks.fail(f"{path} is a virtual array over other files: refused")
    else:
        raise blocks.fail(f"{path} has layout class {kind}: it is damaged")
    if held < array.size:
        raise blocks.fail(f"{path} declares {array.size:,} bytes and holds {held:,}")


def _chunks(array: Dataset, layout: bytes) -> Chunks:
    rank = layout[2] - 1
    (tree,) = struct.unpack_from("<Q", layout, 3)
    *extent, size = struct.unpack_from(f"<{rank + 1}I", layout, 11)
    if rank != len(array.shape) or rank < 1 or size != array.element.size or 0 in extent:
        raise array.blocks.fail(f"the chunks of {array.path} do not fit its shape: it is damaged")
    chunks = Chunks(tuple(extent), [], 0)
    if tree != UNDEFINED:
        for key, address in array.blocks.tree_entries(tree, 1, 8 * rank + 16):
            length, mask, *offsets, _ = struct.unpack(f"<2I{rank + 1}Q", key)
            chunks.stored += length
            chunks.entries.append((tuple(offsets), address, length, mask))
    return chunks
