"""Hostile but well-formed models through the whole pipeline: correct code, or one clear message."""

from __future__ import annotations

import json
import math
import os
import time

import pytest
from oracle import load_source
from saved_fixtures import unpacked
from test_fuzz import NAMES

import keras2torch
from keras2torch.errors import InternalError, K2TError


def config(model: str) -> dict:
    return json.loads((unpacked("3.15") / f"{model}.json").read_text())


def renamed(value, names):
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def layer_names(value):
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and (
            "layers" in value or "trainable" in value or "batch_shape" in value
        ):
            yield value["name"]
        for item in value.values():
            yield from layer_names(item)
    elif isinstance(value, list):
        for item in value:
            yield from layer_names(item)


def generate(document, tmp_path):
    """The result, imported and made; a K2TError that is none of ours is handed on."""
    path = tmp_path / "net.json"
    path.write_text(json.dumps(document))
    os.environ.pop("K2T_CANARY", None)
    start = time.monotonic()
    try:
        result = keras2torch.generate(path)
        result.write(tmp_path / "out")
        for file in (tmp_path / "out").glob("*.py"):
            compile(file.read_text(encoding="utf-8"), file.name, "exec")
        getattr(load_source(result.model_source), result.class_name)()
        return result
    finally:
        assert "K2T_CANARY" not in os.environ
        assert time.monotonic() - start < 10


@pytest.mark.parametrize(
    "model", ["multi_output", pytest.param("shared_nested", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_hostile_names_everywhere(model, name, tmp_path):
    """Every layer, input, output and the model itself bear the name, with a number behind it."""
    document = config(model)
    found = dict.fromkeys(layer_names(document))
    hostile = renamed(document, {old: f"{name}{number or ''}" for number, old in enumerate(found)})
    try:
        generate(hostile, tmp_path)
    except InternalError:
        raise
    except K2TError as error:
        assert name == "" or "\ud800" in name, error  # these are no names


def changed(model, class_name, **settings):
    document = config(model)

    def change(value):
        if isinstance(value, dict):
            if value.get("class_name") == class_name:
                value["config"].update(settings)
            for item in value.values():
                change(item)
        elif isinstance(value, list):
            for item in value:
                change(item)

    change(document)
    return document


@pytest.mark.parametrize(
    ("class_name", "settings"),
    [
        ("Dense", {"units": 10**12}), ("Dense", {"units": -1}), ("Dense", {"units": math.nan}),
        ("Dense", {"units": math.inf}), ("Dense", {"units": "4"}), ("Dense", {"units": [4]}),
        ("Dense", {"units": 10**400}),
        ("Dense", {"activation": "__import__"}), ("Dense", {"activation": NAMES[-1]}),
        ("Dense", {"activation": {"class_name": "function", "module": "os", "config": "system"}}),
        ("Dense", {"kernel_initializer": {"class_name": "system", "module": "os", "config": {"command": "true"}}}),
        ("Dense", {"kernel_regularizer": {"class_name": "L2", "config": {"l2": math.nan}}}),
        ("Dense", {"dtype": "os.system"}), ("Dense", {"dtype": {"class_name": "system", "module": "os"}}),
        ("BatchNormalization", {"epsilon": math.inf}), ("BatchNormalization", {"epsilon": -1e-3}),
        ("BatchNormalization", {"momentum": math.nan}), ("BatchNormalization", {"axis": 10**9}),
    ],
    ids=str,
)  # fmt: skip
def test_hostile_settings_end_in_a_message_or_in_code(class_name, settings, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.nn.Linear.reset_parameters", lambda self: None)
    document = changed("shared_nested", class_name, **settings)
    try:
        path = tmp_path / "net.json"
        path.write_text(json.dumps(document))
        result = keras2torch.generate(path)
        compile(result.model_source, "net", "exec")
        result.write(tmp_path / "out")
    except InternalError:
        raise
    except K2TError as error:
        assert 10 < len(str(error)) < 3000
    else:
        assert "nan" not in result.model_source and "inf" not in result.model_source.replace(
            "info", ""
        )


@pytest.mark.parametrize("axis", [1, -2, 10**9, [0, 9]])
def test_axes_that_are_not_there(axis, tmp_path):
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_shape": [None]}},
        {
            "class_name": "LayerNormalization",
            "config": {"name": "norm", "trainable": True, "axis": axis},
        },
    ]
    document = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    path = tmp_path / "net.json"
    path.write_text(json.dumps(document))
    with pytest.raises(K2TError, match="axis"):
        keras2torch.generate(path)


@pytest.mark.parametrize(
    "module", ["os", "posix", "builtins", "subprocess", "keras.ops", "", None, 3]
)
@pytest.mark.parametrize(
    "class_name", ["system", "eval", "exec", "Popen", "Lambda", "__import__", "mine>eval", ""]
)
def test_classes_of_other_modules_are_never_imported(module, class_name, tmp_path):
    document = config("shared_nested")
    layer = {
        "module": module,
        "class_name": class_name,
        "registered_name": f"{module}>{class_name}",
    }
    document["config"]["layers"][1].update(layer)
    path = tmp_path / "net.json"
    path.write_text(json.dumps(document))
    with pytest.raises(K2TError) as error:
        keras2torch.generate(path)
    assert not isinstance(error.value, InternalError), error.value


def keras_tensor(name, node=0):
    history = {"shape": [None, 3], "dtype": "float32", "keras_history": [name, node, 0]}
    return {"class_name": "__keras_tensor__", "config": history}


def layer(class_name, name, *inputs, **config):
    calls = [{"args": [keras_tensor(*tensor)], "kwargs": {}} for tensor in inputs]
    made = {"class_name": class_name, "config": {"name": name, **config}, "name": name}
    return {**made, "module": "keras.layers", "registered_name": None, "inbound_nodes": calls}


def functional(name, layers, output):
    start = layers[0]["name"]
    config = {
        "name": name,
        "layers": layers,
        "input_layers": [[start, 0, 0]],
        "output_layers": [output],
    }
    return {
        "class_name": "Functional",
        "module": "keras",
        "registered_name": "Functional",
        "config": config,
    }


def test_models_that_call_one_another_twice_each(tmp_path):
    """30 of them would be 2^30 layers; three are eight."""

    def nested(depth):
        inner = layer("Dense", "d", units=3)
        for level in range(depth):
            start = layer("InputLayer", f"i{level}", batch_shape=[None, 3])
            inner["inbound_nodes"] = layer("", "", [start["name"]], [inner["name"]])[
                "inbound_nodes"
            ]
            output = [inner["name"], 2 if level else 1, 0]
            inner = {**functional(f"m{level}", [start, inner], output), "name": f"m{level}"}
        return inner

    source = generate(nested(3), tmp_path).model_source
    assert len([line for line in source.splitlines() if line.lstrip().startswith("return")]) == 3
    with pytest.raises(K2TError, match="more than 4,000 steps"):
        generate(nested(30), tmp_path)


def test_thousands_of_layers(tmp_path):
    names = ["i", *(f"d{number}" for number in range(4_001))]
    kinds = [("Dense", {"units": 3}), ("ELU", {}), ("LayerNormalization", {})]
    layers = [layer("InputLayer", "i", batch_shape=[None, 3])]
    for number, (before, name) in enumerate(zip(names, names[1:])):
        kind, settings = kinds[number * number % 7 % 3]
        layers.append(layer(kind, name, [before], **settings))
    generate(functional("m", layers[:1001], ["d999", 0, 0]), tmp_path)
    with pytest.raises(K2TError, match="more than 4,000 steps"):
        generate(functional("m", layers, ["d4000", 0, 0]), tmp_path)


@pytest.mark.parametrize(
    ("shape", "kind", "settings", "message"),
    [
        ([None, 3], "Dense", {"units": 10**18}, "more than any computer holds"),
        ([None] + [1] * 70 + [3], "Dense", {"units": 3}, "at most"),
        ([None, 4], "Reshape", {"target_shape": [1] * 70 + [4]}, "at most"),
    ],
    ids=["units", "dimensions", "reshape"],
)
def test_sizes_that_no_tensor_has(shape, kind, settings, message, tmp_path):
    layers = [layer("InputLayer", "i", batch_shape=shape), layer(kind, "d", ["i"], **settings)]
    with pytest.raises(K2TError, match=message):
        generate(functional("m", layers, ["d", 0, 0]), tmp_path)
