"""What a script asks of tensors outside of any model: values of TensorFlow computations that do not run.

The value of a ``Constant`` is known. What is computed from constants and variables is not: ``.numpy()`` of it is
a stand-in of the right shape. A tensor that depends on an Input has no value at all.
"""

from __future__ import annotations

from typing import Any

from keras2torch.errors import ScriptError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.graph import Constant, Tensor, Weight


def is_eager(tensor: Tensor) -> bool:
    """Whether a tensor depends on no Input, and is not asked about while a layer is being traced."""
    pending, seen = [tensor], set()
    while pending:
        item = pending.pop()
        if isinstance(item, (Constant, Weight)) or id(item) in seen:
            continue
        seen.add(id(item))
        if item.call is None:
            return False
        pending.extend(item.call.inputs)
    return not trace.is_tracing()


def value(tensor: Tensor) -> Any:
    """``tensor.numpy()``. Raises ScriptError for a symbolic tensor."""
    if isinstance(tensor, Constant):
        return tensor.value
    if not is_eager(tensor):
        raise ScriptError(
            "the values of a symbolic tensor are asked for, which are not known when the model is built",
            where=trace.user_location(),
            fix="use the functions of keras.ops on the tensor itself",
        )
    source = Source("a value computed with TensorFlow", trace.user_location(), known=False)
    return Absent(source, tuple(tensor.shape))


def truth(tensor: Tensor) -> bool | None:
    """The truth of a tensor outside of any model (of an unknown value: no); None for a symbolic one."""
    if isinstance(tensor, Constant) and tensor.value.size == 1:
        return bool(tensor.value)
    return False if is_eager(tensor) else None


class Number(float):
    """What a training that does not run gives for a loss or metric, with the methods of an eager tensor."""

    shape = ()
    dtype = "float32"

    def numpy(self) -> Any:
        import numpy

        return numpy.float32(self)

    def item(self) -> float:
        return float(self)


def _install(name: str) -> None:
    plain = getattr(float, name)

    def method(self: Number, *others: Any) -> Any:
        result = plain(self, *others)
        return Number(result) if isinstance(result, float) else result

    method.__name__ = name
    setattr(Number, name, method)


for _symbol in "add sub mul truediv pow radd rsub rmul rtruediv neg pos abs".split():
    _install(f"__{_symbol}__")
