"""Masks for attention, as Keras makes them."""

import torch
import torch.nn.functional as F
from torch import Tensor


def additive_mask(mask: Tensor, query: Tensor) -> Tensor:
    """What to add to attention scores: so little is left where ``mask`` is False, and nothing is NaN."""
    lowest = torch.finfo(query.dtype).min / 2
    return torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, lowest)


def masked_attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Attention where ``mask`` is True; as in Keras, a row that sees nothing averages all values."""
    x = F.scaled_dot_product_attention(query, key, value, attn_mask=additive_mask(mask, query))
    return torch.where(mask.any(-1, keepdim=True), x, value.mean(-2, keepdim=True))


def causal_mask(query: Tensor, value: Tensor) -> Tensor:
    """True where place i may see place j <= i. Lengths are those of axis 1."""
    size = (query.shape[1], value.shape[1])
    return torch.ones(size, dtype=torch.bool, device=query.device).tril()


def window_mask(query: Tensor, value: Tensor, window: int) -> Tensor:
    """True where places lie less than ``window`` apart. Lengths are those of axis 1."""
    size = (query.shape[1], value.shape[1])
    mask = torch.ones(size, dtype=torch.bool, device=query.device)
    return mask.tril(window - 1).triu(1 - window)
