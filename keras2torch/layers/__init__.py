"""All layers, in ``REGISTRY``: a layer's module is imported when the layer is asked for."""

from __future__ import annotations

from keras2torch.layers.base import REGISTRY, Layer

__all__ = ["REGISTRY", "Layer"]
