"""numpy functions that would turn a stand-in into plain numbers: replaced while a script runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.frontend import frames
from keras2torch.frontend.absent import Absent, find_absent, first_absent
from keras2torch.frontend.standins.arrays import SampleArray
from keras2torch.graph import Tensor

_CONTAINERS = (list, tuple, dict, set, frozenset)


def _converting(original: Callable[..., Any]) -> Callable[..., Any]:
    """``np.array`` and its like: stand-ins and sample arrays stay what they are."""

    def convert(value: Any, *args: Any, **kwargs: Any) -> Any:
        if type(value).__module__ == "builtins" and type(value) not in _CONTAINERS:
            return original(value, *args, **kwargs)
        if type(value) is SampleArray:
            dtype = args[0] if args else kwargs.get("dtype")
            return value if dtype is None else value.astype(dtype)
        if isinstance(value, Tensor):
            value = value.numpy()
        if type(value) is Absent:
            return value.values if value._kind == "frame" else value
        found = find_absent(value)
        if found is None:
            return original(value, *args, **kwargs)
        return frames.stacked(value, found)

    convert.__name__ = original.__name__
    return convert


def _filling(original: Callable[..., Any]) -> Callable[..., Any]:
    """``np.zeros`` and its like: a size that is not known makes an array that is not known."""

    def fill(shape: Any, *args: Any, **kwargs: Any) -> Any:
        found = find_absent(shape)
        if found is None:
            return original(shape, *args, **kwargs)
        return Absent(found._source, tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))

    fill.__name__ = original.__name__
    return fill


def _any_argument(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        found = first_absent((*args, *kwargs.values()))
        return original(*args, **kwargs) if found is None else Absent(found._source)

    call.__name__ = original.__name__
    return call


REPLACED: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("array", "asarray", "asanyarray", "ascontiguousarray"), _converting),
    **dict.fromkeys(("zeros", "ones", "empty", "full"), _filling),
    **dict.fromkeys(("arange", "linspace", "eye", "identity"), _any_argument),
}
