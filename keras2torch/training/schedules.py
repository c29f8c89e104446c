"""``keras.optimizers.schedules``: the learning rate as a function of the number of updates made."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.recorded import Recorded


class LearningRateSchedule(Recorded):
    """Base of the schedules; a subclass of the user's own cannot be written as source."""

    def __call__(self, step: Any) -> Any:
        """The rate at the start: nothing trains while a program is recorded."""
        return getattr(self, "initial_learning_rate", 0.0)

    def initial(self) -> float | None:
        """The value that ``--lr`` replaces, or None where a schedule has no single one."""
        return getattr(self, "initial_learning_rate", None)

    def lower(self) -> list[str]:
        """Body of ``def learning_rate(step, initial)``; ``step`` counts the updates made so far."""
        raise UnsupportedError(
            f"the learning rate schedule {type(self).__name__} is a class of the program's own",
            fix="use one of keras.optimizers.schedules, or a LearningRateScheduler callback",
        )


class ExponentialDecay(LearningRateSchedule):
    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    name: str = "ExponentialDecay"

    def lower(self) -> list[str]:
        divide = "//" if self.staircase else "/"
        return [
            f"return initial * {quote(self.decay_rate)} ** (step {divide} {quote(self.decay_steps)})"
        ]


class InverseTimeDecay(LearningRateSchedule):
    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False
    name: str = "InverseTimeDecay"

    def lower(self) -> list[str]:
        divide = "//" if self.staircase else "/"
        steps, rate = quote(self.decay_steps), quote(self.decay_rate)
        return [f"return initial / (1 + {rate} * (step {divide} {steps}))"]


class PiecewiseConstantDecay(LearningRateSchedule):
    boundaries: list
    values: list
    name: str = "PiecewiseConstant"

    def __call__(self, step: Any) -> Any:
        return self.values[0]

    def lower(self) -> list[str]:
        boundaries = [_number(value) for value in self.boundaries]
        values = [_number(value) for value in self.values]
        return [
            f"boundaries, values = {quote(boundaries)}, {quote(values)}",
            "return values[sum(step > boundary for boundary in boundaries)]",
        ]


class PolynomialDecay(LearningRateSchedule):
    initial_learning_rate: float
    decay_steps: int
    end_learning_rate: float = 0.0001
    power: float = 1.0
    cycle: bool = False
    name: str = "PolynomialDecay"

    def lower(self) -> list[str]:
        steps, end = quote(self.decay_steps), quote(self.end_learning_rate)
        power = "" if self.power == 1 else f" ** {quote(self.power)}"
        if self.cycle:
            remaining = f"1 - step / ({steps} * max(1, math.ceil(step / {steps})))"
        else:
            remaining = f"1 - min(step, {steps}) / {steps}"
        return [f"return (initial - {end}) * ({remaining}){power} + {end}"]


class CosineDecay(LearningRateSchedule):
    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    name: str = "CosineDecay"
    warmup_target: float | None = None
    warmup_steps: int = 0

    def lower(self) -> list[str]:
        steps = quote(self.decay_steps)
        lines = []
        step, peak = "step", "initial"
        if self.warmup_target is not None:
            warmup, peak = quote(self.warmup_steps), quote(self.warmup_target)
            if self.warmup_steps:
                lines = [
                    f"if step < {warmup}:  # linear warmup",
                    f"    return initial + ({peak} - initial) * step / {warmup}",
                ]
                step = f"(step - {warmup})"
        decayed = f"0.5 * (1 + math.cos(math.pi * min({step.strip('()')}, {steps}) / {steps}))"
        if self.alpha:
            alpha = quote(self.alpha)
            decayed = f"((1 - {alpha}) * {decayed} + {alpha})"
        return [*lines, f"return {peak} * {decayed}"]


class CosineDecayRestarts(LearningRateSchedule):
    initial_learning_rate: float
    first_decay_steps: int
    t_mul: float = 2.0
    m_mul: float = 1.0
    alpha: float = 0.0
    name: str = "SGDRDecay"

    def lower(self) -> list[str]:
        t_mul, m_mul = quote(self.t_mul), quote(self.m_mul)
        lines = [
            f"length, peak = {quote(self.first_decay_steps)}, 1.0",
            "while step >= length:  # warm restarts",
            f"    step, length, peak = step - length, length * {t_mul}, peak * {m_mul}",
        ]
        decayed = "0.5 * peak * (1 + math.cos(math.pi * step / length))"
        if self.alpha:
            alpha = quote(self.alpha)
            decayed = f"((1 - {alpha}) * {decayed} + {alpha})"
        return [*lines, f"return initial * {decayed}"]


class LegacyDecay(LearningRateSchedule):
    """The ``decay`` argument of Keras 1 and 2's optimizers: lr / (1 + decay * updates)."""

    initial_learning_rate: float
    decay: float

    def lower(self) -> list[str]:
        return [f"return initial / (1 + {quote(self.decay)} * step)"]


def _number(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


REGISTRY: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        LearningRateSchedule,
        ExponentialDecay,
        InverseTimeDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        CosineDecay,
        CosineDecayRestarts,
    )
}
