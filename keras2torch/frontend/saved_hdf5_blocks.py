"""The blocks that an HDF5 file is made of: superblock, headers, trees and heaps; see saved_hdf5.py.

Every read is charged to a budget that is linear in the file's size, so that blocks which overlap,
repeat or run in a circle end in an error and not in a long wait.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import ByteSource, quoted

MAGIC = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
MAX_STEPS = 1_500_000
REPACK = "re-save the file with the default settings of Keras or h5py"

SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
USED = {SPACE, LINK_INFO, TYPE, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, SYMBOL_TABLE}


@dataclass
class Message:
    """One message of an object header."""

    kind: int
    shared: bool
    data: bytes


class Blocks:
    """Bounded access to the blocks of one file."""

    def __init__(self, source: ByteSource):
        self.source = source
        self.name = source.name
        self._bytes_left = min(4 * source.size, 512 << 20) + (64 << 10)
        self._steps_left = MAX_STEPS
        self._heaps: dict[int, dict[int, tuple[int, int]]] = {}

    # --- bounded reading ---

    def fail(self, problem: str, fix: str | None = None) -> SavedModelError:
        return SavedModelError(f"{self.name}: {problem}", fix=fix)

    def _read(self, offset: int, length: int) -> bytes:
        self._charge(length)
        return self.source.read(offset, length)

    def _charge(self, length: int) -> None:
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise self.fail("its structures overlap or repeat: it is damaged")

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left < 0:
            raise self.fail("its structure has too many parts to be a model's")

    def expect(self, offset: int, length: int, magic: bytes, what: str) -> bytes:
        data = self._read(offset, length)
        if not data.startswith(magic):
            raise self.fail(f"no {what} at byte {offset:,}: it is damaged")
        return data

    # --- superblock and objects ---

    def superblock(self) -> int:
        """Check the file's first block; returns the address of the root group's header."""
        head = self.expect(0, 12, MAGIC, "HDF5 signature")
        version = head[8]
        if version in (0, 1):
            sizes = self._read(13, 2)
            start = 24 if version == 0 else 28
            base, _, end, driver, _, root = struct.unpack("<6Q", self._read(start, 48))
            if driver != UNDEFINED:
                raise self.fail("it uses a multi-file driver, which is not read")
        elif version in (2, 3):
            sizes = head[9:11]
            base, _, end, root = struct.unpack("<4Q", self._read(12, 32))
        else:
            raise self.fail(f"superblock version {version} is not read", REPACK)
        if sizes != b"\x08\x08" or base != 0:
            raise self.fail("its addresses are not 64-bit from the file's start", REPACK)
        if end > self.source.size:
            raise self.fail(f"it is cut short: {self.source.size:,} of {end:,} bytes are there")
        return root

    # --- object headers ---

    def messages(self, address: int) -> list[Message]:
        """The messages of an object header, of either version."""
        head = self._read(address, 16)
        if head.startswith(b"OHDR"):
            return self._messages_version_2(address, head)
        if head[0] != 1:
            raise self.fail(f"no object header at byte {address:,}: it is damaged")
        (limit,) = struct.unpack_from("<H", head, 2)
        (size,) = struct.unpack_from("<I", head, 8)
        messages: list[Message] = []
        blocks = [(address + 16, size)]
        for start, length in blocks:  # grows while it is walked
            data = self._read(start, length)
            position = 0
            while position + 8 <= length and len(messages) < limit:
                self._step()
                kind, extent, flags = struct.unpack_from("<HHB", data, position)
                body = data[position + 8 : position + 8 + extent]
                position += 8 + extent
                if len(body) < extent:
                    raise self.fail(f"the header at byte {address:,} is cut short")
                messages.append(Message(kind, bool(flags & 2), body))
                if kind == CONTINUATION:
                    blocks.append(self._continuation(body))
        return messages

    def _messages_version_2(self, address: int, head: bytes) -> list[Message]:
        if head[4] != 2:
            raise self.fail(f"object header version {head[4]} is not read", REPACK)
        flags = head[5]
        start = address + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        size = int.from_bytes(self._read(start, width), "little")
        order = 2 if flags & 4 else 0
        messages: list[Message] = []
        blocks = [(start + width, size)]
        for number, (begin, length) in enumerate(blocks):
            data = self._read(begin, length)
            position = 0
            if number:
                if not data.startswith(b"OCHK") or length < 8:
                    raise self.fail(f"no header continuation at byte {begin:,}: it is damaged")
                position, length = 4, length - 4
            while position + 4 + order <= length:
                self._step()
                kind, extent, bits = struct.unpack_from("<BHB", data, position)
                position += 4 + order
                body = data[position : position + extent]
                position += extent
                if len(body) < extent:
                    raise self.fail(f"the header at byte {address:,} is cut short")
                messages.append(Message(kind, bool(bits & 2), body))
                if kind == CONTINUATION:
                    blocks.append(self._continuation(body))
        return messages

    def _continuation(self, body: bytes) -> tuple[int, int]:
        if len(body) < 16:
            raise self.fail("a header continuation is cut short")
        start, length = struct.unpack_from("<2Q", body)
        return start, length

    # --- groups ---

    def links(self, messages: list[Message], path: str) -> list[tuple[str, int]]:
        """(name, address of the header) of everything in a group."""
        links: list[tuple[str, int]] = []
        for message in messages:
            if message.kind == SYMBOL_TABLE:
                if len(message.data) < 16:
                    raise self.fail(f"the table of {path} is cut short")
                tree, heap = struct.unpack_from("<2Q", message.data)
                links += self._symbol_table(tree, heap, path)
            elif message.kind == LINK:
                links.append(self._link_message(message.data, path))
            elif message.kind in (LINK_INFO, ATTRIBUTE_INFO):
                counted = {LINK_INFO: 8, ATTRIBUTE_INFO: 2}[message.kind]
                start = 2 + (counted if message.data[1:2] and message.data[1] & 1 else 0)
                if message.data[start : start + 8] != b"\xff" * 8:
                    raise self.fail(f"{path} is kept in a fractal heap, which is not read", REPACK)
        return links

    def _symbol_table(self, tree: int, heap: int, path: str) -> list[tuple[str, int]]:
        head = self.expect(heap, 32, b"HEAP", "local heap")
        size, _, start = struct.unpack_from("<3Q", head, 8)
        names = self._read(start, size)
        links = []
        for _, leaf in self.tree_entries(tree, 0, 8):
            head = self.expect(leaf, 8, b"SNOD", "symbol node")
            (count,) = struct.unpack_from("<H", head, 6)
            entries = self._read(leaf + 8, 40 * count)
            for offset, address, cache in struct.iter_unpack("<QQI20x", entries):
                self._step()
                stop = names.find(b"\0", offset)
                if stop < 0:
                    raise self.fail(f"a name in {path} is outside its heap: it is damaged")
                if cache == 2 or address == UNDEFINED:
                    raise self.fail(f"{path} holds a symbolic link: links are refused")
                self._charge(stop - offset)  # names may share their ends
                links.append((self._link_name(names[offset:stop], path), address))
        return links

    def tree_entries(self, root: int, kind: int, key_size: int) -> list[tuple[bytes, int]]:
        """(key, address) pairs of a version-1 B-tree's leaves, in order."""
        found: list[tuple[bytes, int]] = []
        pending: list[tuple[int, int | None]] = [(root, None)]
        seen: set[int] = set()
        while pending:
            address, expected = pending.pop()
            if address in seen:
                raise self.fail("a B-tree runs in a circle: it is damaged")
            seen.add(address)
            head = self.expect(address, 24, b"TREE", "B-tree node")
            node_kind, level, used = struct.unpack_from("<BBH", head, 4)
            if node_kind != kind or expected is not None and level != expected:
                raise self.fail("a B-tree has a node of the wrong kind: it is damaged")
            body = self._read(address + 24, used * (key_size + 8))
            below = []
            for start in range(0, len(body), key_size + 8):
                self._step()
                key = body[start : start + key_size]
                (child,) = struct.unpack_from("<Q", body, start + key_size)
                below.append((key, child))
            if level:
                pending += [(child, level - 1) for _, child in reversed(below)]
            else:
                found += below
        return found

    def _link_message(self, data: bytes, path: str) -> tuple[str, int]:
        try:
            version, flags = data[0], data[1]
            position = 2
            kind = 0
            if flags & 8:
                kind = data[position]
                position += 1
            position += (8 if flags & 4 else 0) + (1 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            length = int.from_bytes(data[position : position + width], "little")
            position += width
            name = data[position : position + length]
            if version != 1 or len(name) < length:
                raise self.fail(f"a link in {path} is damaged")
            if kind != 0:
                raise self.fail(f"{path} holds a soft or external link: links are refused")
            (address,) = struct.unpack_from("<Q", data, position + length)
        except (IndexError, struct.error):
            raise self.fail(f"a link in {path} is cut short") from None
        return self._link_name(name, path), address

    def _link_name(self, raw: bytes, path: str) -> str:
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise self.fail(f"a name in {path} is not UTF-8: {quoted(raw)}") from None
        if not name or "/" in name or name in (".", "..") or "\0" in name:
            raise self.fail(f"{path} holds an object called {quoted(name)}: it is damaged")
        return name

    def heap_object(self, address: int, index: int, length: int) -> bytes:
        """``length`` bytes of an object in a global heap collection."""
        if address not in self._heaps:
            head = self.expect(address, 16, b"GCOL", "global heap")
            (size,) = struct.unpack_from("<Q", head, 8)
            objects: dict[int, tuple[int, int]] = {}
            position = address + 16
            while position + 16 <= address + size:
                self._step()
                number, _, _, extent = struct.unpack("<HHIQ", self._read(position, 16))
                if number == 0:  # free space, the rest of the collection
                    break
                objects[number] = (position + 16, extent)
                position += 16 + (extent + 7) // 8 * 8
            self._heaps[address] = objects
        start, extent = self._heaps[address].get(index, (0, -1))
        if length > extent:
            raise self.fail("a string is longer than its place in the heap: it is damaged")
        return self._read(start, length)
