"""What keras.ops does with indices and segments, and torch does not in one call."""

import torch
import torch.nn.functional as F
from torch import Tensor


def slice_update(x: Tensor, starts: tuple, updates: Tensor) -> Tensor:
    """x with ``updates`` written in from the corner ``starts``."""
    result = x.clone()
    result[tuple(slice(s, s + n) for s, n in zip(starts, updates.shape))] = updates
    return result


def scatter_reduce_at(x: Tensor, indices: Tensor, updates: Tensor, reduce: str) -> Tensor:
    """x with ``updates`` reduced ("amax", "amin", "prod") into the places that ``indices`` (..., depth) name."""
    depth = indices.shape[-1]
    flat = x.reshape(-1, *x.shape[depth:])
    index = indices.new_zeros(indices.shape[:-1])
    for size, i in zip(x.shape, indices.unbind(-1)):
        index = index * size + i
    updates = updates.reshape(-1, *flat.shape[1:])
    index = index.reshape(-1, *[1] * (flat.dim() - 1)).long().expand_as(updates)
    return flat.scatter_reduce(0, index, updates, reduce).reshape(x.shape)


def segment_sum(data: Tensor, segments: Tensor, count: int) -> Tensor:
    """The sum of each segment's rows; numbers outside of [0, count) are those of no segment."""
    index = segments.clamp(-1, count) % (count + 1)  # such rows go to one more, which is left out
    return data.new_zeros(count + 1, *data.shape[1:]).index_add(0, index, data)[:count]


def segment_reduce(data: Tensor, segments: Tensor, count: int, reduce: str, empty: float) -> Tensor:
    """The extreme or the product of each segment's rows; ``empty`` where a segment has none.

    Numbers outside of [0, count) are those of no segment.
    """
    index = segments.clamp(-1, count) % (count + 1)  # such rows go to one more, which is left out
    index = index.long().reshape(-1, *[1] * (data.dim() - 1)).expand_as(data)
    start = data.new_full((count + 1, *data.shape[1:]), empty)
    return start.scatter_reduce(0, index, data, reduce)[:count]


def bincount_rows(x: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """For each row, how often every number occurs (or the sum of its weights)."""
    hits = F.one_hot(x.long(), max(int(x.max()) + 1, minlength))
    return hits.sum(dim=1) if weights is None else (hits * weights.unsqueeze(-1)).sum(dim=1)


def weighted_bincount(x: Tensor, weights: Tensor, minlength: int = 0) -> Tensor:
    """The sum of the weights of every number."""
    return weights.new_zeros(max(int(x.max()) + 1, minlength)).index_add(0, x, weights)


def histogram(x: Tensor, bins: int, low: float | None, high: float | None) -> tuple[Tensor, Tensor]:
    """Counts of the values in ``bins`` equal bins, and the edges of the bins."""
    x = x.reshape(-1)
    first = x.min() if low is None else x.new_tensor(low)
    last = x.max() if high is None else x.new_tensor(high)
    edges = torch.lerp(first, last, torch.linspace(0, 1, bins + 1, device=x.device))
    inside = x[(x >= first) & (x <= last)]
    index = torch.bucketize(inside, edges, right=True).clamp(1, bins) - 1
    return torch.bincount(index, minlength=bins).to(x), edges


def sparsemax(x: Tensor, dim: int = -1) -> Tensor:
    """Keras's sparsemax: its threshold adds up the running sums of the support, not the last one alone."""
    ordered = x.sort(dim=dim, descending=True).values
    sums = ordered.cumsum(dim=dim)
    rank = torch.ones_like(x).cumsum(dim=dim)
    support = ordered - (sums - 1) / rank > 0
    threshold = ((sums * support).sum(dim=dim, keepdim=True) - 1) / support.sum(
        dim=dim, keepdim=True
    )
    return (x - threshold).clamp(min=0)


def overlap_add(frames: Tensor, step: int) -> Tensor:
    """(..., windows, length) to (..., signal): the windows laid over one another, ``step`` apart."""
    count, length = frames.shape[-2:]
    columns = frames.reshape(-1, count, length).transpose(1, 2)
    size = (count - 1) * step + length
    signal = F.fold(columns, (1, size), (1, length), stride=(1, step))
    return signal.reshape(*frames.shape[:-2], size)
