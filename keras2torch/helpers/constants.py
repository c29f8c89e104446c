"""Tables that a formula gives."""

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
