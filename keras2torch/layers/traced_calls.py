"""The arguments of a call, by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from keras2torch.frontend import trace
from keras2torch.graph import Tensor, tensors_in
from keras2torch.layers.modes import TRAINING


def without_mask(arguments: dict[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    if "mask" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(arguments)
    return {name: value for name, value in arguments.items() if name != "mask"}


def flags_by_name(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """``training`` and ``mask`` (and what follows them) by name, where the program gives them by position."""
    names = list(inspect.signature(call).parameters)
    first = min(
        (names.index(name) for name in ("training", "mask") if name in names), default=len(args)
    )
    return args[:first], {**dict(zip(names[first:], args[first:])), **kwargs}


def training_by_name(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """``training`` by name where a layer of Keras's is given it behind the input: ``self.bn(x, training)``."""
    flag = args[1] if len(args) == 2 else ...
    if flag is TRAINING or flag is None or isinstance(flag, bool):
        return args[:1], {"training": flag, **kwargs}
    return args, kwargs


def named_tensors(
    call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[str, Tensor], ...]:
    """The tensors that a traced call is given, in the order of its parameters, under their names there.

    Those in a list have none of their own: they keep the variable that the program filled with them.
    """
    try:
        given = inspect.signature(call).bind(*args, **kwargs).arguments
    except TypeError:
        return ()
    found: list[tuple[str, Tensor]] = []
    for name, value in given.items():
        if isinstance(value, Tensor):
            found.append((name, value))
        else:
            found += [(_variable(tensor), tensor) for tensor in tensors_in(value)]
    return tuple(found)


def _variable(tensor: Tensor) -> str:
    """The variable that an earlier statement has filled with the tensor."""
    assigned = tensor.call.assigned if tensor.call is not None else None
    here = trace.assignment()
    if assigned is None or here is not None and here.statement == assigned.statement:
        return ""
    return str(assigned.target)


def is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "shape") and not isinstance(value, Tensor)
