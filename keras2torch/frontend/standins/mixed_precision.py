"""``keras.mixed_precision``: precision is chosen when training, by the script's --amp."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend.standins.backend import dtype_policy, set_dtype_policy
from keras2torch.training.optimizers import LossScaleOptimizer


class Policy:
    """A dtype policy: layers keep float32 variables whatever it computes in."""

    def __init__(self, name: str = "float32", *args: Any, **kwargs: Any):
        self.name = name
        self.compute_dtype = name.replace("mixed_", "")
        self.variable_dtype = "float32" if name.startswith("mixed_") else name


NAMES: dict[str, Any] = {
    "Policy": Policy,
    "DTypePolicy": Policy,
    "LossScaleOptimizer": LossScaleOptimizer,
    **dict.fromkeys(("set_global_policy", "set_dtype_policy", "set_policy"), set_dtype_policy),
    **dict.fromkeys(("global_policy", "dtype_policy"), dtype_policy),
}
