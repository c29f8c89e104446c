"""What the tests of the script runner share: writing a small program, and running it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from keras2torch.errors import K2TError
from keras2torch.frontend.script import run_script
from keras2torch.models import Model

IMPORTS = """import keras
from keras.models import Sequential, Model
from keras.layers import Dense, Input
"""


class Programs:
    """Writes programs into a folder of their own and runs them there."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.notes: list[str] = []

    def write(self, source: str, name: str = "program.py") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
        return path

    def run(self, source: str, model: str | None = None, name: str = "program.py") -> Model:
        """The model of a program; what is told about it is in ``notes``."""
        self.notes = []
        return run_script(self.write(source, name), model=model, notes=self.notes)

    def error(self, source: str, model: str | None = None, name: str = "program.py") -> str:
        """The message of the error that a program gets."""
        with pytest.raises(K2TError) as caught:
            self.run(source, model, name)
        return str(caught.value)


def shapes(model: Model) -> tuple[list[tuple], list[tuple]]:
    """The shapes of a model's inputs and outputs."""
    return [tuple(t.shape) for t in model.inputs or []], [
        tuple(t.shape) for t in model.outputs or []
    ]
