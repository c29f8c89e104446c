"""What the training script must know of the module file beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Port:
    """An input or output of the generated module, as in the public contract."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    permutation: tuple[int, ...] | None = None
    activation: str | None = None


@dataclass(frozen=True)
class ModuleInfo:
    """What the training script must know of the module file beside it.

    ``argument_names`` are those of ``forward``, ``parameters()`` maps every state-dict key that Keras
    could train to its Mapping,
    ``penalties`` are the terms that regularisers add to the loss, and ``constraints`` the statements
    that project weights after an update; both call the module ``net``.
    """

    module_name: str
    class_name: str
    source_name: str
    header: str = ""
    inputs: tuple[Any, ...] = ()
    outputs: tuple[Any, ...] = ()
    argument_names: tuple[str, ...] = ()
    needs_torchinfo: bool = False
    has_batch_norm: bool = False
    parameters: Callable[[], dict[str, Any]] = dict
    penalties: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    input_tensors: tuple[Any, ...] = ()
    output_tensors: tuple[Any, ...] = ()
    own_step: Any = None  # an OwnStep, of a class that writes its own
    kept: tuple[tuple[Any, str], ...] = ()  # tensors, and the attributes that keep them
    adds_loss: bool = False  # whether there is a loss without compile()'s
    masks: tuple[Any, ...] = ()  # per output its OutputMask, or None
    weights_file: str | None = None
    optimizer_file: str | None = None  # the state that it goes on from
    optimizer_steps: int = 0  # made before
    untrainable: str = ""  # why the script only predicts
