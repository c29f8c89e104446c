"""`k2t generate` on an MNIST convnet, whole process, beside `python -c "import keras"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from timing import interleaved, row

PROGRAM = Path(__file__).resolve().parent.parent / "tests" / "cases" / "keras3_mnist_convnet.py"


def run() -> str:
    """A table with the ratio, which should stay under 1/6."""
    with tempfile.TemporaryDirectory() as folder:
        k2t = [str(Path(sys.executable).with_name("k2t")), "generate", str(PROGRAM), "-o", folder]
        times = interleaved({"import keras": [sys.executable, "-c", "import keras"], "k2t generate": k2t})
    base = times["import keras"]
    lines = ["| command | median s | min s | ratio |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *(row(name, values, base) for name, values in times.items())])
