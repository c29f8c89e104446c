"""``get``, ``serialize`` and ``deserialize`` of the registries."""

from __future__ import annotations

from typing import Any

from keras2torch import constraints as _constraints
from keras2torch import initializers as _initializers
from keras2torch import regularizers as _regularizers
from keras2torch.training import losses as _losses
from keras2torch.training import metrics as _metrics
from keras2torch.training import optimizers as _optimizers


def _serialize(value: Any) -> Any:
    return {"class_name": type(value).__name__, "config": getattr(value, "get_config", dict)()}


def _of(module: Any) -> dict[str, Any]:
    def deserialize(config: Any, custom_objects: Any = None) -> Any:
        return module.get(config)

    given = {
        name: getattr(module, name)
        for name in ("get", "deserialize", "serialize")
        if hasattr(module, name)
    }
    return {"deserialize": deserialize, "serialize": _serialize, **given}


initializers = _of(_initializers)
regularizers = _of(_regularizers)
constraints = _of(_constraints)
losses = _of(_losses)
metrics = _of(_metrics)
# Keras up to 2.3 has each optimizer under its name in small letters, too.
_OLD_OPTIMIZERS = ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")
optimizers = {
    **_of(_optimizers),
    **{name.lower(): _optimizers.REGISTRY[name] for name in _OLD_OPTIMIZERS},
}
