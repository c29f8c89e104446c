"""Every public layer of the installed Keras is translated, or refused with a reason."""

from __future__ import annotations

import inspect
from typing import Any

import oracle  # isort: split

import keras
import pytest

import keras2torch
from keras2torch.frontend.replay import Replayer
from keras2torch.layers import REGISTRY
from keras2torch.layers.refusals import NOT_LAYERS, REFUSALS
from keras2torch.support import layer_table, support_table, todays_layers

PUBLIC = sorted(
    name
    for name, item in vars(keras.layers).items()
    if inspect.isclass(item) and not name.startswith("_") and name not in NOT_LAYERS
)


def test_every_layer_is_translated_or_refused() -> None:
    base = {"Layer"}  # what users inherit from: it is traced
    missing = [
        name
        for name in PUBLIC
        if name not in REGISTRY and name not in REFUSALS and name not in base
    ]
    assert not missing, f"neither translated nor refused: {missing}"


def test_nothing_is_refused_that_keras_does_not_have() -> None:
    assert set(REFUSALS) <= set(PUBLIC)


def test_most_layers_are_translated() -> None:
    translated = [name for name in PUBLIC if name not in REFUSALS]
    assert len(translated) >= 0.95 * len(PUBLIC)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_refused_layer_says_why_and_what_to_do(name: str) -> None:
    reason, fix = REFUSALS[name]
    config: dict[str, Any] = {"name": "refused", "num_bins": 3}
    if name in ("StringLookup", "TextVectorization"):
        config = {"name": "refused"}
    node = {"args": [tensor("x")], "kwargs": {}}
    if name == "HashedCrossing":
        node = {"args": [[tensor("x"), tensor("x")]], "kwargs": {}}
    model = {
        "class_name": "Functional",
        "config": {
            "name": "model",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "name": "x",
                    "config": {"batch_shape": [None, 1], "name": "x"},
                },
                {
                    "class_name": name,
                    "module": "keras.layers",
                    "name": "refused",
                    "config": config,
                    "inbound_nodes": [node],
                },
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["refused", 0, 0]],
        },
    }
    with pytest.raises(keras2torch.K2TError) as caught:
        keras2torch.generate(Replayer().model(model))
    assert reason in str(caught.value) and fix in str(caught.value)


def tensor(name: str) -> dict[str, Any]:
    config = {"shape": [None, 1], "dtype": "float32", "keras_history": [name, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def test_the_table_counts_what_is_there() -> None:
    lines = layer_table().splitlines()
    refused = [line for line in lines if line.startswith("| `")]
    assert len(refused) == len(REFUSALS)
    assert any(f"{len(REFUSALS)} are refused" in line for line in lines)
    assert layer_table() in support_table()


def test_only_public_layers_are_counted() -> None:
    names = todays_layers()
    assert set(names) <= set(PUBLIC), sorted(set(names) - set(PUBLIC))
    classes = {item for name, item in vars(keras.layers).items() if name in PUBLIC}
    canonical = {getattr(keras.layers, name) for name in names}
    left = {cls.__name__ for cls in classes - canonical} - set(REFUSALS)
    assert left <= {"Layer", "InputLayer"}, left


def test_the_table_needs_no_keras() -> None:
    import subprocess
    import sys

    code = (
        "import sys; sys.modules['keras'] = None; sys.modules['torch'] = None;"
        "from keras2torch.support import support_table; print(len(support_table()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 1000


assert oracle  # sets Keras's backend before it is imported
