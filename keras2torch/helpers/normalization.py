"""Batch normalisation of masked sequences."""

import torch
import torch.nn as nn
from torch import Tensor


class MaskedBatchNorm1d(nn.BatchNorm1d):
    """Batch normalisation of (N, C, L) whose statistics leave out the steps where mask (N, L) is false."""

    running_mean: Tensor
    running_var: Tensor
    momentum: float

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        if not self.training:
            return super().forward(x)
        kept = mask.unsqueeze(1).to(x.dtype)
        count = kept.sum() + 1e-7
        mean = (x * kept).sum(dim=(0, 2)) / count
        centred = x - mean[:, None]
        var = (centred.square() * kept).sum(dim=(0, 2)) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(var, self.momentum)
        x = centred * torch.rsqrt(var + self.eps)[:, None]
        return x * self.weight[:, None] + self.bias[:, None] if self.affine else x
