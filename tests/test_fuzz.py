"""Mutated saved models through the whole pipeline: each ends soon in a result or a K2TError.

Whatever is in a file: no text of it is executed, by us or by the generated module; nothing is written by halves;
no time, memory or traceback without bound. A small number of examples by default; K2T_FUZZ_EXAMPLES sets another
(make fuzz: thousands, with another seed each time).
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import math
import os
import resource
import signal
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import black
import h5py
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import load_source
from safetensors.torch import load_file
from saved_fixtures import CUSTOM_LAYERS, read_everything, unpacked

import keras2torch
from keras2torch.errors import K2TError

EXAMPLES = int(os.environ.get("K2T_FUZZ_EXAMPLES", "0"))  # of each test
PARTS = 8 if EXAMPLES else 1  # so that processes share the work evenly
LIMIT_SECONDS = 10
LIMIT_BYTES = 1 << 30
MODELS = [
    "shared_nested",
    "bidirectional",
    "custom",
    "operators",
    "wrapped_model",
    "attention",
    "cnn",
]
SOURCES = [(version, model) for version in ("2.13", "3.6", "3.15") for model in MODELS]
SOURCES += [(version, "half") for version in ("2.13", "3.15")]
BOMB = "x" * 4096
# Text that would set the variable if any of it were executed, in the places that text gets to.
SET = "__import__('os').environ.__setitem__('K2T_CANARY', 'ran')"
CANARIES = [
    SET, f"x\"; {SET} #", f"x'; {SET} #", f"\n{SET}\n", f'"""\n{SET}\n"""', f"\\'\n{SET}", f"{{{{ {SET} }}}}",
    f"{{{SET}}}", f"a\r{SET}", f"a\u2028{SET}", f"x)\n        {SET}\n        (", f"\\N{{BULLET}} {SET}",
]  # fmt: skip
NAMES = [
    "", "dense", "bn", "__class__", "class", "forward", "self", "nn", "torch", "__init__", "None", "print", "x", "a/b",
    "..", "/etc/passwd", "\n", "\0", "\ud800", "😀", "ﬁ", "е", "1", "a" * 300, "os.system", "posix.system", BOMB,
    *CANARIES,
]  # fmt: skip

fuzz = settings(
    max_examples=EXAMPLES // PARTS or 12,
    deadline=None,
    database=None,
    derandomize=not EXAMPLES,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


in_parts = pytest.mark.parametrize("part", range(PARTS))


@pytest.fixture(autouse=True, scope="module")
def formatted_once() -> Iterator[None]:
    """Most inputs that are damaged in their weights give one text; setting it is the longest step."""
    plain, texts = black.format_str, {}

    def format_str(text: str, *, mode: black.Mode) -> str:  # the mode is always the same
        if text not in texts:
            texts[text] = plain(text, mode=mode)
        return texts[text]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(black, "format_str", format_str)
        yield


def survives(data: bytes, suffix: str) -> None:
    """The property of every mutated file."""
    os.environ.pop("K2T_CANARY", None)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as directory, limited():
        path, written = Path(directory) / f"model{suffix}", Path(directory) / "written"
        path.write_bytes(data)
        with only_clear_errors():
            read_everything(path)
        whole = False
        with only_clear_errors():
            result = keras2torch.generate(
                path, custom=CUSTOM_LAYERS if b"GatedBlock" in data else None
            )
            result.write(written)
            whole = True
        if whole:
            check_written(written, result)
        else:
            assert not written.exists() or not list(written.iterdir())
        assert {entry.name for entry in Path(directory).iterdir()} <= {path.name, "written"}
    assert "K2T_CANARY" not in os.environ


def check_written(directory: Path, result: Any) -> None:
    """Every file is there and whole; importing the module, and making an instance, executes no text of the input."""
    files = {file.suffix: file for file in directory.iterdir() if not file.name.startswith(".")}
    assert set(files) in ({".py"}, {".py", ".safetensors"})
    for file in directory.glob("*.py"):
        compile(file.read_text(encoding="utf-8"), file.name, "exec")
    if ".safetensors" in files:
        load_file(files[".safetensors"])
    if sum(math.prod(mapping.shape) for mapping in result.weight_map.values()) < 1 << 20:
        with contextlib.suppress(
            ValueError, RuntimeError, TypeError, ZeroDivisionError, AssertionError
        ):
            getattr(
                load_source(result.model_source), result.class_name
            )()  # torch may refuse its arguments


@contextlib.contextmanager
def only_clear_errors() -> Iterator[None]:
    try:
        yield
    except K2TError as error:
        message = str(error)
        assert message
        assert len(message) < 3000
        assert all(line.isprintable() for line in message.splitlines()), ascii(message)


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Fail after the limit of time, and raise MemoryError beyond the limit of memory."""

    def late(*_: Any) -> None:
        raise AssertionError(f"more than {LIMIT_SECONDS} s")

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (used + LIMIT_BYTES, before[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_AS, before)


@functools.cache
def good(version: str, model: str, suffix: str) -> bytes:
    path = unpacked(version) / f"{model}{suffix}"
    return path.read_bytes() if path.exists() else b""


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return stream.getvalue()


# --- bytes -----------------------------------------------------------------------------------

extremes = st.sampled_from([0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 2**32 - 1, 2**64 - 1])
patches = st.one_of(
    st.binary(min_size=1, max_size=8),
    extremes.map(lambda n: struct.pack("<Q", n)),
    extremes.map(lambda n: struct.pack("<I", n & 0xFFFFFFFF)),
    extremes.map(lambda n: bytes([n & 0xFF])),
)
edits = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), patches), min_size=1, max_size=6)


@st.composite
def damaged(draw, data: bytes) -> bytes:
    """Some bytes overwritten, a stretch copied over another, or the end cut off."""
    changed = bytearray(data)
    # Headers are at the front and their tables all over; weights, which may be anything, between.
    reach = draw(st.sampled_from([1.0, 1.0, 0.2, 0.02]))
    for where, patch in draw(edits):
        position = int(where * reach * len(changed))
        changed[position : position + len(patch)] = patch[: len(changed) - position]
    if draw(st.integers(0, 5)) == 0:
        source, target = (draw(st.integers(0, len(changed) // 8 - 1)) * 8 for _ in range(2))
        length = draw(st.sampled_from([8, 24, 40, 512]))
        changed[target : target + length] = changed[source : source + length]
    if draw(st.integers(0, 9)) == 0:
        del changed[draw(st.integers(0, len(changed))) :]
    return bytes(changed)


@in_parts
@fuzz
@given(st.data(), st.sampled_from(SOURCES), st.sampled_from([".h5", ".keras", ".json"]))
def test_bytes(part, data, source, suffix):
    original = good(*source, suffix)
    if original:
        survives(data.draw(damaged(original)), suffix)


@in_parts
@fuzz
@given(st.data(), st.sampled_from(SOURCES), st.booleans())
def test_bytes_inside_the_zip(part, data, source, compress):
    """The checksums are right, so that what is inside gets read."""
    parts = members(good(*source, ".keras"))
    name = data.draw(st.sampled_from(sorted(parts)))
    parts[name] = data.draw(damaged(parts[name]))
    survives(zipped(parts, zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED), ".keras")


# --- JSON structure --------------------------------------------------------------------------

names = st.sampled_from(NAMES)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 1, 2, 3, 10**12, 2**31, 2**63, 10**4000]),
    st.floats(allow_nan=True, allow_infinity=True),
    names,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """The path of every value inside a JSON document."""
    found = [path]
    if isinstance(value, dict):
        for key, child in value.items():
            found += places(child, (*path, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            found += places(child, (*path, number))
    return found


def at(value: Any, path: tuple) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def rewritten(draw, text: str) -> str:
    """A document with some values replaced, removed, repeated, renamed or exchanged."""
    document = json.loads(text)
    for _ in range(draw(st.integers(1, 4))):
        where = places(document)
        path = draw(st.sampled_from(where))
        if not path:
            continue
        owner, key = at(document, path[:-1]), path[-1]
        action = draw(st.sampled_from(["replace", "remove", "repeat", "rename", "exchange"]))
        if action == "remove":
            del owner[key]
        elif action == "repeat" and isinstance(owner, list):
            owner.extend([owner[key]] * draw(st.integers(1, 3)))
        elif action == "rename" and isinstance(owner, dict):
            owner[draw(names)] = owner.pop(key)
        elif action == "exchange":
            other = at(document, draw(st.sampled_from(where)))
            owner[key] = json.loads(json.dumps(other))
        else:
            owner[key] = draw(values)
    return json.dumps(document)


@in_parts
@fuzz
@given(st.data(), st.sampled_from(SOURCES))
def test_config_of_a_zip(part, data, source):
    parts = members(good(*source, ".keras"))
    parts["config.json"] = data.draw(rewritten(parts["config.json"].decode())).encode()
    survives(zipped(parts), ".keras")


@in_parts
@fuzz
@given(st.data(), st.sampled_from(SOURCES))
def test_config_alone(part, data, source):
    survives(data.draw(rewritten(good(*source, ".json").decode())).encode(), ".json")


# --- HDF5 structure --------------------------------------------------------------------------

hdf5_names = names.filter(lambda name: "\0" not in name and "\ud800" not in name)
attribute_values = st.one_of(
    st.lists(hdf5_names, max_size=5),
    st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=5).map(
        lambda items: [item.replace(b"\0", b"x") for item in items]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    hdf5_names,
    values.map(json.dumps),
)


@in_parts
@fuzz
@given(st.data(), st.sampled_from(SOURCES), st.booleans())
def test_attributes_and_members_of_hdf5(part, data, source, inside_zip):
    """Well-formed HDF5 whose attributes, groups and arrays are not what Keras wrote."""
    if inside_zip:
        parts = members(good(*source, ".keras"))
        original = parts["model.weights.h5"]
    else:
        original = good(*source, ".h5")
    if not original:
        return
    stream = io.BytesIO(original)
    with h5py.File(stream, "r+") as file:
        objects: list[Any] = [file]
        file.visititems(lambda _, node: objects.append(node))
        for _ in range(data.draw(st.integers(1, 4))):
            _change(data, file, objects[data.draw(st.integers(0, len(objects) - 1))])
    changed = stream.getvalue()
    if inside_zip:
        parts["model.weights.h5"] = changed
        changed = zipped(parts)
    survives(changed, ".keras" if inside_zip else ".h5")


def _change(data: Any, file: h5py.File, node: Any) -> None:
    if not node or node.name is None or node.name not in file:  # removed by an earlier change
        return
    action = data.draw(st.sampled_from(["set", "set", "drop", "delete", "add", "link"]))
    attributes = sorted(node.attrs)
    if action == "set":
        key = data.draw(st.sampled_from([*attributes, "name", "dtype", "weight_names0"]))
        node.attrs[key] = data.draw(attribute_values)
    elif action == "drop" and attributes:
        del node.attrs[data.draw(st.sampled_from(attributes))]
    elif action == "delete" and node.name != "/":
        del file[node.name]
    elif action == "add" and isinstance(node, h5py.Group) and "vars" not in node:
        node["vars"] = data.draw(st.sampled_from([1.0, "text", [1, 2], [0.5], b"x"]))
    elif action == "link" and isinstance(node, h5py.Group) and "more" not in node:
        targets = [h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/"), file["/"]]
        node["more"] = data.draw(st.sampled_from(targets))
