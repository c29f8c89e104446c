"""Generated files in a project of one's own: hand edits kept, a project checked in one call, conflicts told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from saved_fixtures import unpacked

from keras2torch.cli import main
from keras2torch.vendoring import run as vendoring
from keras2torch.vendoring.project import find_project
from keras2torch.vendoring.record import proves_current

PROGRAM = """
from keras import Input, Model, layers

UNITS = 64

def block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x)

image = Input((32, 32, 3))
x = block(image, 16)
x = block(x, 32)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(UNITS, activation="relu", name="feature")(x)
x = layers.Dropout(0.3)(x)
model = Model(image, layers.Dense(10, name="head")(x), name="small_net")
model.compile("adam", "mse")
"""
# What happens to the Keras program, one after the other, and what of it must be in the torch file.
STEPS = [
    (("UNITS = 64", "UNITS = 128"), "nn.Linear(32, 128)"),
    (("layers.Dropout(0.3)", "layers.Dropout(0.5)"), "nn.Dropout(0.5)"),
    (("x = block(x, 32)\n", "x = block(x, 32)\nx = block(x, 48)\n"), "48"),
    (('layers.Dense(10, name="head")', 'layers.Dense(7, name="head")'), "nn.Linear(128, 7)"),
    (("return layers.ReLU()(x)", "return layers.LeakyReLU(0.1)(x)"), "leaky_relu"),
]
METHOD = '''
    def embed(self, image: Tensor) -> Tensor:
        """The features that our index is made of."""
        return F.relu(self.features_to_hidden(self.blocks(image).mean(dim=(2, 3))))
'''


def run(*arguments):
    return CliRunner().invoke(main, ["generate", *map(str, arguments)])


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(PROGRAM)
    (tmp_path / "pyproject.toml").write_text('[tool.k2t]\noutput = "torch"\nmodels = ["net.py"]\n')
    assert run().exit_code == 0
    return tmp_path


def edit(path: Path, *replacements: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in replacements:
        assert old in text, f"{old}\n{text}"
        text = text.replace(old, new)
    path.write_text(text)


def outputs(path: Path, shape: tuple[int, ...]) -> int:
    """How many outputs the class in a file has, run by torch."""
    import torch

    names: dict[str, object] = {"__name__": "vendored"}
    exec(compile(path.read_text(), str(path), "exec"), names)
    net = names["SmallNet"]()
    assert net.embed(torch.zeros(2, *shape)).shape[0] == 2
    return net.eval()(torch.zeros(2, *shape)).shape[-1]


def test_hand_edits_survive_five_regenerations(project):
    vendored = project / "torch" / "net_model.py"
    edit(
        vendored,
        ("self.feature", "self.features_to_hidden"),  # a renamed attribute
        ("eps=1e-3", "eps=1e-5"),  # a changed constant
    )
    with vendored.open("a") as file:  # an added method
        file.write(METHOD)
    found = ["features_to_hidden", "eps=1e-5", "The features that our index is made of."]
    for (old, new), generated in STEPS:
        edit(project / "net.py", (old, new))
        assert run("--check").exit_code == 1
        made = run()
        assert made.exit_code == 0, made.output + vendored.read_text()
        found.append(generated)
        text = vendored.read_text()
        assert all(part in text for part in found if part != "nn.Linear(32, 128)"), text
        assert "self.feature " not in text and "self.feature(" not in text
        assert run("--check").exit_code == 0
        assert run().exit_code == 0 and vendored.read_text() == text
    assert outputs(vendored, (3, 32, 32)) == 7


def test_an_edited_script_survives_too(project):
    script = project / "torch" / "net_train.py"
    edit(script, ("import argparse\n", "import argparse\nimport getpass  # for the run's name\n"))
    edit(project / "net.py", ("UNITS = 64", "UNITS = 96"))
    assert run().exit_code == 0
    assert "import getpass" in script.read_text()


def test_a_conflict_is_marked_told_and_waits(project):
    vendored = project / "torch" / "net_model.py"
    edit(
        vendored,
        ("nn.Linear(32, 64)", "nn.Linear(32, 80)"),
        ("nn.Linear(64, 10)", "nn.Linear(80, 10)"),
    )
    edit(project / "net.py", ("UNITS = 64", "UNITS = 96"))
    made = run()
    assert made.exit_code == 1 and "conflicts" in made.output
    text = vendored.read_text()
    assert all(
        mark in text for mark in ("<<<<<<< edited by hand\n", "=======\n", ">>>>>>> generated\n")
    )
    assert "nn.Linear(32, 80)" in text and "nn.Linear(32, 96)" in text
    assert run("--check").exit_code == 1
    refused = run()
    assert refused.exit_code == 2 and vendored.read_text() == text
    kept = [
        line
        for line in text.splitlines(keepends=True)
        if line[:7] not in ("<" * 7, "=" * 7, ">" * 7)
    ]
    vendored.write_text("".join(line for line in kept if "96" not in line))
    assert run("--check").exit_code == 1  # nobody has generated since
    assert run().exit_code == 0 and run("--check").exit_code == 0
    assert "nn.Linear(32, 80)" in vendored.read_text()


def test_the_base_is_found_in_git_where_it_is_not_kept(project):
    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
        subprocess.run(command, cwd=project, check=True, capture_output=True)

    vendored = project / "torch" / "net_model.py"
    git("init", "-q")
    git("add", "torch/net_model.py")
    git("commit", "-q", "-m", "generated")
    for path in (project / "torch" / ".k2t").iterdir():
        path.unlink()
    edit(vendored, ("eps=1e-3", "eps=1e-5"))
    git("commit", "-q", "-a", "-m", "edited")
    edit(project / "net.py", ("layers.Dropout(0.3)", "layers.Dropout(0.5)"))
    assert run().exit_code == 0
    assert "eps=1e-5" in vendored.read_text() and "nn.Dropout(0.5)" in vendored.read_text()


def test_without_a_base_an_edited_file_is_left_alone(project):
    vendored = project / "torch" / "net_model.py"
    (project / "torch" / ".k2t" / "net_model.py.base").unlink()
    edit(vendored, ("eps=1e-3", "eps=1e-5"))
    text = vendored.read_text()
    refused = run()
    assert refused.exit_code == 2 and "edited by hand" in refused.output
    assert vendored.read_text() == text


def test_force_gives_up_the_edits(project):
    vendored = project / "torch" / "net_model.py"
    text = vendored.read_text()
    edit(vendored, ("eps=1e-3", "eps=1e-5"))
    assert run("--force").exit_code == 0 and vendored.read_text() == text


def test_weights_that_were_trained_further_are_not_overwritten(tmp_path):
    source = unpacked("3.12") / "assorted.keras"
    assert run(source, "-o", tmp_path, "--name", "net").exit_code == 0
    weights = tmp_path / "net.safetensors"
    assert run(source, "-o", tmp_path, "--name", "net").exit_code == 0
    weights.write_bytes(weights.read_bytes() + b"more")
    refused = run(source, "-o", tmp_path, "--name", "net")
    assert refused.exit_code == 2 and "other weights" in refused.output
    assert weights.read_bytes().endswith(b"more")
    assert run(source, "-o", tmp_path, "--name", "net", "--force").exit_code == 0
    weights.unlink()
    assert run(source, "-o", tmp_path, "--name", "net", "--check").exit_code == 1


# The short way of --check.
def targets(project):
    return vendoring.project_targets(project)


def test_nothing_is_generated_where_digests_prove_it(project, monkeypatch):
    import keras2torch.write

    monkeypatch.setattr(keras2torch.write, "changes", None)
    assert all(map(proves_current, targets(project)))
    assert run("--check").exit_code == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: edit(folder / "net.py", ("64", "65")),
        lambda folder: edit(folder / "torch" / "net_model.py", ("1e-3", "1e-4")),
        lambda folder: edit(
            folder / "torch" / "net_train.py", ("import argparse", "import  argparse")
        ),
        lambda folder: (folder / "torch" / "net_train.py").unlink(),
        lambda folder: edit(
            folder / "pyproject.toml", ('["net.py"]', '[{source = "net.py", model = "model"}]')
        ),
        lambda folder: (folder / "torch" / ".k2t" / "net.json").write_text("{}"),
    ],
)
def test_any_change_takes_the_proof_away(project, change):
    change(project)
    assert not any(map(proves_current, targets(project)))


def test_another_version_of_the_tool_takes_the_proof_away_but_not_the_files(project, monkeypatch):
    monkeypatch.setattr("keras2torch.vendoring.record.tool_digest", lambda: "other")
    monkeypatch.setattr("keras2torch.__version__", "0.1.99")
    assert not any(map(proves_current, targets(project)))
    assert run("--check").exit_code == 0


def test_files_that_a_program_reads_count(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sizes.py").write_text("UNITS = 5\n")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    (tmp_path / "net.py").write_text(
        "import keras\nfrom sizes import UNITS\n"
        "classes = len(open('labels.txt').read().split())\n"
        "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(UNITS), keras.layers.Dense(classes)])\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.k2t]\nmodels = ["net.py"]\n')
    assert run().exit_code == 0 and run("--check").exit_code == 0
    assert all(map(proves_current, targets(tmp_path)))
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    assert run("--check").exit_code == 1
    assert run().exit_code == 0 and all(map(proves_current, targets(tmp_path)))
    (tmp_path / "sizes.py").write_text("UNITS = 6\n")
    assert run("--check").exit_code == 1


def test_a_program_that_asks_its_surroundings_is_always_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = "import os, keras\nunits = int(os.environ.get('UNITS', 3))\n"
    program += "model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])\n"
    (tmp_path / "net.py").write_text(program)
    assert run("net.py").exit_code == 0 and run("net.py", "--check").exit_code == 0
    monkeypatch.setenv("UNITS", "4")
    assert run("net.py", "--check").exit_code == 1


# Projects.
def test_one_model_that_fails_does_not_hide_the_others(project):
    (project / "broken.py").write_text("import keras\n")
    (project / "pyproject.toml").write_text(
        '[tool.k2t]\noutput = "torch"\nmodels = ["broken.py", {source = "net.py", name = "second"}]\n'
    )
    made = run()
    assert made.exit_code == 2 and "no model" in made.output
    assert "class Second(" in (project / "torch" / "second_model.py").read_text()
    checked = run("--check")
    assert checked.exit_code == 2


@pytest.mark.parametrize(
    "settings, told",
    [
        ("", "no SOURCE is given"),
        ("[tool.k2t]\n", "no SOURCE is given"),
        ("[tool.k2t]\nmodel = []\n", "no setting 'model'"),
        ('[tool.k2t]\nmodels = [{name = "a"}]\n', "has no source"),
        ('[tool.k2t]\nmodels = [{source = "a.py", out = "b"}]\n', "no setting 'out'"),
        ("[tool.k2t]\nmodels = [3]\n", "is no table"),
        ("[tool.k2t]\noutput = 3\n", "should be a text"),
        ("[tool.k2t\n", "cannot be read"),
    ],
)
def test_settings_that_are_wrong(tmp_path, monkeypatch, settings, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(settings)
    made = run()
    assert made.exit_code == 2 and told in made.output, made.output


def test_the_project_is_found_from_below_and_paths_start_at_its_file(project):
    below = project / "a" / "b"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[tool.other]\n")
    found = find_project(below)
    assert found is not None and found.targets[0].source == project.resolve() / "net.py"


def test_options_without_a_source_are_refused(project):
    assert run("-o", "elsewhere").exit_code == 2
