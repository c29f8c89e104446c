"""`k2t generate` on a legacy .h5 of VGG16 (553 MB of random weights) beside a plain copy of the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

MEGABYTE = 1 << 20
ROUNDS = 5
KERAS = "2.13.1"
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # filters, convolutions


def run() -> str:
    """A table: at most 3 copies and the start-up, and 600 MB over the interpreter."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "vgg16.h5", Path(folder) / "vgg16.safetensors"
        bare = Path(folder) / "vgg16.json"
        # In a process of its own: the peak of a process counts from that of its parent.
        subprocess.run([sys.executable, __file__, str(source)], check=True)
        bare.write_text(json.dumps({**_model(), "keras_version": KERAS}), encoding="utf-8")
        k2t = [sys.executable, "-m", "keras2torch.cli", "generate", "-o", folder, "--force"]
        copies, starts, runs = [], [], []
        for _ in range(ROUNDS):  # in turn, so that a busy machine is busy for all
            copies.append(measured([sys.executable, "-c", COPY, str(source), str(target)]))
            starts.append(measured([*k2t, str(bare)]))
            target.unlink()  # all write to a place where nothing is
            runs.append(measured([*k2t, str(source)]))
            target.unlink()
        interpreter = measured([sys.executable, "-c", ""])
        size = source.stat().st_size / MEGABYTE
    copied, started, ran = min(copies), min(starts), min(runs)
    rows = {
        "plain copy (read and write, in Python)": copied,
        "start-up (k2t generate of the model without weights)": started,
        "k2t generate": ran,
    }
    told = [f"| {name} | {s:.2f} | {cpu:.2f} | {peak:.0f} |" for name, (s, cpu, peak) in rows.items()]
    return "\n".join([
        f"A file of {size:.0f} MB; the best of {ROUNDS} rounds.", "",
        "| | seconds | CPU seconds | peak MB |", "| --- | --- | --- | --- |", *told, "",
        f"Beyond the start-up: {(ran[0] - started[0]) / copied[0]:.1f} copies "
        f"({(ran[1] - started[1]) / copied[1]:.1f} in CPU seconds); "
        f"{ran[2] - interpreter[2]:.0f} MB over the interpreter.",
    ])  # fmt: skip


# As a program does it that looks at the bytes.
COPY = """
import sys
buffer = bytearray(1 << 20)
with open(sys.argv[1], "rb", buffering=0) as read, open(sys.argv[2], "wb", buffering=0) as write:
    while count := read.readinto(buffer):
        write.write(memoryview(buffer)[:count])
"""


def measured(command: list[str]) -> tuple[float, float, float]:
    """Seconds, CPU seconds, and the peak of resident memory in MB, of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}: {errors}")
    seconds = time.perf_counter() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def write_vgg16(path: Path) -> None:
    """The file that Keras 2 writes for VGG16, with random weights."""
    import h5py
    import numpy

    rng = numpy.random.default_rng(0)
    model = _model()
    layers = model["config"]["layers"]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = KERAS, "tensorflow"
        file.attrs["model_config"] = json.dumps(model)
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer["config"]["name"].encode() for layer in layers]
        channels = 3
        for layer in layers:
            settings = layer["config"]
            inner = group.create_group(settings["name"])
            names = []
            if layer["class_name"] in ("Conv2D", "Dense"):
                size = settings.get("filters") or settings["units"]
                kernel = (*settings.get("kernel_size", ()), channels, size)
                for name, shape in (("kernel:0", kernel), ("bias:0", (size,))):
                    names.append(f"{settings['name']}/{name}".encode())
                    values = rng.random(shape, dtype="float32")
                    inner.create_dataset(names[-1].decode(), data=values)
                channels = size
            elif layer["class_name"] == "Flatten":
                channels *= 7 * 7
            inner.attrs["weight_names"] = names


def _model() -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "vgg16", "layers": list(_layers())}}


def _layers() -> Any:
    first: dict[str, Any] = {"batch_input_shape": [None, 224, 224, 3]}
    for number, (filters, count) in enumerate(BLOCKS, 1):
        for conv in range(1, count + 1):
            settings = {"filters": filters, "kernel_size": [3, 3], "padding": "same"}
            name = f"block{number}_conv{conv}"
            yield _layer("Conv2D", name, activation="relu", **settings, **first)
            first = {}
        yield _layer("MaxPooling2D", f"block{number}_pool", pool_size=[2, 2], strides=[2, 2])
    yield _layer("Flatten", "flatten")
    for name, units, activation in (("fc1", 4096, "relu"), ("fc2", 4096, "relu")):
        yield _layer("Dense", name, units=units, activation=activation)
    yield _layer("Dense", "predictions", units=1000, activation="softmax")


def _layer(class_name: str, name: str, **settings: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **settings}}


if __name__ == "__main__":
    write_vgg16(Path(sys.argv[1]))
