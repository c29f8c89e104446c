"""Keras's random image transformations: in train mode they draw anew for each image; in eval mode they do nothing.

Images are (N, C, H, W). Sources: keras/src/layers/preprocessing/image_preprocessing/*.py of Keras 3.15.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def uniform(size: tuple, bounds: tuple, like: Tensor) -> Tensor:
    """Random numbers between two bounds, on the device of ``like``."""
    low, high = bounds
    return torch.rand(size, device=like.device) * (high - low) + low


def per_image(x: Tensor, bounds: tuple = (0.0, 1.0)) -> Tensor:
    """One random number for each image, of shape (N, 1, 1, 1)."""
    return uniform((len(x), 1, 1, 1), bounds, x)


def chosen(x: Tensor, probability: tuple) -> Tensor:
    """Which images to change, of shape (N, 1, 1, 1): the probability is itself drawn for each."""
    limit = per_image(x, probability)
    return per_image(x) < limit


def sample_pixels(
    x: Tensor,
    points: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> Tensor:
    """The images at ``points`` (N, H, W, 2), given as (column, row) in pixels."""
    if fill_mode == "wrap":
        height, width = x.shape[2:]
        points = points.remainder(torch.tensor([width, height], device=x.device))
        x = F.pad(x, (0, 1, 0, 1), mode="circular")
    size = torch.tensor([x.shape[3], x.shape[2]], device=x.device)
    mirror = fill_mode == "mirror"  # about the border pixel itself, not its outer edge
    grid = 2 * points / (size - 1) - 1 if mirror else (2 * points + 1) / size - 1
    padding = {"constant": "zeros", "nearest": "border", "wrap": "border"}.get(
        fill_mode, "reflection"
    )
    x = F.grid_sample(x - fill_value, grid, interpolation, padding, align_corners=mirror)
    return x + fill_value


def pixel_places(x: Tensor) -> Tensor:
    """(column, row, 1) of every pixel: (H, W, 3)."""
    rows, columns = torch.meshgrid(
        torch.arange(x.shape[2], device=x.device),
        torch.arange(x.shape[3], device=x.device),
        indexing="ij",
    )
    return torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).float()


def affine(x: Tensor, rows: list, **sampling) -> Tensor:
    """Each output pixel is taken from where ``rows`` (two of three numbers for each image) send it."""
    zeros = torch.zeros(len(x), device=x.device)
    matrix = torch.stack(
        [torch.stack([value + zeros for value in row], dim=-1) for row in rows], dim=1
    )
    points = pixel_places(x) @ matrix.mT.unsqueeze(1)
    return sample_pixels(x, points, **sampling)


class RandomFlip(nn.Module):
    """Flips half of the images: "horizontal", "vertical", or "horizontal_and_vertical" (both at once)."""

    def __init__(self, mode: str):
        super().__init__()
        self.dims = {"horizontal": [3], "vertical": [2]}.get(mode, [2, 3])

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return torch.where(per_image(x) <= 0.5, x.flip(self.dims), x)


class RandomRotation(nn.Module):
    """Rotates by an angle within ``factor`` (in full turns)."""

    def __init__(self, factor: tuple, **sampling):
        super().__init__()
        self.factor, self.sampling = factor, sampling

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        angle = 2 * math.pi * uniform((len(x),), self.factor, x)
        cos, sin = angle.cos(), angle.sin()
        cx, cy = (x.shape[3] - 1) / 2, (x.shape[2] - 1) / 2
        rows = [[cos, -sin, cx - cx * cos + cy * sin], [sin, cos, cy - cx * sin - cy * cos]]
        return affine(x, rows, **self.sampling)


class RandomZoom(nn.Module):
    """Zooms about the centre: a factor of -0.2 to 0.2 shows 80 % to 120 % of the height (and width)."""

    def __init__(self, height_factor: tuple, width_factor: tuple | None = None, **sampling):
        super().__init__()
        self.height_factor, self.width_factor, self.sampling = height_factor, width_factor, sampling

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        zoom_y = 1 + uniform((len(x),), self.height_factor, x)
        zoom_x = (
            zoom_y if self.width_factor is None else 1 + uniform((len(x),), self.width_factor, x)
        )
        cx, cy = (x.shape[3] - 1) / 2, (x.shape[2] - 1) / 2
        rows = [[zoom_x, 0.0, cx * (1 - zoom_x)], [0.0, zoom_y, cy * (1 - zoom_y)]]
        return affine(x, rows, **self.sampling)


class RandomTranslation(nn.Module):
    """Moves by a part of the height and of the width."""

    def __init__(self, height_factor: tuple, width_factor: tuple, **sampling):
        super().__init__()
        self.height_factor, self.width_factor, self.sampling = height_factor, width_factor, sampling

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        dy = uniform((len(x),), self.height_factor, x) * x.shape[2]
        dx = uniform((len(x),), self.width_factor, x) * x.shape[3]
        return affine(x, [[1.0, 0.0, -dx], [0.0, 1.0, -dy]], **self.sampling)


class RandomShear(nn.Module):
    """Shears along x and y, to one side or the other."""

    def __init__(self, x_factor: tuple, y_factor: tuple, **sampling):
        super().__init__()
        self.x_factor, self.y_factor, self.sampling = x_factor, y_factor, sampling

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        side = torch.where(uniform((len(x),), (0.0, 1.0), x) > 0.5, -1.0, 1.0)
        shear_y = side * uniform((len(x),), self.y_factor, x)
        shear_x = side * uniform((len(x),), self.x_factor, x)
        return affine(x, [[1.0, shear_x, 0.0], [shear_y, 1.0, 0.0]], **self.sampling)


class RandomPerspective(nn.Module):
    """Moves the four corners, each by up to half of ``scale``, in some of the images."""

    def __init__(self, factor: tuple, scale: float, **sampling):
        super().__init__()
        self.factor, self.scale, self.sampling = factor, scale, sampling

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        right, bottom = x.shape[3] - 1.0, x.shape[2] - 1.0
        corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]
        start = torch.tensor(corners, device=x.device).expand(len(x), 4, 2)
        end = start + start * uniform((len(x), 4, 2), (-0.5 * self.scale, 0.5 * self.scale), x)
        homogeneous = pixel_places(x) @ homography(start, end).mT.unsqueeze(1)
        points = homogeneous[..., :2] / homogeneous[..., 2:]
        return torch.where(chosen(x, self.factor), sample_pixels(x, points, **self.sampling), x)


def homography(start: Tensor, end: Tensor) -> Tensor:
    """The matrices (N, 3, 3) that send the points ``end`` (N, 4, 2) to ``start``."""
    one = torch.ones_like(end[..., :1])
    zero = torch.zeros_like(torch.cat([end, one], dim=-1))
    to_x = torch.cat([end, one, zero, -start[..., :1] * end], dim=-1)
    to_y = torch.cat([zero, end, one, -start[..., 1:] * end], dim=-1)
    targets = torch.cat([start[..., 0], start[..., 1]], dim=-1)
    solution = torch.linalg.solve(torch.cat([to_x, to_y], dim=1), targets)
    return torch.cat([solution, one[:, 0]], dim=-1).unflatten(-1, (3, 3))


class RandomElasticTransform(nn.Module):
    """Distorts some of the images by a smooth random field."""

    def __init__(self, factor: tuple, scale: tuple, value_range: tuple, **sampling):
        super().__init__()
        self.factor, self.scale, self.value_range, self.sampling = (
            factor,
            scale,
            value_range,
            sampling,
        )

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.scale[1] or not self.factor[1]:
            return x
        amount = uniform((), self.scale, x).item()
        alpha, sigma = max(x.shape[2:]) * 0.1 * amount, min(x.shape[2:]) * 0.05 * amount
        field = torch.randn(len(x), 1, *x.shape[2:], device=x.device) * sigma
        size = int(6 * sigma) | 1
        field = alpha * gaussian_blur(field, (size, size), torch.full((2,), sigma, device=x.device))
        points = pixel_places(x)[..., :2] + field.movedim(
            1, -1
        )  # Keras draws x and y from one seed
        distorted = sample_pixels(x, points, **self.sampling)
        return torch.where(chosen(x, self.factor), distorted, x).clamp(*self.value_range)


def gaussian_blur(x: Tensor, kernel_size: tuple, sigma: Tensor) -> Tensor:
    """Convolve with a Gaussian of (width, height) ``kernel_size`` and ``sigma``."""
    width, height = (gaussian(size, s) for size, s in zip(kernel_size, sigma))
    kernel = torch.outer(height, width).expand(x.shape[1], 1, -1, -1)
    return F.conv2d(x, kernel, padding="same", groups=x.shape[1])


def gaussian(size: int, sigma: Tensor) -> Tensor:
    """A Gaussian window with sum 1."""
    places = torch.arange(size, device=sigma.device) - (size - 1) / 2
    window = torch.exp(-0.5 * (places / sigma) ** 2)
    return window / window.sum()


def random_boxes(x: Tensor, width: Tensor, height: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes of a share of width and height (N,) at random places: masks (N, 1, H, W), and their areas."""
    rows, columns = x.shape[2:]
    w, h = (width * columns).view(-1, 1, 1, 1), (height * rows).view(-1, 1, 1, 1)
    left, top = per_image(x) * (columns - w), per_image(x) * (rows - h)
    places = pixel_places(x)
    inside = (places[..., 0] >= left) & (places[..., 0] < left + w)
    inside &= (places[..., 1] >= top) & (places[..., 1] < top + h)
    return inside, w * h


class RandomErasing(nn.Module):
    """Fills a random box in some of the images; with noise where no ``fill_value`` is given."""

    def __init__(
        self, factor: tuple, scale: tuple, fill_value: float | tuple | None, value_range: tuple
    ):
        super().__init__()
        self.factor, self.scale, self.fill_value, self.value_range = (
            factor,
            scale,
            fill_value,
            value_range,
        )

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        inside, _ = random_boxes(
            x, uniform((len(x),), self.scale, x).sqrt(), uniform((len(x),), self.scale, x).sqrt()
        )
        if self.fill_value is None:
            fill = torch.randn_like(x) * self.value_range[1]
        else:
            fill = torch.tensor(self.fill_value, dtype=x.dtype, device=x.device).view(-1, 1, 1)
        return torch.where(inside & chosen(x, self.factor), fill.clamp(*self.value_range), x)


class CutMix(nn.Module):
    """Puts a box of another image of the batch into each image."""

    def __init__(self, factor: tuple):
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        alpha = uniform((), self.factor, x) + 1e-6
        weight = torch.distributions.Beta(alpha, alpha).sample((len(x),))
        inside, _ = random_boxes(x, (1 - weight).sqrt(), (1 - weight).sqrt())
        return torch.where(inside, x[torch.randperm(len(x), device=x.device)], x)


class MixUp(nn.Module):
    """Mixes each image with another one of the batch."""

    def __init__(self, alpha: float):
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        beta = torch.distributions.Beta(self.alpha, self.alpha)
        weight = beta.sample((len(x), 1, 1, 1)).to(x)
        return weight * x + (1 - weight) * x[torch.randperm(len(x), device=x.device)]
