"""A model class's own ``train_step`` or ``compute_loss``: run once on symbolic tensors.

What it minimises and what it reports are then tensors, made of the model's input and of what its
layers give. The model's ``forward`` computes the latter; the training script goes on from there.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Tensor, tensors_in


@dataclass(frozen=True)
class OwnStep:
    """``loss`` is minimised; ``reported`` is what an epoch prints, by name: its means over batches.

    ``by_samples``: names whose mean is over samples. ``checked`` is what ``test_step`` reports, if there is one.
    """

    loss: Tensor
    reported: tuple[tuple[str, Tensor], ...]
    by_samples: tuple[str, ...] = ()
    checked: tuple[tuple[str, Tensor], ...] | None = None

    @property
    def results(self) -> list[Tensor]:
        """What is computed: every tensor once."""
        tensors = [*(tensor for _, tensor in self.reported), self.loss]
        return list({id(tensor): tensor for tensor in tensors}.values())


@dataclass
class _Run:
    """What is done to metrics and weights while a step is run."""

    updates: dict[int, Tensor] = field(default_factory=dict)  # by metric
    minimised: list[tuple[Any, list[Any]]] = field(default_factory=list)  # loss, weights
    applied: list[Any] = field(default_factory=list)

    @property
    def tensors(self) -> list[Tensor]:
        """What is reported or minimised."""
        return tensors_in([*self.updates.values(), *(loss for loss, _ in self.minimised)])


@dataclass(frozen=True)
class Gradient:
    """What ``tape.gradient`` gives for one weight."""

    weight: Any


@dataclass(frozen=True)
class Result:
    """What a metric's ``result()`` gives."""

    metric: Any


_runs: list[_Run] = []


def update_metric(metric: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """``metric.update_state(...)`` within a step."""
    if not _runs:
        return
    name = type(metric).__name__
    if name != "Mean" or len(args) != 1 or kwargs or not isinstance(args[0], Tensor):
        raise UnsupportedError(
            f"a training step of the class's own updates the metric {name} on data"
        )
    if id(metric) in _runs[-1].updates:
        raise UnsupportedError("a training step of the class's own updates a metric twice")
    _runs[-1].updates[id(metric)] = args[0]


def metric_result(metric: Any) -> Any:
    """``metric.result()`` within a step; None outside of one."""
    return Result(metric) if _runs else None


def gradients(loss: Any, weights: Any) -> list[Gradient] | None:
    """``tape.gradient(loss, weights)`` within a step; None outside of one."""
    if not _runs:
        return None
    weights = weights if isinstance(weights, (list, tuple)) else [weights]
    _runs[-1].minimised.append((loss, list(weights)))
    return [Gradient(weight) for weight in weights]


def apply_gradients(optimizer: Any, pairs: Any) -> None:
    """``optimizer.apply_gradients(pairs)`` within a step."""
    if not _runs:
        return
    for gradient, weight in pairs:
        if not isinstance(gradient, Gradient) or gradient.weight is not weight:
            raise UnsupportedError("a training step of the class's own changes its gradients")
    _runs[-1].applied.append(optimizer)


def own_step(model: Any) -> OwnStep | None:
    """The step of a model whose class writes one, on the model's own input; None for any other.

    Raises UnsupportedError where it does more than to minimise one loss over all weights.
    """
    if "_own_step" not in model.__dict__:
        method = _method(model)
        try:
            model._own_step = _traced(model, method, model.input_structure) if method else None
        except K2TError as error:
            model._own_step = error
    found = model._own_step
    if isinstance(found, K2TError):
        raise found
    return found


def _method(model: Any) -> str | None:
    for name in ("train_step", "compute_loss"):
        method = getattr(type(model), name, None)
        if method is not None and not method.__module__.startswith("keras2torch."):
            return name
    return None


def is_all(model: Any) -> bool:
    """Whether a class has a ``train_step`` and no ``call``: its step is what it does."""
    return _method(model) == "train_step" and not model.user_defined


def start_from_step(model: Any, inputs: Any) -> list[Tensor]:
    """Run the step on ``inputs``; returns what the layers in it give, which is the model's output."""
    from keras2torch.training.traced import first_met

    run = _Run()
    try:
        model._own_step = _traced(model, "train_step", inputs, run)
    except K2TError as error:
        model._own_step = error  # told when the training script is made
        if not run.tensors:
            raise
    given = set(map(id, tensors_in(inputs)))
    outputs = [t for t in first_met(run.tensors, given) if id(t) not in given]
    producers = [tensor.producer for tensor in outputs]
    for tensor in outputs:
        if producers.count(tensor.producer) > 1:
            tensor.producer = None  # the names of its last layers tell them apart
    return outputs


def _traced(model: Any, method: str, inputs: Any, run: _Run | None = None) -> OwnStep:
    run = run or _Run()
    _runs.append(run)
    name = f"{type(model).__name__}.{method}"
    from keras2torch.frontend.standins.finder import importing_stand_ins

    try:
        with importing_stand_ins():
            if method == "train_step":
                step = _train_step(model, run, inputs, name)
            else:
                step = _compute_loss(model, run, inputs)
    except K2TError as error:
        raise UnsupportedError(
            f"{name} is not carried: {error.what}", where=error.where, fix=_FIX
        ) from error
    except Exception as error:  # the user's code may raise anything
        raise UnsupportedError(
            f"{name} cannot be traced: {type(error).__name__}: {error}", fix=_FIX
        ) from error
    finally:
        _runs.pop()
    return step


_FIX = "write it into compute_loss and train_one_epoch of a training script by hand"


def _train_step(model: Any, run: _Run, inputs: Any, name: str) -> OwnStep:
    if len(inspect.signature(model.train_step).parameters) != 1:
        raise UnsupportedError(f"{name} is written for one backend of Keras")
    logs = model.train_step(inputs)
    if len(run.minimised) != 1 or run.applied != [model.optimizer]:
        raise UnsupportedError("it does not update all weights once, by the compiled optimizer")
    loss, weights = run.minimised[0]
    if {id(w) for w in weights} != {id(w) for w in model.trainable_weights}:
        raise UnsupportedError("it does not update all weights at once")
    return OwnStep(loss, _reported_all(run, logs), checked=_test_step(model, run, inputs))


def _test_step(model: Any, run: _Run, inputs: Any) -> tuple[tuple[str, Tensor], ...] | None:
    method = getattr(type(model), "test_step", None)
    if method is None:
        return None
    run.updates, before = {}, run.updates
    try:
        logs = model.test_step(inputs)
        checked = _reported_all(run, logs)
    finally:
        run.updates = before
    return checked


def _reported_all(run: _Run, logs: Any) -> tuple[tuple[str, Tensor], ...]:
    if not isinstance(logs, dict):
        raise UnsupportedError("it returns no dict of results")
    return tuple((str(key), _reported(run, value)) for key, value in logs.items())


def _reported(run: _Run, value: Any) -> Tensor:
    if not isinstance(value, Result) or id(value.metric) not in run.updates:
        raise UnsupportedError(
            "it reports something else than the result of a keras.metrics.Mean that it updates"
        )
    return run.updates[id(value.metric)]


def _compute_loss(model: Any, run: _Run, inputs: Any) -> OwnStep:
    known = inspect.signature(model.compute_loss).parameters
    given = {"x": inputs, "y_pred": model.output_structure, "training": True}
    loss = model.compute_loss(**{key: value for key, value in given.items() if key in known})
    by_samples: tuple[str, ...] = ()
    if "metrics" not in vars(type(model)):
        reported, by_samples = [("loss", loss)], ("loss",)
        metrics = [value for value in vars(model).values() if id(value) in run.updates]
    else:
        reported, metrics = [], model.metrics
    reported += [(str(metric.name), _reported(run, Result(metric))) for metric in metrics]
    return OwnStep(loss, tuple(reported), by_samples)
