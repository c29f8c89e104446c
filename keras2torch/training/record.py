"""The Training of a recorded model: its compile() and fit() calls, resolved to its outputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.training import losses
from keras2torch.training.calls import (
    SIGNATURES,
    TrainingCall,
    is_many,
    last_compile,
    metric_names,
    output_names,
    record_call,
    resets_of,
)


@dataclass(frozen=True)
class Training:
    """All that the training script is made of: the calls in order, and the names of the model's ends.

    ``output_shapes`` are Keras's. ``fits`` holds every fit() with the compile() that was in force.
    """

    compiled: TrainingCall | None
    fits: tuple[TrainingCall, ...]
    evaluations: tuple[TrainingCall, ...]
    predictions: tuple[TrainingCall, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    output_shapes: tuple[tuple[int | None, ...], ...]
    calls: tuple[TrainingCall, ...] = field(default=(), repr=False)
    overrides: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()  # outputs that carry a mask of time steps
    resets: tuple[int, ...] = ()  # when the program resets the states of stateful layers

    @cached_property
    def fit(self) -> TrainingCall | None:
        """The fit() that the script repeats: the last, joined with equal ones before it."""
        if not self.fits:
            return None
        last = self.fits[-1]
        same = [call for call in self.fits if self._continues(call, last)]
        if len(same) == 1:
            return last
        epochs = sum(int(c.get("epochs")) - int(c.get("initial_epoch")) for c in same)
        start = int(same[0].get("initial_epoch"))
        joined = {**last.arguments, "initial_epoch": start, "epochs": start + epochs}
        return replace(last, arguments=joined)

    def _continues(self, call: TrainingCall, last: TrainingCall) -> bool:
        """Whether a fit() differs from the last one by nothing but the number of epochs."""
        if last_compile(list(self.calls), call.order) is not self.compiled:
            return False
        ignored = {"epochs", "initial_epoch", "verbose"}
        names = (set(call.arguments) | set(last.arguments)) - ignored
        return all(same_values(call.arguments.get(n), last.arguments.get(n)) for n in names)

    def compiled_before(self, call: TrainingCall) -> TrainingCall | None:
        """The compile() in force at a call."""
        return last_compile(list(self.calls), call.order)

    @property
    def other_fits(self) -> list[TrainingCall]:
        """The fits that the script does not repeat."""
        last = self.fits[-1] if self.fits else None
        return [c for c in self.fits if last is not None and not self._continues(c, last)]

    @property
    def resets_epochs(self) -> bool:
        """Whether the states of stateful layers are reset between the epochs: fit(epochs=1) in a loop.

        Raises UnsupportedError where they are reset between some epochs, and kept between others.
        """
        orders = [call.order for call in self.fits]
        between = [any(a < r < b for r in self.resets) for a, b in zip(orders, orders[1:])]
        if not any(between):
            return False
        if not all(between) or any(
            c.get("epochs") != c.get("initial_epoch") + 1 for c in self.fits
        ):
            raise UnsupportedError(
                "the states of stateful layers are reset between some of the epochs only",
                where=self.where,
                fix="reset them behind every fit(epochs=1), or never",
            )
        return True

    @property
    def resets_after(self) -> bool:
        """Whether the states of stateful layers are reset behind the last fit()."""
        return bool(self.fits) and any(order > self.fits[-1].order for order in self.resets)

    @property
    def weighs_outputs(self) -> bool:
        """Whether fit() is given sample weights for every output of several."""
        given = self.fit.arguments.get("sample_weight") if self.fit else None
        return isinstance(given, (dict, list, tuple)) and len(self.output_names) > 1

    @property
    def where(self) -> str | None:
        call = self.fit or self.compiled
        return call.where if call else None

    def losses(self) -> list[losses.Loss | None]:
        """The loss of every output; K2TError where ``compile`` names one that does not exist."""
        given = self.compiled.get("loss") if self.compiled else None
        return [
            losses.get(_crossentropy(value, self.output_shapes[i], self.target_shape(i)))
            for i, value in enumerate(self.per_output(given, "loss"))
        ]

    @cached_property
    def has_no_targets(self) -> bool:
        """Whether compile() names no loss: what is minimised is made of the inputs alone."""
        return not any(self.losses())

    def per_output(self, value: Any, what: str) -> list[Any]:
        """A value of ``compile`` (one, a list, a dict by output name) as a list over the outputs."""
        count = len(self.output_names)
        where = self.compiled.where if self.compiled else None
        if isinstance(value, dict) and "class_name" not in value:
            unknown = sorted(set(value) - set(self.output_names))
            if unknown:
                raise K2TError(
                    f"compile(): {what} names {', '.join(map(repr, unknown))}, but the outputs are "
                    f"{', '.join(self.output_names)}",
                    where=where,
                )
            return [value.get(name) for name in self.output_names]
        if is_many(value):
            if len(value) == 1 and count > 1 and what == "loss":
                return [value[0]] * count
            if len(value) != count and what == "metrics" and not any(map(is_many, value)):
                return [list(value)] * count  # Keras 2: all of them for every output
            if len(value) != count:
                raise K2TError(
                    f"compile(): {len(value)} of {what} for {count} outputs", where=where
                )
            return list(value)
        return [value] * count

    @property
    def input_ranks(self) -> tuple[int | None, ...]:
        """How many axes the arrays for every input have, where the program shows it."""
        for call in (*reversed(self.fits), *self.evaluations):
            x: Any = call.arguments.get("x")
            if isinstance(x, dict):
                x = [x.get(name) for name in self.input_names]
            arrays = x if is_many(x) else [x]
            shapes = [getattr(array, "shape", None) for array in arrays]
            if any(isinstance(shape, tuple) for shape in shapes):
                return tuple(len(s) if isinstance(s, tuple) else None for s in shapes)
        return ()

    def target_shape(self, index: int) -> tuple[int | None, ...] | None:
        """The shape of the targets of one output where the program shows it."""
        for call in (*reversed(self.fits), *self.evaluations):
            y: Any = call.arguments.get("y")
            element = getattr(call.arguments.get("x"), "structure", None)
            if (
                y is None and isinstance(element, tuple) and len(element) > 1
            ):  # of a tf.data.Dataset
                y = element[1]
            if isinstance(y, dict):
                y = y.get(self.output_names[index])
            elif is_many(y) and len(self.output_names) > 1 and len(y) == len(self.output_names):
                y = y[index]
            shape = getattr(y, "shape", None)
            if isinstance(shape, tuple) and shape:
                return (None, *(n if isinstance(n, int) else None for n in shape[1:]))
        return None


def same_values(first: Any, second: Any) -> bool:
    """Whether two arguments are the same object, or equal plain values."""
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(map(same_values, first, second))
    if first is second:
        return True
    plain = (int, float, str, bool, type(None))
    return isinstance(first, plain) and isinstance(second, plain) and first == second


def _crossentropy(
    value: Any, shape: tuple[int | None, ...], target: tuple[int | None, ...] | None
) -> Any:
    """Keras's "crossentropy" and "ce": chosen by the shapes of prediction and target."""
    if not isinstance(value, str) or value.lower() not in ("crossentropy", "ce"):
        return value
    if shape[-1] == 1:
        return "binary_crossentropy"
    if target is not None and (len(target) < len(shape) or target[-1] == 1):
        return "sparse_categorical_crossentropy"
    return "categorical_crossentropy"


def record(model: Any) -> Training | None:
    """The Training of a recorded model, or None where the program neither compiles nor fits it."""
    calls = list(getattr(model, "training_calls", ()))
    if not calls:
        return None
    fits = tuple(c for c in calls if c.method in ("fit", "fit_generator"))
    outputs = model.outputs or []
    return Training(
        last_compile(calls, fits[-1].order if fits else None),
        fits,
        tuple(c for c in calls if c.method in ("evaluate", "evaluate_generator")),
        tuple(c for c in calls if c.method.startswith("predict")),
        tuple(str(tensor.name) for tensor in model.inputs or []),
        output_names(model, outputs),
        tuple(tuple(tensor.shape) for tensor in outputs),
        tuple(calls),
        _overrides(model),
        tuple(
            name
            for name, tensor in zip(output_names(model, outputs), outputs)
            if getattr(tensor, "mask", None) is not None
        ),
        resets_of(model),
    )


def _overrides(model: Any) -> tuple[str, ...]:
    """Methods of training that a class of the program's own replaces."""
    names = ("train_step", "test_step", "compute_loss", "compute_metrics", "fit")
    return tuple(
        name
        for name in names
        for method in [getattr(type(model), name, None)]
        if not getattr(method, "__module__", "keras2torch.").startswith("keras2torch.")
    )


def stripped_activations(model: Any, outputs: Any = None) -> list[str | None]:
    """Per output, the activation that the compiled loss undoes: ``forward`` may return logits there.

    The caller strips it only where the output truly ends in it.
    """
    training = record(model)
    count = len(outputs if outputs is not None else model.outputs or [])
    if training is None or training.compiled is None:
        return [None] * count
    try:
        return [loss.strips() if loss else None for loss in training.losses()]
    except K2TError:
        return [None] * count


_metric_names = metric_names

__all__ = [
    "SIGNATURES",
    "Training",
    "TrainingCall",
    "record",
    "record_call",
    "stripped_activations",
]
