"""Noise in train mode, as Keras adds it."""

import torch
import torch.nn as nn
from torch import Tensor


class GaussianNoise(nn.Module):
    """Adds normal noise of this standard deviation in train mode."""

    def __init__(self, amount: float):
        super().__init__()
        self.amount = amount

    def forward(self, x: Tensor) -> Tensor:
        return x + self.amount * torch.randn_like(x) if self.training else x


class GaussianDropout(nn.Module):
    """Multiplies by normal noise around 1 in train mode, with the variance rate / (1 - rate)."""

    def __init__(self, amount: float):
        super().__init__()
        self.stddev = (amount / (1 - amount)) ** 0.5

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.stddev * torch.randn_like(x)) if self.training else x
