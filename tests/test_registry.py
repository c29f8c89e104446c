"""Layers of users' own in saved and live models: the examples of docs/vendoring.md, run."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path

import pytest
import torch
from oracle import build, compare

import keras2torch
from keras2torch import registry

PAGE = (Path(__file__).parent.parent / "docs" / "vendoring.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    for table in ("_classes", "_files"):
        monkeypatch.setattr(registry, table, {})
    monkeypatch.setattr(registry, "_loaded", set())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def saved_config(path: Path, *layers: tuple[str, dict]) -> Path:
    """A saved Sequential model of layers of package MyPkg, as Keras 3 writes it to JSON."""
    items = [
        {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": {"batch_shape": [None, 4], "name": "in"},
        }
    ]
    for number, (name, config) in enumerate(layers):
        items.append(
            {
                "module": "mypkg.layers",
                "class_name": name,
                "registered_name": f"MyPkg>{name}",
                "config": {
                    "name": f"{name.lower()}_{number}",
                    "trainable": True,
                    "dtype": "float32",
                    **config,
                },
            }
        )
    model = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "net", "layers": items},
    }
    path.write_text(json.dumps(model))
    return path


def test_the_example_is_short():
    assert len(EXAMPLES["layers.py"].splitlines()) <= 10
    assert set(EXAMPLES) == {"layers.py", "lowered.py"}


def test_layers_listed_in_pyproject(folder):
    source = saved_config(folder / "net.json", ("Scale", {}), ("Boost", {"factor": 3.0}))
    (folder / "pyproject.toml").write_text('[tool.k2t]\nlayers = ["layers.py", "lowered.py"]\n')
    result = keras2torch.generate(source)
    assert "class Scale(nn.Module)" in result.model_source and "* 3.0" in result.model_source
    net = build(result)
    x = torch.randn(2, 4)
    with torch.no_grad():
        net.scale.gain.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        assert torch.equal(net(x), x * torch.tensor([1.0, 2.0, 3.0, 4.0]) * 3)


def test_layers_of_an_installed_package(folder, monkeypatch):
    package = folder / "mypkg"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('the package is not imported')\n")
    (package / "keras_layers.py").write_text(EXAMPLES["layers.py"])
    entry = importlib.metadata.EntryPoint("mypkg", "mypkg.keras_layers", registry.GROUP)
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [entry] if group == registry.GROUP else []
    )
    monkeypatch.syspath_prepend(folder)
    result = keras2torch.generate(saved_config(folder / "net.json", ("Scale", {})))
    assert "self.gain" in result.model_source


def test_a_class_that_is_nowhere_is_told(folder):
    source = saved_config(folder / "net.json", ("Scale", {}))
    with pytest.raises(keras2torch.K2TError, match="MyPkg>Scale.*\n.*keras2torch.register"):
        keras2torch.generate(source)


def test_the_package_counts(folder):
    """Another package's Scale is another class."""
    (folder / "layers.py").write_text(EXAMPLES["layers.py"].replace("MyPkg>", "Other>"))
    (folder / "pyproject.toml").write_text('[tool.k2t]\nlayers = ["layers.py"]\n')
    with pytest.raises(keras2torch.K2TError, match="MyPkg>Scale"):
        keras2torch.generate(saved_config(folder / "net.json", ("Scale", {})))


def test_a_live_model_with_a_registered_class(folder, monkeypatch):
    """Decorated where the real Keras runs, and where keras2torch runs it: the same numbers."""
    import keras

    serializable = '@keras.saving.register_keras_serializable("MyPkg")\n'
    text = EXAMPLES["layers.py"].replace("@keras2torch", f"{serializable}@keras2torch")
    text += "\n    def compute_output_shape(self, input_shape):\n        return input_shape\n"
    (folder / "own_layers.py").write_text(text)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "own_layers", raising=False)
    import own_layers

    inner = keras.layers.TimeDistributed(own_layers.Scale())
    model = keras.Sequential(
        [keras.Input((5, 4)), own_layers.Scale(), inner, keras.layers.Dense(3)]
    )
    result = compare(model, tolerance=1e-5)
    assert "class Scale(nn.Module)" in result.model_source
    assert sum(key.endswith("gain") for key in result.weights) == 2


def test_what_is_no_layer_is_refused():
    with pytest.raises(keras2torch.K2TError, match="is no layer"):
        keras2torch.register("MyPkg>Thing")(type("Thing", (), {}))


class _Tied:
    """A loss that Keras cannot describe: a method of an object of the program's."""

    def loss(self, y_true, y_pred):
        return (y_true - y_pred) ** 2


def test_compile_settings_that_a_live_model_cannot_tell():
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("adam", loss=_Tied().loss)
    result = compare(model)
    assert any("compile settings of the live model are left out" in note for note in result.notes)


def test_a_live_model_without_a_config():
    import keras

    class Tied(keras.layers.Layer):
        def __init__(self, other):
            super().__init__()
            self.other = other

        def call(self, x):
            return self.other(x)

    model = keras.Sequential([keras.Input((4,)), Tied(keras.layers.Dense(4))])
    with pytest.raises(keras2torch.K2TError, match="cannot be described: .*Tied"):
        keras2torch.generate(model)
