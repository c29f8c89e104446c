"""Keras's variance-scaling initialisers, with the fan given as Keras counts it."""

import torch.nn as nn
from torch import Tensor


def scaled_uniform_(weight: Tensor, fan: float, scale: float = 1.0) -> None:
    limit = (3 * scale / fan) ** 0.5
    nn.init.uniform_(weight, -limit, limit)


def scaled_normal_(weight: Tensor, fan: float, scale: float = 1.0) -> None:
    nn.init.normal_(weight, std=(scale / fan) ** 0.5)


def scaled_truncated_normal_(weight: Tensor, fan: float, scale: float = 1.0) -> None:
    std = (scale / fan) ** 0.5 / 0.87962566103423978  # of a normal cut at two deviations
    nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
