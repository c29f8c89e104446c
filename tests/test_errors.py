"""Programs with mistakes: each gets one clear message with its place, exit code 2, and no file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from run_oracle import DOCSTRING

from keras2torch.cli import main
from keras2torch.frontend import watch

ERRORS = sorted((Path(__file__).parent / "errors").glob("*.py"))
EXPECT = re.compile(r"^\s*expect:\s*(.+?)\s*$", re.MULTILINE)
ARGUMENTS = re.compile(r"^\s*k2t:\s*model\s*=\s*(\S+)\s*$", re.MULTILINE)


def docstring(path):
    match = DOCSTRING.match(path.read_text(encoding="utf-8", errors="replace"))
    assert match, f"{path.name} starts with no docstring"
    return match.group(2)


@pytest.mark.parametrize("path", ERRORS, ids=[path.stem for path in ERRORS])
def test_a_mistake_is_told(path, tmp_path, monkeypatch):
    if path.stem == "endless_loop":
        monkeypatch.setattr(watch, "WITHOUT_MODEL", 3.0)
    text = docstring(path)
    wanted = ARGUMENTS.search(text)
    arguments = ["generate", str(path), "-o", str(tmp_path / "out")]
    run = CliRunner().invoke(main, arguments + (["--model", wanted.group(1)] if wanted else []))
    assert run.exit_code == 2, run.output
    assert "Traceback" not in run.output
    for phrase in EXPECT.findall(text):
        assert phrase.lower() in run.output.lower(), f"{phrase!r} is not in:\n{run.output}"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "phrase"),
    [("absent.py", "there is no file"), (".", "directory"), ("empty.bin", "is not a saved")],
)
def test_a_source_that_is_none(source, phrase, tmp_path):
    (tmp_path / "empty.bin").write_bytes(b"\x00\x01 no model")
    run = CliRunner().invoke(
        main, ["generate", str(tmp_path / source), "-o", str(tmp_path / "out")]
    )
    assert run.exit_code == 2 and phrase in run.output, run.output
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    program = Path(__file__).parent / "cases" / "mnist_mlp_keras2.py"
    run = CliRunner().invoke(main, ["generate", str(program), "-o", str(blocked / "sub")])
    assert run.exit_code == 2 and "cannot write" in run.output, run.output
