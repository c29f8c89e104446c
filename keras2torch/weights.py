"""Module tree -> the tensors of its state dict: from Keras's arrays, one at a time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.module import Mapping, Module, Param, walk


def weight_map(module: Module) -> dict[str, Mapping]:
    """State-dict key -> how its tensor comes from Keras weights, in the order of the file."""
    found: dict[str, Mapping] = {}
    for path, member in walk(module):
        if isinstance(member, Param):
            if member.constant is None:
                found[path] = member.mapping
            continue
        for name, mapping in member.weights.items():
            found[f"{path}.{name}"] = mapping
    return found


def arrays(mappings: dict[str, Mapping]) -> Iterator[tuple[str, Any]]:
    """(key, array) of each tensor, of bfloat16 as float32; nothing if the source holds no weights."""
    import numpy

    for key, array in _views(mappings):
        array = array.reshape(mappings[key].shape)
        array = numpy.ascontiguousarray(array) if array.ndim else array
        yield key, array if array.flags.writeable else array.copy()


def _views(mappings: dict[str, Mapping]) -> Iterator[tuple[str, Any]]:
    """(key, array) of each tensor, in any shape and memory order; nothing if the source holds no weights."""
    import numpy

    for key, mapping in mappings.items():
        values = [source.read() for source in mapping.sources]
        if any(value is None for value in values):
            return
        array = numpy.asarray((mapping.view or mapping.function)(*values))
        dtype = _FORMS[_dtype(mapping)]
        yield key, array.astype("float32" if dtype == "bfloat16" else dtype, copy=False)


_BLOCK_BYTES = 16 << 20
_TILE_BYTES = 512 << 10  # should fit into the cache of a core
_LINE_BYTES = 64  # of the cache
_ROWS = 64  # of a block: that long are the runs that a tile reads
_WORKERS = 2


def _blocks(array: Any) -> Iterator[Any]:
    """The bytes of an array in C order, of a large turned one piece by piece; each holds until the next but two."""
    import numpy

    if array.flags.c_contiguous or array.ndim < 2 or array.nbytes <= _TILE_BYTES:
        yield numpy.ascontiguousarray(array).reshape(-1).view("uint8").data
        return
    from collections import deque
    from concurrent.futures import ThreadPoolExecutor

    # Blocks end where lines of the cache do: half of the time would go to lines that two blocks need.
    line = _LINE_BYTES // array.itemsize
    rows = min(_ROWS, max(1, _BLOCK_BYTES // (array.nbytes // len(array)) // line) * line)
    before = array.__array_interface__["data"][0] % _LINE_BYTES // array.itemsize
    # Buffers are used again: the pages of fresh ones cost more than what is put into them.
    free = deque(_Turner(array, rows) for _ in range(_WORKERS + 2))
    with ThreadPoolExecutor(_WORKERS) as pool:
        turning: Any = deque()
        for start in range(-before, len(array), rows):
            turning.append(pool.submit(free[0], array[max(0, start) : start + rows]))
            free.rotate(-1)
            if len(turning) > _WORKERS:
                yield turning.popleft().result()
        while turning:
            yield turning.popleft().result()


class _Turner:
    """Turns rows of an array that lie across its memory; numpy works without the interpreter's lock.

    In tiles along the second axis that fit into the cache: first what lies together is fetched together, then
    it is turned. A line more than are needed keeps a tile's lines from falling into the same few places of the cache.
    """

    def __init__(self, array: Any, rows: int):
        import numpy

        self.rest = array[0, 0].size
        self.step = max(1, _TILE_BYTES // (rows * array.itemsize * self.rest))
        spare = _LINE_BYTES // array.itemsize
        self.fetched = numpy.empty((self.step, *array.shape[2:], rows + spare), array.dtype)
        self.turned = numpy.empty((rows, array[0].size), array.dtype)

    def __call__(self, part: Any) -> Any:
        """The bytes of ``part`` in C order, until the next call."""
        import numpy

        rows, columns = part.shape[:2]
        block = self.turned[:rows]
        for left in range(0, columns, self.step):
            tile = part[:, left : left + self.step]
            fetched = self.fetched[: tile.shape[1]]
            numpy.moveaxis(fetched[..., :rows], -1, 0)[...] = tile
            turned = fetched.reshape(-1, fetched.shape[-1])[:, :rows].T
            block[:, left * self.rest : left * self.rest + turned.shape[1]] = turned
        return block.reshape(-1).view("uint8").data


def has_weights(mappings: dict[str, Mapping]) -> bool:
    """Whether every tensor that Keras weights make can be read."""
    sources = [source for mapping in mappings.values() for source in mapping.sources]
    return bool(sources) and all(source.value is not None for source in sources)


def write_safetensors(mappings: dict[str, Mapping], target: Path) -> None:
    """Write the tensors one after the other: no more than one of them is in memory.

    The format: eight bytes of header length, a JSON header with dtype, shape and offsets of each tensor,
    then the data (https://huggingface.co/docs/safetensors).
    """
    header: dict[str, Any] = {}
    offset = 0
    for key, mapping in mappings.items():
        dtype = _dtype(mapping)
        size = math.prod(mapping.shape) * _BYTES[dtype]
        header[key] = {
            "dtype": dtype,
            "shape": list(mapping.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(target, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for key, array in _views(mappings):
            expected = header[key]["data_offsets"]
            if header[key]["dtype"] == "BF16":
                array = _bfloat16_bits(array)
            if array.nbytes != expected[1] - expected[0]:
                raise K2TError(
                    f"the tensor {key} has {array.nbytes} bytes, {expected[1] - expected[0]} expected"
                )
            for block in _blocks(array):
                file.write(block)
        if file.tell() != 8 + len(text) + offset:
            raise K2TError("the source does not hold all weights")


def _bfloat16_bits(array: Any) -> Any:
    """bfloat16 numbers, which come as float32 as numpy lacks them: the upper halves."""
    return (array.view("uint32") >> 16).astype("uint16")


_NAMES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint8": "U8",
    "bool": "BOOL",
}
_FORMS = {form: name for name, form in _NAMES.items()}
_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}


def _dtype(mapping: Mapping) -> str:
    name = mapping.sources[0].stored_dtype if mapping.sources else str(mapping.function().dtype)
    if name not in _NAMES:
        raise K2TError(f"a weight of dtype {name} cannot be written")
    return _NAMES[name]
