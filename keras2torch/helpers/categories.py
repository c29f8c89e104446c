"""Integers as vectors and indices."""

import torch
from torch import Tensor


def one_hot(x: Tensor, depth: int) -> Tensor:
    """A vector with a one at each number's place; zeros where it has none."""
    return (x.unsqueeze(-1) == torch.arange(depth, device=x.device)).float()


def look_up(x: Tensor, tokens: Tensor, indices: Tensor, unknown: Tensor | int) -> Tensor:
    """``indices`` at the place of each number in the sorted ``tokens``; ``unknown`` for any other."""
    place = torch.searchsorted(tokens, x).clamp(max=len(tokens) - 1)
    return torch.where(tokens[place] == x, indices[place], unknown)
