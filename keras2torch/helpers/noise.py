"""Noise in train mode, as Keras adds it."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor


class GaussianNoise(nn.Module):
    """Adds normal noise of this standard deviation in train mode (or always)."""

    def __init__(self, std: float, always: bool = False):
        super().__init__()
        self.std, self.always = std, always

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training or self.always else x


class GaussianDropout(nn.Module):
    """Multiplies by normal noise around 1 of variance p / (1 - p) in train mode (or always)."""

    def __init__(self, p: float, always: bool = False):
        super().__init__()
        self.std, self.always = (p / (1 - p)) ** 0.5, always

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.std * torch.randn_like(x)) if self.training or self.always else x


class SharedDropout(nn.Module):
    """Dropout that makes one choice for all places along the dimensions in dims."""

    def __init__(self, p: float, dims: tuple, always: bool = False):
        super().__init__()
        self.p, self.dims, self.always = p, dims, always

    def forward(self, x: Tensor) -> Tensor:
        shape = [1 if dim in self.dims else size for dim, size in enumerate(x.shape)]
        return x * F.dropout(x.new_ones(shape), self.p, self.training or self.always)
