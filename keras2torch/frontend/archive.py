"""Open saved Keras models: .keras files and directories, legacy HDF5, weights-only files, JSON.

What a file is follows from its first bytes, never from its name. Nothing in it is trusted: every
failure is a SavedModelError, and nothing in it is ever executed, unpickled or extracted.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import ByteSource, quoted, whole_file
from keras2torch.frontend.saved_conversions import ConvertedWeights
from keras2torch.frontend.saved_hdf5 import Group, open_hdf5
from keras2torch.frontend.saved_hdf5_blocks import MAGIC as HDF5_MAGIC
from keras2torch.frontend.saved_json import MAX_BYTES, parse_json
from keras2torch.frontend.saved_legacy import LegacyWeights
from keras2torch.frontend.saved_optimizer import OptimizerState, read_optimizer
from keras2torch.frontend.saved_stores import Directory, Store, ZipStore, open_weight_store
from keras2torch.frontend.saved_tree import Counts, LayerTree, layer_tree
from keras2torch.frontend.saved_version import version_by_form
from keras2torch.frontend.saved_weights import AttributeWeights, Slot, Weights, slot_of_group
from keras2torch.regular_files import open_regular

BEFORE_1_2 = "1.1"  # what wrote a legacy file that names no version
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass
class SavedModel:
    """An open saved model; see `open_saved`.

    ``format`` is "keras-zip", "keras-dir", "h5", "h5-weights" or "json". ``config`` is the model's
    config, ``{"class_name": ..., "config": ...}``, or None in a weights-only file.
    ``keras_version`` is that of the Keras which wrote it, as far as the file tells: () if it does
    not. ``training_config`` holds what ``compile`` was given, or None.
    """

    name: str
    format: str
    config: dict[str, Any] | None = None
    keras_version: tuple[int, ...] = ()
    training_config: dict[str, Any] | None = None
    _legacy: Group | None = field(default=None, repr=False)
    _legacy_root: Group | None = field(default=None, repr=False)
    _slot: Slot | None = field(default=None, repr=False)
    _store: Store | None = field(default=None, repr=False)

    @property
    def has_weights(self) -> bool:
        """Whether there are weights beside the config."""
        return self._legacy is not None or self._slots is not None

    @property
    def _slots(self) -> Slot | None:
        """What a weights file of Keras's own format holds; read when first asked for."""
        if self._slot is None and self._store is not None:
            self._slot = open_weight_store(self._store, self.name)
        return self._slot

    @property
    def weights(self) -> Weights:
        """The weights of the layers in `config`."""
        return self.weights_for(self.tree())

    def tree(self, counts: Counts | None = None) -> LayerTree:
        """The layers in `config`; ``counts`` as in `layer_tree`."""
        if self.config is None:
            raise SavedModelError(
                f"{self.name} holds weights only, without the model they belong to",
                fix="pass the model's script, and this file as --weights",
            )
        return layer_tree(self.config, counts)

    def weights_for(self, tree: LayerTree) -> Weights:
        """The weights of another description of the model, such as a script's."""
        if self._legacy is not None:
            weights = LegacyWeights(self._legacy, tree)
            keras_1 = self.keras_version[:1] == (1,)
            theano = self._legacy.attribute("backend") == "theano"
            if keras_1 or theano:
                return ConvertedWeights(weights, tree, keras_1, theano)
            return weights
        if self._slots is not None:
            return AttributeWeights(self._slots, tree)
        raise SavedModelError(f"{self.name} holds no weights")

    @property
    def optimizer(self) -> OptimizerState | None:
        """The optimizer's state, or None where none was saved."""
        return read_optimizer(self._legacy_root, self._slots, self.training_config)

    @property
    def assets(self) -> list[str]:
        """Names of the files under ``assets/``, such as a vocabulary."""
        names = self._store.names() if self._store is not None else []
        return sorted(name for name in names if name.startswith("assets/"))

    def read_asset(self, name: str) -> bytes:
        """The bytes of one asset."""
        if self._store is None or name not in self.assets:
            raise SavedModelError(f"{self.name} has no asset {quoted(name)}")
        return self._store.read(name, MAX_BYTES)


@contextlib.contextmanager
def open_saved(path: str | os.PathLike[str]) -> Iterator[SavedModel]:
    """Open a saved model of any format; its weights can be read until the ``with`` block ends.

    Raises SavedModelError for what is no saved model, damaged or hostile.
    """
    path = Path(path)
    with contextlib.ExitStack() as stack:
        yield _open(path, stack)


def _open(path: Path, stack: contextlib.ExitStack) -> SavedModel:
    name = path.name
    if path.is_dir():
        return _open_directory(path, stack)
    file = stack.enter_context(open_regular(path, follow=True, what=str(path)))
    source = whole_file(file, name)
    head = source.read(0, min(64, source.size))
    if head.startswith(HDF5_MAGIC):
        return _open_hdf5(source)
    if head.startswith(ZIP_MAGICS):
        store = ZipStore(source, stack)
        return _open_keras(store, name, "keras-zip")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b'"{')):
        return _open_json(source, path, stack)
    raise SavedModelError(f"{name} is not a saved Keras model: {_describe(head)}", fix=_FIX)


_FIX = "give a .keras file, an .h5 file, or the JSON of model.to_json()"


def _describe(head: bytes) -> str:
    if not head:
        return "it is empty"
    if head.startswith(b"\x1f\x8b"):
        return "it is gzip-compressed; unpack it first"
    if head.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return "it is a Python pickle, which is never loaded"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; fetch the file itself"
    return f"it starts with {quoted(head[:8])}"


def _open_directory(path: Path, stack: contextlib.ExitStack) -> SavedModel:
    store = Directory(path, stack)
    names = set(store.names())
    if "config.json" not in names:
        if "saved_model.pb" in names or "keras_metadata.pb" in names:
            raise SavedModelError(
                f"{path.name} is a TensorFlow SavedModel directory, which is not read",
                fix="load it in TensorFlow and save it as a .keras file",
            )
        raise SavedModelError(f"{path.name} is a directory without a model's config.json", fix=_FIX)
    return _open_keras(store, path.name, "keras-dir")


def _open_keras(store: Store, name: str, form: str) -> SavedModel:
    names = set(store.names())
    if "config.json" not in names:
        raise SavedModelError(f"{name} holds no config.json: it is not a .keras file", fix=_FIX)
    config = parse_json(store.read("config.json", MAX_BYTES), f"{name}: config.json")
    _check_config(config, name)
    metadata: Any = {}
    if "metadata.json" in names:
        metadata = parse_json(store.read("metadata.json", 1 << 20), f"{name}: metadata.json")
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    saved = SavedModel(name, form, config, parse_version(version), _store=store)
    compile_config = config.get("compile_config")
    if isinstance(compile_config, dict) and compile_config:
        saved.training_config = compile_config
    return saved


def _open_hdf5(source: ByteSource) -> SavedModel:
    root = open_hdf5(source)
    group = root.group("model_weights")
    if group is None or "model_config" not in root.attributes:
        if "model_config" in root.attributes:
            raise SavedModelError(f"{source.name} has a config but lost its weights")
        return _open_weights_only(source.name, root)
    config = _json_attribute(root, "model_config")
    _check_config(config, source.name)
    version = root.attribute("keras_version") or group.attribute("keras_version") or BEFORE_1_2
    saved = SavedModel(source.name, "h5", config, parse_version(version))
    training_config = _json_attribute(root, "training_config")
    if training_config is not None and not isinstance(training_config, dict):
        raise SavedModelError(f"{source.name}: training_config is not an object")
    saved.training_config = training_config
    saved._legacy, saved._legacy_root = group, root
    return saved


def _open_weights_only(name: str, root: Group) -> SavedModel:
    saved = SavedModel(name, "h5-weights")
    if root.strings("layer_names") is not None:
        saved.keras_version = parse_version(root.attribute("keras_version") or BEFORE_1_2)
        saved._legacy = root
        return saved
    saved._slot = slot_of_group(root)
    if saved._slot.empty():
        raise SavedModelError(f"{name} is an HDF5 file without a Keras model or its weights")
    return saved


def _open_json(source: ByteSource, path: Path, stack: contextlib.ExitStack) -> SavedModel:
    if source.size > MAX_BYTES:
        raise SavedModelError(f"{path.name} is too large to be a model's config")
    value = parse_json(source.read(0, source.size), path.name)
    if isinstance(value, str):  # json.dump(model.to_json(), file)
        value = parse_json(value, path.name)
    if isinstance(value, dict) and "weight_map" in value:
        saved = SavedModel(path.name, "h5-weights")
        saved._slot = open_weight_store(Directory(path.parent, stack), path.name, path.name)
        return saved
    return saved_config(value, path.name)


def saved_config(value: Any, name: str = "config") -> SavedModel:
    """A model from the parsed JSON of ``model.to_json()``: its config, and no weights."""
    if isinstance(value, dict) and "class_name" not in value and "layers" in value:
        # What model.get_config() gives.
        form = "Functional" if "input_layers" in value else "Sequential"
        value = {"class_name": form, "config": value}
    _check_config(value, name)
    version = parse_version(value.get("keras_version"))  # which Keras 3 leaves out of to_json()
    saved = SavedModel(name, "json", value, version or version_by_form(value))
    compile_config = value.get("compile_config")
    if isinstance(compile_config, dict) and compile_config:
        saved.training_config = compile_config
    return saved


def _check_config(config: Any, name: str) -> None:
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise SavedModelError(f"{name} does not describe a Keras model: no class_name", fix=_FIX)
    if not isinstance(config.get("config"), (dict, list)):
        raise SavedModelError(f"{name} does not describe a Keras model: no config", fix=_FIX)


def _json_attribute(group: Group, name: str) -> Any:
    value = group.attribute(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise SavedModelError(f"{group.blocks.name}: attribute {quoted(name)} is not text")
    return parse_json(value, f"{group.blocks.name}: {name}")


def parse_version(text: object) -> tuple[int, ...]:
    """(3, 6, 0) from "3.6.0" or "2.4.0-tf"; () from anything else."""
    match = re.match(r"(\d{1,6}(?:\.\d{1,6}){1,3})", text) if isinstance(text, str) else None
    return tuple(int(part) for part in match[1].split(".")) if match else ()
