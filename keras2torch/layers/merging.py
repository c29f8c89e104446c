"""Layers that join several tensors. Sources: keras/src/layers/merging of Keras 3.15.

Inputs may lie in torch's order: what is added, multiplied or concatenated stays channels-first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from keras2torch import config
from keras2torch.builder import broadcast
from keras2torch.graph import Shape, Spec, Tensor, tensors_in
from keras2torch.layers.base import Layer


class _Merge(Layer):
    """Element by element. Inputs of lower rank get axes of size 1 behind the batch axis."""

    supports_masking = True
    layout = "any"
    takes_flat = True
    operator = "+"

    def output_spec(self, inputs: Any) -> Spec:
        self.count(inputs)
        shapes = [tensor.shape for tensor in inputs]
        rank = max(map(len, shapes))
        shape = broadcast(*(_raised(shape, rank) for shape in shapes))
        return Spec(shape, _common_dtype(inputs))

    def count(self, inputs: Any) -> None:
        """Raises ValueError where there are too few or too many inputs."""
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError("a list of tensors is needed")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = _masks(mask)
        if config.older_than(3):
            known = [m for m in masks if m is not None]
            return reduce(_op("logical_and"), known) if known else None
        if not masks or any(m is None for m in masks):
            return None
        return reduce(_op("logical_or"), masks)

    def operands(self, b: Any, inputs: Sequence[Any]) -> list[Any]:
        """The inputs in one order of axes and of one rank."""
        tensors = tensors_in(b.call_record.kwargs["inputs"])
        rank = max(len(tensor.shape) for tensor in tensors)
        if all(len(tensor.shape) == rank for tensor in tensors):
            return list(inputs)
        axes = next(b.any(tensor).axes for tensor in tensors if len(tensor.shape) == rank)
        if b.call_record.kwargs.get("mask") is not None:
            axes = tuple(range(rank))
        return [_raise(b, tensor, axes) for tensor in tensors]

    def lower(self, b: Any, inputs: Any) -> Any:
        return reduce(lambda x, y: b.operator(self.operator, x, y), self.operands(b, inputs))


def _raised(shape: Shape, rank: int) -> Shape:
    return (*shape[:1], *(1,) * (rank - len(shape)), *shape[1:])


def _raise(b: Any, tensor: Tensor, axes: tuple[int, ...]) -> Any:
    """``tensor`` with axes of size 1 behind the batch axis, in an order of axes: ``x[:, :, None, None]``."""
    missing = len(axes) - len(tensor.shape)
    if missing == 0:
        return b.in_axes(tensor, axes)
    # Which of its own axes each torch dimension shows; None where there is none.
    shown = [0 if a == 0 else a - missing if a > missing else None for a in axes]
    x = b.in_axes(tensor, tuple(a for a in shown if a is not None))
    index = tuple(None if a is None else slice(None) for a in shown)
    shape = tuple(1 if a is None else tensor.shape[a] for a in shown)
    return b.index(x, index, shape=shape, axes=axes)


def _common_dtype(inputs: Sequence[Any]) -> str:
    from keras2torch.ops.dtypes import result_dtype

    return inputs[0].dtype if len(inputs) == 1 else result_dtype(*inputs)


def _masks(mask: Any) -> Sequence[Any]:
    """The inputs' masks; none in Keras 3.0 to 3.3, which lost those of a list of tensors."""
    lost = config.older_than(3, 4) and not config.older_than(3)
    return mask if isinstance(mask, (list, tuple)) and not lost else []


def _op(name: str) -> Callable[..., Any]:
    """A function on Keras tensors, for masks."""
    from keras2torch.ops import OPS

    return OPS[f"keras.ops.{name}"]


class Add(_Merge):
    """The sum of the inputs."""


class Subtract(_Merge):
    """The first input less the second."""

    operator = "-"

    def count(self, inputs: Any) -> None:
        super().count(inputs)
        if len(inputs) != 2:
            raise ValueError("2 inputs are needed")


class Average(_Merge):
    """The mean of the inputs."""

    def lower(self, b: Any, inputs: Any) -> Any:
        return b.operator("/", super().lower(b, inputs), len(inputs))


class _MaskedMerge(_Merge):
    """A merge whose masked elements count for nothing."""

    def masked(self, b: Any, inputs: list[Any], mask: Any) -> list[tuple[Any, Any]]:
        """(input, its mask with an axis for the features, or None) of each."""
        counts = isinstance(mask, (list, tuple)) and not config.older_than(3, 4)
        masks = mask if counts else [None] * len(inputs)
        result = []
        for x, m in zip(inputs, masks):
            if m is not None:
                shape = (*m.shape, 1)
                axes = tuple(range(len(shape)))
                m = b.method("unsqueeze", m, -1, shape=shape, axes=axes)
            result.append((x, m))
        return result


class Multiply(_MaskedMerge):
    """The product of the inputs."""

    operator = "*"

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        if mask is None or config.older_than(3, 4):
            return super().lower(b, inputs)
        pairs = self.masked(b, self.operands(b, inputs), mask)
        factors = [x if m is None else _where(b, m, x, 1.0) for x, m in pairs]
        product = reduce(lambda x, y: b.operator("*", x, y), factors)
        masks = [m for _, m in pairs]
        if any(m is None for m in masks):
            return product
        return _where(b, reduce(lambda x, y: b.operator("|", x, y), masks), product, 0.0)


class Maximum(_MaskedMerge):
    """The largest of the inputs, element by element."""

    function = "torch.maximum"

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        pairs = self.masked(b, self.operands(b, inputs), mask)
        output, known = pairs[0]
        for x, m in pairs[1:]:
            if m is not None:
                x = _where(b, m, x, output)
            if known is not None:
                output = _where(b, known, output, x)
            both = m is not None and known is not None
            known = b.operator("|", known, m, dtype="bool") if both else None
            output = b.function(self.function, output, x)
        return output


class Minimum(Maximum):
    """The smallest of the inputs, element by element."""

    function = "torch.minimum"


def _where(b: Any, mask: Any, x: Any, other: Any) -> Any:
    return b.function("torch.where", mask, x, other, dtype=x.dtype, shape=x.shape, axes=x.axes)


class Concatenate(Layer):
    """The inputs side by side along one axis."""

    axis: int = -1
    supports_masking = True
    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        if not isinstance(inputs, (list, tuple)) or not inputs:
            raise ValueError("a list of tensors is needed")
        rank = len(inputs[0].shape)
        if any(len(tensor.shape) != rank for tensor in inputs):
            raise ValueError("inputs of one rank are needed")
        axis = int(self.axis) % rank
        sizes = [tensor.shape[axis] for tensor in inputs]
        shape: list[int | None] = []
        for position in range(rank):
            known = {tensor.shape[position] for tensor in inputs} - {None}
            if position != axis and len(known) > 1:
                raise ValueError(f"the sizes of axis {position} should agree")
            shape.append(known.pop() if known else None)
        shape[axis] = None if None in sizes else sum(sizes)  # type: ignore[arg-type]
        return Spec(tuple(shape), _common_dtype(inputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        masks = _masks(mask)
        if all(m is None for m in masks):
            return None
        axis = int(self.axis) % len(inputs[0].shape)
        if (
            axis == len(inputs[0].shape) - 1
            and len(inputs[0].shape) == len(_first(masks).shape) + 1
        ):
            # Along the features: a step is known if any input knows it; if all do, in Keras 2.
            if config.older_than(3):
                return reduce(_op("logical_and"), [m for m in masks if m is not None])
            if any(m is None for m in masks):
                return _op("ones_like")(_first(masks))
            return reduce(_op("logical_or"), masks)
        parts = []
        for tensor, m in zip(inputs, masks):
            if m is None:
                m = _op("ones_like")(tensor, dtype="bool")
            elif len(m.shape) < len(tensor.shape):
                m = _op("logical_or")(
                    _op("expand_dims")(m, -1), _op("zeros_like")(tensor, dtype="bool")
                )
            parts.append(m)
        every = "all" if config.older_than(3) else "any"
        return _op(every)(_op("concatenate")(parts, axis=axis), axis=-1)

    def lower(self, b: Any, inputs: Any) -> Any:
        if len(inputs) == 1:
            return inputs[0]
        dtype = b.output_tensors[0].dtype
        values = [b.floating(x) if dtype.startswith("float") else x for x in inputs]
        return b.cat(values, values[0].dim(int(self.axis)))


def _first(masks: Sequence[Any]) -> Any:
    return next(m for m in masks if m is not None)


class Dot(Layer):
    """Products summed over one axis of each of two inputs, sample by sample."""

    axes: Any
    normalize: bool = False
    supports_masking = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def positions(self, inputs: Any) -> tuple[int, int]:
        """The two axes, counted from the front. Raises ValueError where they do not fit."""
        if not isinstance(inputs, (list, tuple)) or len(inputs) != 2:
            raise ValueError("2 inputs are needed")
        given = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        first, second = (int(a) % len(x.shape) for a, x in zip(given, inputs))
        if first == 0 or second == 0:
            raise ValueError("the batch axis cannot be summed over")
        sizes = {inputs[0].shape[first], inputs[1].shape[second]} - {None}
        if len(sizes) > 1:
            raise ValueError(f"axes {first} and {second} should be of one size")
        return first, second

    def output_spec(self, inputs: Any) -> Spec:
        first, second = self.positions(inputs)
        left = [n for i, n in enumerate(inputs[0].shape) if i != first]
        right = [n for i, n in enumerate(inputs[1].shape) if i not in (0, second)]
        shape = left + right
        return Spec(tuple(shape) if len(shape) > 1 else (*shape, 1), _common_dtype(inputs))

    def lower(self, b: Any, inputs: Any) -> Any:
        first, second = self.positions(inputs)
        x, y = (b.floating(value) for value in inputs)
        if self.normalize:
            same = x is y and first == second
            x = b.function("F.normalize", x, dim=first, eps=1e-7)
            y = x if same else b.function("F.normalize", y, dim=second, eps=1e-7)
        shape = b.output_tensors[0].shape
        if len(x.shape) == len(y.shape) == 2:
            product = b.operator("*", x, y)
            return b.method("sum", product, dim=1, keepdim=True, shape=shape, axes=(0, 1))
        if len(x.shape) == 3 and len(y.shape) == 3:
            x = b.permute(x, (0, 2, 1)) if first == 1 else x
            y = b.permute(y, (0, 2, 1)) if second == 2 else y
            return b.operator("@", x, y, shape=shape, axes=(0, 1, 2))
        letters = iter("ijklmnopqrstuvwxyz")
        left = ["b", *(next(letters) for _ in x.shape[1:])]
        right = ["b", *(next(letters) for _ in y.shape[1:])]
        right[second] = left[first]
        out = [s for i, s in enumerate(left) if i != first]
        out += [s for i, s in enumerate(right) if i not in (0, second)]
        equation = f"{''.join(left)},{''.join(right)}->{''.join(out)}"
        axes = tuple(range(len(shape)))
        return b.function("torch.einsum", equation, x, y, shape=shape, axes=axes)
