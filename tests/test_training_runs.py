"""Runs that break and runs that are shared: several phases, batches of a generator, terms of the loss."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from training_pairs import HEAD

import keras2torch

PHASES = """
base = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.BatchNormalization()], name="base")
base.trainable = False
model = keras.Sequential([base, layers.Dropout(0.2), layers.Dense(3, activation="softmax")])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
stop = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1)
model.fit(rows, kinds, batch_size=16, epochs=2, callbacks=[stop])
base.trainable = True
model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy")
model.fit(rows, kinds, batch_size=16, epochs=6, initial_epoch=2, callbacks=[stop])
"""
GENERATOR = """
def endless(x, y, size):
    while True:
        for i in range(0, len(x), size):
            yield x[i : i + size], y[i : i + size]

model = keras.Sequential([keras.Input((6,)), layers.Dense(8, "relu"), layers.Dense(2)])
model.compile("adam", "mse", metrics=["mae"])
model.fit(
    endless(rows[:48], numbers[:48], 16), steps_per_epoch=3, epochs=3,
    validation_data=endless(rows[:30], numbers[:30], 15), validation_steps=2,
)
"""
ADDED = """
inputs = keras.Input((6,))
x = layers.Dense(8, "relu", activity_regularizer="l2")(inputs)
model = keras.Model(inputs, layers.Dense(2, kernel_regularizer="l1")(x))
model.compile("adam", "mse")
model.fit(rows[:48], numbers[:48], batch_size=16, epochs=3)
"""
# A process that dies by SIGKILL right behind the n-th checkpoint of the run.
DYING = """
import os, signal, sys
import program_train as script

save, left = script.save, int(sys.argv.pop(1))

def save_and_die(value, path):
    global left
    save(value, path)
    left -= path.name == "checkpoint.pt"
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

script.save = save_and_die
script.main()
"""


def written(source: str, folder: Path) -> Path:
    (folder / "program.py").write_text(HEAD + source)
    keras2torch.generate(folder / "program.py").write(folder)
    (folder / "dying.py").write_text(DYING)
    return folder


def run(folder: Path, *command: str) -> int:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    flags = ("--device", "cpu", "--seed", "3")
    done = subprocess.run(
        [sys.executable, *command, *flags],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    print(done.stderr[-4000:])
    return done.returncode


def weights(folder: Path, run: str) -> dict[str, torch.Tensor]:
    return torch.load(folder / run / "weights.pt")


@pytest.mark.slow
@pytest.mark.parametrize("checkpoint", [1, 2, 3, 5])
def test_a_run_of_two_phases_killed_and_resumed_ends_with_the_same_bits(checkpoint, tmp_path):
    """Killed behind a checkpoint of the first phase (1, 2), at the change (2), within the second (3, 5)."""
    folder = written(PHASES, tmp_path)
    assert run(folder, "program_train.py", "--out", "whole") == 0
    assert run(folder, "dying.py", str(checkpoint), "--out", "broken") == -signal.SIGKILL
    assert run(folder, "program_train.py", "--out", "broken", "--resume") == 0
    whole, broken = weights(folder, "whole"), weights(folder, "broken")
    assert all(torch.equal(whole[key], broken[key]) for key in whole)
    histories = [(folder / name / "history.json").read_text() for name in ("whole", "broken")]
    assert histories[0] == histories[1]
    assert len(json.loads(histories[0])["loss"]) == 6


@pytest.mark.slow
@pytest.mark.parametrize("source", [GENERATOR, ADDED], ids=["generator", "added_losses"])
def test_two_processes_learn_as_one(source, tmp_path):
    folder = written(source, tmp_path)
    assert run(folder, "program_train.py", "--out", "one") == 0
    torchrun = (
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "program_train.py",
    )
    assert run(folder, *torchrun, "--out", "two") == 0
    one, two = (json.loads((folder / name / "history.json").read_text()) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    for key, value in weights(folder, "one").items():
        torch.testing.assert_close(weights(folder, "two")[key], value, rtol=1e-4, atol=1e-5)
