"""`k2t generate --check` over 20 vendored models in one call, whole process."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import interleaved, row

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases"
K2T = str(Path(sys.executable).with_name("k2t"))
PROGRAMS = (
    "alexnet_tfkeras boston_housing_kfold_keras2 cifar10_cnn_keras1 cifar10_cnn_tfkeras conv_autoencoder_keras2 "
    "convmixer_keras3 custom_dense_layer densenet_growth gru_temperature_forecast inception_modules "
    "keras3_mnist_convnet lstm_imdb_keras2 mini_gpt_tfkeras mlp_mixer_keras3 mnist_mlp_keras2 "
    "resnet_residual_block siamese_shared_base squeeze_excite_resnet transformer_text_keras3 vae_sampling_layer_keras3"
).split()
MODELS = len(PROGRAMS)


def run() -> str:
    """A table: Python alone, the check where digests prove all, the check where every model is generated."""
    with tempfile.TemporaryDirectory() as folder:
        proved, unknown = Path(folder, "proved"), Path(folder, "unknown")
        for project in (proved, unknown):
            project.mkdir()
            for program in PROGRAMS:
                shutil.copy(CASES / f"{program}.py", project)
            names = ", ".join(f'"{program}.py"' for program in PROGRAMS)
            (project / "pyproject.toml").write_text(f'[tool.k2t]\noutput = "torch"\nmodels = [{names}]\n')
            subprocess.run([K2T, "generate"], cwd=project, check=True, capture_output=True)
        for record in (unknown / "torch" / ".k2t").glob("*.json"):
            record.unlink()
        times = interleaved(
            {
                "python -c pass": [sys.executable, "-c", "pass"],
                f"--check, {MODELS} models, nothing changed": ["env", "-C", str(proved), K2T, "generate", "--check"],
                f"--check, {MODELS} models, all generated": ["env", "-C", str(unknown), K2T, "generate", "--check"],
            },
            runs=3,
        )
    lines = ["| command | median s | min s | ratio |", "| --- | --- | --- | --- |"]
    base = times["python -c pass"]
    return "\n".join([*lines, *(row(name, values, base) for name, values in times.items())])

