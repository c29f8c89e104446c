"""The generated text of chosen programs, as it should be; ``K2T_GOLDEN=write`` writes it anew for review."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import black
import pytest

import keras2torch

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
NAMES = (
    "article_conv_mnist",  # the smallest
    "resnet_residual_block",  # one block class, optional shortcut, lopsided padding
    "mobilenet_inverted_residual",  # two flags that follow from other arguments
    "densenet_growth",  # growing blocks in blocks
    "squeeze_excite_resnet",  # a block inside a block
    "unet_keras2",  # skips; one initialiser that differs
    "unet_separable_tfkeras",  # loops without functions
    "mlp_mixer_keras3",  # custom layers
    "transformer_text_keras3",  # attention
    "stacked_bidirectional_keras3",  # recurrent layers
    "tickets_multi_input_output",  # several inputs and outputs
    "vae_sampling_layer_keras3",  # noise
)


@pytest.mark.parametrize("name", NAMES)
def test_generated_text(name):
    source = keras2torch.generate(HERE / "cases" / f"{name}.py").model_source
    path = GOLDEN / f"{name}.py"
    if os.environ.get("K2T_GOLDEN") == "write":
        path.write_bytes(source.encode("utf-8"))
    assert path.read_bytes().decode("utf-8") == source
    assert black.format_str(source, mode=black.Mode(line_length=100)) == source


@pytest.mark.slow
def test_goldens_are_clean():
    """ruff and mypy find nothing in any of them; no file is left over."""
    assert {path.stem for path in GOLDEN.glob("*.py")} == set(NAMES)
    rules = ["--isolated", "--line-length", "100", "--select", "E,F,W,I,N,B,UP", "--ignore", "N812"]
    for command in (["ruff", "check", *rules, "."], ["mypy", "--no-incremental", "."]):
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, cwd=GOLDEN
        )
        assert done.returncode == 0, done.stdout + done.stderr
