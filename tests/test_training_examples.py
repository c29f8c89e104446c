"""The programs in examples/data_code: their data statements come along, and the scripts run unedited."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

from training_oracle import run_script

import keras2torch

pytestmark = pytest.mark.thin(6)

EXAMPLES = Path(__file__).parents[1] / "examples" / "data_code"
# What Keras reaches at the end: the curve, its value, and how far seeds lie apart.
PROGRAMS = {
    "iris_csv": ("val_accuracy", 0.967, 0.07),
    "digit_folders": ("val_accuracy", 0.887, 0.12),
    "review_words": ("val_acc", 0.925, 0.08),
    "cancer_sklearn": ("val_accuracy", 0.98, 0.04),
    "digits_pipeline": ("val_accuracy", 0.903, 0.05),  # Keras on TensorFlow
    "wave_generator": ("val_loss", 0.095, 0.05),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The generated scripts beside the data that they read, and nothing of Keras's."""
    made = tmp_path_factory.mktemp("examples")
    for script in EXAMPLES.glob("*_*.py"):
        if script.stem.endswith(("_train", "_model")) or script.stem == "make_data":
            shutil.copy(script, made)
    here = os.getcwd()
    os.chdir(made)
    try:
        runpy.run_path("make_data.py", run_name="__main__")
    finally:
        os.chdir(here)
    return made


@pytest.mark.parametrize("name", PROGRAMS)
def test_generated_files_are_current(name, tmp_path):
    keras2torch.generate(EXAMPLES / f"{name}.py").write(tmp_path)
    for path in tmp_path.glob("*.py"):
        assert path.read_text() == (EXAMPLES / path.name).read_text(), f"k2t generate {name}.py"


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_unedited_and_resumes_as_unbroken(name, folder):
    import torch

    out = folder / "runs" / name
    run_script(folder, "--epochs", "2", name=f"{name}_train")
    unbroken = torch.load(out / "checkpoint.pt")
    shutil.rmtree(out)
    run_script(folder, "--epochs", "1", name=f"{name}_train")
    run_script(folder, "--epochs", "2", "--resume", name=f"{name}_train")
    resumed = torch.load(out / "checkpoint.pt")
    assert resumed["state"]["history"] == unbroken["state"]["history"]
    for key, value in unbroken["model"].items():
        assert torch.equal(resumed["model"][key], value), key


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_reaches_the_result_of_keras(name, folder):
    curve, expected, spread = PROGRAMS[name]
    reached = []
    for seed in (0, 1, 2):
        run_script(folder, "--seed", str(seed), name=f"{name}_train")
        history = json.loads((folder / "runs" / name / "history.json").read_text())
        reached.append(history[curve][-1])
    assert abs(np.mean(reached) - expected) < spread, reached


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "digits_pipeline"])
def test_the_program_itself_reaches_it(name, folder, monkeypatch):
    """In real Keras: the figures above hold."""
    import keras

    curve, expected, spread = PROGRAMS[name]
    histories = []
    fit = keras.Model.fit

    def watched(model, *args, **options):
        histories.append(fit(model, *args, **{**options, "verbose": 0}))
        return histories[-1]

    monkeypatch.setattr(keras.Model, "fit", watched)
    monkeypatch.setattr(sys, "argv", [name])
    monkeypatch.chdir(folder)
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert abs(histories[-1].history[curve][-1] - expected) < spread
