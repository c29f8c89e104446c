"""Damaged and hostile HDF5: each file ends in a clear K2TError, soon, in little memory."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from saved_fixtures import read_everything, refused, unpacked

from keras2torch.frontend.archive import open_saved
from keras2torch.frontend.saved_bytes import whole_file
from keras2torch.frontend.saved_hdf5 import open_hdf5

DENSE = {"class_name": "Dense", "config": {"name": "dense", "units": 2}}
ONE_LAYER = {"class_name": "Sequential", "config": {"name": "m", "layers": [DENSE]}}

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


def far_chunks(file, layer):
    """The array is small; to read it would unpack each chunk, most of which lies beyond it."""
    options = {"maxshape": (None, None), "chunks": (1, 1 << 20), "compression": "gzip"}
    replace(shape=(100, 1), dtype="float32", **options)(file, layer)
    packed = zlib.compress(bytes(4 << 20), 9)
    for row in range(100):
        layer["kernel:0"].id.write_direct_chunk((row, 0), packed)


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
    "chunks far larger than the array": (far_chunks, "bomb"),
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


@pytest.mark.slow
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


def test_names_that_share_their_ends(tmp_path):
    """Every name of a group is the rest of one long text: together they are the square of it."""

    def crowd(file, layer):
        for number in range(300):
            file.create_group(f"group/n{number}")
        file["text"] = np.frombuffer(b"a" * (1 << 20), "uint8")

    path = tmp_path / "model.h5"
    legacy(path, crowd)
    data = bytearray(path.read_bytes())
    text = data.find(b"a" * 1000)
    data[text + (1 << 20) - 32 : text + (1 << 20)] = bytes(32)
    heap = data.find(b"HEAP")
    while (
        b"n299\0"
        not in data[(start := struct.unpack_from("<Q", data, heap + 24)[0]) : start + 9999]
    ):
        heap = data.find(b"HEAP", heap + 4)
    struct.pack_into("<3Q", data, heap + 8, 1 << 20, (1 << 64) - 1, text)
    path.write_bytes(data)
    refused(path, "overlap or repeat")


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


def test_names_with_slashes(tmp_path):
    """Keras 2 allows them; HDF5 makes groups of them."""
    names = ["block", "block/conv", "block/conv/inner", "a/b"]
    layers = [{"class_name": "Dense", "config": {"name": name}} for name in names]
    nested = {"class_name": "Functional", "config": {"name": "net/1", "layers": layers}}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": [nested, *layers]}}
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = ["net/1", *names]
        for number, name in enumerate(names):
            layer = weights.require_group(name)
            layer.attrs["weight_names"] = [f"{name}/kernel:0"]
            layer[f"{name}/kernel:0"] = np.full(2, number, "float32")
        inner = weights.create_group("net/1")
        inner.attrs["weight_names"] = [f"{name}/kernel:0" for name in names]
        for number, name in enumerate(names):
            inner[f"{name}/kernel:0"] = np.full(3, number, "float32")
    with open_saved(path) as saved:
        for number, name in enumerate(names):
            assert saved.weights.for_layer((name,))[0].read().tolist() == [number] * 2
            assert saved.weights.for_layer(("net/1", name))[0].read().tolist() == [number] * 3
        assert saved.weights.unclaimed() == []
