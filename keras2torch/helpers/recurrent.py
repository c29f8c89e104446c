"""Recurrent steps: masks without a loop, loops over written cells, states that outlive a batch."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def skip_masked(x: Tensor, mask: Tensor) -> Tensor:
    """The unmasked steps of each sequence (N, T, C) moved to its front, in their order."""
    order = mask.logical_not().int().argsort(dim=1, stable=True)
    return x.take_along_dim(order.unsqueeze(-1), dim=1)


def hold_masked(y: Tensor, mask: Tensor, first: Tensor | None = None) -> Tensor:
    """Outputs of ``skip_masked`` steps back in place; a masked step repeats the one before it.

    ``first`` (N, C) stands before the first unmasked step: the initial state, or zeros.
    """
    y = F.pad(y, (0, 0, 1, 0)) if first is None else torch.cat([first.unsqueeze(1), y], dim=1)
    return y.take_along_dim(mask.cumsum(dim=1).unsqueeze(-1), dim=1)


def last_unmasked(y: Tensor, mask: Tensor, first: Tensor | None = None) -> Tensor:
    """The output (N, C) of the last unmasked step, where ``y`` are the outputs of ``skip_masked`` steps."""
    y = F.pad(y, (0, 0, 1, 0)) if first is None else torch.cat([first.unsqueeze(1), y], dim=1)
    return y.take_along_dim(mask.sum(dim=1).view(-1, 1, 1), dim=1).squeeze(1)


def run_recurrent(
    cell: nn.Module, x: Tensor, *state: Tensor, dim: int = 1, **constants: Tensor
) -> tuple[Tensor, ...]:
    """Apply ``cell`` to each step of ``x`` along ``dim``: all its outputs, and the last state."""
    outputs, states = [], list(state)
    for step in x.unbind(dim):
        output, *states = cell(step, *states, **constants)
        outputs.append(output)
    return torch.stack(outputs, dim), *states


def run_masked(
    cell: nn.Module, x: Tensor, mask: Tensor, *state: Tensor, dim: int = 1, **constants: Tensor
) -> tuple[Tensor, ...]:
    """As ``run_recurrent``; a masked step leaves the state alone, and its first part is the output."""
    outputs, states = [], list(state)
    for step, keep in zip(x.unbind(dim), mask.unbind(1)):
        output, *new = cell(step, *states, **constants)
        keep = keep.view(-1, *[1] * (output.dim() - 1))
        outputs.append(torch.where(keep, output, states[0]))
        states = [torch.where(keep, after, before) for after, before in zip(new, states)]
    return torch.stack(outputs, dim), *states


def matmul_by_gate(x: Tensor, masks: Tensor, kernel: Tensor) -> Tensor:
    """``x @ kernel`` where each gate sees ``x`` through a dropout mask of its own: masks (gates, N, C)."""
    parts = kernel.chunk(len(masks), dim=-1)
    return torch.cat([(x * mask) @ part for mask, part in zip(masks, parts)], dim=-1)


class CarriedState(nn.Module):
    """The state with which a batch leaves a recurrent layer and the next one starts (Keras: stateful)."""

    def __init__(self, shapes: tuple):
        super().__init__()
        for index, shape in enumerate(shapes):
            self.register_buffer(f"state{index}", torch.zeros(shape), persistent=False)

    def read(self) -> tuple:
        return tuple(state.clone() for state in self.buffers())

    def keep(self, output: Tensor, *states: Tensor) -> tuple:
        """Store the states for the next batch; all arguments are returned."""
        for kept, state in zip(self.buffers(), states):
            kept.copy_(state.detach())
        return output, *states

    def reset_states(self) -> None:
        """Start anew, as Keras's ``model.reset_states()``."""
        for state in self.buffers():
            state.zero_()


def each_step(module: nn.Module, x: Tensor) -> Tensor:
    """Apply a module to every step of ``x`` (N, T, ...), one after the other."""
    return torch.stack([module(step) for step in x.unbind(1)], dim=1)
