"""``keras_tuner``: a search that does not run; a model is built with the defaults of its hyperparameters."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from keras2torch.frontend.absent import Absent, Source


class HyperParameters:
    """Every hyperparameter has its default: the one given, else the least or first value."""

    def Int(  # noqa: N802
        self, name: str, min_value: int, max_value: int, *args: Any, **kwargs: Any
    ) -> int:
        default = kwargs.get("default")
        return min_value if default is None else default

    Float = Int

    def Choice(self, name: str, values: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
        default = kwargs.get("default")
        return values[0] if default is None else default

    def Boolean(self, name: str, default: bool = False, **kwargs: Any) -> bool:  # noqa: N802
        return default

    def Fixed(self, name: str, value: Any, **kwargs: Any) -> Any:  # noqa: N802
        return value

    def get(self, name: str) -> Any:
        return Absent(Source(f"the hyperparameter {name!r}"))

    def conditional_scope(self, *args: Any, **kwargs: Any) -> Any:
        return nullcontext()


class HyperModel:
    """Base of the script's own hypermodels."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass


class Tuner:
    """Builds one model, with the defaults."""

    def __init__(self, hypermodel: Any = None, *args: Any, **kwargs: Any):
        self.hypermodel = hypermodel
        self.build = getattr(hypermodel, "build", hypermodel)
        self.model = self.build(HyperParameters()) if callable(self.build) else None

    def search(self, *args: Any, **kwargs: Any) -> None:
        if self.model is not None:
            self.model.fit(*args, **kwargs)

    def get_best_models(self, num_models: int = 1) -> list[Any]:
        return [self.model] * num_models

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        return [HyperParameters()] * num_trials

    def search_space_summary(self, *args: Any, **kwargs: Any) -> None:
        pass

    results_summary = search_space_summary


NAMES: dict[str, Any] = {
    "HyperParameters": HyperParameters,
    "HyperParameter": HyperParameters,
    "HyperModel": HyperModel,
    **dict.fromkeys("Tuner RandomSearch Hyperband BayesianOptimization GridSearch".split(), Tuner),
}
