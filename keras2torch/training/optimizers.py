"""``keras.optimizers``: torch.optim where the update is Keras's, else a short class in the script."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training import own_step
from keras2torch.training.recorded import Recorded
from keras2torch.training.schedules import LearningRateSchedule, LegacyDecay


@dataclass(frozen=True)
class OptimizerText:
    """How the script makes its optimizer.

    ``constructor`` is the class; ``arguments`` are its keywords after ``lr``; ``template`` is the page
    with the class where torch has none of that update; ``per_update`` holds ``(key, expression, why)``
    for a param group's entries that change with ``step``, the number of updates made so far.
    """

    constructor: str
    arguments: dict[str, str] = field(default_factory=dict)
    template: str | None = None
    per_update: tuple[tuple[str, str, str], ...] = ()
    comment: str = ""
    decays_weights: bool = False
    parameters: str = "model.parameters()"
    undecayed: tuple[str, ...] = ()  # the keys of weights that are excluded from the decay


class Optimizer(Recorded):
    """Base: the arguments that all of Keras's optimizers take after their own."""

    TAIL: ClassVar[dict[str, Any]] = {
        "weight_decay": None,
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "ema_overwrite_frequency": None,
        "loss_scale_factor": None,
        "gradient_accumulation_steps": None,
        "name": None,
    }
    OLD_NAMES: ClassVar[dict[str, str | None]] = {
        "lr": "learning_rate",
        "jit_compile": None,
        "is_legacy_optimizer": None,
    }
    TAKES_KEYWORDS: ClassVar[str | bool] = True

    learning_rate: Any
    weight_decay: float | None = None
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None
    loss_scale_factor: float | None = None
    gradient_accumulation_steps: int | None = None
    name: str | None = None

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        decay = keywords.pop("decay", 0.0)
        super().take_keywords(keywords)
        if decay and not isinstance(self.learning_rate, LearningRateSchedule):
            self.learning_rate = LegacyDecay(float(self.learning_rate), float(decay))

    @property
    def lr(self) -> Any:
        """The old name of ``learning_rate``."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    iterations: ClassVar[int] = 0

    def apply_gradients(self, grads_and_vars: Any = (), *args: Any, **kwargs: Any) -> None:
        """Nothing trains while a program is recorded; a training step of a class's own is followed."""
        own_step.apply_gradients(self, grads_and_vars)

    def apply(self, grads: Any = (), trainable_variables: Any = (), **kwargs: Any) -> None:
        own_step.apply_gradients(self, zip(grads, trainable_variables))

    excluded: ClassVar[
        tuple[Any, ...]
    ] = ()  # weights, and patterns of their names, that do not decay

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Weights that do not decay: these, and those whose name a pattern is found in."""
        vars(self)["excluded"] = (*(var_list or ()), *(var_names or ()))

    def decays(self, weight: Any) -> bool:
        """Whether ``weight_decay`` is for a weight (keras/src/optimizers/base_optimizer.py)."""
        return not any(
            re.search(one, str(weight.name)) if isinstance(one, str) else one is weight
            for one in self.excluded
        )

    def minimize(self, *args: Any, **kwargs: Any) -> None:
        """Nothing trains while a program is recorded."""

    build = minimize

    def lower(self, lr_changes: bool) -> OptimizerText:
        """The optimizer's text; ``lr_changes`` tells that the rate is not constant over the run."""
        raise UnsupportedError(
            f"the optimizer {type(self).__name__} is not carried into the training script",
            fix="compile with SGD, Adam or another of the common optimizers",
        )

    def _decay(self) -> bool:
        return self.weight_decay is not None


def _epsilon_before_correction(epsilon: float, beta_2: float) -> tuple[tuple[str, str, str], ...]:
    """Keras's Adam divides by sqrt(v) + eps before it corrects the bias of v, torch's after it."""
    value = f"{quote(epsilon)} / math.sqrt(1 - {quote(beta_2)} ** (step + 1))"
    return (("eps", value, "Keras adds epsilon before Adam's bias correction"),)


class SGD(Optimizer):
    learning_rate: Any = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {}
        if self.momentum:
            arguments["momentum"] = quote(self.momentum)
            if lr_changes:  # Keras's velocity holds the rate of its own time, torch's does not
                return OptimizerText("SGD", arguments, "sgd", decays_weights=self._decay())
            if self.nesterov:
                arguments["nesterov"] = "True"
        return OptimizerText("torch.optim.SGD", arguments, decays_weights=self._decay())


class RMSprop(Optimizer):
    learning_rate: Any = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-07
    centered: bool = False

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {"rho": quote(self.rho), "eps": quote(self.epsilon)}
        if self.momentum:
            arguments["momentum"] = quote(self.momentum)
        return OptimizerText("RMSprop", arguments, "rmsprop", decays_weights=self._decay())


class Adam(Optimizer):
    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-07
    amsgrad: bool = False
    is_torchs: ClassVar[bool] = False  # torch's own, of a program in the author's notation

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {}
        if (self.beta_1, self.beta_2) != (0.9, 0.999):
            arguments["betas"] = quote((self.beta_1, self.beta_2))
        if not self.is_torchs or self.epsilon != 1e-8:
            arguments["eps"] = quote(self.epsilon)
        if self.amsgrad:
            arguments["amsgrad"] = "True"
        if self._decay():
            arguments["weight_decay"] = quote(self.weight_decay)
        return OptimizerText(
            "torch.optim.AdamW" if self._decay() else "torch.optim.Adam",
            arguments,
            per_update=(
                () if self.is_torchs else _epsilon_before_correction(self.epsilon, self.beta_2)
            ),
        )


class AdamW(Adam):
    learning_rate: Any = 0.001
    weight_decay: float = 0.004
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-07
    amsgrad: bool = False


class Adamax(Optimizer):
    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-07

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {"betas": quote((self.beta_1, self.beta_2)), "eps": quote(self.epsilon)}
        return OptimizerText("Adamax", arguments, "adamax", decays_weights=self._decay())


class Nadam(Optimizer):
    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-07
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"schedule_decay": None}

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {}
        if (self.beta_1, self.beta_2) != (0.9, 0.999):
            arguments["betas"] = quote((self.beta_1, self.beta_2))
        arguments |= {"eps": quote(self.epsilon), "momentum_decay": "1.0"}
        return OptimizerText("torch.optim.NAdam", arguments, decays_weights=self._decay())


class Adagrad(Optimizer):
    learning_rate: Any = 0.001
    initial_accumulator_value: float = 0.1
    epsilon: float = 1e-07

    def lower(self, lr_changes: bool) -> OptimizerText:
        start = f"{quote(self.initial_accumulator_value)} + {quote(self.epsilon)}"
        return OptimizerText(
            "torch.optim.Adagrad",
            {"initial_accumulator_value": start, "eps": "0.0"},
            comment="Keras adds epsilon to the accumulator, inside the root.",
            decays_weights=self._decay(),
        )


class Adadelta(Optimizer):
    learning_rate: Any = 0.001
    rho: float = 0.95
    epsilon: float = 1e-07

    def lower(self, lr_changes: bool) -> OptimizerText:
        return OptimizerText(
            "torch.optim.Adadelta",
            {"rho": quote(self.rho), "eps": quote(self.epsilon)},
            decays_weights=self._decay(),
        )


class Ftrl(Optimizer):
    learning_rate: Any = 0.001
    learning_rate_power: float = -0.5
    initial_accumulator_value: float = 0.1
    l1_regularization_strength: float = 0.0
    l2_regularization_strength: float = 0.0
    l2_shrinkage_regularization_strength: float = 0.0
    beta: float = 0.0

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {
            "power": quote(-self.learning_rate_power),
            "initial_accumulator": quote(self.initial_accumulator_value),
            "l1": quote(self.l1_regularization_strength),
            "l2": quote(self.l2_regularization_strength),
            "l2_shrinkage": quote(self.l2_shrinkage_regularization_strength),
            "beta": quote(self.beta),
        }
        return OptimizerText("Ftrl", arguments, "ftrl", decays_weights=self._decay())


class Lion(Optimizer):
    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.99

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {"betas": quote((self.beta_1, self.beta_2))}
        return OptimizerText("Lion", arguments, "lion", decays_weights=self._decay())


class Lamb(Optimizer):
    learning_rate: Any = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-07

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {"betas": quote((self.beta_1, self.beta_2)), "eps": quote(self.epsilon)}
        return OptimizerText("Lamb", arguments, "lamb", decays_weights=self._decay())


class Adafactor(Optimizer):
    learning_rate: Any = 0.001
    beta_2_decay: float = -0.8
    epsilon_1: float = 1e-30
    epsilon_2: float = 0.001
    clip_threshold: float = 1.0
    relative_step: bool = True  # the smaller of the two rates is taken in any case

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {
            "decay": quote(self.beta_2_decay),
            "eps": quote((self.epsilon_1, self.epsilon_2)),
            "clip_threshold": quote(self.clip_threshold),
        }
        return OptimizerText("Adafactor", arguments, "adafactor", decays_weights=self._decay())


class Muon(Optimizer):
    learning_rate: Any = 0.001
    adam_beta_1: float = 0.9
    adam_beta_2: float = 0.999
    adam_weight_decay: float | None = 0.004
    epsilon: float = 1e-07
    weight_decay: float | None = 0.004
    clipnorm: float | None = None
    clipvalue: float | None = None
    global_clipnorm: float | None = None
    use_ema: bool = False
    ema_momentum: float = 0.99
    ema_overwrite_frequency: int | None = None
    loss_scale_factor: float | None = None
    gradient_accumulation_steps: int | None = None
    name: str | None = None
    exclude_layers: Any = None
    exclude_embeddings: bool = True
    muon_a: float = 3.4445
    muon_b: float = -4.775
    muon_c: float = 2.0315
    adam_lr_ratio: float = 1
    momentum: float = 0.95
    ns_steps: int = 5
    nesterov: bool = True
    rms_rate: float | None = 0.2

    def lower(self, lr_changes: bool) -> OptimizerText:
        return OptimizerText("Muon", {}, "muon", parameters="model.named_parameters()")


class ScheduleFreeAdamW(Optimizer):
    learning_rate: Any = 0.0025
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-08
    warmup_steps: int = 0

    def lower(self, lr_changes: bool) -> OptimizerText:
        arguments = {
            "betas": quote((self.beta_1, self.beta_2)),
            "eps": quote(self.epsilon),
            "warmup": quote(self.warmup_steps),
        }
        decays = self._decay()
        return OptimizerText(
            "ScheduleFreeAdamW", arguments, "schedule_free_adamw", decays_weights=decays
        )


class LossScaleOptimizer(Recorded):
    """Scales the loss against underflow in float16; float32 and bfloat16 need none of it."""

    TAKES_KEYWORDS: ClassVar[str | bool] = True
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"dynamic": None}
    inner_optimizer: Any
    initial_scale: float = 32768.0
    dynamic_growth_steps: int = 2000
    name: str | None = None

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        """Keywords of the inner optimizer's base: kept there."""


class OptimizerMap(Recorded):
    """Which optimizer trains which layers."""

    default_optimizer: Any
    optimizer_map: Any = None


class MultiOptimizer(Recorded):
    """One optimizer per group of layers."""

    optimizer_map: Any
    loss_scale_factor: float | None = None
    name: str | None = None


class TorchOptimizer:
    """An optimizer of torch itself, given to ``compile`` by a program in keras2torch's notation."""

    def __init__(self, value: Any):
        self.value = value
        self.learning_rate = float(value.defaults["lr"])
        self.weight_decay = self.clipnorm = self.clipvalue = self.global_clipnorm = None
        self.use_ema = False
        self.loss_scale_factor = self.gradient_accumulation_steps = None

    def lower(self, lr_changes: bool) -> OptimizerText:
        import inspect

        cls = type(self.value)
        defaults = {
            name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()
        }
        arguments = {
            name: quote(value)
            for name, value in self.value.defaults.items()
            if name != "lr" and name in defaults and value != defaults[name]
        }
        if cls.__module__.partition(".")[0] != "torch":
            raise UnsupportedError(f"the optimizer {cls.__name__} is not one of torch.optim")
        return OptimizerText(f"torch.optim.{cls.__name__}", arguments)


REGISTRY: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        Optimizer,
        SGD,
        RMSprop,
        Adam,
        AdamW,
        Adamax,
        Nadam,
        Adagrad,
        Adadelta,
        Ftrl,
        Lion,
        Lamb,
        Adafactor,
        Muon,
        ScheduleFreeAdamW,
        LossScaleOptimizer,
        MultiOptimizer,
        OptimizerMap,
    )
}


def get(identifier: Any) -> Any:
    """The optimizer that ``compile`` means by a name, a config or an object; K2TError if none."""
    if isinstance(identifier, str):
        by_name: dict[str, Callable[[], Any]] = {
            name.lower(): cls for name, cls in REGISTRY.items() if name != "Optimizer"
        }
        if identifier.lower() not in by_name:
            raise K2TError(f"there is no optimizer {identifier!r} in Keras")
        return by_name[identifier.lower()]()
    if isinstance(identifier, dict) and "class_name" in identifier:
        config = dict(identifier.get("config", {}))
        rate = config.get("learning_rate", config.get("lr"))
        if isinstance(rate, dict):
            from keras2torch.training import schedules

            config["learning_rate"] = schedules.REGISTRY[rate["class_name"]](**rate["config"])
        names = {name.lower(): cls for name, cls in REGISTRY.items()}
        name = identifier["class_name"].rpartition(">")[2].lower()
        if name not in names:
            raise K2TError(f"there is no optimizer {identifier['class_name']!r} in Keras")
        return names[name](**config)
    if isinstance(identifier, LossScaleOptimizer):
        return get(identifier.inner_optimizer)
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, MultiOptimizer):
        raise UnsupportedError(
            "MultiOptimizer is not carried into the training script",
            fix="compile with one optimizer, and give torch.optim's param groups in the script",
        )
    if type(identifier).__module__.startswith("torch.") and hasattr(identifier, "param_groups"):
        return TorchOptimizer(identifier)
    raise K2TError(f"compile() got an optimizer of type {type(identifier).__name__}")
