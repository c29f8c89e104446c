"""What tf.shape(x) gives: a vector of sizes, of which some are known in the run only."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Tensor, TensorShape


class SymbolicShape(TensorShape):
    """What tf.shape(x) gives: sizes, known (ints) or not (scalar tensors), that act as a vector."""

    dtype = "int32"

    def as_tensor(self) -> Tensor:
        """The sizes as a tensor."""
        from keras2torch.ops.base import OPS, Op, constant

        if all(isinstance(n, int) for n in self):
            return constant(list(self))
        stack = OPS["keras.ops.stack"].op  # type: ignore[attr-defined]
        return Op.record(stack, list(self))

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self),)

    def get_shape(self) -> TensorShape:
        return TensorShape((len(self),))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):  # sizes[..., ::-1]
            (index,) = [part for part in index if part is not ...] or [slice(None)]
        item = tuple.__getitem__(self, index)
        return SymbolicShape(item) if isinstance(index, slice) else item

    def numpy(self) -> Any:
        return numpy.array([int(n) for n in self], "int32")


def _install(name: str) -> None:
    def method(self: SymbolicShape, other: Any) -> SymbolicShape:
        from keras2torch.ops.base import as_plain

        many = isinstance(other, (list, tuple, numpy.ndarray))
        others = [as_plain(n) for n in other] if many else [other] * len(self)
        return SymbolicShape(_combine(name, n, o) for n, o in zip(self, others))

    method.__name__ = name
    setattr(SymbolicShape, name, method)


def _combine(name: str, left: Any, right: Any) -> Any:
    result = getattr(left, name)(right)
    if result is NotImplemented:  # an int that meets a symbolic size
        reflected = (
            name.replace("__r", "__") if name.startswith("__r") else name.replace("__", "__r", 1)
        )
        result = getattr(right, reflected)(left)
    return result


for _symbol in "add sub mul floordiv truediv mod radd rsub rmul".split():
    _install(f"__{_symbol}__")
