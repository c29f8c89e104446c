"""The networks of ``keras.applications``, recorded with our own layers: no Keras is needed to generate from them.

A test compares each with the installed Keras's, layer by layer. ``weights="imagenet"`` reads the file in Keras's
cache (``~/.keras/models``), and says so where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.applications import (
    convnext,
    densenet,
    efficientnet,
    inception,
    mobilenet,
    nasnet,
    resnet,
    vgg,
)

REGISTRY: dict[str, Callable[..., Any]] = {
    **vgg.NETWORKS,
    **resnet.NETWORKS,
    **mobilenet.NETWORKS,
    **inception.NETWORKS,
    **densenet.NETWORKS,
    **nasnet.NETWORKS,
    **efficientnet.NETWORKS,
    **convnext.NETWORKS,
}
"""Name in ``keras.applications`` -> function that records the network."""
