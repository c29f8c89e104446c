"""Train a small network in real Keras and in the generated script, from the same weights and data."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import black
import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")

from keras2torch.training import callbacks, losses, metrics, optimizers, schedules
from keras2torch.training.emit import ModuleInfo, Port, emit_training
from keras2torch.training.record import Training, TrainingCall

RECORDING = SimpleNamespace(
    optimizers=SimpleNamespace(
        **optimizers.REGISTRY, schedules=SimpleNamespace(**schedules.REGISTRY)
    ),
    losses=SimpleNamespace(**losses.REGISTRY),
    metrics=SimpleNamespace(**metrics.REGISTRY),
    callbacks=SimpleNamespace(**callbacks.REGISTRY),
)
"""The recording classes as one namespace, where a case expects ``keras``."""

MODEL = """
import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear({features}, 16)
        self.heads = nn.ModuleList(nn.Linear(16, n) for n in {units})
        with np.load("weights.npz") as weights, torch.no_grad():
            for parameter, name in zip(self.parameters(), weights.files, strict=True):
                parameter.copy_(torch.tensor(weights[name].T))

    def forward(self, x):
        x = torch.tanh(self.hidden(x))
        outputs = tuple({activate} for i, head in enumerate(self.heads))
        return outputs[0] if len(outputs) == 1 else outputs
"""
_ACTIVATIONS = {
    None: "head(x)",
    "softmax": "head(x).softmax(-1)",
    "sigmoid": "head(x).sigmoid()",
    "softplus": "nn.functional.softplus(head(x))",
}


def ops() -> Any:
    """keras.ops, of real Keras or of the recording: as a program's own loss would see it."""
    return _OPS[-1]


_OPS: list[Any] = []


class Case:
    """One dense network with its data, and the arguments of compile() and fit()."""

    def __init__(
        self,
        compile: Callable[[Any], dict[str, Any]],
        fit: Callable[[Any], dict[str, Any]] | None = None,
        *,
        activation: str | None = None,
        units: tuple[int, ...] = (3,),
        target: str = "index",
        samples: int = 64,
        stripped: bool = True,
    ):
        self.compile, self.fit = compile, fit or (lambda keras: {})
        self.activation, self.units, self.stripped = activation, units, stripped
        rng = np.random.default_rng(0)
        self.x = rng.normal(size=(samples, 6)).astype("float32")
        self.y = [self._target(rng, target, n) for n in units]
        shapes = [(6, 16), (16,)]
        for n in units:
            shapes += [(16, n), (n,)]
        self.weights = [
            (rng.normal(size=s) * (0.4 if len(s) > 1 else 0.1)).astype("float32") for s in shapes
        ]

    def _target(self, rng: Any, kind: str, n: int) -> np.ndarray:
        hidden = self.x @ rng.normal(size=(6, n)) + 0.3 * rng.normal(size=(len(self.x), n))
        if kind == "index":
            return hidden.argmax(axis=1)
        if kind == "index_column":
            return hidden.argmax(axis=1)[:, None]
        if kind == "one_hot":
            return np.eye(n, dtype="float32")[hidden.argmax(axis=1)]
        if kind == "binary":
            return (hidden > 0).astype("float32")
        if kind == "binary_flat":
            return (hidden[:, 0] > 0).astype("int64")
        if kind == "positive":
            return np.exp(0.3 * hidden).astype("float32")
        if kind == "flat":
            return hidden[:, 0].astype("float32")
        return hidden.astype("float32")

    @property
    def names(self) -> list[str]:
        return [f"head{i}" if len(self.units) > 1 else "head" for i in range(len(self.units))]

    @property
    def targets(self) -> Any:
        return self.y[0] if len(self.y) == 1 else self.y

    def arguments(self, keras: Any) -> dict[str, Any]:
        given = {"epochs": 60, "batch_size": 64, "shuffle": False, **self.fit(keras)}
        return {"x": self.x, "y": self.targets, **given}

    def in_keras(self) -> tuple[dict[str, list[float]], list[np.ndarray]]:
        """History and final weights of real Keras."""
        import keras

        keras.utils.clear_session()  # names start anew
        _OPS.append(keras.ops)
        inputs = keras.Input((6,))
        hidden = keras.layers.Dense(16, activation="tanh")(inputs)
        outputs = [
            keras.layers.Dense(n, activation=self.activation, name=name)(hidden)
            for n, name in zip(self.units, self.names)
        ]
        model = keras.Model(inputs, outputs[0] if len(outputs) == 1 else outputs)
        model.set_weights(self.weights)
        model.compile(**self.compile(keras))
        history = model.fit(**self.arguments(keras), verbose=0).history
        return {name: [np.asarray(v).tolist() for v in values] for name, values in history.items()}, (
            model.get_weights()
        )

    def training(self) -> Training:
        shapes = tuple((None, n) for n in self.units)
        compiled = TrainingCall("compile", self.compile(RECORDING), "case.py:1", 0)
        fit = TrainingCall("fit", self.arguments(RECORDING), "case.py:2", 1)
        calls = (compiled, fit)
        return Training(compiled, (fit,), (), (), ("x",), tuple(self.names), shapes, calls)

    def script(self) -> str:
        """The generated training script."""
        from keras2torch.ops.base import ops as recorded_ops

        _OPS.append(recorded_ops)
        training = self.training()
        strips = [loss.strips() if loss else None for loss in training.losses()]
        self.left = [
            self.activation if self.stripped and strip == self.activation else None
            for strip in strips
        ]
        ports = tuple(
            Port(name, (None, n), activation=left)
            for name, n, left in zip(self.names, self.units, self.left)
        )
        module = ModuleInfo(
            "net_model", "Net", "case.py", inputs=(Port("x", (None, 6)),), outputs=ports
        )
        return black.format_str(emit_training(training, module), mode=black.Mode(line_length=100))

    def write(self, folder: Path) -> None:
        """Script, model, weights and data into ``folder``."""
        text = self.script()
        (folder / "net_train.py").write_text(text)
        shown = self.activation if self.left[0] is None else None
        model = MODEL.format(features=6, units=self.units, activate=_ACTIVATIONS[shown])
        (folder / "net_model.py").write_text(model)
        np.savez(folder / "weights.npz", *self.weights)
        fit = self.arguments(RECORDING)
        arrays = {"x_train": self.x}
        for i, y in enumerate(self.y):
            arrays["y_train" if len(self.y) == 1 else f"y_train_{i + 1}"] = y
        if fit.get("sample_weight") is not None:
            arrays["sample_weight"] = fit["sample_weight"]
        if fit.get("validation_data") is not None:
            arrays |= {
                "x_validation": fit["validation_data"][0],
                "y_validation": fit["validation_data"][1],
            }
        np.savez(folder / "net.npz", **arrays)

    def in_torch(
        self, folder: Path, *flags: str
    ) -> tuple[dict[str, list[float]], list[np.ndarray]]:
        """History and final weights of the generated script."""
        import torch

        self.write(folder)
        run_script(folder, *flags)
        saved = torch.load(folder / "runs/net/checkpoint.pt")
        history = json.loads((folder / "runs/net/history.json").read_text())
        return history, [value.numpy().T for value in saved["model"].values()]


def run_script(
    folder: Path,
    *flags: str,
    name: str = "net_train",
    prepare: Callable[[Any], None] | None = None,
) -> Any:
    """Run a generated script in this process, in its own folder; returns its module."""
    argv, path, here = sys.argv, list(sys.path), os.getcwd()
    for loaded in (name, name.replace("_train", "_model")):
        sys.modules.pop(loaded, None)
    try:
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        sys.argv = [f"{name}.py", "--device", "cpu", *flags]
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if prepare is not None:
            prepare(module)
        module.main()
        return module
    finally:
        sys.argv, sys.path[:] = argv, path
        os.chdir(here)
