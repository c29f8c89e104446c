"""The files that make up a .keras model: members of a zip, or files of a directory."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any, Protocol

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import (
    ByteSource,
    SourceFile,
    printable,
    quoted,
    whole_file,
)
from keras2torch.frontend.saved_hdf5 import open_hdf5
from keras2torch.frontend.saved_json import MAX_BYTES, parse_json
from keras2torch.frontend.saved_weights import Slot, natural, slot_of_group
from keras2torch.regular_files import open_regular

MAX_MEMBERS = 10_000
MAX_DIRECTORY_BYTES = 8 << 20
MAX_EXPANSION = 64
EXPANSION_FLOOR = 16 << 20
_BLOCK = 1 << 20


class Store(Protocol):
    """Named files."""

    def has(self, name: str) -> bool:
        """Whether the file is there."""

    def names(self) -> list[str]:
        """The names of all files, with "/" between folders."""

    def read(self, name: str, limit: int) -> bytes:
        """A whole file of at most ``limit`` bytes."""

    def source(self, name: str) -> ByteSource:
        """A file for random access."""


class Directory:
    """An unzipped .keras model."""

    def __init__(self, path: Path, stack: contextlib.ExitStack):
        self._path = path
        self._stack = stack

    def has(self, name: str) -> bool:
        return os.path.lexists(self._path / name)

    def names(self) -> list[str]:
        found: list[str] = []
        for folder, _, files in os.walk(self._path):  # does not follow links
            inside = Path(folder).relative_to(self._path)
            found += [(inside / file).as_posix() for file in files]
            if len(found) > MAX_MEMBERS:
                raise SavedModelError(f"{self._path.name} holds more than {MAX_MEMBERS:,} files")
        return found

    def read(self, name: str, limit: int) -> bytes:
        source = self.source(name)
        if source.size > limit:
            raise SavedModelError(
                f"{source.name} has {source.size:,} bytes; at most {limit:,} are read"
            )
        return source.read(0, source.size)

    def source(self, name: str) -> ByteSource:
        what = f"{self._path.name}/{name}"
        file = self._stack.enter_context(open_regular(self._path / name, follow=False, what=what))
        return whole_file(file, what)


class ZipStore:
    """A zip file, from which nothing is ever extracted."""

    def __init__(self, source: ByteSource, stack: contextlib.ExitStack):
        self._source = source
        self._stack = stack
        self._check_directory_size()
        with self._damage():
            self._zip = stack.enter_context(zipfile.ZipFile(SourceFile(source)))  # type: ignore[arg-type]
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._packed = self._unpacked = 0  # bytes of the compressed members that were asked for
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise SavedModelError(f"{source.name} holds more than {MAX_MEMBERS:,} files")
        for info in infos:
            self._check_member(info)
            if not info.is_dir():
                self._members[info.filename] = info

    def has(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str, limit: int) -> bytes:
        info = self._member(name)
        if info.file_size > limit:
            raise SavedModelError(
                f"{self._source.name}: {name} has {info.file_size:,} bytes, more than {limit:,}"
            )
        with self._damage(), self._zip.open(info) as stream:
            return stream.read(info.file_size + 1)

    def source(self, name: str) -> ByteSource:
        info = self._member(name)
        what = f"{self._source.name}: {name}"
        if info.compress_type == zipfile.ZIP_STORED:
            part = self._source.part(self._data_offset(info), info.compress_size, what)
            self._check_sum(part, info)
            return part
        self._unpacked += info.file_size
        self._packed += info.compress_size
        if self._unpacked > MAX_EXPANSION * self._packed + EXPANSION_FLOOR:
            raise SavedModelError(
                f"{what} would unpack to {info.file_size:,} bytes: refused as a bomb"
            )
        unpacked = self._stack.enter_context(tempfile.TemporaryFile())
        with self._damage(), self._zip.open(info) as stream:
            while block := stream.read(_BLOCK):
                unpacked.write(block)
        unpacked.flush()
        return whole_file(unpacked, what)

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise SavedModelError(f"{self._source.name} holds no {name}")
        return self._members[name]

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        if not name:
            raise SavedModelError(f"{self._source.name} has a member without a name: it is damaged")
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or "\0" in name:
            raise SavedModelError(
                f"{self._source.name} has a member outside itself: {quoted(name)}"
            )
        if name in self._members:
            raise SavedModelError(f"{self._source.name} holds {quoted(name)} twice")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise SavedModelError(
                f"{self._source.name}: {quoted(name)} is a symbolic link: refused"
            )
        if info.flag_bits & 1:
            raise SavedModelError(f"{self._source.name}: {quoted(name)} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SavedModelError(
                f"{self._source.name}: {quoted(name)} uses compression method {info.compress_type}"
            )

    def _check_directory_size(self) -> None:
        """Before zipfile reads the whole list of members into memory."""
        length = min(self._source.size, 66_000)
        tail = self._source.read(self._source.size - length, length)
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or end + 22 > len(tail):
            raise SavedModelError(f"{self._source.name} is cut short: its zip directory is missing")
        (size,) = struct.unpack_from("<I", tail, end + 12)
        if end >= 76 and tail[end - 76 : end - 72] == b"PK\x06\x06":  # zip64
            (size,) = struct.unpack_from("<Q", tail, end - 76 + 40)
        if size > MAX_DIRECTORY_BYTES:
            raise SavedModelError(f"{self._source.name} has a zip directory of {size:,} bytes")

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        header = self._source.read(info.header_offset, 30)
        name_size, extra_size = struct.unpack_from("<2H", header, 26)
        name = self._source.read(info.header_offset + 30, name_size)
        if not header.startswith(b"PK\x03\x04") or name != info.orig_filename.encode(
            "utf-8", "replace"
        ):
            raise SavedModelError(f"{self._source.name}: {quoted(info.filename)} is damaged")
        return info.header_offset + 30 + name_size + extra_size

    def _check_sum(self, part: ByteSource, info: zipfile.ZipInfo) -> None:
        crc = 0
        for start in range(0, part.size, _BLOCK):
            crc = zlib.crc32(part.read(start, min(_BLOCK, part.size - start)), crc)
        if crc != info.CRC:
            raise SavedModelError(f"{part.name} is damaged: its checksum is wrong")

    @contextlib.contextmanager
    def _damage(self) -> Any:
        try:
            yield
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            ValueError,
            RuntimeError,
            NotImplementedError,
            struct.error,
        ) as error:
            raise SavedModelError(
                f"{self._source.name} is a damaged zip file: {printable(str(error))}"
            ) from None


def open_weight_store(store: Store, owner: str, index: str | None = None) -> Slot | None:
    """The weights beside a config, in one file or several; None where there are none.

    ``index`` names a list of shards ("model.weights.json") that stands on its own.
    """
    if index is None and store.has("model.weights.h5"):
        return slot_of_group(open_hdf5(store.source("model.weights.h5")))
    if index is None and store.has("model.weights.npz"):
        # No Keras function writes this by default, and Keras no longer reads it either.
        raise SavedModelError(
            f"{owner} keeps its weights as pickled Python objects (npz), which are never loaded",
            fix="load it in the Keras that wrote it and save it with model.save",
        )
    index = index or "model.weights.json"
    if not store.has(index):
        return None
    listed = parse_json(store.read(index, MAX_BYTES), f"{owner}: {index}")
    weight_map = listed.get("weight_map") if isinstance(listed, dict) else None
    if not isinstance(weight_map, dict):
        raise SavedModelError(f"{owner}: {index} lists no weights")
    shards: dict[str, None] = {}
    for value in weight_map.values():
        for shard in value if isinstance(value, list) else [value]:
            if not isinstance(shard, str) or not _is_shard_name(shard):
                raise SavedModelError(f"{owner}: {index} names the file {quoted(shard)}")
            shards[shard] = None
    root = Slot("/")
    for shard in shards:
        _merge(root, slot_of_group(open_hdf5(store.source(shard))))
    return root


def _is_shard_name(name: str) -> bool:
    plain = not any(character in name for character in "/\\:\0") and not name.startswith(".")
    return plain and name.endswith(".weights.h5")


def _merge(into: Slot, other: Slot) -> None:
    """Add the variables of another shard; one object's may be spread over several."""
    into.label = into.label or other.label
    into.variables += other.variables
    into.variables.sort(key=lambda weight: natural(weight.name))
    for name, child in other.children.items():
        if name in into.children:
            _merge(into.children[name], child)
        else:
            into.children[name] = child
