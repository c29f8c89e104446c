"""Resampling of images as Keras does it."""

import itertools
import math

import torch
from torch import Tensor


def resample_weights(
    size_in: int, size_out: int, method: str, antialias: bool, scale: float, shift: float
) -> Tensor:
    """(size_out, size_in): how much of each pixel goes into each new one; pixel centres lie at halves."""
    places = (torch.arange(size_out, dtype=torch.float64) + 0.5 - shift) / scale - 0.5
    spread = max(1 / scale, 1.0) if antialias else 1.0
    x = (places[:, None] - torch.arange(size_in, dtype=torch.float64)).abs() / spread
    if method == "linear":
        weights = (1 - x).clamp(min=0)
    elif method == "cubic":  # Keys, a = -0.5
        near = (1.5 * x - 2.5) * x * x + 1
        far = ((-0.5 * x + 2.5) * x - 4) * x + 2
        weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    else:
        radius = int(method[-1])  # lanczos3, lanczos5
        weights = torch.where(x < radius, torch.sinc(x) * torch.sinc(x / radius), 0.0)
    total = weights.sum(dim=1, keepdim=True)
    weights = torch.where(total.abs() > 1.2e-4, weights / total, 0.0)
    inside = (places >= -0.5) & (places <= size_in - 0.5)
    return torch.where(inside[:, None], weights, 0.0)


def resample(
    x: Tensor,
    dims: tuple,
    sizes: tuple,
    method: str,
    antialias: bool,
    scales: tuple | None = None,
    shifts: tuple | None = None,
) -> Tensor:
    """x with other sizes along ``dims``; by default scaled to fill them."""
    for i, (dim, size) in enumerate(zip(dims, sizes)):
        scale = size / x.shape[dim] if scales is None else float(scales[i])
        shift = 0.0 if shifts is None else float(shifts[i])
        weights = resample_weights(x.shape[dim], size, method, antialias, scale, shift).to(x)
        x = (x.movedim(dim, -1) @ weights.T).movedim(-1, dim)
    return x


def map_coordinates(
    x: Tensor, coordinates: Tensor, order: int, mode: str = "constant", value: float = 0.0
) -> Tensor:
    """x at fractional places: ``coordinates`` (axes of x, *result); order 0 takes the nearest pixel, 1 is linear."""
    per_axis = []
    for place, size in zip(coordinates, x.shape):
        if order == 0:
            rounded = torch.where(place >= 0, (place + 0.5).floor(), (place - 0.5).ceil())
            nodes = [(rounded.long(), torch.ones_like(place))]
        else:
            low = place.floor()
            nodes = [(low.long(), 1 - (place - low)), (low.long() + 1, place - low)]
        per_axis.append([(*_index_inside(index, size, mode), weight) for index, weight in nodes])
    result = torch.zeros_like(coordinates[0])
    for corner in itertools.product(*per_axis):
        picked = x[tuple(index for index, _, _ in corner)]
        if mode == "constant":
            valid = torch.stack([inside for _, inside, _ in corner]).all(dim=0)
            picked = torch.where(valid, picked, value)
        result = result + picked * math.prod(weight for _, _, weight in corner)
    return result


def _index_inside(index: Tensor, size: int, mode: str) -> tuple[Tensor, Tensor]:
    """Indices moved into [0, size) as ``mode`` says, and whether they were inside."""
    inside = (index >= 0) & (index < size)
    if mode == "wrap":
        return index % size, inside
    if mode == "mirror":
        return ((index + size - 1) % (2 * (size - 1)) - (size - 1)).abs(), inside
    if mode == "reflect":
        index = index % (2 * size)
        return torch.where(index < size, index, 2 * size - 1 - index), inside
    return index.clamp(0, size - 1), inside


def transform_images(images: Tensor, places: Tensor, order: int, mode: str, value: float) -> Tensor:
    """Images (N, C, H, W) sampled at ``places`` (N, 2, H, W): rows and columns."""
    sampled = [
        torch.stack([map_coordinates(channel, place, order, mode, value) for channel in image])
        for image, place in zip(images, places)
    ]
    return torch.stack(sampled)


def affine_transform(
    images: Tensor, transform: Tensor, order: int, mode: str, value: float
) -> Tensor:
    """Images (N, C, H, W) under x' = a0 x + a1 y + a2, y' = b0 x + b1 y + b2: each new pixel from (x', y')."""
    rows, columns = (
        torch.arange(n, dtype=images.dtype, device=images.device) for n in images.shape[2:]
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    a0, a1, a2, b0, b1, b2 = (
        part[:, None, None] for part in transform.expand(len(images), 8)[:, :6].unbind(1)
    )
    places = torch.stack([b0 * x + b1 * y + b2, a0 * x + a1 * y + a2], dim=1)
    return transform_images(images, places, order, mode, value)


def perspective_transform(
    images: Tensor, start: Tensor, end: Tensor, order: int, value: float
) -> Tensor:
    """Images (N, C, H, W) so that the four points ``start`` (N, 4, 2) come to lie at ``end``."""
    (sx, sy), (ex, ey) = start.unbind(-1), end.unbind(-1)
    zero, one = torch.zeros_like(ex), torch.ones_like(ex)
    x_rows = torch.stack([ex, ey, one, zero, zero, zero, -sx * ex, -sx * ey], dim=-1)
    y_rows = torch.stack([zero, zero, zero, ex, ey, one, -sy * ex, -sy * ey], dim=-1)
    system, target = torch.cat([x_rows, y_rows], dim=1), torch.cat([sx, sy], dim=-1)
    h = torch.linalg.solve(system, target.unsqueeze(-1))[..., None].unbind(1)
    rows, columns = (
        torch.arange(n, dtype=images.dtype, device=images.device) for n in images.shape[2:]
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    depth = h[6] * x + h[7] * y + 1
    places = torch.stack(
        [(h[3] * x + h[4] * y + h[5]) / depth, (h[0] * x + h[1] * y + h[2]) / depth], dim=1
    )
    return transform_images(images, places, order, "constant", value)
