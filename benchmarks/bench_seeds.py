"""Final validation accuracy on the digits data: Keras (JAX) and the generated script, ten seeds each.

Both start from their own initialisers and shuffle by their own generators. A run ends on 144 validation
samples, so one seed says little: the difference of the means is set beside the spread between seeds, and
beside its own standard error (Welch's).
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent.parent / "examples" / "digits.py"
SEEDS = range(10)


def run() -> str:
    """A table: mean and spread (standard deviation) over the seeds, and the difference of the means."""
    curves = {"Keras": _in_keras(), "generated script": _generated()}
    lines = ["| | validation accuracy by seed | mean | spread |", "| --- | --- | --- | --- |"]
    for name, values in curves.items():
        text = " ".join(f"{value:.4f}" for value in values)
        mean, spread = statistics.mean(values), statistics.stdev(values)
        lines.append(f"| {name} | {text} | {mean:.4f} | {spread:.4f} |")
    means = [statistics.mean(values) for values in curves.values()]
    error = sum(statistics.variance(values) / len(values) for values in curves.values()) ** 0.5
    lines.append(f"| difference (standard error {error:.4f}) | | {means[1] - means[0]:+.4f} | |")
    return "\n".join(lines)


def _in_keras() -> list[float]:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    found = []
    for seed in SEEDS:
        command = [sys.executable, __file__, str(seed)]
        output = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        )
        found.append(float(output.stdout.splitlines()[-1]))
    return found


def _generated() -> list[float]:
    import keras2torch

    with tempfile.TemporaryDirectory() as folder:
        keras2torch.generate(PROGRAM).write(folder)
        found = []
        for seed in SEEDS:
            command = [sys.executable, "digits_train.py", "--device", "cpu", "--seed", str(seed)]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            history = json.loads((Path(folder) / "runs/digits/history.json").read_text())
            found.append(history["val_accuracy"][-1])
        return found


def _one_seed(seed: int) -> None:
    import keras

    keras.utils.set_random_seed(seed)
    namespace = {"__name__": "__main__"}
    with contextlib.redirect_stdout(sys.stderr):
        exec(compile(PROGRAM.read_text(), str(PROGRAM), "exec"), namespace)
    print(namespace["model"].history.history["val_accuracy"][-1])


if __name__ == "__main__":
    _one_seed(int(sys.argv[1]))
