"""The command and the library call, by the public contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import keras2torch
from keras2torch.cli import main

PROGRAM = Path(__file__).parent / "cases" / "mnist_mlp_keras2.py"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_generate_writes_two_files_that_check_calls_current(tmp_path):
    made = run("generate", PROGRAM, "-o", tmp_path)
    assert made.exit_code == 0, made.output
    assert sorted(p.name for p in tmp_path.glob("[!.]*")) == [
        "mnist_mlp_keras2_model.py",
        "mnist_mlp_keras2_train.py",
    ]
    assert run("generate", PROGRAM, "-o", tmp_path, "--check").exit_code == 0
    assert run("generate", PROGRAM, "-o", tmp_path, "--diff").output == ""


def test_an_edited_file_is_kept_unless_forced(tmp_path):
    run("generate", PROGRAM, "-o", tmp_path)
    model = tmp_path / "mnist_mlp_keras2_model.py"
    text = model.read_text()
    model.write_text(text.replace("self.fc1", "self.first"))
    checked = run("generate", PROGRAM, "-o", tmp_path, "--check")
    assert checked.exit_code == 1 and "edited by hand" in checked.output
    assert "-        self.first" in run("generate", PROGRAM, "-o", tmp_path, "--diff").output
    assert (
        run("generate", PROGRAM, "-o", tmp_path).exit_code == 0
    )  # the edit is now one that is known
    assert "self.first" in model.read_text()
    assert run("generate", PROGRAM, "-o", tmp_path, "--check").exit_code == 0
    assert run("generate", PROGRAM, "-o", tmp_path, "--force").exit_code == 0
    assert model.read_text() == text


def test_a_file_of_somebody_elses_is_never_overwritten(tmp_path):
    other = tmp_path / "mnist_mlp_keras2_model.py"
    other.write_text("print('mine')\n")
    refused = run("generate", PROGRAM, "-o", tmp_path)
    assert refused.exit_code == 2 and "not keras2torch's own" in refused.output
    assert other.read_text() == "print('mine')\n" and len(list(tmp_path.iterdir())) == 1


def test_check_ignores_the_version_of_the_tool(tmp_path, monkeypatch):
    run("generate", PROGRAM, "-o", tmp_path)
    monkeypatch.setattr(keras2torch, "__version__", "99.0.0")
    assert run("generate", PROGRAM, "-o", tmp_path, "--check").exit_code == 0
    assert run("generate", PROGRAM, "-o", tmp_path).exit_code == 0  # untouched: may be overwritten


def test_name_names_files_and_class(tmp_path):
    run("generate", PROGRAM, "-o", tmp_path, "--name", "tiny_net")
    assert "class TinyNet(nn.Module)" in (tmp_path / "tiny_net_model.py").read_text()
    assert "from tiny_net_model import TinyNet" in (tmp_path / "tiny_net_train.py").read_text()


def test_summary_needs_no_torch(tmp_path):
    code = (
        "import sys\nfrom keras2torch.cli import main\n"
        f"try:\n    main(['summary', {str(PROGRAM)!r}])\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "bad = {'torch', 'jax', 'tensorflow'} & set(sys.modules)\nassert not bad, bad\n"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert "Total params: 269,322" in made.stdout


def test_generate_imports_neither_torch_nor_keras(tmp_path):
    code = (
        f"import sys, keras2torch\nresult = keras2torch.generate({str(PROGRAM)!r})\n"
        f"result.train_source\nresult.write({str(tmp_path)!r})\n"
        "bad = {n for n in sys.modules if n.split('.')[0] in ('torch', 'jax', 'keras', 'tensorflow')}\n"
        "assert not bad, sorted(bad)[:9]\n"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("program", ["resnet_residual_block.py", "siamese_shared_base.py"])
def test_same_bytes_for_any_hash_seed(program):
    path = PROGRAM.parent / program
    code = f"import keras2torch\nr = keras2torch.generate({str(path)!r})\nprint(r.model_source, r.train_source)"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "12345")
    }
    assert len(texts) == 1


def test_the_library_call():
    result = keras2torch.generate(PROGRAM)
    assert result.class_name in result.model_source
    assert result.weights == {}
    (port,), (out,) = result.inputs, result.outputs
    assert port.shape == (None, 784) and port.permutation is None and port.dtype == "float32"
    assert out.shape == (None, 10) and out.activation == "softmax"
    with pytest.raises(keras2torch.K2TError):
        keras2torch.generate(3)


def test_help_lists_the_commands():
    text = run("--help").output
    assert all(word in text for word in ("generate", "summary", "verify"))


@pytest.mark.parametrize(
    "arguments, code", [(["--version"], 0), (["generate", "no_such.py"], 2), (["nonsense"], 2)]
)
def test_the_process_ends_with_the_code_and_all_of_the_output(arguments, code):
    """It ends without taking the interpreter apart: what was printed into a pipe must be out by then."""
    made = subprocess.run(
        [sys.executable, "-m", "keras2torch.cli", *arguments], capture_output=True, text=True
    )
    assert made.returncode == code
    assert (made.stderr if code else made.stdout).endswith("\n")


def test_the_process_prints_a_long_text_whole(tmp_path):
    process = [
        sys.executable,
        "-m",
        "keras2torch.cli",
        "generate",
        str(PROGRAM),
        "-o",
        str(tmp_path),
    ]
    assert subprocess.run(process, capture_output=True).returncode == 0
    (tmp_path / f"{PROGRAM.stem}_model.py").write_text("# other\n")
    made = subprocess.run([*process, "--diff"], capture_output=True, text=True)
    assert made.stdout.count("\n+") > 20 and made.returncode in (0, 1)
