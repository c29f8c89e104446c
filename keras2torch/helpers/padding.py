"""Keras's "same" padding where the image size is known only at run time."""

import torch.nn.functional as F
from torch import Tensor


def pad_same(x: Tensor, window: tuple, stride: tuple, value: float = 0.0) -> Tensor:
    """Pad so that a window with this stride covers ceil(size / stride) places, as Keras does."""
    pads: list[int] = []
    for size, w, s in zip(reversed(x.shape[2:]), reversed(window), reversed(stride), strict=True):
        total = max(0, (-(-size // s) - 1) * s + w - size)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value)
