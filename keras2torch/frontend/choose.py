"""Which of the models that a script has made is meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from keras2torch.errors import K2TError, ScriptError
from keras2torch.frontend.absent import is_absent
from keras2torch.frontend.recording import Recording
from keras2torch.frontend.standins.tuner import HyperParameters
from keras2torch.graph import map_structure, relative_scopes
from keras2torch.inputs import Input
from keras2torch.layers.base import Layer
from keras2torch.models import MODELS, Model
from keras2torch.sequential import Sequential

_MAKERS = {"Model", "Sequential", "Functional"}
_FIT = ("fit", "fit_generator", "train_on_batch")


@dataclass(frozen=True)
class Failure:
    """What ended a script early. ``own``: the script's own doing, not something that cannot be recorded."""

    error: K2TError
    own: bool


def choose(recording: Recording, wanted: str | None, failure: Failure | None) -> Model:
    """The model called ``wanted``, or the only one that the script is about.

    Raises ScriptError where no model, or no single one, is meant, and the failure where it came before that.
    """
    if wanted is not None:
        return by_name(recording, wanted, failure)
    models = _finished(failure)
    if failure is not None and not failure.own:
        models = _with_calls(models, _FIT)
    if not models and failure is not None:
        raise failure.error
    if not models:
        return never_called(recording)
    for group in (
        _with_calls(models, _FIT),
        _with_calls(models, ("compile",)),
        _bound(recording, models),
        models,
    ):
        found = _one_per_place(recording, _without_examples(outermost(group), models))
        if len(found) == 1:
            return _with_inputs(recording, found[0])
        if found:
            raise ScriptError(
                f"the script makes {len(found)} models: "
                + "; ".join(describe(recording, m) for m in found)
                + _trained_without_call(recording),
                fix="choose one with --model NAME",
            )
    raise ScriptError("the script makes no model")


def _finished(failure: Failure | None) -> list[Model]:
    """The models that can be translated; after a failure only those that were finished before it."""
    models = [
        model for model in MODELS if model.outputs is not None or type(model).call is not Model.call
    ]
    if failure is None:
        return models
    compiled = [model for model in models if model.training_calls]
    return compiled or [
        m for m in models if m._calls or (m.outputs and not isinstance(m, Sequential))
    ]


def _with_calls(models: list[Model], methods: Iterable[str]) -> list[Model]:
    return [m for m in models if any(call.method in methods for call in m.training_calls)]


def _bound(recording: Recording, models: list[Model]) -> list[Model]:
    values = {id(value) for value in recording.namespace.values()}
    return [model for model in models if id(model) in values]


def outermost(models: list[Model]) -> list[Model]:
    """Without the models that are a part of another one."""
    inner: set[int] = set()
    reach = {id(model): _contents(model) for model in models}
    for model in models:
        parts, calls = reach[id(model)]
        for other in models:
            if other is model:
                continue
            theirs = reach[id(other)][1]
            if id(other) in parts or (theirs and theirs < calls):
                inner.add(id(other))
    return [model for model in models if id(model) not in inner]


def _without_examples(models: list[Model], everything: list[Model]) -> list[Model]:
    """Without those made only to be looked at, where the same statement makes parts of another one."""
    parts = {m.where for m in everything if m.where is not None and all(m is not o for o in models)}
    whole = [model for model in models if model.where not in parts]
    return whole or models


def _with_inputs(recording: Recording, model: Model) -> Model:
    """A subclass that is never called takes what the one model inside it takes."""
    if model.outputs is not None or not model.user_defined:
        return model
    inner = outermost([m for m in model.sublayers() if isinstance(m, Model) and m.inputs])
    if len(inner) == 1:
        try:
            model._from_call(
                map_structure(
                    lambda t: Input(batch_shape=t.shape, dtype=t.dtype, name=t.name),
                    inner[0].input_structure,
                )
            )
        except Exception:  # its own call takes something else
            return model
        recording.note(
            f"{model.name} is never called: it is given the inputs that {inner[0].name!r} in it has"
        )
    return model


def _trained_without_call(recording: Recording) -> str:
    """What to say of a trained model that has only a train_step."""
    for model in MODELS:
        if model.outputs is None and type(model).call is Model.call and model.training_calls:
            name = path_to(recording, model)
            return f" ({name}, which is trained, has no call() that says what comes out of it)"
    return ""


def _contents(model: Model) -> tuple[set[int], set[int]]:
    """The ids of the models inside a model, and of the calls in its graph."""
    if model.outputs is None:
        return {id(layer) for layer in _all_sublayers(model)}, set()
    try:
        graph = model.graph
    except K2TError:
        return set(), set()
    inside = relative_scopes(graph)
    owners = {
        id(s.owner) for call in graph.calls for s in inside(call) if isinstance(s.owner, Model)
    }
    owners |= {id(layer) for layer in _all_sublayers(model)}
    return owners - {id(model)}, {id(call) for call in graph.calls}


def _all_sublayers(layer: Layer) -> Iterator[Layer]:
    for inner in layer.sublayers():
        yield inner
        yield from _all_sublayers(inner)


def _one_per_place(recording: Recording, models: list[Model]) -> list[Model]:
    """Of the models that one statement has made several times, those in variables, or the last."""
    places: dict[Any, list[Model]] = {}
    for model in models:
        key = model.where if model.where is not None else id(model)
        places.setdefault((key, type(model)), []).append(model)
    chosen: list[Model] = []
    for same in places.values():
        bound = _bound(recording, same)
        if len(bound) < 2 and len({_form(model) for model in same}) > 1:
            recording.note(
                f"the model made at {same[0].where} is made {len(same)} times, each time different; "
                "the last one is taken"
            )
        chosen += bound or same[-1:]
    return chosen


def _form(model: Model) -> Any:
    """What must be equal for two models to be the same architecture."""
    if model.outputs is None:
        return type(model)
    calls = model.graph.calls
    return tuple((type(call.operation), tuple(t.shape for t in call.outputs)) for call in calls)


# By name.
def by_name(recording: Recording, wanted: str, failure: Failure | None) -> Model:
    """A variable, ``object.attribute``, a function or class to call, or a call as it would be written."""
    ready = _finished(failure)
    found = [model for model in ready if wanted in (model.variable, model.name)]
    try:
        value = eval(wanted, recording.namespace)
    except (NameError, AttributeError, KeyError, IndexError, TypeError, SyntaxError) as error:
        if found:
            return found[-1]
        if failure is not None:
            raise failure.error from None
        raise ScriptError(
            f"the script has no model {wanted!r} ({error})",
            fix=_fix(recording, "--model takes one of: "),
        ) from None
    if failure is not None and isinstance(value, Model) and value not in ready:
        raise failure.error
    if is_absent(value):
        raise value._source.error(f"the model {wanted!r}")
    if not isinstance(value, Model) and callable(value) and not isinstance(value, Layer):
        value = call(recording, wanted, value)
    return single(recording, wanted, value)


def single(recording: Recording, name: str, value: Any) -> Model:
    """The one model that ``value`` is or holds."""
    models = dict(models_in(name, value))
    if len(models) == 1:
        return next(iter(models.values()))
    if models:
        inner = outermost(list(models.values()))
        raise ScriptError(
            f"{name!r} holds {len(models)} models",
            fix="choose one with --model: " + ", ".join(f"'{n}'" for n, m in models.items())
            + (f" (the outermost is {describe(recording, inner[0])})" if len(inner) == 1 else ""),
        )  # fmt: skip
    raise ScriptError(
        f"{name!r} gives no model but a {type(value).__name__}",
        fix=_fix(recording, "--model takes one of: "),
    )


def models_in(name: str, value: Any) -> Iterator[tuple[str, Model]]:
    """(expression, model) of every model that ``value`` is, or holds as an item or attribute."""
    if isinstance(value, Model):
        yield name, value
    elif isinstance(value, (list, tuple)):
        yield from (
            (f"{name}[{i}]", item) for i, item in enumerate(value) if isinstance(item, Model)
        )
    elif isinstance(value, dict):
        yield from (
            (f"{name}[{key!r}]", item) for key, item in value.items() if isinstance(item, Model)
        )
    elif hasattr(value, "__dict__") and not inspect.ismodule(value):
        pairs = list(vars(value).items())
        yield from ((f"{name}.{key}", item) for key, item in pairs if isinstance(item, Model))


def call(recording: Recording, name: str, function: Callable[..., Any]) -> Any:
    """Call a function of the script; parameters without default take the script's variables of that name."""
    arguments, missing = fill(recording, function)
    if missing:
        written = ", ".join(f"{parameter}=..." for parameter in missing)
        raise ScriptError(
            f"{name}() needs a value for {', '.join(missing)}",
            fix=f"give it: --model '{name}({written})'",
        )
    return function(**arguments)


def fill(recording: Recording, function: Callable[..., Any]) -> tuple[dict[str, Any], list[str]]:
    """Arguments for the parameters without default, and the names of those that have none."""
    arguments: dict[str, Any] = {}
    missing: list[str] = []
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}, []
    for parameter in parameters:
        if parameter.default is not parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        if parameter.name == "hp":  # keras_tuner's build_model(hp)
            arguments["hp"] = HyperParameters()
            continue
        for name in (parameter.name, parameter.name.upper()):
            value = recording.namespace.get(name)
            if value is not None and not callable(value):
                arguments[parameter.name] = value
                break
        else:
            missing.append(parameter.name)
    return arguments, missing


# Functions that nobody calls.
def never_called(recording: Recording) -> Model:
    """The model of the only function (or class) of the script that makes one when it is called."""
    made: dict[str, Any] = {}
    failures: dict[str, K2TError | str] = {}
    makers = _makers(recording.namespace)
    for name, function in makers.items():
        arguments, missing = fill(recording, function)
        if missing:
            failures[name] = "it needs " + ", ".join(missing)
            continue
        try:
            value = function(**arguments)
        except K2TError as error:
            failures[name] = error
        except Exception as error:  # whatever a function says that nobody has called yet
            failures[name] = f"{type(error).__name__}: {error}"
        else:
            if any(models_in(name, value)):
                made[name] = value
    helpers = {n for name in made for n in _names(makers[name]) if n in made and n != name}
    remaining = {name: value for name, value in made.items() if name not in helpers}
    if len(remaining) == 1:
        name, value = next(iter(remaining.items()))
        recording.note(f"{name}() is never called by the script; it was called to make the model")
        return single(recording, f"{name}()", value)
    if remaining:
        raise ScriptError(
            "the script makes no model, but has functions that make one: " + ", ".join(remaining),
            fix="choose one with --model NAME",
        )
    if len(failures) == 1:
        name, reason = next(iter(failures.items()))
        if isinstance(reason, K2TError):
            raise reason
        if reason.startswith("it needs"):
            call(recording, name, makers[name])
    told = "; ".join(
        f"{name}(): {getattr(reason, 'what', reason)}" for name, reason in failures.items()
    )
    absent = "".join(
        f"; {note}"
        for note in recording.notes
        if "is not here" in note or "are passed over" in note
    )
    raise ScriptError(
        "the script makes no model" + (f" (tried: {told})" if told else "") + absent,
        fix="give a script that makes a keras Model or Sequential, or name a function with --model NAME",
    )


def _makers(namespace: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """The script's own functions and classes in which a model is made."""
    makers: dict[str, Callable[..., Any]] = {}
    for name, value in namespace.items():
        if getattr(value, "__module__", None) != "__main__" or not callable(value):
            continue
        if inspect.isclass(value) and issubclass(value, Layer) and not issubclass(value, Model):
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            if _names(value) & _MAKERS or (inspect.isclass(value) and issubclass(value, Model)):
                makers[name] = value
    return makers


def _names(value: Any) -> set[str]:
    """The names that the code of a function, or of the methods of a class, mentions."""
    if inspect.isclass(value):
        return {
            n for item in vars(value).values() if inspect.isfunction(item) for n in _names(item)
        }
    found: set[str] = set()
    pending = [value.__code__]
    while pending:
        code = pending.pop()
        found.update(code.co_names)
        pending.extend(constant for constant in code.co_consts if inspect.iscode(constant))
    return found


# Messages.
def describe(recording: Recording, model: Model) -> str:
    """``name`` (where, what happens to it)."""
    methods = {call.method for call in model.training_calls}
    facts = [fact for fact in (model.where,) if fact]
    facts += ["compiled"] if "compile" in methods else []
    facts += ["fit"] if methods & set(_FIT) else []
    return (
        f"{path_to(recording, model)} ({', '.join(facts)})" if facts else path_to(recording, model)
    )


def path_to(recording: Recording, model: Model) -> str:
    """How ``--model`` can name a model."""
    for name, value in recording.namespace.items():
        if value is model:
            return name
    for name, value in recording.namespace.items():
        if not name.startswith("__"):
            for expression, item in models_in(name, value):
                if item is model:
                    return expression
    return model.variable or str(model.name)


def _fix(recording: Recording, text: str) -> str | None:
    names = [path_to(recording, model) for model in MODELS]
    return text + ", ".join(dict.fromkeys(names)) if names else None
