"""``keras.losses``: one class per loss, with the torch expression of it."""

from __future__ import annotations

import inspect
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend.eager import Number
from keras2torch.training.losses.base import Elementwise, Loss, Reduction
from keras2torch.training.losses.maps import CTC, Circle, Dice, Tversky
from keras2torch.training.losses.own import OwnLoss, TorchLoss
from keras2torch.training.losses.probabilistic import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
)
from keras2torch.training.losses.regression import (
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    SquaredHinge,
)

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


__all__ = [
    "FUNCTIONS",
    "REGISTRY",
    "Elementwise",
    "Loss",
    "LossFunction",
    "OwnLoss",
    "Reduction",
    "TorchLoss",
    "get",
]
