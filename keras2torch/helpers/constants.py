"""Tables that a formula gives, and those that are written out."""

import base64
import zlib

import torch
from torch import Tensor


def positional_encoding(length: int, depth: int) -> Tensor:
    """Sines and cosines of position / 10000 ** (2 i / depth), in turns along the channels."""
    rates = 10000.0 ** -(torch.arange(0, depth, 2, dtype=torch.float64) / depth)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


def positional_encoding_halves(length: int, depth: int) -> Tensor:
    """Sines of position / 10000 ** (2 i / depth) in the first half of the channels, cosines in the second."""
    rates = 10000.0 ** -(torch.arange(0, depth, 2, dtype=torch.float64) / depth)
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).float()


def outer_sum(*axes: Tensor) -> Tensor:
    """The sums of all combinations: [i, j, ...] is axes[0][i] + axes[1][j] + ..."""
    total = axes[0]
    for axis in axes[1:]:
        total = total.unsqueeze(-1) + axis
    return total


def unpacked(text: str, dtype: torch.dtype) -> Tensor:
    """The numbers whose compressed bytes ``text`` holds in base 64."""
    return torch.frombuffer(bytearray(zlib.decompress(base64.b64decode(text))), dtype=dtype)
