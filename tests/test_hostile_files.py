"""Damaged and hostile files: each ends in a clear K2TError, soon, in little memory."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from saved_fixtures import read_everything, refused, unpacked

import keras2torch
from keras2torch.errors import K2TError
from keras2torch.frontend.archive import open_saved, saved_config
from keras2torch.frontend.saved_json import parse_json
from keras2torch.frontend.saved_stores import ZipStore

GOOD = {"class_name": "Sequential", "config": {"name": "m", "layers": []}}
DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 2}}
ONE_LAYER = {"class_name": "Sequential", "config": {"name": "m", "layers": [DENSE]}}


def keras_zip(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in {"config.json": json.dumps(ONE_LAYER).encode(), **members}.items():
            archive.writestr(name, data)


# --- JSON ------------------------------------------------------------------------------------

JSON_FILES = {
    "nan": (b'{"class_name": "Dense", "config": {"a": NaN}}', "NaN"),
    "infinity": (b'{"class_name": "Dense", "config": {"a": -Infinity}}', "Infinity"),
    "overflow": (b'{"class_name": "Dense", "config": {"a": 1e999}}', "infinite"),
    "huge integer": (b'{"a": %s}' % (b"9" * 5000), "5000 digits"),
    "twice": (b'{"class_name": "A", "class_name": "B"}', "'class_name' twice"),
    "deep list": (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "deep object": (b'{"a":' * 900 + b"1" + b"}" * 900, "nested"),
    "too many": (b'{"a": [' + b"[]," * 1_200_000 + b"1]}", "too many values"),
    "latin 1": ('{"class_name": "é"}'.encode("latin-1"), "not UTF-8"),
    "utf-16": ('{"class_name": "A"}'.encode("utf-16"), "not a saved Keras model"),
    "surrogate": (rb'{"class_name": "A", "config": {"name": "\ud800"}}', "surrogate"),
    "cut short": (b'{"class_name": "Seq', "not valid JSON"),
    "no class": (b'{"config": {}}', "no class_name"),
    "class is a list": (b'{"class_name": [], "config": {}}', "no class_name"),
    "no config": (b'{"class_name": "Sequential"}', "no config"),
    "config is text": (b'{"class_name": "Sequential", "config": "x"}', "no config"),
}


@pytest.mark.parametrize("name", JSON_FILES)
def test_json(name, tmp_path):
    data, message = JSON_FILES[name]
    path = tmp_path / "config.json"
    path.write_bytes(data)
    refused(path, message)
    if name not in ("utf-16", "no class", "class is a list", "no config", "config is text"):
        keras_zip(tmp_path / "model.keras", {"config.json": data})
        refused(tmp_path / "model.keras", message)


def test_json_too_large(tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b'{"a": "' + b"x" * (33 << 20) + b'"}')
    refused(path, "too large")
    with pytest.raises(K2TError, match="bytes"):
        parse_json(path.read_bytes(), "it")


LAYERS = {
    "two of one name": ([DENSE, DENSE], "two layers named 'dense'"),
    "no class": ([{"config": {"name": "a"}}], None),
    "name is a number": (
        [{"class_name": "Dense", "config": {"name": 3}}],
        "names a .Dense. layer 3",
    ),
    "no inner layer": ([{"class_name": "Bidirectional", "config": {"name": "b"}}], "forward_layer"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_configs(name):
    layers, message = LAYERS[name]
    saved = saved_config({"class_name": "Sequential", "config": {"name": "m", "layers": layers}})
    if message is None:  # not a list of layers: no model, and no crash
        assert list(saved.tree().leaves()) == []
        return
    with pytest.raises(K2TError, match=message):
        saved.tree()


# --- files that are something else -------------------------------------------------------------

OTHERS = {
    "empty": (b"", "empty"),
    "pickle": (b"\x80\x04\x95abc", "pickle, which is never loaded"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    "text": (b"hello", "not a saved Keras model"),
    "zip header": (b"PK\x03\x04" + b"\0" * 100, "cut short"),
    "hdf5 header": (b"\x89HDF\r\n\x1a\n", "cut short"),
    "hdf5 header and zeros": (b"\x89HDF\r\n\x1a\n" + b"\0" * 4000, "damaged|not"),
    "hdf5 of the future": (b"\x89HDF\r\n\x1a\n\x09" + b"\0" * 4000, "superblock version 9"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files(name, tmp_path):
    data, message = OTHERS[name]
    path = tmp_path / "model.keras"
    path.write_bytes(data)
    refused(path, message)


def test_paths(tmp_path):
    refused(tmp_path / "missing.keras", "No such file")
    refused(Path(f"{tmp_path}/a\0b"), "cannot be read")
    refused(Path("/dev/zero"), "not a regular file")
    refused(tmp_path, "directory without")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    refused(tmp_path, "TensorFlow SavedModel")
    os.mkfifo(tmp_path / "pipe.keras")
    refused(tmp_path / "pipe.keras", "not a regular file")


@pytest.mark.parametrize("name", ["model.py", "model.ipynb"])
def test_programs_are_regular_files(name, tmp_path):
    """A pipe would block, a device never end."""
    path = tmp_path / name
    os.mkfifo(path)
    for make in (lambda: None, lambda: (path.unlink(), path.symlink_to("/dev/zero"))):
        make()
        with pytest.raises(K2TError, match="not a regular file"):
            keras2torch.generate(path)
        with pytest.raises(K2TError, match="not a regular file"):
            keras2torch.generate(unpacked("3.15") / "cnn.keras", custom=path)


def test_a_link_to_a_model_may_be_given(tmp_path):
    link = tmp_path / "model.keras"
    link.symlink_to(unpacked("3.15") / "cnn.keras")
    assert read_everything(link) == 14


# --- zip files -------------------------------------------------------------------------------


def encrypted(path: Path) -> None:
    keras_zip(path, {})
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)


def wrong_checksum(path: Path) -> None:
    keras_zip(path, {"model.weights.h5": b"\x89HDF\r\n\x1a\n" + b"weights" * 100})
    path.write_bytes(path.read_bytes().replace(b"weightsweights", b"weightsWeights", 1))


def symbolic_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("config.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")


def many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}", b"")


def directory_bomb(path: Path) -> None:
    keras_zip(path, {})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 900_000_000)
    path.write_bytes(data)


def lying_about_size(path: Path) -> None:
    """A member whose directory entry claims far more than is there."""
    keras_zip(path, {})
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")
    struct.pack_into("<2I", data, entry + 20, 30 << 20, 30 << 20)
    path.write_bytes(data)


def twice(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(GOOD))
        archive.writestr("config.json", json.dumps(ONE_LAYER))


def deflated(name: str, size: int) -> Callable[[Path], None]:
    return lambda path: keras_zip(path, {name: b"\0" * size}, zipfile.ZIP_DEFLATED)


def shards(path: Path) -> None:
    """Each shard may unpack to the floor; all of them together may not."""
    names = [f"model_{number}.weights.h5" for number in range(4)]
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file["layers/x/vars/0"] = np.zeros(2_500_000, "float32")
    index = {"weight_map": {f"/{name}": name for name in names}}
    members = {name: image.getvalue() for name in names}
    members["model.weights.json"] = json.dumps(index).encode()
    keras_zip(path, members, zipfile.ZIP_DEFLATED)


def member(name: str) -> Callable[[Path], None]:
    return lambda path: keras_zip(path, {name: b"x"})


def nameless(path: Path) -> None:
    """A name ends before a NUL."""
    keras_zip(path, {"Xnothing": b"x"})
    path.write_bytes(path.read_bytes().replace(b"Xnothing", b"\0nothing"))


ZIPS = {
    "no name": (nameless, "without a name"),
    "traversal": (member("../../escape"), "outside itself"),
    "windows traversal": (member("..\\escape"), "outside itself"),
    "absolute": (member("/etc/cron.d/x"), "outside itself"),
    "drive": (member("C:/x"), "outside itself"),
    "symbolic link": (symbolic_link, "symbolic link"),
    "twice": (twice, "twice"),
    "encrypted": (encrypted, "encrypted"),
    "bzip2": (lambda path: keras_zip(path, {}, zipfile.ZIP_BZIP2), "compression method 12"),
    "bomb in config": (deflated("config.json", 100 << 20), "more than"),
    "bomb in weights": (deflated("model.weights.h5", 400 << 20), "bomb"),
    "bomb of shards": (shards, "model_1.weights.h5 would unpack"),
    "directory bomb": (directory_bomb, "directory of 900,000,000"),
    "many members": (many_members, "more than 10,000 files"),
    "lying about size": (lying_about_size, "damaged|cut short"),
    "checksum": (wrong_checksum, "checksum"),
    "weights are no HDF5": (member("model.weights.h5"), "HDF5|cut short"),
    "pickled weights": (member("model.weights.npz"), "never loaded"),
    "no config": (lambda path: zipfile.ZipFile(path, "w").close(), "no config.json"),
    "bad metadata": (lambda path: keras_zip(path, {"metadata.json": b"{"}), "metadata.json"),
    "index of nothing": (
        lambda path: keras_zip(path, {"model.weights.json": b"[]"}),
        "lists no weights",
    ),
    "index to elsewhere": (
        lambda path: keras_zip(
            path, {"model.weights.json": b'{"weight_map": {"/a": "../../x.weights.h5"}}'}
        ),
        "names the file",
    ),
    "index to a missing file": (
        lambda path: keras_zip(
            path, {"model.weights.json": b'{"weight_map": {"/a": "b.weights.h5"}}'}
        ),
        "holds no b.weights.h5",
    ),
}


@pytest.mark.parametrize("name", ZIPS)
def test_zip_files(name, tmp_path):
    build, message = ZIPS[name]
    path = tmp_path / "model.keras"
    build(path)
    refused(path, message)


def test_metadata_may_be_missing(tmp_path):
    keras_zip(tmp_path / "model.keras", {})
    with open_saved(tmp_path / "model.keras") as saved:
        assert saved.keras_version == ()


def test_weights_may_be_compressed(tmp_path):
    source = zipfile.ZipFile(unpacked("3.15") / "cnn.keras")
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            archive.writestr(name, source.read(name))
    assert read_everything(path) == 14


@pytest.mark.parametrize("file", ["cnn.keras", "cnn.h5", "cnn.weights.h5"])
def test_cut_short_anywhere(file, tmp_path):
    data = (unpacked("3.15") / file).read_bytes()
    path = tmp_path / file
    for length in [1, 4, 30, 100, 1000, len(data) // 2, len(data) - 1000, len(data) - 1]:
        path.write_bytes(data[:length])
        refused(path, ".")


# --- directories -----------------------------------------------------------------------------


def test_directories(tmp_path):
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(ONE_LAYER))
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").symlink_to(outside)
    refused(model, "symbolic link")
    (model / "config.json").unlink()
    os.mkfifo(model / "config.json")
    refused(model, "not a regular file")
    (model / "config.json").unlink()
    (model / "config.json").write_text(json.dumps(ONE_LAYER))
    (model / "model.weights.h5").symlink_to("/dev/zero")
    refused(model, "symbolic link")
    (model / "model.weights.h5").unlink()
    (model / "assets").symlink_to("/etc")
    with open_saved(model) as saved:
        assert saved.assets == []
        with pytest.raises(K2TError, match="no asset"):
            saved.read_asset("assets/passwd")


def test_shards_stay_beside_their_index(tmp_path):
    index = tmp_path / "model.weights.json"
    for name in ["../x.weights.h5", "/x.weights.h5", "a\\x.weights.h5", "x.h5", ".weights.h5", 3]:
        index.write_text(json.dumps({"weight_map": {"/vars": [name]}}))
        refused(index, "names the file")


def test_nothing_is_written_outside_the_temporary_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read_everything(unpacked("3.15") / "shared_nested.keras")
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(ZipStore, "extract")
