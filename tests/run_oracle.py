"""Build the model of a case program under real Keras (JAX backend): the oracle of the equality tests.

A case is a Keras program in tests/cases/. It runs here as `__main__`, with everything that trains,
downloads, draws or writes replaced by something quick, and the model that it is about is handed back.
Programs that today's Keras cannot run name a twin in tests/cases/oracle/ which is run instead.

`python tests/run_oracle.py [CASE.py ...]` builds all cases, or the named ones, and prints a line for each.
"""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import argparse
import contextlib
import importlib
import io
import re
import sys
import tempfile
import time
import types
import unittest.mock
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.initializers import random_initializers
from keras.src.utils.module_utils import tensorflow as keras_own_tensorflow
from oracle_shims import DATASETS, alias_modules, quick_random

# Keras looks for TensorFlow once: let it look now, and not find the stand-in of oracle_shims.
HAS_TENSORFLOW = keras_own_tensorflow.available

CASES = Path(__file__).resolve().parent / "cases"
DIRECTIVE = re.compile(r"^\s*k2t:\s*(\w+)\s*=\s*(.+?)\s*$", re.MULTILINE)
DOCSTRING = re.compile(r'\A(?:#[^\n]*\n)*\s*[rR]?("""|\'\'\')(.*?)\1', re.DOTALL)
KNOWN_DIRECTIVES = {"model", "oracle", "needs", "train", "level", "integers"}


@dataclass(frozen=True)
class Case:
    """What the docstring of a case program says about it.

    `integers` bounds the model's inputs, in their order: an input with a bound takes whole numbers in
    [0, bound), one with None takes any float. Empty: all inputs take floats.
    """

    path: Path
    title: str
    model: str | None = None
    oracle: Path | None = None
    needs: str | None = None
    train: bool = True
    level: int = 1
    integers: tuple[int | None, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem


def read_case(path: str | Path) -> Case:
    """Read the title and the directives of the case at `path`; raises ValueError on a malformed docstring."""
    path = Path(path).resolve()
    match = DOCSTRING.match(path.read_text(encoding="utf-8"))
    if match is None:
        raise ValueError(f"{path}: a case starts with a docstring")
    text = match.group(2).strip()
    directives = dict(DIRECTIVE.findall(text))
    if unknown := set(directives) - KNOWN_DIRECTIVES:
        raise ValueError(f"{path}: unknown directives {sorted(unknown)}")
    bounds = [bound.strip() for bound in directives.get("integers", "").split(",") if bound.strip()]
    return Case(
        path=path,
        title=text.splitlines()[0],
        model=directives.get("model"),
        oracle=path.parent / "oracle" / directives["oracle"] if "oracle" in directives else None,
        needs=directives.get("needs"),
        train=directives.get("train", "yes") != "no",
        level=int(directives.get("level", "1")),
        integers=tuple(None if bound == "-" else int(bound) for bound in bounds),
    )


def all_cases() -> list[Case]:
    """Every case of tests/cases/, the lower levels first, then by name."""
    return sorted(
        (read_case(path) for path in CASES.glob("*.py")), key=lambda case: (case.level, case.name)
    )


@dataclass
class Recorder:
    """The models that a program compiled and trained, in the order in which it did so."""

    compiled: list[keras.Model] = field(default_factory=list)
    fitted: list[keras.Model] = field(default_factory=list)
    metric_counts: dict[int, int] = field(default_factory=dict)


def build_oracle(case_path: str | Path) -> keras.Model:
    """Run the case, or its twin, under real Keras and return the model it is about, built.

    Raises whatever the program raises, and LookupError where the model cannot be told.
    """
    case = read_case(case_path)
    program = case.oracle or case.path
    wanted = "model" if case.oracle else case.model
    recorder = Recorder()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_clean_surroundings(program))
        stack.enter_context(_patched_keras(recorder))
        stack.enter_context(_stubbed_modules())
        namespace = _run(program)
        model = _pick_model(wanted, namespace, recorder)
    if not model.built:
        raise LookupError(f"{program.name}: the model {model.name!r} was never built")
    return model


def _run(program: Path) -> dict[str, Any]:
    """Execute `program` as the main module and return its variables."""
    main = types.ModuleType("__main__")
    main.__file__ = str(program)
    code = compile(program.read_text(encoding="utf-8"), str(program), "exec")
    with unittest.mock.patch.dict(sys.modules, {"__main__": main}):
        exec(code, main.__dict__)
    return main.__dict__


@contextlib.contextmanager
def _clean_surroundings(program: Path) -> Iterator[None]:
    """Keep what a program does to the process (folder, arguments, Keras settings, output) from lasting."""
    image_data_format = keras.config.image_data_format()
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    policy = keras.config.dtype_policy()
    folder = os.getcwd()
    random_state = np.random.get_state()
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        stack.enter_context(unittest.mock.patch.object(sys, "argv", [str(program)]))
        stack.enter_context(unittest.mock.patch.dict(os.environ))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        keras.utils.clear_session()
        os.chdir(scratch)
        try:
            yield
        finally:
            os.chdir(folder)
            np.random.set_state(random_state)
            keras.config.set_image_data_format(image_data_format)
            keras.config.set_floatx(floatx)
            keras.config.set_epsilon(epsilon)
            keras.config.set_dtype_policy(policy)


@contextlib.contextmanager
def _stubbed_modules() -> Iterator[None]:
    """Make `tensorflow.keras` and its kin mean Keras, and let plots draw nothing."""
    pyplot = unittest.mock.MagicMock(name="matplotlib.pyplot")
    pyplot.subplots.side_effect = lambda *_, **__: (
        unittest.mock.MagicMock(),
        unittest.mock.MagicMock(),
    )
    matplotlib = unittest.mock.MagicMock(name="matplotlib", pyplot=pyplot)
    stubs = {"matplotlib": matplotlib, "matplotlib.pyplot": pyplot, **alias_modules(keras)}
    with unittest.mock.patch.dict(sys.modules, stubs):
        yield


@contextlib.contextmanager
def _patched_keras(recorder: Recorder) -> Iterator[None]:
    """Replace what trains, loads and writes; `compile` still runs, and is recorded."""
    real_compile = keras.Model.compile

    def compile_model(self: keras.Model, *args: Any, **kwargs: Any) -> None:
        real_compile(self, *args, **kwargs)
        metrics = kwargs.get("metrics") or ()
        recorder.metric_counts[id(self)] = len(metrics) if isinstance(metrics, list) else 0
        _append_once(recorder.compiled, self)

    def fit(self: keras.Model, x: Any = None, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        _build_from(self, x)
        _append_once(recorder.fitted, self)
        return _history(kwargs)

    def evaluate(self: keras.Model, *args: Any, **kwargs: Any) -> Any:
        scores = [0.5] * (1 + recorder.metric_counts.get(id(self), 0))
        if kwargs.get("return_dict"):
            return {"loss": 0.5, "accuracy": 0.5}
        return scores if len(scores) > 1 else scores[0]

    def predict(self: keras.Model, x: Any, *args: Any, **kwargs: Any) -> Any:
        _build_from(self, x)
        return _plausible_output(self.output_shape, _length(x))

    def train_on_batch(self: keras.Model, *args: Any, **kwargs: Any) -> Any:
        _append_once(recorder.fitted, self)
        return evaluate(self)

    replacements: dict[str, Callable[..., Any]] = {
        "compile": compile_model,
        "fit": fit,
        "evaluate": evaluate,
        "predict": predict,
        "predict_on_batch": predict,
        "train_on_batch": train_on_batch,
        "test_on_batch": evaluate,
    }
    replacements |= {
        name: lambda *_, **__: None for name in ("save", "save_weights", "load_weights", "summary")
    }
    with contextlib.ExitStack() as stack:
        for name, replacement in replacements.items():
            stack.enter_context(unittest.mock.patch.object(keras.Model, name, replacement))
        for name, load_data in DATASETS.items():
            module = importlib.import_module(f"keras.datasets.{name}")
            stack.enter_context(unittest.mock.patch.object(module, "load_data", load_data))
            if hasattr(module, "get_word_index"):
                stack.enter_context(
                    unittest.mock.patch.object(
                        module, "get_word_index", lambda *_: {"the": 1, "and": 2, "a": 3}
                    )
                )
        stack.enter_context(
            unittest.mock.patch.object(keras.utils, "plot_model", lambda *_, **__: None)
        )
        stack.enter_context(
            unittest.mock.patch.object(
                random_initializers, "random", quick_random(random_initializers.random)
            )
        )
        yield


def _append_once(models: list[keras.Model], model: keras.Model) -> None:
    if not any(model is known for known in models):
        models.append(model)


def _length(x: Any) -> int:
    if isinstance(x, dict):
        return _length(next(iter(x.values())))
    return _length(x[0]) if isinstance(x, (list, tuple)) else len(x)


def _build_from(model: keras.Model, x: Any) -> None:
    """Build a model that waits for its data, by calling it on the first two samples."""
    if model.built:
        return
    if isinstance(x, keras.utils.PyDataset):
        x = x[0][0]
    if isinstance(model, keras.Sequential):
        model.build((None, *np.shape(x)[1:]))
    elif isinstance(x, dict):
        model({name: np.asarray(value[:2]) for name, value in x.items()})
    elif isinstance(x, (list, tuple)):
        model([np.asarray(value[:2]) for value in x])
    else:
        model(np.asarray(x[:2]))


def _history(fit_arguments: dict[str, Any]) -> keras.callbacks.History:
    history = keras.callbacks.History()
    epochs = fit_arguments.get("epochs", 1)
    names = ["loss", "accuracy", "acc", "mae", "mean_absolute_error", "mse", "lr"]
    history.epoch = list(range(epochs))
    history.history = {key: [0.5] * epochs for name in names for key in (name, f"val_{name}")}
    return history


def _plausible_output(shape: Any, length: int) -> Any:
    if isinstance(shape, dict):
        return {name: _plausible_output(part, length) for name, part in shape.items()}
    if isinstance(shape, list) or (shape and isinstance(shape[0], (list, tuple))):
        return [_plausible_output(part, length) for part in shape]
    sizes = [1 if size is None else size for size in shape[1:]]
    return np.full((length, *sizes), 1.0 / sizes[-1], dtype="float32")


def _pick_model(wanted: str | None, namespace: dict[str, Any], recorder: Recorder) -> keras.Model:
    """The model called `wanted`, or else the only one that is trained, compiled or in a variable."""
    if wanted is not None:
        return _model_from(_look_up(wanted, namespace), wanted)
    variables: list[keras.Model] = []
    for value in namespace.values():
        if isinstance(value, keras.Model):
            _append_once(variables, value)
    for candidates in (recorder.fitted, recorder.compiled, variables):
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            names = [model.name for model in candidates]
            raise LookupError(f"several models, name one with 'k2t: model=': {names}")
    raise LookupError("the program makes no model; name the function with 'k2t: model='")


def _look_up(wanted: str, namespace: dict[str, Any]) -> Any:
    first, *attributes = wanted.split(".")
    value = namespace[first]
    for attribute in attributes:
        value = getattr(value, attribute)
    return value


def _model_from(value: Any, wanted: str) -> keras.Model:
    """A model as it is, or the model that a function makes with its default arguments."""
    if not isinstance(value, keras.Model) and callable(value):
        value = value()
    if isinstance(value, (tuple, list)):
        value = next((part for part in value if isinstance(part, keras.Model)), value)
    if not isinstance(value, keras.Model):
        raise LookupError(f"{wanted} is a {type(value).__name__}, not a model")
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", type=Path)
    arguments = parser.parse_args()
    cases = [read_case(path) for path in arguments.cases] or all_cases()
    failures = 0
    for case in cases:
        start = time.perf_counter()
        try:
            model = build_oracle(case.path)
        except Exception as error:
            failures += 1
            print(f"FAIL {case.name}: {type(error).__name__}: {str(error)[:500]}", flush=True)
        else:
            seconds = time.perf_counter() - start
            outputs = [tuple(output.shape) for output in getattr(model, "outputs", None) or ()]
            print(
                f"ok   {case.name}: {model.count_params():,} weights, {outputs} {seconds:.1f}s",
                flush=True,
            )
    print(f"{len(cases) - failures} of {len(cases)} built")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
