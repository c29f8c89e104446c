"""The generated files in examples/ are what keras2torch generates now; ``K2T_GOLDEN=write`` writes them anew.

Whether they equal Keras in numbers is tested elsewhere (test_structure, test_applications, test_cases).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import keras2torch
from keras2torch import config
from keras2torch.applications import REGISTRY
from keras2torch.layers.operation import clear_names
from keras2torch.write import texts

EXAMPLES = Path(__file__).parent.parent / "examples"
GALLERY = EXAMPLES / "gallery"
# One network of every family of keras.applications.
NETWORKS = {
    "convnext_tiny": "ConvNeXtTiny",
    "densenet121": "DenseNet121",
    "efficientnet_b0": "EfficientNetB0",
    "efficientnet_v2_b0": "EfficientNetV2B0",
    "inception_resnet_v2": "InceptionResNetV2",
    "inception_v3": "InceptionV3",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3Small",
    "nasnet_mobile": "NASNetMobile",
    "resnet50": "ResNet50",
    "resnet50_v2": "ResNet50V2",
    "vgg16": "VGG16",
    "xception": "Xception",
}
PROGRAMS = ("digits", "transformer_text", "unet", "vae")


def compare(path: Path, source: str) -> None:
    if os.environ.get("K2T_GOLDEN") == "write":
        path.write_bytes(source.encode("utf-8"))
    assert path.read_bytes().decode("utf-8") == source, f"{path.name} is out of date: make golden"


@pytest.mark.thin(8)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_every_family(name: str) -> None:
    config.reset()
    clear_names()
    result = keras2torch.generate(REGISTRY[NETWORKS[name]](weights=None), name=NETWORKS[name])
    compare(GALLERY / f"{name}.py", result.model_source)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_programs(name: str) -> None:
    for file, source in texts(keras2torch.generate(EXAMPLES / f"{name}.py")).items():
        compare(EXAMPLES / file, source)


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in GALLERY.glob("*.py")} == set(NETWORKS)
    made = {path.name for path in EXAMPLES.glob("*_model.py")}
    assert made == {f"{name}_model.py" for name in PROGRAMS}


def test_every_family_is_there() -> None:
    families = {REGISTRY[name].__module__ for name in REGISTRY}
    assert families == {REGISTRY[name].__module__ for name in NETWORKS.values()}


@pytest.mark.parametrize("tool", ["ruff", pytest.param("mypy", marks=pytest.mark.slow)])
def test_linters_find_nothing(tool: str) -> None:
    ruff = [
        "check",
        "--isolated",
        "--line-length",
        "100",
        "--select",
        "E,F,W,I,N,B,UP",
        "--ignore",
        "N812",
    ]
    options = {"ruff": ruff, "mypy": ["--no-incremental"]}[tool]
    command = [sys.executable, "-m", tool, *options, *map(str, sorted(GALLERY.glob("*.py")))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
