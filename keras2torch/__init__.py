"""keras2torch: Keras programs in, plain PyTorch source out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

from keras2torch.errors import K2TError

if TYPE_CHECKING:
    from keras2torch.pipeline import Generated, Port, generate
    from keras2torch.registry import register

_HOMES = {
    "Generated": "pipeline",
    "Port": "pipeline",
    "generate": "pipeline",
    "register": "registry",
}


def __getattr__(name: str) -> Any:
    """What is public, on first use; and the author's own API (``Input``, ``Dense``, ``Conv2d``, ``Model``)."""
    if name in _HOMES or name[:1].isupper():
        module = importlib.import_module(f"keras2torch.{_HOMES.get(name, 'author')}")
        if hasattr(module, name):
            return getattr(module, name)
    raise AttributeError(f"module 'keras2torch' has no attribute {name!r}")


__all__ = ["Generated", "K2TError", "Port", "generate", "register"]
