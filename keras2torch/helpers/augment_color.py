"""Keras's transformations of colours. Images are (N, C, H, W).

Sources: keras/src/layers/preprocessing/image_preprocessing/*.py of Keras 3.15.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from keras2torch.helpers.augment import chosen, gaussian_blur, per_image, uniform


def to_range(x: Tensor, old: tuple, new: tuple) -> Tensor:
    """Values of one range spread over another."""
    if old == new:
        return x
    return (x - old[0]) / (old[1] - old[0]) * (new[1] - new[0]) + new[0]


def to_gray(x: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, 1, H, W)."""
    if x.shape[1] == 1:
        return x
    weights = torch.tensor([0.2989, 0.5870, 0.1140], dtype=x.dtype, device=x.device)
    return torch.einsum("nchw,c->nhw", x, weights).unsqueeze(1)


def rgb_to_hsv(x: Tensor) -> Tensor:
    """Red, green, blue to hue, saturation, value."""
    x = torch.where(x.abs() < torch.finfo(x.dtype).eps, 0.0, x)
    red, green, blue = x.unbind(1)
    value, low = x.amax(1), x.amin(1)
    spread = value - low
    saturation = torch.where(value > 0, spread / torch.where(value > 0, value, 1.0), 0.0)
    norm = 1 / (6 * torch.where(spread > 0, spread, 1.0))
    hue = torch.where(value == green, norm * (blue - red) + 2 / 6, norm * (red - green) + 4 / 6)
    hue = torch.where(value == red, norm * (green - blue), hue)
    hue = torch.where(spread > 0, hue, 0.0) + (hue < 0)
    return torch.stack([hue, saturation, value], dim=1)


def hsv_to_rgb(x: Tensor) -> Tensor:
    """Hue, saturation, value to red, green, blue."""
    hue, saturation, value = x.unbind(1)
    turn = hue.remainder(1.0) * 6
    parts = [(turn - 3).abs() - 1, 2 - (turn - 2).abs(), 2 - (turn - 4).abs()]
    return torch.stack(
        [value * (1 - saturation + saturation * part.clamp(0, 1)) for part in parts], dim=1
    )


class RandomBrightness(nn.Module):
    """Adds a share of the value range."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        low, high = self.value_range
        return (x + per_image(x, self.factor) * (high - low)).clamp(low, high)


class RandomContrast(nn.Module):
    """Spreads the values of each channel about their mean, by 1 - lower to 1 + upper factor."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = (1 - factor[0], 1 + factor[1]), value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        mean = x.mean(dim=(2, 3), keepdim=True)
        return ((x - mean) * per_image(x, self.factor) + mean).clamp(*self.value_range)


class RandomGrayscale(nn.Module):
    """Takes the colours from a share of the images."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return torch.where(per_image(x) < self.factor, to_gray(x), x)


class RandomColorDegeneration(nn.Module):
    """Takes a part of the colours away."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return (x + per_image(x, self.factor) * (to_gray(x) - x)).clamp(*self.value_range)


class RandomInvert(nn.Module):
    """Inverts some of the images."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        return torch.where(chosen(x, self.factor), self.value_range[1] - x, x)


class Solarization(nn.Module):
    """Adds to all values, then inverts those above a threshold; on a scale of 0 to 255."""

    def __init__(self, addition_factor: tuple, threshold_factor: tuple, value_range: tuple):
        super().__init__()
        # Keras scales the upper bounds alone.
        self.additions = (addition_factor[0], addition_factor[1] * 255)
        self.thresholds = (threshold_factor[0], threshold_factor[1] * 255)
        self.value_range = value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        x = to_range(x, self.value_range, (0, 255))
        x = (x + per_image(x, self.additions)).clamp(0, 255)
        x = torch.where(x < per_image(x, self.thresholds), x, 255 - x)
        return to_range(x, (0, 255), self.value_range)


class RandomPosterization(nn.Module):
    """Keeps ``factor`` bits of each value, drawn from low (included) to high (not included)."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        low, high = self.factor
        bits = torch.randint(low, max(high, low + 1), (len(x), 1, 1, 1), device=x.device)
        step = 2 ** (8 - bits)
        x = to_range(x, self.value_range, (0, 255)).int() // step * step
        return to_range(x.float(), (0, 255), self.value_range)


class RandomHue(nn.Module):
    """Turns the hue by up to half of ``factor``, one way or the other."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        hue, saturation, value = rgb_to_hsv(to_range(x, self.value_range, (0, 1))).split(1, dim=1)
        side = torch.where(per_image(x) > 0.5, -1.0, 1.0)
        hue = hue + side * per_image(x, self.factor) * 0.5
        hue = torch.where(hue > 1, hue - 1, hue)
        hue = torch.where(hue < 0, hue + 1, hue)
        x = hsv_to_rgb(torch.cat([hue, saturation, value], dim=1)).clamp(0, 1)
        return to_range(x, (0, 1), self.value_range)


class RandomSaturation(nn.Module):
    """Multiplies the saturation by f / (1 - f): 0.5 leaves the image as it is."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        factor = per_image(x, self.factor)
        hue, saturation, value = rgb_to_hsv(x).split(1, dim=1)
        saturation = (saturation * (factor / (1 - factor + 1e-7))).clamp(*self.value_range)
        return hsv_to_rgb(torch.cat([hue, saturation, value], dim=1))


class RandomSharpness(nn.Module):
    """Mixes each image with a smoothed one: a factor of 0.5 leaves it as it is, more sharpens."""

    def __init__(self, factor: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.value_range = factor, value_range

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        kernel = torch.full((3, 3), 1 / 13, device=x.device)
        kernel[1, 1] = 5 / 13
        smooth = F.conv2d(x, kernel.expand(x.shape[1], 1, 3, 3), padding=1, groups=x.shape[1])
        x = x + (1 - 2 * per_image(x, self.factor)) * (smooth - x)
        return x.clamp(*self.value_range)


class RandomGaussianBlur(nn.Module):
    """Blurs some of the images, all by the same sigma."""

    def __init__(self, factor: tuple, kernel_size: tuple, sigma: tuple, value_range: tuple):
        super().__init__()
        self.factor, self.kernel_size, self.sigma, self.value_range = (
            factor,
            kernel_size,
            sigma,
            value_range,
        )

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        blurred = gaussian_blur(x, self.kernel_size, uniform((2,), self.sigma, x) + 1e-6)
        return torch.where(chosen(x, self.factor), blurred, x).clamp(*self.value_range)


def auto_contrast(x: Tensor, value_range: tuple, dims: tuple = (2, 3)) -> Tensor:
    """Stretch the values over the whole range, channel by channel; flat channels stay as they are."""
    scaled = to_range(x, value_range, (0, 255))
    low, high = scaled.amin(dims, keepdim=True), scaled.amax(dims, keepdim=True)
    scale = 255 / (high - low)
    scaled = (scaled * scale - low * scale).clamp(0, 255)
    scaled = to_range(scaled, (0, 255), value_range)
    return torch.where(scaled.isnan(), x, scaled)


def equalize(x: Tensor, value_range: tuple, bins: int = 256) -> Tensor:
    """Equalise the histogram of each channel, over the whole batch."""
    channels = []
    for channel in to_range(x, value_range, (0, 255)).unbind(1):
        places = (channel * (bins - 1) / 255).int().clamp(0, bins - 1)
        total = torch.bincount(places.flatten(), minlength=bins).cumsum(0)
        first = total[total > 0][0]
        table = ((total - first) * 255 / (total[-1] - first).clamp(min=1)).round().clamp(0, 255)
        flat = (total == total[-1]).sum() + (total == 0).sum() == bins
        places = (channel / 255 * (bins - 1)).clamp(0, bins - 1).int()
        channels.append(torch.where(flat, channel, table[places]))
    return to_range(torch.stack(channels, dim=1), (0, 255), value_range)


class Equalization(nn.Module):
    """Equalises the histogram of each channel, in training."""

    def __init__(self, value_range: tuple, bins: int = 256):
        super().__init__()
        self.value_range, self.bins = value_range, bins

    def forward(self, x: Tensor) -> Tensor:
        return equalize(x, self.value_range, self.bins) if self.training else x
