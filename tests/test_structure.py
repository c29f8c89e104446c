"""The structure of real architectures: how long their modules are, that they equal Keras, and that linters pass."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import pytest
from oracle import compare

# Architecture: (lines at most, the smallest sensible image, further arguments).
ARCHITECTURES = {
    "ResNet50": (90, 32, {}),
    "ResNet152": (95, 32, {}),
    "VGG16": (45, 32, {}),
    "MobileNetV2": (100, 32, {"alpha": 0.35}),
    "DenseNet121": (85, 32, {}),
    "EfficientNetB0": (120, 32, {}),
    "ConvNeXtTiny": (90, 32, {}),
    "Xception": (120, 71, {}),
    "InceptionV3": (200, 75, {}),
    "NASNetMobile": (300, 32, {}),
    "InceptionResNetV2": (220, 75, {}),
}
QUICK = ("ResNet50",)
CASES = [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in ARCHITECTURES]


def code_lines(source: str) -> list[str]:
    """The lines of ``source`` without blank ones and docstrings."""
    documented: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            documented.update(range(text.lineno, text.end_lineno + 1))
    lines = enumerate(source.splitlines(), 1)
    return [line for number, line in lines if line.strip() and number not in documented]


def poor_names(source: str) -> set[str]:
    """Names of one letter and a number."""
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    return {name for name in names if re.fullmatch(r"[a-z]\d+", name)}


def lint(source: str, tmp_path) -> str:
    """What ruff and mypy have to say about a generated file."""
    path = tmp_path / "generated_model.py"
    path.write_text(source, encoding="utf-8")
    rules = ["--isolated", "--line-length", "100", "--select", "E,F,W,I,N,B,UP", "--ignore", "N812"]
    said = []
    for command in (["ruff", "check", *rules, str(path)], ["mypy", "--no-incremental", str(path)]):
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, cwd=tmp_path
        )
        said += [] if done.returncode == 0 else [done.stdout + done.stderr]
    return "\n".join(said)


@pytest.mark.parametrize("name", CASES)
def test_architecture(name, tmp_path):
    import keras

    most, size, arguments = ARCHITECTURES[name]
    build = getattr(keras.applications, name)
    model = build(weights=None, input_shape=(size, size, 3), classes=10, **arguments)
    result = compare(model, gradients=False, batches=(2,), tolerance=1e-4)
    source = result.model_source
    assert len(code_lines(source)) <= most, source
    assert max(map(len, source.splitlines())) <= 100
    assert len(poor_names(source)) <= 3
    assert not lint(source, tmp_path), source


def test_the_count_can_fail():
    """What the limits above count: code, not words."""
    source = '"""Words.\n\nMore.\n"""\n\nimport math\n\n\ndef f(x1):\n    """Words."""\n    return x1, math\n'
    assert len(code_lines(source)) == 3
    assert poor_names(source) == {"x1"}


def test_linters_are_heard(tmp_path):
    assert "F401" in lint("import math\n", tmp_path)
    assert "Incompatible" in lint("x: int = ''\n", tmp_path)
