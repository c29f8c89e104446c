"""torch's optimizers and losses, as the author's API takes them, in Keras's terms (with torch's numbers)."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.training import losses, optimizers


def _is_torch(value: Any) -> bool:
    return any(cls.__module__.split(".")[0] == "torch" for cls in type(value).__mro__)


def keras_optimizer(optimizer: Any) -> Any:
    """``optim.Adam(model.parameters(), lr=1e-3)`` as keras's Adam with torch's epsilon of 1e-8.

    Raises UnsupportedError for optimizers and options that have no equal.
    """
    if not _is_torch(optimizer):
        return optimizer
    name, given = type(optimizer).__name__, dict(optimizer.defaults)
    if name in ("Adam", "AdamW"):
        beta_1, beta_2 = given["betas"]
        decay = {"weight_decay": given["weight_decay"]} if given["weight_decay"] else {}
        if decay and name == "Adam":
            raise _no_equal(name, "weight_decay")
        if name == "AdamW":
            decay = {"weight_decay": given["weight_decay"]}
        made = optimizers.REGISTRY[name](
            learning_rate=given["lr"],
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=given["eps"],
            amsgrad=given["amsgrad"],
            **decay,
        )
        made.is_torchs = True  # epsilon is added after the bias correction
        return made
    if name == "SGD":
        if given["weight_decay"] or given["dampening"]:
            raise _no_equal(name, "weight_decay or dampening")
        return optimizers.REGISTRY["SGD"](
            learning_rate=given["lr"], momentum=given["momentum"], nesterov=given["nesterov"]
        )
    raise _no_equal(name)


def keras_loss(loss: Any, model: Any) -> Any:
    """``nn.CrossEntropyLoss()`` as sparse categorical cross-entropy from logits, and so on."""
    if not _is_torch(loss):
        return loss
    name = type(loss).__name__
    if getattr(loss, "reduction", "mean") != "mean" or getattr(loss, "weight", None) is not None:
        raise _no_equal(name, "reduction or weight")
    if name == "CrossEntropyLoss":
        if loss.label_smoothing:
            raise _no_equal(name, "label_smoothing")
        return losses.REGISTRY["SparseCategoricalCrossentropy"](from_logits=True)
    if name == "BCEWithLogitsLoss":
        return losses.REGISTRY["BinaryCrossentropy"](from_logits=True)
    if name == "BCELoss":
        return losses.REGISTRY["BinaryCrossentropy"]()
    if name == "MSELoss":
        return losses.REGISTRY["MeanSquaredError"]()
    if name == "L1Loss":
        return losses.REGISTRY["MeanAbsoluteError"]()
    raise _no_equal(name)


def _no_equal(name: str, option: str | None = None) -> UnsupportedError:
    what = f"torch's {name}" + (f" with {option}" if option else "")
    return UnsupportedError(
        f"{what} has no equal among the losses and optimizers that are recorded",
        where=trace.user_location(),
    )
