"""All functions on tensors: importing this package fills ``OPS`` and Python's operators."""

from __future__ import annotations

import importlib
import pkgutil

from keras2torch.ops.activations import mark_activations
from keras2torch.ops.base import OPS

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

mark_activations()

OPERATION_CLASSES = {
    "BatchNorm": "keras.ops.batch_normalization",
    "LayerNorm": "keras.ops.layer_normalization",
    "RMSNorm": "keras.ops.rms_normalization",
}
"""Classes of keras.src.ops (in saved models) whose function has another name -> its path."""

__all__ = ["OPERATION_CLASSES", "OPS"]
