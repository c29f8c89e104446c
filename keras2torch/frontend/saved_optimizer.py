"""The state of the optimizer in a saved model: iterations, moments and other slots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_hdf5 import Dataset, Group
from keras2torch.frontend.saved_weights import Slot, Weight, weight_of

# The slots that each optimizer keeps per weight with its usual arguments, in Keras's order, by
# torch's or else by the papers' names.
_SLOTS: dict[str, tuple[str, ...]] = {
    "adam": ("exp_avg", "exp_avg_sq"),
    "adamw": ("exp_avg", "exp_avg_sq"),
    "lamb": ("exp_avg", "exp_avg_sq"),
    "nadam": ("exp_avg", "exp_avg_sq"),
    "adamax": ("exp_avg", "exp_inf"),
    "rmsprop": ("square_avg",),
    "adagrad": ("sum",),
    "adadelta": ("square_avg", "acc_delta"),
    "lion": ("exp_avg",),
    "sgd": ("momentum_buffer",),
}


@dataclass
class OptimizerState:
    """What was saved of an optimizer.

    ``variables`` is everything, as stored. ``slots`` has one list per slot name ("exp_avg",
    "exp_avg_sq"), in the order of the model's trainable weights (see `trainable_order`), or is
    empty where it is not certain which variable is which; ``note`` says why.
    """

    class_name: str
    variables: list[Weight]
    iterations: int | None = None
    learning_rate: float | None = None
    slots: dict[str, list[Weight]] = field(default_factory=dict)
    note: str = ""


def read_optimizer(
    legacy: Group | None, slots: Slot | None, training_config: dict[str, Any] | None
) -> OptimizerState | None:
    """The state in a legacy file's root or in the slots of Keras's own format; None if none."""
    variables: list[Weight] = []
    if legacy is not None and (group := legacy.group("optimizer_weights")) is not None:
        for name in group.strings("weight_names") or []:
            dataset = group.find(name)
            if not isinstance(dataset, Dataset):
                raise SavedModelError(
                    f"{legacy.blocks.name} lacks the optimizer weight {quoted(name)}"
                )
            weight = weight_of(dataset)
            weight.name = name
            variables.append(weight)
    elif slots is not None and "optimizer" in slots.children:
        variables = slots.children["optimizer"].variables
    if not variables:
        return None
    class_name, config, grouped = _optimizer_config(training_config, variables)
    state = OptimizerState(class_name, variables)
    rest = list(variables)
    if rest and rest[0].shape == () and ("int" in rest[0].dtype or grouped):
        state.iterations = int(rest.pop(0).read())  # a float in Keras 1
    if rest and rest[0].shape == () and _has_learning_rate(config, rest):
        state.learning_rate = float(rest.pop(0).read())
    if legacy is not None and str(legacy.attribute("keras_version")).startswith("1."):
        state.note = "Keras 1 kept the slots in the order of its weights' names"
    else:
        _fill_slots(state, config, rest, grouped)
    return state


def _optimizer_config(
    training_config: dict[str, Any] | None, variables: list[Weight]
) -> tuple[str, dict[str, Any], bool]:
    """The optimizer's class, its config, and whether it keeps all first moments, then all second.

    The optimizers before Keras 2.11, later called "legacy", do; the others go weight by weight.
    """
    found = training_config or {}
    entry = found.get("optimizer_config", found.get("optimizer"))
    class_name, config, grouped = "", {}, False
    if isinstance(entry, str):  # compile("adam"), in Keras 3 up to 3.3
        class_name = entry
    elif isinstance(entry, dict):
        class_name = entry.get("class_name", "")
        config = entry.get("config", {})
        grouped = "legacy" in str(entry.get("module", ""))
    if not isinstance(class_name, str) or not isinstance(config, dict):
        raise SavedModelError("the saved optimizer's config is damaged")
    first = variables[0].name.rsplit("/", 1)[-1].split(":")[0]
    grouped = grouped or first.startswith(("iter", "Variable")) and first != "iteration"
    return class_name.split(">")[-1], config, grouped


def _has_learning_rate(config: dict[str, Any], rest: list[Weight]) -> bool:
    """Keras 3 keeps a constant learning rate as its second variable, Keras 2 none."""
    name = rest[0].name.rsplit("/", 1)[-1]
    constant = not isinstance(config.get("learning_rate"), dict)
    return name.startswith("learning_rate") or name == "1" and constant


def _fill_slots(
    state: OptimizerState, config: dict[str, Any], rest: list[Weight], grouped: bool
) -> None:
    names = _SLOTS.get(state.class_name.lower())
    if grouped and names and len(rest) % (len(names) + 1) == 0:
        count = len(rest) // (len(names) + 1)
        if all(weight.shape == (1,) for weight in rest[-count:]):
            rest = rest[:-count]  # Adam's place for amsgrad, which is off
    unusual = [
        key
        for key in ("amsgrad", "use_ema", "centered", "gradient_accumulation_steps")
        if config.get(key)
    ]
    if state.class_name.lower() == "rmsprop" and config.get("momentum"):
        unusual.append("momentum")
    if names is None:
        state.note = f"the slots of {state.class_name or 'an unnamed optimizer'} are not known"
    elif unusual:
        state.note = f"{state.class_name} with {', '.join(unusual)} keeps further slots"
    elif len(rest) % len(names):
        state.note = f"{len(rest)} variables are not {len(names)} per weight"
    else:
        count, width = len(rest) // len(names), len(names)
        if grouped:
            columns = [rest[i * count : (i + 1) * count] for i in range(width)]
        else:
            columns = [rest[i::width] for i in range(width)]
        if any(len({weight.shape for weight in row}) > 1 for row in zip(*columns, strict=True)):
            state.note = "the shapes of the slots do not agree"
        else:
            state.slots = dict(zip(names, columns, strict=True))
