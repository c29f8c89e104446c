"""``keras.wrappers.scikit_learn``: estimators around a function that builds a model."""

from __future__ import annotations

import inspect
from typing import Any

from keras2torch.frontend.absent import Absent, Source, is_absent

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class BaseWrapper:
    """Builds its model at once, so that it is recorded whatever scikit-learn does with the estimator."""

    _estimator_type: str | None = None

    def __init__(self, build_fn: Any = None, **sk_params: Any):
        self.build_fn = sk_params.pop("model", build_fn)
        self.sk_params = sk_params
        self.model = self.build() if callable(self.build_fn) else self.build_fn

    def build(self) -> Any:
        """The model that the function makes of those parameters which it takes.

        Where it needs more, which a search is to fill in, no model is made.
        """
        taken = inspect.signature(self.build_fn).parameters
        given = {k.removeprefix("model__"): v for k, v in self.sk_params.items()}
        given = {k: v for k, v in given.items() if k in taken}
        needed = [k for k, p in taken.items() if p.default is p.empty and p.kind not in _VARIADIC]
        missing = [k for k in needed if k not in given]
        if missing:
            name = getattr(self.build_fn, "__name__", "function")
            call = f"{name}({', '.join(f'{k}=...' for k in needed)})"
            fix = f"choose one combination with --model '{call}'"
            source = Source("what the search chooses for " + ", ".join(missing), None, fix)
            return Absent(source)
        return self.build_fn(**given)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"build_fn": self.build_fn, **self.sk_params}

    def set_params(self, **params: Any) -> BaseWrapper:
        self.sk_params.update(params)
        return self

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags  # scikit-learn itself asks

        return Tags(estimator_type=self._estimator_type, target_tags=TargetTags(required=True))

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        if is_absent(self.model):  # the search has filled in what was missing
            self.model = self.build()
        names = ("epochs", "nb_epoch", "batch_size", "verbose", "validation_split", "callbacks")
        given = {k.removeprefix("fit__"): v for k, v in self.sk_params.items()}
        self.history_ = self.model.fit(
            x, y, **{k: v for k, v in given.items() if k in names} | kwargs
        )
        return self.history_

    def predict(self, x: Any, **kwargs: Any) -> Any:
        return Absent(Source("what a fitted estimator predicts"))

    predict_proba = predict

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        return 0.0


class KerasClassifier(BaseWrapper):
    """keras.wrappers.scikit_learn.KerasClassifier, and that of scikeras."""

    _estimator_type = "classifier"


class KerasRegressor(BaseWrapper):
    """keras.wrappers.scikit_learn.KerasRegressor, and that of scikeras."""

    _estimator_type = "regressor"


class SKLearnClassifier(BaseWrapper):
    """keras.wrappers.SKLearnClassifier: a model, or a function of the data that makes one."""

    _estimator_type = "classifier"

    def __init__(
        self, model: Any, warm_start: bool = False, model_kwargs: Any = None, fit_kwargs: Any = None
    ):
        super().__init__(None, **(fit_kwargs or {}))
        self.model, self.model_kwargs = model, model_kwargs or {}

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        if callable(self.model) and not hasattr(self.model, "layers"):
            self.model = self.model(x, y, **self.model_kwargs)
        return super().fit(x, y, **kwargs)


class SKLearnRegressor(SKLearnClassifier):
    """keras.wrappers.SKLearnRegressor."""

    _estimator_type = "regressor"
