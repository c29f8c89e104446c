"""The base of the losses: weights, reductions, and what a loss says of itself."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.frontend.eager import Number
from keras2torch.training.heads import Head
from keras2torch.training.recorded import Recorded

MEAN_REDUCTIONS = ("sum_over_batch_size", "mean", "auto", "mean_with_sample_weight")


class Reduction:
    """The constants of ``tf.keras.losses.Reduction``."""

    AUTO = "auto"
    NONE = "none"
    SUM = "sum"
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"


class Loss(Recorded):
    """Base of the losses.

    ``each`` is the expression of the loss of every sample (Keras's ``call``: the last axis reduced),
    ``mean`` that of their mean where torch has a shorter word for it. ``takes`` names the activation
    that the loss undoes, so that ``forward`` may return logits.
    """

    name: str | None = None
    reduction: str | None = "sum_over_batch_size"
    dtype: str | None = None

    takes: ClassVar[str | None] = None
    sparse: ClassVar[bool] = False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """On symbolic tensors (in a loss that is traced) the loss; else zero, for nothing trains."""
        from keras2torch.training import symbolic

        if not symbolic.is_symbolic(y_true, y_pred):
            return Number(0.0)
        own = type(self).__module__.startswith("keras2torch.")
        if own:
            fixed = ("name", "reduction", "dtype")
            options = {k: v for k, v in self.arguments.items() if k not in fixed}
            values = symbolic.call_loss(type(self).__name__, y_true, y_pred, **options)
        else:
            values = self.call(y_true, y_pred)  # type: ignore[attr-defined]
        return symbolic.reduce(values, self.reduction, sample_weight)

    def functions(self, head: Head) -> tuple[str, ...]:
        """Sources of functions that the expressions call."""
        return ()

    def templates(self) -> tuple[str, ...]:
        """Pages with helpers that the expressions call."""
        return ()

    def strips(self) -> str | None:
        """The activation that ``forward`` may leave to the loss, or None."""
        return self.takes if not getattr(self, "from_logits", False) else None

    def by_batch(self, head: Head) -> bool:
        """Whether the average over an epoch depends on how the samples are put into batches."""
        return self.reduction in ("sum", "mean_with_sample_weight")

    def setup(self, head: Head) -> list[str]:
        """Statements that ``each`` and ``mean`` rely on."""
        return []

    def each(self, head: Head) -> str:
        raise UnsupportedError(
            f"the loss {type(self).__name__} is a class of the program's own",
            fix="compile with one of keras.losses, or write the loss into compute_loss by hand",
        )

    def mean(self, head: Head) -> str:
        return f"{self.each(head)}.mean()"

    def reduced(self, head: Head) -> str:
        """The scalar that is minimised: weights and reduction applied as Keras applies them."""
        if self.reduction in (None, "none"):
            raise UnsupportedError(
                f"the loss {self.name} has reduction {self.reduction!r}, which leaves no single number",
                fix='use reduction="sum_over_batch_size" or "sum"',
            )
        if head.weight is None:
            return f"{self.each(head)}.sum()" if self.reduction == "sum" else self.mean(head)
        weighted = f"({self.each(head)} * {head.weight})"
        if self.reduction == "sum":
            return f"{weighted}.sum()"
        if self.reduction == "mean_with_sample_weight":
            return f"{weighted}.sum() / {head.weight}.sum()"
        return f"{weighted}.mean()"


class Elementwise(Loss):
    """Losses that compare prediction and target number by number, then average the last axis."""

    def every(self, head: Head) -> str:
        """The loss of every number."""
        raise NotImplementedError

    def each(self, head: Head) -> str:
        return f"{self.every(head)}.mean({head.dim})"

    def mean(self, head: Head) -> str:
        return f"{self.every(head)}.mean()"
