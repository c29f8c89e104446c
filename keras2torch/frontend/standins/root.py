"""Names of ``keras`` itself."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from keras2torch.frontend.standins import backend, models, tensorflow
from keras2torch.initializers import Initializer
from keras2torch.inputs import Input
from keras2torch.layers.base import Layer
from keras2torch.regularizers import Regularizer
from keras2torch.training.losses import Loss
from keras2torch.training.metrics import Metric
from keras2torch.training.optimizers import Optimizer


def version() -> str:
    return "3.15.0"


NAMES: dict[str, Any] = {
    "__version__": "3.15.0",
    "version": version,
    "Input": Input,
    "Model": models.Model,
    "Sequential": models.Sequential,
    "Functional": models.NAMES["Functional"],
    "Layer": Layer,
    "Loss": Loss,
    "Metric": Metric,
    "Optimizer": Optimizer,
    "Initializer": Initializer,
    "Regularizer": Regularizer,
    "KerasTensor": tensorflow.Tensor,
    "Variable": tensorflow.Variable,
    "name_scope": lambda *args, **kwargs: nullcontext(),
    "device": lambda *args, **kwargs: nullcontext(),
    "StatelessScope": lambda *args, **kwargs: nullcontext(),
    "clear_session": backend.clear_session,
}
