"""keras2torch: Keras programs in, plain PyTorch source out."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

from keras2torch.errors import K2TError
from keras2torch.generate import Generated, Port, generate
from keras2torch.registry import register


def __getattr__(name: str) -> Any:
    """The layers and models of the author's own API (``Input``, ``Dense``, ``Conv2d``, ``Model``), on first use."""
    if name[:1].isupper():
        author = importlib.import_module("keras2torch.author")
        if hasattr(author, name):
            return getattr(author, name)
    raise AttributeError(f"module 'keras2torch' has no attribute {name!r}")


__all__ = ["Generated", "K2TError", "Port", "generate", "register"]
