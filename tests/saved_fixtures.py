"""The saved models of tests/fixtures/saved, unpacked for the tests."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras2torch.errors import K2TError
from keras2torch.frontend.archive import open_saved

ARCHIVES = Path(__file__).parent / "fixtures" / "saved"
CUSTOM_LAYERS = ARCHIVES / "custom_layers.py"
VERSIONS = sorted(
    (path.name.removesuffix(".tar.xz") for path in ARCHIVES.glob("*.tar.xz")),
    key=lambda version: [int(part) for part in version.split(".")],
)


@functools.cache
def unpacked(version: str) -> Path:
    """The directory of one version's files, removed when the tests end."""
    directory = Path(tempfile.mkdtemp(prefix=f"saved-{version}-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    with tarfile.open(ARCHIVES / f"{version}.tar.xz") as archive:
        archive.extractall(directory, filter="data")
    return directory


@functools.cache
def manifest(version: str) -> dict[str, Any]:
    """What the Keras that wrote the files says is in them."""
    return json.loads((unpacked(version) / "manifest.json").read_text())


@dataclass(frozen=True)
class SavedCase:
    """One model of one version, with its inputs and Keras's outputs."""

    version: str
    model: str

    @property
    def id(self) -> str:
        return f"{self.version}-{self.model}"

    @property
    def files(self) -> list[Path]:
        """Every file that holds the whole model, and directories that do."""
        directory = unpacked(self.version)
        names = [f"{self.model}.keras", f"{self.model}.h5", f"{self.model}_directory"]
        names.append(f"{self.model}_hdf5.keras")
        return [directory / name for name in names if (directory / name).exists()]

    @property
    def json_file(self) -> Path:
        return unpacked(self.version) / f"{self.model}.json"

    @property
    def weight_files(self) -> list[Path]:
        """Files with the weights alone."""
        directory = unpacked(self.version)
        names = [f"{self.model}.weights.h5", f"{self.model}_weights.h5"]
        names.append(f"{self.model}_sharded.weights.json")
        return [directory / name for name in names if (directory / name).exists()]

    @property
    def layers(self) -> dict[tuple[str, ...], list[list[Any]]]:
        """[shape, dtype, CRC-32 of the values] of every weight by its layer's path."""
        found = manifest(self.version)["models"][self.model]["layers"]
        return {tuple(path.split("|")): weights for path, weights in found.items()}

    @property
    def optimizer(self) -> list[list[Any]] | None:
        """The same for the optimizer's variables; None for a model that was not compiled."""
        return manifest(self.version)["models"][self.model]["optimizer"]

    def arrays(self, *, rounded: bool = False) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Inputs, and the outputs of Keras in inference mode.

        Of a model of half floats the outputs are those of the same Keras and weights computed in float32;
        ``rounded`` gives those that it rounded to half floats at every step.
        """
        with np.load(unpacked(self.version) / f"{self.model}.npz") as stored:
            named = dict(stored)
        single = not rounded and "float32_0" in named
        found = []
        for kind in ("input", "float32" if single else "output"):
            count = sum(name.startswith(kind) for name in named)
            found.append([named[f"{kind}_{i}"] for i in range(count)])
        return found[0], found[1]


CASES = [SavedCase(v, model) for v in VERSIONS for model in sorted(manifest(v)["models"])]


def read_everything(path: Path) -> int:
    """Open a file and read all that it holds; returns the number of weights."""
    with open_saved(path) as saved:
        found = 0
        if saved.config is not None:
            tree = saved.tree()
            if saved.has_weights:
                weights = saved.weights
                for layer, _ in tree.leaves():
                    for weight in weights.for_layer(layer):
                        weight.read()
                        found += 1
                weights.unclaimed()
        state = saved.optimizer
        for variable in state.variables if state is not None else []:
            variable.read()
        for name in saved.assets:
            saved.read_asset(name)
        return found


def refused(path: Path, message: str) -> None:
    """Reading the file ends in a K2TError with this message, soon, in little memory."""
    before = _peak_memory(reset=True)
    start = time.monotonic()
    with pytest.raises(K2TError, match=message) as caught:
        read_everything(path)
    assert time.monotonic() - start < 10
    assert _peak_memory() - before < 900 << 20
    assert len(str(caught.value)) < 1000


def _peak_memory(*, reset: bool = False) -> int:
    """The process's highest resident size in bytes since the last reset; 0 where Linux is not."""
    if reset:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10
