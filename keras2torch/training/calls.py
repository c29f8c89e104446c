"""Calls of compile(), fit(), evaluate() and predict() on a recording model, and what they return."""

from __future__ import annotations

import inspect
import itertools
import linecache
import numbers
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.training import callbacks, optimizers

_order = itertools.count()


@dataclass(frozen=True)
class TrainingCall:
    """One call of a training method: its arguments under Keras's newest names, and where it stands.

    ``filename`` and ``line`` lead to the statement in the program's source (None: there is none).
    """

    method: str
    arguments: dict[str, Any]
    where: str | None = None
    order: int = 0
    filename: str | None = None
    line: int | None = None
    column: int | None = None  # where Python tells it
    frozen: frozenset[int] = frozenset()  # ids of the weights that do not learn in a fit()

    def get(self, name: str) -> Any:
        """An argument as given, or Keras's default for it."""
        return self.arguments.get(name, SIGNATURES[self.method].parameters[name].default)

    @property
    def source(self) -> str | None:
        """The whole program that the call is in."""
        if self.filename is None:
            return None
        return "".join(linecache.getlines(self.filename)) or None


# fmt: off
def _compile(
    optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
    run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True,
): ...
def _fit(
    x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None,
    validation_split=0.0, validation_data=None, shuffle=True, class_weight=None,
    sample_weight=None, initial_epoch=0, steps_per_epoch=None, validation_steps=None,
    validation_batch_size=None, validation_freq=1,
): ...
def _evaluate(
    x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None,
    callbacks=None, return_dict=False,
): ...
def _predict(x=None, batch_size=None, verbose="auto", steps=None, callbacks=None): ...
def _fit_generator(
    x, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None, validation_data=None,
    validation_steps=None, validation_freq=1, class_weight=None, shuffle=True, initial_epoch=0,
): ...
def _evaluate_generator(x, steps=None, callbacks=None, verbose=0): ...
def _train_on_batch(x, y=None, sample_weight=None, class_weight=None, return_dict=False): ...
def _test_on_batch(x, y=None, sample_weight=None, return_dict=False): ...
def _predict_on_batch(x): ...
def _load_weights(filepath): ...
# fmt: on


_METHODS: dict[str, Callable[..., Any]] = {
    "compile": _compile,
    "fit": _fit,
    "evaluate": _evaluate,
    "predict": _predict,
    "fit_generator": _fit_generator,
    "evaluate_generator": _evaluate_generator,
    "predict_generator": _evaluate_generator,
    "train_on_batch": _train_on_batch,
    "test_on_batch": _test_on_batch,
    "predict_on_batch": _predict_on_batch,
    "load_weights": _load_weights,
    "predict_classes": _predict,
    "predict_proba": _predict,
}
SIGNATURES = {name: inspect.signature(function) for name, function in _METHODS.items()}
"""Keras's own signatures of the training methods (of Keras 2 for those that Keras 3 has no more)."""
OLD_NAMES = {
    "nb_epoch": "epochs",
    "samples_per_epoch": "samples_per_epoch",
    "nb_val_samples": "validation_steps",
    "generator": "x",
    "val_samples": "steps",
}


# Arguments of old releases that do not change what is learnt.
_IGNORED = {
    "show_accuracy",
    "class_mode",
    "theano_mode",
    "max_queue_size",
    "max_q_size",
    "workers",
    "nb_worker",
    "use_multiprocessing",
    "pickle_safe",
    "sample_weight_mode",
    "target_tensors",
    "distribute",
    "experimental_run_tf_function",
    "experimental_steps_per_execution",
    "run_eagerly",
    "options",
    "run_metadata",
}


def record_call(model: Any, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Keep a call of ``model.<method>`` in ``model.training_calls``; returns what scripts go on with.

    Raises K2TError for arguments that the method does not have.
    """
    where = trace.user_location()
    kwargs = {OLD_NAMES.get(name, name): value for name, value in kwargs.items()}
    kwargs = {
        name: value
        for name, value in kwargs.items()
        if name in SIGNATURES[method].parameters or name not in _IGNORED
    }
    samples = kwargs.pop("samples_per_epoch", None)  # Keras 1 counted samples, not steps
    if method == "compile":
        args, kwargs = _compile_arguments(args, kwargs)
    try:
        arguments = dict(SIGNATURES[method].bind(*args, **kwargs).arguments)
    except TypeError as error:
        raise K2TError(f"{method}(): {error}", where=where) from None
    if samples is not None:
        arguments["samples_per_epoch"] = samples
    filename, line, column = _site()
    call = TrainingCall(method, arguments, where, next(_order), filename, line, column)
    model.training_calls.append(call)
    if method == "compile":
        model.optimizer = _or_as_given(optimizers.get, call.get("optimizer"))
        model.loss = call.get("loss")
        return None
    if "x" in arguments and not method.endswith("_generator"):
        model.build_from_data(arguments["x"])
    if method in ("fit", "fit_generator"):
        frozen = (id(w) for w in model.weights if not (w.trainable and w.layer.trainable))
        call = replace(call, frozen=frozenset(frozen))
        model.training_calls[-1] = call
    return _answer(model, call)


_resets: list[tuple[Any, int]] = []


def note_reset(holder: Any) -> None:
    """A layer's or a model's ``reset_states()``: it starts its recurrent states anew."""
    _resets.append((holder, next(_order)))


def resets_of(model: Any) -> tuple[int, ...]:
    """When the states of a model's stateful layers were reset, in the order of the calls."""
    inside, pending = [model], list(model.sublayers())
    while pending:
        layer = pending.pop()
        inside.append(layer)
        pending += layer.sublayers()
    if not any(getattr(layer, "stateful", False) for layer in inside):
        return ()
    ids = {id(holder) for holder in inside}
    return tuple(order for holder, order in _resets if id(holder) in ids)


def _compile_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """compile()'s arguments by position: Keras 1 and 2 had the metrics before the weights of the losses."""
    kinds = [_are_numbers(value) for value in args[2:4]]
    if kinds not in ([False], [False, None], [False, True], [None, True]):
        return args, kwargs
    names = ("metrics", "loss_weights", "weighted_metrics")
    return args[:2], {**kwargs, **dict(zip(names, args[2:]))}


def _are_numbers(value: Any) -> bool | None:
    leaves = _leaves(value)
    return all(isinstance(leaf, numbers.Number) for leaf in leaves) if leaves else None


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if is_many(value):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [value]


def _or_as_given(get: Any, value: Any) -> Any:
    try:
        return get(value)
    except K2TError:
        return value  # told when the training script is made, if it is


def _site() -> tuple[str | None, int | None, int | None]:
    """File, line and column of the program's call; no column before Python 3.11."""
    frame = sys._getframe(1)
    while frame is not None:
        if trace.is_user_file(frame.f_code.co_filename):
            column = None
            if sys.version_info >= (3, 11):
                positions = itertools.islice(
                    frame.f_code.co_positions(), frame.f_lasti // 2, frame.f_lasti // 2 + 1
                )
                column = next(positions, (None,) * 4)[2]
            return frame.f_code.co_filename, frame.f_lineno, column
        frame = frame.f_back  # type: ignore[assignment]
    return None, None, None


class _Curves(dict):
    """``history.history`` of a fit that did not run: any curve has one zero per epoch."""

    def __init__(self, epochs: int, names: list[str]):
        super().__init__({name: [0.0] * epochs for name in names})
        self.epochs = epochs

    def __missing__(self, name: str) -> list[float]:
        return [0.0] * self.epochs


def _answer(model: Any, call: TrainingCall) -> Any:
    """What the method would return, in form: nothing trains while a program is recorded."""
    outputs = model.outputs or []
    losses = [f"{name}_loss" for name in output_names(model, outputs)] if len(outputs) > 1 else []
    names = ["loss", *losses, *metric_names(model)]
    if call.method in ("fit", "fit_generator"):
        history = callbacks.History()
        validated = call.get("validation_data") is not None or call.arguments.get(
            "validation_split"
        )
        epochs = call.get("epochs") if isinstance(call.get("epochs"), int) else 1
        curves = names + [f"val_{name}" for name in names] if validated else names
        history.history, history.epoch = _Curves(epochs, curves), list(range(epochs))
        history.model = model
        history.set_params({"epochs": epochs})
        model.history = history
        _begin(call.get("callbacks"), model)
        return history
    if call.method.startswith("predict"):
        return _predictions(model, call)
    if call.arguments.get("return_dict"):
        return dict.fromkeys(names, 0.0)
    return [0.0] * len(names) if len(names) > 1 else 0.0


def _begin(given: Any, model: Any) -> None:
    """What callbacks of the program's own make for themselves as fit() begins: it reads that after."""
    for callback in given if is_many(given) else [given]:
        if not isinstance(callback, callbacks.Callback):
            continue
        callback.set_model(model)
        begin = getattr(callback, "on_train_begin", None)
        if begin is not None and not type(callback).__module__.startswith("keras2torch."):
            try:
                begin({})
            except Exception:  # it may read what only training makes
                continue


def metric_names(model: Any) -> list[str]:
    compiled = last_compile(model.training_calls)
    metrics = compiled.get("metrics") if compiled else None
    if isinstance(metrics, dict):
        metrics = [m for value in metrics.values() for m in (value if is_many(value) else [value])]
    flat = [m for value in metrics or [] for m in (value if is_many(value) else [value])]
    return [
        (
            m
            if isinstance(m, str)
            else str(getattr(m, "name", None) or getattr(m, "__name__", "metric"))
        )
        for m in flat
    ]


def _predictions(model: Any, call: TrainingCall) -> Any:
    from keras2torch.frontend.standins.arrays import constant

    x: Any = call.arguments.get("x")
    first = next(iter(x.values())) if isinstance(x, dict) else x[0] if is_many(x) else x
    shape = getattr(first, "shape", None) or (1,)
    count = shape[0] if isinstance(shape[0], int) else 1
    outputs = [
        constant((count, *(n or 1 for n in tensor.shape[1:])), 1 / (tensor.shape[-1] or 1))
        for tensor in model.outputs or []
    ]
    if call.method == "predict_classes":
        return (
            constant(outputs[0].shape[:-1], 0, "int64")
            if outputs
            else constant((count,), 0, "int64")
        )
    structure = getattr(model, "output_structure", None)
    if isinstance(structure, dict) and len(structure) == len(outputs):
        return dict(zip(structure, outputs))
    return outputs[0] if len(outputs) == 1 else outputs


def is_many(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def last_compile(calls: list[TrainingCall], before: int | None = None) -> TrainingCall | None:
    """The compile() in force at a point of the program."""
    found = [c for c in calls if c.method == "compile" and (before is None or c.order < before)]
    return found[-1] if found else None


def output_names(model: Any, outputs: list[Any]) -> tuple[str, ...]:
    structure = getattr(model, "output_structure", None)
    if isinstance(structure, dict) and len(structure) == len(outputs):
        return tuple(str(name) for name in structure)
    names = []
    for tensor in outputs:
        operation = tensor.call.operation if tensor.call else None
        own = tensor.producer if operation is not None else None
        names.append(str(own or getattr(operation, "name", None) or tensor.name or "output"))
    seen: dict[str, int] = {}
    unique = []
    for name in names:  # Keras tells equal names apart by a counter
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name] - 1}")
    return tuple(unique)
