"""A whole program in real Keras and in the generated script, from the same weights on the same batches."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

from training_oracle import run_script

import keras2torch

HEAD = """
import numpy as np
import keras
from keras import layers, regularizers

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
images = rng.normal(size=(60, 8, 8, 2)).astype("float32")
rows = rng.normal(size=(60, 6)).astype("float32")
words = rng.integers(1, 20, size=(60, 7))
kinds = (images.mean(axis=(1, 2)) @ [1.0, -1.0] > 0).astype("int64") + (rows[:, 0] > 0)
numbers = rows @ rng.normal(size=(6, 2))
"""


def weights_of(model) -> dict[str, np.ndarray]:
    """In torch's order and layout; of a model with classes of its own, which must have dense layers only."""
    try:
        return dict(keras2torch.generate(model).weights)
    except keras2torch.K2TError:
        return {weight.path: weight.numpy().T for weight in model.weights}


def in_keras(source: str):
    """(weights before, history, weights after), the weights under torch's names."""
    import keras

    before: dict[str, np.ndarray] = {}
    history: dict[str, list[float]] = {}
    fit = keras.Model.fit

    def watched(model, *args, **kwargs):
        if not before:
            before.update({k: v.copy() for k, v in weights_of(model).items()})
        past = fit(model, *args, **{**kwargs, "verbose": 0})
        for name, values in past.history.items():
            history.setdefault(name, []).extend(map(float, values))
        return past

    namespace = {"__name__": "program"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "fit", watched)
        exec(compile(HEAD + source, "program.py", "exec"), namespace)
    model = namespace["model"]
    return before, history, weights_of(model)


def in_torch(source: str, folder: Path, before: dict[str, np.ndarray]):
    """(history, weights after) of the generated script."""
    import torch

    path = folder / "program.py"
    path.write_text(HEAD + source)
    result = keras2torch.generate(path)
    result.write(folder)

    def start(script):
        make = getattr(script, result.class_name)

        def made():
            model = make()
            # Names may differ: a script tells more of them than a live model. The order does not.
            pairs = zip(model.state_dict(), before.values(), strict=True)
            model.load_state_dict({key: torch.tensor(value) for key, value in pairs})
            return model

        setattr(script, result.class_name, made)

    run_script(folder, name="program_train", prepare=start)
    out = folder / "runs/program"
    saved = torch.load(out / "weights.pt")
    return json.loads((out / "history.json").read_text()), {k: v.numpy() for k, v in saved.items()}


def compare(source: str, folder: Path, in_torch_source: str | None = None) -> None:
    """Losses, metrics and final weights agree; ``in_torch_source``: the program in an older Keras's words."""
    before, expected, weights = in_keras(source)
    found, trained = in_torch(in_torch_source or source, folder, before)
    assert set(found) == set(expected)
    for curve, values in expected.items():
        np.testing.assert_allclose(found[curve], values, rtol=1e-4, atol=2e-5, err_msg=curve)
    for key, wanted in zip(trained, weights.values(), strict=True):
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_allclose(trained[key], wanted, rtol=1e-3, atol=1e-4, err_msg=key)
