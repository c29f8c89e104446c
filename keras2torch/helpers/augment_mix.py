"""Keras's policies of several transformations, and its adaptive histogram equalisation. Images are (N, C, H, W).

Sources: keras/src/layers/preprocessing/image_preprocessing/{rand_augment,aug_mix,clahe}.py of Keras 3.15.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from keras2torch.helpers.augment import RandomRotation, RandomShear, RandomTranslation
from keras2torch.helpers.augment_color import (
    Equalization,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
    auto_contrast,
    to_range,
)


class AutoContrast(nn.Module):
    """Stretches the values of each channel over the whole range."""

    def __init__(self, value_range: tuple):
        super().__init__()
        self.value_range = value_range

    def forward(self, x: Tensor) -> Tensor:
        return auto_contrast(x, self.value_range)


def geometric_operations(factor: tuple, interpolation: str) -> list:
    """Shear, translation and rotation of one strength."""
    return [
        RandomShear(factor, factor, interpolation=interpolation),
        RandomTranslation(factor, factor, interpolation=interpolation),
        RandomRotation(factor, interpolation=interpolation),
    ]


def tonal_operations(factor: tuple, value_range: tuple) -> list:
    """Operations on the values of one strength."""
    bits = (1, max(1, int(8 * factor[1])))
    return [
        Solarization(factor, factor, value_range),
        RandomPosterization(bits, value_range),
        AutoContrast(value_range),
        Equalization(value_range),
    ]


def color_operations(factor: tuple, value_range: tuple) -> list:
    """Brightness, colours, contrast and sharpness of one strength."""
    return [
        RandomBrightness(factor, value_range),
        RandomColorDegeneration(factor, value_range),
        RandomContrast(factor, value_range),
        RandomSharpness(factor, value_range),
    ]


class RandAugment(nn.Module):
    """Applies ``num_ops`` operations, drawn anew for each batch."""

    def __init__(
        self, value_range: tuple, num_ops: int, factor: tuple, interpolation: str = "bilinear"
    ):
        super().__init__()
        self.num_ops = num_ops
        operations = geometric_operations(factor, interpolation)
        operations += color_operations(factor, value_range) + tonal_operations(factor, value_range)
        self.operations = nn.ModuleList(operations)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        seed = int(torch.randint(2**62, ()))
        for index in torch.randint(len(self.operations), (self.num_ops,)).tolist():
            with torch.random.fork_rng([x.device] if x.is_cuda else []):
                torch.manual_seed(seed + index)  # one that is drawn twice does the same thing twice
                x = self.operations[index](x)
        return x


class AugMix(nn.Module):
    """Mixes the images with several chains of operations on them, drawn anew for each batch."""

    def __init__(
        self,
        value_range: tuple,
        num_chains: int,
        chain_depth: int,
        factor: tuple,
        alpha: float,
        all_ops: bool,
        interpolation: str = "bilinear",
    ):
        super().__init__()
        self.value_range, self.num_chains, self.chain_depth = value_range, num_chains, chain_depth
        self.alpha = alpha
        operations = geometric_operations(factor, interpolation) + tonal_operations(
            factor, value_range
        )
        if all_ops:
            operations += color_operations(factor, value_range)
        self.operations = nn.ModuleList([*operations, nn.Identity()])

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        weights = torch.distributions.Dirichlet(torch.full((self.num_chains,), self.alpha)).sample()
        kept = torch.distributions.Beta(self.alpha, self.alpha).sample()
        mixed = torch.zeros_like(x)
        for weight in weights.tolist():
            chain = x
            for index in torch.randint(len(self.operations), (self.chain_depth,)).tolist():
                chain = self.operations[index](chain)
            mixed = mixed + weight * chain
        return (kept.item() * x + (1 - kept.item()) * mixed).clamp(*self.value_range)


def equalize_tiles(
    x: Tensor, value_range: tuple, clip_limit: float, tile_grid_size: tuple
) -> Tensor:
    """Contrast-limited adaptive histogram equalisation: tables of a grid of tiles, interpolated between."""
    x = to_range(x, value_range, (0, 255))
    grid_h, grid_w = tile_grid_size
    channels, height, width = x.shape[1:]
    tile_h, tile_w = -(-height // grid_h), -(-width // grid_w)
    pixels = pad_symmetric(x, tile_h * grid_h - height, tile_w * grid_w - width)
    tiles = (
        pixels.unflatten(3, (grid_w, tile_w))
        .unflatten(2, (grid_h, tile_h))
        .transpose(3, 4)
        .flatten(4)
    )
    counts = (
        F.one_hot(tiles.long().clamp(0, 255), 256).sum(-2).float()
    )  # (N, C, grid_h, grid_w, 256)
    if clip_limit > 0:
        clipped = counts.clamp(max=clip_limit * tile_h * tile_w / 256)
        counts = clipped + (counts - clipped).sum(-1, keepdim=True) / 256
    total = counts.cumsum(-1)
    low = total.amin(-1, keepdim=True)
    span = tile_h * tile_w - low
    tables = ((total - low) * 255 / torch.where(span == 0, 1.0, span)).clamp(0, 255)
    tables = F.pad(tables.movedim(-1, 2).flatten(1, 2), (1, 1, 1, 1), mode="replicate")
    tables = tables.unflatten(1, (channels, 256))

    def neighbours(size: int, tile: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        place = (torch.arange(size, device=x.device) - tile / 2) / tile + 1
        first = place.floor()
        return (
            first.long().clamp(0, count + 1),
            (first + 1).long().clamp(0, count + 1),
            place - first,
        )

    top, bottom, down = neighbours(pixels.shape[2], tile_h, grid_h)
    left, right, along = neighbours(pixels.shape[3], tile_w, grid_w)
    value = pixels.clamp(0, 255).long()

    def look_up(rows: Tensor, columns: Tensor) -> Tensor:
        table = tables[..., rows[:, None], columns]  # (N, C, 256, H, W)
        return table.gather(2, value.unsqueeze(2)).squeeze(2)

    upper = look_up(top, left) * (1 - along) + look_up(top, right) * along
    lower = look_up(bottom, left) * (1 - along) + look_up(bottom, right) * along
    x = upper * (1 - down[:, None]) + lower * down[:, None]
    return to_range(x[..., :height, :width], (0, 255), value_range)


def pad_symmetric(x: Tensor, bottom: int, right: int) -> Tensor:
    """Repeat the last rows and columns in reverse, the border pixel too."""
    x = torch.cat([x, x[:, :, x.shape[2] - bottom :].flip(2)], dim=2)
    return torch.cat([x, x[..., x.shape[3] - right :].flip(3)], dim=3)
