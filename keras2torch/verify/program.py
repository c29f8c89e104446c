"""The model of a program under real Keras: the program runs as it is recorded, but with Keras itself.

What it needs from outside is answered as in a recording; it ends where it begins to train.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from keras2torch.errors import ScriptError
from keras2torch.frontend import recording as recordings
from keras2torch.frontend import transform
from keras2torch.frontend.imports import importing
from keras2torch.frontend.recording import Recording
from keras2torch.frontend.sandbox import quieten, sandbox
from keras2torch.frontend.script import location, read_cells, surroundings
from keras2torch.frontend.standins import datasets
from keras2torch.frontend.watch import Stopped, Watch
from keras2torch.verify.keras_side import find_keras

_TRAINING = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")
_WRITING = ("save", "save_weights", "export")
_DATASETS = (
    "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters".split()
)


class _Trains(BaseException):
    """The program has begun to train: nothing behind this line makes the model."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model


def run_program(path: Path, wanted: str | None, weights: str | Path | None) -> Any:
    """The real model that ``path`` is about, with the weights of a file where one is given.

    Raises ScriptError where the installed Keras cannot run the program to its model.
    """
    keras = find_keras()
    cells = read_cells(path)
    recording = Recording([])
    trained = failure = None
    with ExitStack() as stack:
        stack.enter_context(surroundings(path))
        stack.enter_context(_settings(keras))
        compiled = stack.enter_context(_patched(keras))
        recordings.begin(recording)
        stack.callback(recordings.end)
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        importer = stack.enter_context(importing())
        stack.enter_context(sandbox())
        for name in ("os", "time", "io", "numpy"):
            quieten(name)
        main.__dict__.update(__file__=os.path.abspath(path), __builtins__=importer.builtins)
        try:
            with Watch():
                for filename, source in cells:
                    code, importer.facts[filename] = transform.transform(source, filename)
                    exec(code, main.__dict__)
        except _Trains as reached:
            trained = reached.model
        except (Stopped, SystemExit):
            pass
        except Exception as error:  # of a program for another Keras, or of absent data
            where, line = location(error)
            told = f"{type(error).__name__}: {str(error)[:300]}"
            failure = ScriptError(
                f"Keras {keras.__version__} cannot run the program: {told}\n    {line}", where=where
            )
        model = _choose(keras, main.__dict__, wanted, trained, compiled)
    if model is None:
        raise failure or ScriptError(
            "the program makes no single model under Keras", fix="name it with --model"
        )
    if weights is not None:
        model.load_weights(weights)
    return model


def _choose(
    keras: Any, names: dict[str, Any], wanted: str | None, trained: Any, compiled: list[Any]
) -> Any:
    if wanted is not None:
        try:
            value = eval(wanted, names)
            value = value() if callable(value) and not isinstance(value, keras.Layer) else value
        except Exception as error:  # of the program's own function
            raise ScriptError(f"--model {wanted}: {type(error).__name__}: {error}") from error
        return value if isinstance(value, keras.Model) else None
    bound = {id(v): v for v in names.values() if isinstance(v, keras.Model)}
    for models in ([trained] if trained is not None else [], compiled, list(bound.values())):
        if len(models) == 1:
            return models[0]
    return None


@contextmanager
def _patched(keras: Any) -> Iterator[list[Any]]:
    """Training ends the program, writing does nothing, data sets are stand-ins; gives the models compiled."""
    compiled: list[Any] = []
    compile_model = keras.Model.compile

    def note_compile(self: Any, *args: Any, **kwargs: Any) -> None:
        compile_model(self, *args, **kwargs)
        if not any(self is model for model in compiled):
            compiled.append(self)

    def train(self: Any, *args: Any, **kwargs: Any) -> None:
        raise _Trains(self)

    names: dict[str, Any] = dict.fromkeys(_TRAINING, train)
    names |= dict.fromkeys(_WRITING, lambda *args, **kwargs: None)
    names |= {"compile": note_compile, "summary": lambda *args, **kwargs: None}
    with ExitStack() as stack:
        for name, function in names.items():
            stack.enter_context(mock.patch.object(keras.Model, name, function))
        for name in _DATASETS:
            module = importlib.import_module(f"keras.datasets.{name}")
            for function, stand_in in getattr(datasets, name).items():
                if hasattr(module, function):
                    stack.enter_context(mock.patch.object(module, function, stand_in))
        stack.enter_context(mock.patch.dict(sys.modules, _aliases(keras)))
        yield compiled


def _aliases(keras: Any) -> dict[str, Any]:
    """Where TensorFlow is not installed: its module paths that are Keras's."""
    if importlib.util.find_spec("tensorflow") is not None:
        return {}
    tensorflow = types.ModuleType("tensorflow")
    tensorflow.keras = keras  # type: ignore[attr-defined]
    found = {"tensorflow": tensorflow, "tensorflow.keras": keras, "tf_keras": keras}
    for name, module in list(sys.modules.items()):
        if name.startswith("keras.") and not name.startswith("keras.src"):
            found[f"tensorflow.{name}"] = found[f"tf_{name}"] = module
    return found


@contextmanager
def _settings(keras: Any) -> Iterator[None]:
    """Fresh names for layers; Keras's settings as they were, at the end."""
    keras.utils.clear_session()
    kept = {
        name: getattr(keras.config, name)()
        for name in ("image_data_format", "floatx", "epsilon", "dtype_policy")
    }
    try:
        yield
    finally:
        for name, value in kept.items():
            getattr(keras.config, f"set_{name}")(value)
