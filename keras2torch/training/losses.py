"""``keras.losses``: one class per loss, with the torch expression of it."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend.eager import Number
from keras2torch.quoting import quote
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

    def strips(self) -> str | None:
        """The activation that ``forward`` may leave to the loss, or None."""
        return self.takes if not getattr(self, "from_logits", False) else None

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


class _Elementwise(Loss):
    """Losses that compare prediction and target number by number, then average the last axis."""

    def every(self, head: Head) -> str:
        """The loss of every number."""
        raise NotImplementedError

    def each(self, head: Head) -> str:
        return f"{self.every(head)}.mean({head.dim})"

    def mean(self, head: Head) -> str:
        return f"{self.every(head)}.mean()"


class MeanSquaredError(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_squared_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).square()"

    def mean(self, head: Head) -> str:
        return f"F.mse_loss({head.probability}, {head.target})"


class MeanAbsoluteError(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_absolute_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target}).abs()"

    def mean(self, head: Head) -> str:
        return f"F.l1_loss({head.probability}, {head.target})"


class MeanAbsolutePercentageError(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_absolute_percentage_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        difference = f"({head.target} - {head.probability})"
        return f"(100 * ({difference} / {head.target}.abs().clamp(min=1e-7)).abs())"


class MeanSquaredLogarithmicError(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "mean_squared_logarithmic_error"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        logs = (f"{x}.clamp(min=1e-7).log1p()" for x in (head.probability, head.target))
        return f"({' - '.join(logs)}).square()"


class Huber(_Elementwise):
    delta: float = 1.0
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "huber_loss"
    dtype: str | None = None

    def _call(self, head: Head, more: str = "") -> str:
        delta = "" if self.delta == 1 else f", delta={quote(self.delta)}"
        return f"F.huber_loss({head.probability}, {head.target}{more}{delta})"

    def every(self, head: Head) -> str:
        return self._call(head, ', reduction="none"')

    def mean(self, head: Head) -> str:
        return self._call(head)


class LogCosh(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "log_cosh"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        return [f"error = {head.probability} - {head.target}"]

    def every(self, head: Head) -> str:
        return "(error + F.softplus(-2 * error) - math.log(2))"


class CosineSimilarity(Loss):
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "cosine_similarity"
    dtype: str | None = None

    def each(self, head: Head) -> str:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        unit = (f"F.normalize({x}, {head.dim}, eps=1e-7)" for x in (head.probability, head.target))
        return f"-({' * '.join(unit)}).sum({head.dim})"

    def mean(self, head: Head) -> str:
        return f"-{self.each(head)[1:]}.mean()"


class _Hinges(Loss):
    def setup(self, head: Head) -> list[str]:
        return [
            f"binary = (({head.target} == 0) | ({head.target} == 1)).all()",
            f"sign = torch.where(binary, 2 * {head.target} - 1, {head.target})"
            "  # Keras takes 0 and 1 for -1 and 1",
        ]


class Hinge(_Hinges, _Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "hinge"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"F.relu(1 - sign * {head.probability})"


class SquaredHinge(_Hinges, _Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "squared_hinge"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"F.relu(1 - sign * {head.probability}).square()"


class CategoricalHinge(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_hinge"
    dtype: str | None = None

    def each(self, head: Head) -> str:
        true = f"({head.target} * {head.probability}).sum({head.dim})"
        other = f"((1 - {head.target}) * {head.probability}).amax({head.dim})"
        return f"F.relu({other} - {true} + 1)"


class KLDivergence(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "kl_divergence"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        return [
            f"p = {head.target}.clamp(1e-7, 1)",
            f"q = {head.probability}.clamp(1e-7, 1)",
        ]

    def each(self, head: Head) -> str:
        return f"(p * (p / q).log()).sum({head.dim})"


class Poisson(_Elementwise):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "poisson"
    dtype: str | None = None

    def every(self, head: Head) -> str:
        return f"({head.probability} - {head.target} * ({head.probability} + 1e-7).log())"


class BinaryCrossentropy(_Elementwise):
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "binary_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "sigmoid"

    def _logits(self, head: Head) -> bool:
        return self.from_logits or head.activation == "sigmoid"

    def _target(self, head: Head) -> str:
        if not self.label_smoothing:
            return head.target
        smoothing = quote(self.label_smoothing)
        return f"{head.target} * (1 - {smoothing}) + 0.5 * {smoothing}"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        lines = [f"p = {head.probability}.clamp(1e-7, 1 - 1e-7)"]
        return lines + ([f"smoothed = {self._target(head)}"] if self.label_smoothing else [])

    def every(self, head: Head) -> str:
        if self._logits(head):
            target = self._target(head)
            return (
                f"F.binary_cross_entropy_with_logits({head.prediction}, {target}, "
                'reduction="none")'
            )
        target = "smoothed" if self.label_smoothing else head.target
        return f"-({target} * p.log() + (1 - {target}) * (1 - p).log())"

    def mean(self, head: Head) -> str:
        if self._logits(head):
            target = self._target(head)
            return f"F.binary_cross_entropy_with_logits({head.prediction}, {target})"
        return super().mean(head)


class BinaryFocalCrossentropy(_Elementwise):
    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "binary_focal_crossentropy"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        smoothing = quote(self.label_smoothing)
        target = (
            f"{head.target} * (1 - {smoothing}) + 0.5 * {smoothing}"
            if self.label_smoothing
            else head.target
        )
        p = f"{head.prediction}.sigmoid()" if self.from_logits else head.probability
        lines = [
            f"p, t = {p}, {target}",
            "likelihood = t * p + (1 - t) * (1 - p)",
            "clipped = p.clamp(1e-7, 1 - 1e-7)",
            "entropy = -(t * clipped.log() + (1 - t) * (1 - clipped).log())",
        ]
        if self.apply_class_balancing:
            alpha = quote(self.alpha)
            lines.append(f"balance = t * {alpha} + (1 - t) * (1 - {alpha})")
        return lines

    def every(self, head: Head) -> str:
        balance = "balance * " if self.apply_class_balancing else ""
        return f"({balance}(1 - likelihood) ** {quote(self.gamma)} * entropy)"


class CategoricalCrossentropy(Loss):
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "softmax"

    def _logits(self, head: Head) -> bool:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        return self.from_logits or head.activation == "softmax"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        lines = [
            f"p = {head.probability}",
            f"p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
        ]
        if self.label_smoothing:
            s, classes = quote(self.label_smoothing), quote(head.classes)
            lines.append(f"smoothed = {head.target} * (1 - {s}) + {s} / {classes}")
        return lines

    def _call(self, head: Head, more: str = "") -> str:
        if self.label_smoothing:
            more += f", label_smoothing={quote(self.label_smoothing)}"
        prediction, target = map(head.classes_second, (head.prediction, head.target))
        return f"F.cross_entropy({prediction}, {target}{more})"

    def each(self, head: Head) -> str:
        if self._logits(head):
            return self._call(head, ', reduction="none"')
        target = "smoothed" if self.label_smoothing else head.target
        return f"-({target} * p.log()).sum({head.dim})"

    def mean(self, head: Head) -> str:
        return self._call(head) if self._logits(head) else f"{self.each(head)}.mean()"


class CategoricalFocalCrossentropy(Loss):
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_focal_crossentropy"
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        p = f"{head.prediction}.softmax({head.dim})" if self.from_logits else head.probability
        s, classes = quote(self.label_smoothing), quote(head.classes)
        target = (
            f"{head.target} * (1 - {s}) + {s} / {classes}" if self.label_smoothing else head.target
        )
        return [
            f"p, t = {p}, {target}",
            f"p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7)",
        ]

    def each(self, head: Head) -> str:
        alpha = quote(list(self.alpha) if isinstance(self.alpha, (list, tuple)) else self.alpha)
        if alpha.startswith("["):
            alpha = f"torch.tensor({alpha}, device=p.device)"
        return f"-({alpha} * (1 - p) ** {quote(self.gamma)} * t * p.log()).sum({head.dim})"


class SparseCategoricalCrossentropy(Loss):
    from_logits: bool = False
    ignore_class: int | None = None
    reduction: str | None = "sum_over_batch_size"
    axis: int = -1
    name: str | None = "sparse_categorical_crossentropy"
    dtype: str | None = None

    takes: ClassVar[str | None] = "softmax"
    sparse: ClassVar[bool] = True

    def _logits(self, head: Head) -> bool:
        if self.axis not in (-1, head.rank - 1):
            raise UnsupportedError(f"{self.name}: axis={self.axis} is not the last axis")
        if self.ignore_class is not None and head.weight:
            raise UnsupportedError(f"{self.name}: ignore_class together with sample weights")
        return self.from_logits or head.activation == "softmax"

    def setup(self, head: Head) -> list[str]:
        if self._logits(head):
            return []
        return [
            f"p = {head.probability}",
            f"log_p = (p / p.sum({head.dim}, keepdim=True)).clamp(1e-7, 1 - 1e-7).log()",
        ]

    def _call(self, head: Head, more: str = "") -> str:
        if self.ignore_class is not None:
            more += f", ignore_index={quote(self.ignore_class)}"
        if self._logits(head):
            return f"F.cross_entropy({head.classes_second(head.prediction)}, {head.target}{more})"
        return f"F.nll_loss({head.classes_second('log_p')}, {head.target}{more})"

    def each(self, head: Head) -> str:
        return self._call(head, ', reduction="none"')

    def mean(self, head: Head) -> str:
        return self._call(head)


class CategoricalGeneralizedCrossEntropy(Loss):
    q: float = 0.5
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "categorical_generalized_cross_entropy"
    dtype: str | None = None

    sparse: ClassVar[bool] = True

    def each(self, head: Head) -> str:
        dim = head.class_dim
        p = f"{head.probability}.gather({dim}, {head.target}.unsqueeze({dim})).squeeze({dim})"
        return f"((1 - {p} ** {quote(self.q)}) / {quote(self.q)})"


class Dice(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "dice"
    axis: Any = None
    dtype: str | None = None

    def each(self, head: Head) -> str:
        both, p, t = _sums(head, self.axis)
        return f"(1 - 2 * {both} / ({t} + {p} + 1e-7))"

    def mean(self, head: Head) -> str:
        return self.each(head)[1:-1] if self.axis is None else f"{self.each(head)}.mean()"


class Tversky(Loss):
    alpha: float = 0.5
    beta: float = 0.5
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "tversky"
    axis: Any = None
    dtype: str | None = None

    def setup(self, head: Head) -> list[str]:
        both, p, t = _sums(head, self.axis)
        return [
            f"both = {both}",
            f"weighted = {quote(self.alpha)} * ({t} - both) + {quote(self.beta)} * ({p} - both)",
        ]

    def each(self, head: Head) -> str:
        return "(1 - both / (both + weighted + 1e-7))"

    def mean(self, head: Head) -> str:
        return self.each(head)[1:-1] if self.axis is None else f"{self.each(head)}.mean()"


def _sums(head: Head, axis: Any) -> tuple[str, str, str]:
    """Sums of product, prediction and target over Keras's ``axis`` (None: over all)."""
    if axis is None:
        dims = ""
    else:
        axes = [axis] if isinstance(axis, int) else list(axis)
        axes = [a % head.rank for a in axes]
        order = head.permutation or tuple(range(head.rank))
        dims = f"dim={quote(tuple(sorted(order.index(a) for a in axes)))}"
    p, t = head.probability, head.target
    return f"({t} * {p}).sum({dims})", f"{p}.sum({dims})", f"{t}.sum({dims})"


class CTC(Loss):
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "ctc"
    dtype: str | None = None

    sparse: ClassVar[bool] = True

    def setup(self, head: Head) -> list[str]:
        return [
            f"log_p = {head.prediction}.log_softmax(dim=-1).transpose(0, 1)",
            f"lengths = ({head.target} != 0).sum(dim=1)",
            f"steps = torch.full_like(lengths, {head.prediction}.shape[1])",
        ]

    def each(self, head: Head) -> str:
        return f'F.ctc_loss(log_p, {head.target}, steps, lengths, reduction="none")'


class Circle(Loss):
    gamma: float = 80.0
    margin: float = 0.4
    remove_diagonal: bool = True
    reduction: str | None = "sum_over_batch_size"
    name: str | None = "circle"
    dtype: str | None = None

    def each(self, head: Head) -> str:
        raise UnsupportedError(
            "the loss Circle is not carried into the training script",
            fix="write it into compute_loss by hand",
        )


class OwnLoss(Loss):
    """A loss of the program's own: a function of target and prediction, or a subclass of Loss."""

    def __init__(self, function: Any, name: str, reduction: str | None = "sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction)
        self.function = function

    def _traced(self, head: Head) -> Any:
        from keras2torch.training import traced

        target = head.target_shape or head.shape
        if len(target) == 1 and head.rank == 2 and head.shape[-1] == 1:
            target = head.shape  # as Keras's LossFunctionWrapper does
        return traced.trace(self.function, str(self.name), target, head)

    def functions(self, head: Head) -> tuple[str, ...]:
        return self._traced(head).sources

    def each(self, head: Head) -> str:
        from keras2torch.training.traced import in_keras_order

        sides = [in_keras_order(head, head.target), in_keras_order(head, head.probability)]
        return f"{self._traced(head).name}({', '.join(sides)})"

    def mean(self, head: Head) -> str:
        return self.each(head) if self._traced(head).rank == 0 else f"{self.each(head)}.mean()"


class TorchLoss(Loss):
    """A loss module of torch itself, given to ``compile`` by a program in keras2torch's notation."""

    def __init__(self, value: Any):
        super().__init__(name=type(value).__name__)
        self.value = value
        self.kind = type(value).__name__

    @property
    def is_sparse(self) -> bool:
        return self.kind in ("CrossEntropyLoss", "NLLLoss")

    def each(self, head: Head) -> str:
        raise UnsupportedError(f"sample weights with torch's {self.kind}")

    def mean(self, head: Head) -> str:
        functions = {
            "CrossEntropyLoss": "cross_entropy",
            "NLLLoss": "nll_loss",
            "MSELoss": "mse_loss",
            "L1Loss": "l1_loss",
            "SmoothL1Loss": "smooth_l1_loss",
            "HuberLoss": "huber_loss",
            "BCELoss": "binary_cross_entropy",
            "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
        }
        if self.kind not in functions:
            raise UnsupportedError(f"torch's loss {self.kind} is not known to keras2torch")
        more = ""
        for name, parameter in inspect.signature(type(self.value)).parameters.items():
            value = getattr(self.value, name, parameter.default)
            if name in ("size_average", "reduce") or value is parameter.default:
                continue
            if value != parameter.default:
                more += f", {name}={quote(value)}"
        return f"F.{functions[self.kind]}({head.prediction}, {head.target}{more})"


_CLASSES = (
    Loss,
    MeanSquaredError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredLogarithmicError,
    Huber,
    LogCosh,
    CosineSimilarity,
    Hinge,
    SquaredHinge,
    CategoricalHinge,
    KLDivergence,
    Poisson,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    SparseCategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    Dice,
    Tversky,
    CTC,
    Circle,
)


# Functions whose parameters differ from those of their class.
_OWN_PARAMETERS: dict[str, dict[str, Any]] = {
    "categorical_generalized_cross_entropy": {"q": inspect.Parameter.empty},
    "circle": {
        "ref_labels": None,
        "ref_embeddings": None,
        "remove_diagonal": True,
        "gamma": 80,
        "margin": 0.4,
    },
}


class LossFunction:
    """A loss used as a function: ``keras.losses.mse`` given to ``compile`` or called."""

    def __init__(self, name: str, cls: type[Loss]):
        self.__name__ = self.__qualname__ = name
        self.cls = cls
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        data = [inspect.Parameter(argument, kind) for argument in ("y_true", "y_pred")]
        if name in _OWN_PARAMETERS:
            own = [inspect.Parameter(n, kind, default=d) for n, d in _OWN_PARAMETERS[name].items()]
        else:
            fixed = ("reduction", "name", "dtype")
            own = [p for p in cls.__signature__.parameters.values() if p.name not in fixed]
        self.__signature__ = inspect.Signature(data + own)

    def __call__(self, y_true: Any, y_pred: Any, *args: Any, **kwargs: Any) -> Any:
        """On symbolic tensors (in a loss that is traced) the loss; else zero, for nothing trains."""
        from keras2torch.training import symbolic

        if not symbolic.is_symbolic(y_true, y_pred):
            return Number(0.0)
        bound = self.__signature__.bind(y_true, y_pred, *args, **kwargs).arguments
        return symbolic.call_loss(self.cls.__name__, **bound)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


_FUNCTIONS: dict[str, type[Loss]] = {
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "huber": Huber,
    "log_cosh": LogCosh,
    "cosine_similarity": CosineSimilarity,
    "hinge": Hinge,
    "squared_hinge": SquaredHinge,
    "categorical_hinge": CategoricalHinge,
    "kl_divergence": KLDivergence,
    "poisson": Poisson,
    "binary_crossentropy": BinaryCrossentropy,
    "binary_focal_crossentropy": BinaryFocalCrossentropy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "categorical_focal_crossentropy": CategoricalFocalCrossentropy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "categorical_generalized_cross_entropy": CategoricalGeneralizedCrossEntropy,
    "dice": Dice,
    "tversky": Tversky,
    "ctc": CTC,
    "circle": Circle,
}
_ALIASES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "MAPE": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "MSLE": "mean_squared_logarithmic_error",
    "kld": "kl_divergence",
    "KLD": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "bce": "binary_crossentropy",
    "BCE": "binary_crossentropy",
    "logcosh": "log_cosh",
    "cosine_proximity": "cosine_similarity",
    "cosine": "cosine_similarity",
    "huber_loss": "huber",
}

FUNCTIONS: dict[str, LossFunction] = {name: LossFunction(name, c) for name, c in _FUNCTIONS.items()}
FUNCTIONS |= {old: FUNCTIONS[name] for old, name in _ALIASES.items()}
REGISTRY: dict[str, Any] = {
    **{cls.__name__: cls for cls in _CLASSES},
    "KLD": KLDivergence,
    "MSE": MeanSquaredError,
    "MAE": MeanAbsoluteError,
    "Reduction": Reduction,
    **FUNCTIONS,
}


def get(identifier: Any) -> Loss | None:
    """The loss that ``compile`` means by a name, a function, a config or an object.

    A function of the program's own becomes an OwnLoss. Raises K2TError for an unknown name.
    """
    if isinstance(identifier, Loss) and not type(identifier).__module__.startswith("keras2torch."):
        if type(identifier).__call__ is Loss.__call__ and hasattr(identifier, "call"):
            name = type(identifier).__name__
            return OwnLoss(identifier.call, name, getattr(identifier, "reduction", "mean"))
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        found = FUNCTIONS.get(identifier) or {c.__name__: c for c in _CLASSES}.get(identifier)
        if found is None:
            raise K2TError(f"there is no loss {identifier!r} in Keras")
        return found.cls() if isinstance(found, LossFunction) else found()
    if isinstance(identifier, LossFunction):
        return identifier.cls()
    if isinstance(identifier, dict) and "class_name" in identifier:
        cls = REGISTRY.get(identifier["class_name"].rpartition(">")[2])
        if cls is None:
            raise K2TError(f"there is no loss {identifier['class_name']!r} in Keras")
        config = identifier.get("config", {})
        return get(cls) if isinstance(cls, LossFunction) else cls(**config)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if type(identifier).__module__.startswith("torch.nn"):
        return TorchLoss(identifier)
    if callable(identifier):
        return OwnLoss(identifier, getattr(identifier, "__name__", type(identifier).__name__))
    raise K2TError(f"compile() got a loss of type {type(identifier).__name__}")
