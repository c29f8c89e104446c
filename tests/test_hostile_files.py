"""Damaged and hostile files: each ends in a clear K2TError, soon, in little memory."""

from __future__ import annotations

import json
import os
import resource
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from keras2torch.errors import K2TError
from keras2torch.frontend.archive import open_saved, saved_config
from keras2torch.frontend.saved_bytes import whole_file
from keras2torch.frontend.saved_hdf5 import open_hdf5
from keras2torch.frontend.saved_json import parse_json
from keras2torch.frontend.saved_stores import ZipStore
from tests.saved_fixtures import read_everything, unpacked

GOOD = {"class_name": "Sequential", "config": {"name": "m", "layers": []}}
DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 2}}
ONE_LAYER = {"class_name": "Sequential", "config": {"name": "m", "layers": [DENSE]}}


def refused(path: Path, message: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    with pytest.raises(K2TError, match=message) as caught:
        read_everything(path)
    assert time.monotonic() - start < 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10 < 900
    assert len(str(caught.value)) < 1000


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


def member(name: str) -> Callable[[Path], None]:
    return lambda path: keras_zip(path, {name: b"x"})


ZIPS = {
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


# --- HDF5 ------------------------------------------------------------------------------------


def legacy(path: Path, change: Callable[[h5py.File, h5py.Group], None], **options) -> None:
    """A legacy file with one Dense layer, changed."""
    with h5py.File(path, "w", **options) as file:
        file.attrs["model_config"] = json.dumps(ONE_LAYER)
        file.attrs["keras_version"] = "2.13.1"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = ["dense"]
        layer = weights.create_group("dense")
        layer.attrs["weight_names"] = ["kernel:0", "bias:0"]
        layer["kernel:0"] = np.ones((3, 2), "float32")
        layer["bias:0"] = np.ones(2, "float32")
        change(file, layer)


def replace(**arguments) -> Callable[[h5py.File, h5py.Group], None]:
    def change(file, layer):
        del layer["kernel:0"]
        layer.create_dataset("kernel:0", **arguments)

    return change


def virtual(file, layer):
    layout = h5py.VirtualLayout((3, 2), "float32")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 2))
    del layer["kernel:0"]
    layer.create_virtual_dataset("kernel:0", layout)


def external(file, layer):
    replace(shape=(3, 2), dtype="float32", external=[("/etc/passwd", 0, 24)])(file, layer)


def cycle(file, layer):
    layer["again"] = file["model_weights"]


def assign(target: str, value: object) -> Callable[[h5py.File, h5py.Group], None]:
    def change(file, layer):
        owner, _, name = target.partition(".")
        (file if owner == "file" else layer).attrs[name] = value

    return change


def put(name: str, value: object) -> Callable[[h5py.File, h5py.Group], None]:
    def change(file, layer):
        layer[name] = value

    return change


def many_groups(file, layer):
    for number in range(100_100):
        layer.create_group(str(number))


def deep(file, layer):
    layer.create_group("/".join("a" * 200))


HDF5 = {
    "soft link": (put("link", h5py.SoftLink("/model_weights")), "link"),
    "external link": (put("link", h5py.ExternalLink("/etc/passwd", "/x")), "link"),
    "virtual": (virtual, "virtual"),
    "external data": (external, "another file"),
    "cycle": (cycle, "second way"),
    "never written": (replace(shape=(1 << 20, 1 << 20), dtype="float32"), "declares"),
    "sparse": (
        replace(shape=(1 << 20, 1 << 20), dtype="float32", chunks=(1024, 1024)),
        "refused as a bomb",
    ),
    "a chunk is missing": (
        replace(shape=(4, 4), dtype="float32", chunks=(2, 2)),
        "needs 4 chunks and has 0",
    ),
    "compressed bomb": (
        replace(data=np.zeros((1 << 14, 1 << 13), "float32"), compression="gzip"),
        "bomb",
    ),
    "unknown filter": (
        replace(data=np.zeros((8, 8), "float32"), compression="lzf"),
        "filter 32000",
    ),
    "text as weights": (replace(data="text"), "holds strings"),
    "records as weights": (replace(data=np.zeros(2, "f4,i4")), "holds records"),
    "complex weights": (replace(data=np.zeros(2, "complex64")), "holds"),
    "deep": (deep, "deep"),
    "a weight is missing": (assign("layer.weight_names", ["kernel:0", "x"]), "lists the weight"),
    "names are numbers": (assign("layer.weight_names", [1, 2]), "list of strings"),
    "names are one text": (assign("layer.weight_names", "kernel:0"), "list of strings"),
    "a name is no text": (assign("layer.weight_names", np.array([b"\xff\xfe"])), "not UTF-8"),
    "config is a number": (assign("file.model_config", 3), "not text"),
    "config is not UTF-8": (assign("file.model_config", np.bytes_(b'{"\xff": 1}')), "UTF-8"),
    "training is a list": (assign("file.training_config", "[]"), "not an object"),
}


@pytest.mark.parametrize("name", HDF5)
def test_hdf5_files(name, tmp_path):
    change, message = HDF5[name]
    path = tmp_path / "model.h5"
    legacy(path, change)
    refused(path, message)


def test_hdf5_with_too_many_objects(tmp_path):
    legacy(tmp_path / "model.h5", many_groups)
    refused(tmp_path / "model.h5", "objects|parts")


def test_shape_bomb(tmp_path):
    """A shape patched into a good file."""
    path = tmp_path / "model.h5"
    legacy(path, lambda file, layer: None)
    data = path.read_bytes()
    dims = struct.pack("<2Q", 3, 2)
    for extents in [(1 << 20, 1 << 20), (1 << 62, 1 << 62), ((1 << 64) - 1, 2), (300, 2)]:
        path.write_bytes(data.replace(dims, struct.pack("<2Q", *extents)))
        refused(path, "declares|damaged")


def test_other_legal_hdf5_is_read_or_refused_by_name(tmp_path):
    path = tmp_path / "model.h5"
    legacy(path, lambda file, layer: None, libver="latest")
    assert read_everything(path) == 2
    legacy(path, put("many", 1), libver="latest", track_order=True)
    assert read_everything(path) == 2

    def crowd(file, layer):
        for number in range(50):
            layer.create_group(f"g{number}")

    legacy(path, crowd, libver="latest")
    refused(path, "fractal heap")
    legacy(path, replace(data=np.ones((4, 4), "float32"), chunks=(2, 2)), libver="latest")
    refused(path, "not read")


def test_chunked_and_compressed_weights_are_read(tmp_path):
    values = np.random.default_rng(0).normal(size=(37, 11)).astype("float32")
    for options in [{}, {"compression": "gzip"}, {"shuffle": True, "compression": 4}]:
        for dtype in ("float32", ">f8", "float16"):
            path = tmp_path / "model.h5"
            options = {"chunks": (5, 4), "fletcher32": True, **options}
            legacy(path, replace(data=values.astype(dtype), **options))
            with open_saved(path) as saved:
                kernel = saved.weights.for_layer(("dense",))[0].read()
            assert kernel.dtype == np.dtype(dtype).newbyteorder("=")
            np.testing.assert_array_equal(kernel, values.astype(dtype))


def test_split_attributes(tmp_path):
    """Lists too long for one attribute are split: layer_names0, layer_names1, ..."""
    names = [f"dense_{number}" for number in range(12)]
    layers = [{"class_name": "Dense", "config": {"name": name}} for name in names]
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config).encode()
        weights = file.create_group("model_weights")
        for part in range(3):
            weights.attrs[f"layer_names{part}"] = np.array(names[4 * part : 4 * part + 4], "S")
        for name in names:
            layer = weights.create_group(name)
            layer.attrs["weight_names0"] = np.array([b"kernel:0"])
            layer["kernel:0"] = np.ones(int(name[6:]) + 1, "float32")
    with open_saved(path) as saved:
        for number, name in enumerate(names):
            assert saved.weights.for_layer((name,))[0].shape == (number + 1,)


STRANGE = ['x"; import os; os.system("true") #', "__class__", "class", "a\nb", "😀", "../a", " "]


def test_strange_names_are_only_data(tmp_path):
    """Names of any kind lead to their weights; what becomes of them in code is tested elsewhere."""
    names = [name for name in STRANGE if "/" not in name]
    layers = [{"class_name": "Dense", "config": {"name": name}} for name in names]
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        config = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
        file.attrs["model_config"] = json.dumps(config)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = names
        for name in names:
            layer = weights.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/kernel:0"]
            layer[f"{name}/kernel:0"] = np.ones(2, "float32")
    assert read_everything(path) == len(names)


def test_the_reader_agrees_with_h5py(tmp_path):
    """Every attribute and array of every fixture, byte for byte."""

    def compare(ours, theirs):
        assert set(ours.attributes) == set(theirs.attrs)
        for name, value in theirs.attrs.items():
            value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
            assert ours.attribute(name) == value
        if isinstance(theirs, h5py.Group):
            assert set(ours.children) == set(theirs)
            for name in theirs:
                compare(ours.children[name], theirs[name])
        else:
            assert ours.read().tobytes() == theirs[()].tobytes()
            assert ours.read().shape == theirs.shape

    files = 0
    for directory in [unpacked("2.13"), unpacked("3.15")]:
        for path in sorted(directory.glob("*.h5")):
            with path.open("rb") as stream, h5py.File(path) as theirs:
                compare(open_hdf5(whole_file(stream, path.name)), theirs)
                files += 1
    assert files > 20


def test_nothing_is_written_outside_the_temporary_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read_everything(unpacked("3.15") / "shared_nested.keras")
    assert list(tmp_path.iterdir()) == []
    assert not hasattr(ZipStore, "extract")
