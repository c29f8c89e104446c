"""Resizing images (N, C, H, W) as Keras does, where F.interpolate alone does not.

Sources: keras/src/backend/jax/image.py and jax.image.resize; keras/src/utils/image_utils.py (``smart_resize``).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def cubic(x: Tensor) -> Tensor:
    """Keys's cubic kernel (a = -0.5; torch's own bicubic has -0.75)."""
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x >= 2, 0.0, torch.where(x >= 1, far, near))


def lanczos3(x: Tensor) -> Tensor:
    """Lanczos's kernel with three lobes."""
    return torch.where(x < 3, torch.sinc(x) * torch.sinc(x / 3), 0.0)


def lanczos5(x: Tensor) -> Tensor:
    """Lanczos's kernel with five lobes."""
    return torch.where(x < 5, torch.sinc(x) * torch.sinc(x / 5), 0.0)


def resize_weights(size: int, target: int, kernel, antialias: bool) -> Tensor:
    """How each of ``target`` pixels is made of ``size`` pixels: (target, size)."""
    scale = size / target
    places = (torch.arange(target) + 0.5) * scale - 0.5
    distance = (places[:, None] - torch.arange(size)).abs()
    weights = kernel(distance / max(scale, 1.0) if antialias else distance)
    return weights / weights.sum(1, keepdim=True)


def resize(x: Tensor, size: tuple, kernel, antialias: bool = False) -> Tensor:
    """Resize by a separable kernel: ``cubic``, ``lanczos3`` or ``lanczos5``."""
    rows = resize_weights(x.shape[2], size[0], kernel, antialias).to(x)
    columns = resize_weights(x.shape[3], size[1], kernel, antialias).to(x)
    return rows @ x @ columns.T


def crop_to_aspect_ratio(x: Tensor, height: int, width: int) -> Tensor:
    """The largest window in the middle that has the shape of ``height`` by ``width``."""
    rows, columns = x.shape[2:]
    crop_h = max(min(rows, int(columns * height / width)), 1)
    crop_w = max(min(columns, int(rows * width / height)), 1)
    top, left = int((rows - crop_h) / 2), int((columns - crop_w) / 2)
    return x[:, :, top : top + crop_h, left : left + crop_w]


def pad_to_aspect_ratio(x: Tensor, height: int, width: int, value: float = 0.0) -> Tensor:
    """Pad the short side evenly to about the shape of ``height`` by ``width``."""
    rows, columns = x.shape[2:]
    top = int((max(rows, int(columns * height / width)) - rows) / 2)
    left = int((max(columns, int(rows * width / height)) - columns) / 2)
    if top > 0:
        return F.pad(x, (0, 0, top, top), value=value)
    return F.pad(x, (left, left, 0, 0), value=value)


def center_crop(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of the images; where they are too small, resized to fill it."""
    rows, columns = x.shape[2:]
    if rows >= height and columns >= width:
        top, left = (rows - height) // 2, (columns - width) // 2
        return x[:, :, top : top + height, left : left + width]
    x = crop_to_aspect_ratio(x, height, width)
    return F.interpolate(x, (height, width), mode="bilinear")
