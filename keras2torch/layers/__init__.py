"""All layers: importing this package fills ``REGISTRY``."""

from __future__ import annotations

import importlib
import pkgutil

from keras2torch.layers.base import REGISTRY, Layer

for _module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_module}")

__all__ = ["REGISTRY", "Layer"]
