"""Average pooling with Keras's "same" padding."""

import torch
import torch.nn.functional as F
from torch import Tensor

from keras2torch.helpers.padding import pad_same


def average_pool_same(x: Tensor, window: tuple, stride: tuple) -> Tensor:
    """The mean of the pixels in each window, leaving out those beyond the edge."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(window) - 1]
    total = pool(pad_same(x, window, stride), window, stride)
    return total / pool(pad_same(torch.ones_like(x[:1, :1]), window, stride), window, stride)
