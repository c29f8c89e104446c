"""An epoch of the generated script beside a bare torch loop, and beside Keras's fit on torch and on JAX.

The four take turns, an epoch each: the two torch loops in one process, Keras in two of its own. Every number
is CPU seconds on one thread, so that waiting for other work on the machine does not count; what shares the
caches still slows an epoch down by some percent, so a ratio is the median over the rounds of two epochs that
came one after the other. Where a process's tensors happen to lie in memory makes one loop slower than a copy
of itself by up to 4 %, for as long as the process lives; so everything is started anew several times.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAMS = {
    "dense net": """
model = keras.Sequential([
    keras.Input((784,)),
    layers.Dense(512, activation="relu"),
    layers.Dense(512, activation="relu"),
    layers.Dense(10, activation="softmax"),
])
x, y = rng.random((6400, 784), "float32"), rng.integers(0, 10, 6400)
BATCH = 128
""",
    "MNIST convnet": """
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(32, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(64, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dense(10, activation="softmax"),
])
x, y = rng.random((640, 28, 28, 1), "float32"), rng.integers(0, 10, 640)
BATCH = 64
""",
    "ResNet": """
inputs = keras.Input((32, 32, 3))
x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
for filters, strides in ((16, 1), (32, 2), (64, 2)):
    shortcut = layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.Add()([x, shortcut])
x = layers.GlobalAveragePooling2D()(layers.Activation("relu")(x))
model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
x, y = rng.random((256, 32, 32, 3), "float32"), rng.integers(0, 10, 256)
BATCH = 32
""",
    "LSTM": """
model = keras.Sequential([
    keras.Input((80,), dtype="int32"),
    layers.Embedding(5000, 128),
    layers.LSTM(128),
    layers.Dense(46, activation="softmax"),
])
x, y = rng.integers(1, 5000, (320, 80)), rng.integers(0, 46, 320)
BATCH = 32
""",
}
HEAD = """
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
"""
FIT = """
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, batch_size=BATCH, epochs=EPOCHS)
"""
LOOPS = ("bare torch loop", "generated script", "Keras on torch", "Keras on JAX")
STARTS = 3  # of every process
ROUNDS = 6  # in each, after one that warms up


def run() -> str:
    """A table: seconds of an epoch, and the generated script's ratio to each of the others."""
    lines = [
        "| model | loop | least CPU s an epoch | median | generated / this |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in PROGRAMS:
        times: dict[str, list[float]] = {loop: [] for loop in LOOPS}
        for _ in range(STARTS):
            for loop, values in _times(name).items():
                times[loop] += values
        for loop, values in times.items():
            pairs = zip(times["generated script"], values, strict=True)
            ratio = statistics.median(ours / theirs for ours, theirs in pairs)
            least, middle = min(values), statistics.median(values)
            lines.append(f"| {name} | {loop} | {least:.3f} | {middle:.3f} | {ratio:.3f} |")
    return "\n".join([*lines, "", f"{STARTS} starts of {ROUNDS} rounds; one thread each."])


def _times(name: str) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        # One epoch more than are timed: a process that is through cannot run the bare loop.
        source = HEAD + PROGRAMS[name] + FIT.replace("EPOCHS", str(ROUNDS + 2))
        (Path(folder) / "net.py").write_text(source)
        torch = _start("torch", folder)
        workers = {loop: _start(loop, folder) if "Keras" in loop else torch for loop in LOOPS}
        times: dict[str, list[float]] = {loop: [] for loop in LOOPS}
        for number in range(ROUNDS + 1):
            # There and back, so that none always comes after the same other one.
            for loop in LOOPS[:: -1 if number % 2 else 1]:
                worker = workers[loop]
                assert worker.stdin and worker.stdout
                worker.stdin.write(f"{loop}\n")
                worker.stdin.flush()
                answer = worker.stdout.readline()
                if not answer:
                    said = Path(folder, f"{loop if 'Keras' in loop else 'torch'}.log").read_text()
                    raise RuntimeError(f"{loop} of {name} ended ({worker.wait()}): {said[-2000:]}")
                times[loop].append(float(answer))
        for worker in workers.values():
            worker.kill()
            worker.wait()
    return {loop: values[1:] for loop, values in times.items()}


def _start(loop: str, folder: str) -> subprocess.Popen[str]:
    backend = "torch" if loop == "Keras on torch" else "jax"
    one_thread = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "JAX_PLATFORMS": "cpu",
        "OMP_NUM_THREADS": "1",
        "XLA_FLAGS": one_thread,
        "CUDA_VISIBLE_DEVICES": "",
    }
    with open(Path(folder) / f"{loop}.log", "w") as log:
        return subprocess.Popen(
            [sys.executable, __file__, loop],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


# In the processes.
_answers = os.dup(1)


def _tell(start: float) -> None:
    os.write(_answers, f"{time.process_time() - start}\n".encode())


def _keras() -> None:
    import keras

    class Timed(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            sys.stdin.readline()
            self.start = time.process_time()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            _tell(self.start)

    source = Path("net.py").read_text().replace("epochs=", "callbacks=[Timed()], epochs=")
    exec(compile(source, "net.py", "exec"), {"__name__": "__main__", "Timed": Timed})


def _script(folder: str) -> Any:
    import keras2torch

    keras2torch.generate("net.py").write(folder)
    sys.path.insert(0, folder)
    sys.argv = ["net_train.py", "--device", "cpu"]
    return importlib.import_module("net_train")


def _torch() -> None:
    """The generated script's loop; when asked for the other, that one goes first."""
    with tempfile.TemporaryDirectory() as folder:
        script = _script(folder)
        one_epoch, bare = script.train_one_epoch, _bare_loop(script)

        def timed(*given: Any) -> Any:
            while (asked := sys.stdin.readline()) != "generated script\n":
                if not asked:
                    sys.exit()
                start = time.process_time()
                bare()
                _tell(start)
            start = time.process_time()
            result = one_epoch(*given)
            _tell(start)
            return result

        script.train_one_epoch = timed
        script.main()


def _bare_loop(script: Any) -> Callable[[], None]:
    import torch
    import torch.nn.functional as F

    args = script.parse_args()
    images, labels = script.load_data(args)[0].tensors
    model = next(v for v in vars(script).values() if getattr(v, "__module__", "") == "net_model")()
    optimizer = torch.optim.Adam(model.parameters())

    def one_epoch() -> None:
        model.train()
        for index in torch.randperm(len(images)).split(args.batch_size):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images[index]), labels[index])
            loss.backward()
            optimizer.step()

    return one_epoch


if __name__ == "__main__":
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    _torch() if sys.argv[1] == "torch" else _keras()
