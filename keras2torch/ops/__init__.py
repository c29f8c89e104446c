"""All functions on tensors, in ``OPS``: they are imported when the first one is asked for."""

from __future__ import annotations

from keras2torch.ops.base import OPS

OPERATION_CLASSES = {
    "BatchNorm": "keras.ops.batch_normalization",
    "LayerNorm": "keras.ops.layer_normalization",
    "RMSNorm": "keras.ops.rms_normalization",
}
"""Classes of keras.src.ops (in saved models) whose function has another name -> its path."""

__all__ = ["OPERATION_CLASSES", "OPS"]
