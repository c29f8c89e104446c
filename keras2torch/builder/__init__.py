"""The builder that every ``lower`` writes torch through: values, nodes, submodules, parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from keras2torch.builder.members import Members
from keras2torch.builder.nodes import Pads, broadcast, minus_one_for_unknown
from keras2torch.graph import Constant, Graph, Shape, Tensor, Weight
from keras2torch.module import Value

__all__ = ["Builder", "Pads", "broadcast"]


class Builder(Members):
    """Collects the nodes of a flat Module; gives every Keras tensor as a Value in the axis order that is asked for."""

    def __init__(self, graph: Graph):
        super().__init__(graph)
        self.uses: dict[int, int] = {}
        for call in graph.calls:
            self.uses[id(call.operation)] = self.uses.get(id(call.operation), 0) + 1
        self._values: dict[int, list[Any]] = {}
        self._later: dict[int, Callable[[], Value]] = {}

    def bind(self, tensor: Tensor, value: Any) -> None:
        """``value`` is (one form of) ``tensor``."""
        self._tensors.append(tensor)
        self._values.setdefault(id(tensor), []).append(value)
        call = self.call_in_progress
        assignment = call.assigned if call is not None else None
        if isinstance(value, Value) and value.tensor is None:
            value.tensor = tensor
        if isinstance(value, Value) and value.hint is None and assignment is not None:
            value.hint = assignment.target

    @contextmanager
    def bound(self, tensor: Tensor, value: Any, inner: Sequence[Tensor]) -> Iterator[None]:
        """For a while, ``value`` is ``tensor``; then it, and what was made of it, is forgotten."""
        self.bind(tensor, value)
        try:
            yield
        finally:
            for item in (tensor, *inner):
                self._values.pop(id(item), None)

    def later(self, make: Callable[[], Value]) -> None:
        """Another form of the call's output (in Keras's order), made only if somebody asks."""
        self._later[id(self.output_tensors[0])] = make

    def any(self, tensor: Tensor) -> Any:
        """The tensor in whatever form there is."""
        if id(tensor) not in self._values:
            if isinstance(tensor, Weight):
                self.bind(tensor, self.of_submodule(tensor) or self.param(tensor))
            elif isinstance(tensor, Constant):
                call = self.call_in_progress
                owner = call.scopes[-1].owner if call is not None and call.scopes else None
                name = tensor.hint(owner) or "constant"
                # Indices and positions are int64 in torch, where Keras counts in int32.
                dtype = "int64" if tensor.dtype == "int32" else tensor.dtype
                self.bind(tensor, self.constant(tensor.value, dtype, name))
            else:
                raise AssertionError(f"{tensor} has no value yet")
        return self._values[id(tensor)][0]

    def is_flat(self, tensor: Tensor) -> bool:
        """Whether the tensor is a flattened image in torch's element order."""
        return getattr(self.any(tensor), "flat", None) is not None

    def last(self, tensor: Tensor) -> Any:
        """The tensor in Keras's axis order."""
        return self.in_axes(tensor, tuple(range(len(tensor.shape))))

    def spatial(self, tensor: Tensor, operation: Any) -> Any:
        """The tensor as (N, C, *S), which is Keras's own order where the layer is channels-first."""
        return self.in_axes(tensor, self.spatial_axes(len(tensor.shape), operation))

    @staticmethod
    def spatial_axes(rank: int, operation: Any) -> tuple[int, ...]:
        """Keras axes in the order (N, C, *S) for a layer's ``data_format``."""
        if rank < 3 or getattr(operation, "channels_first", False):
            return tuple(range(rank))
        return (0, rank - 1, *range(1, rank - 1))

    def in_axes(self, tensor: Tensor, axes: tuple[int, ...]) -> Any:
        """The tensor with torch dimension i holding Keras axis ``axes[i]``."""
        first = self.any(tensor)
        if isinstance(first, (int, float, bool)):
            return first
        for value in self._values[id(tensor)]:
            if value.axes == axes and value.flat is None:
                return value
        if first.flat is not None:
            make = self._later.get(id(tensor))
            value = make() if make is not None else self._unflattened(first)
            if value.axes != axes:
                value = self.permute(value, axes)
        else:
            value = self.permute(first, tuple(first.axes.index(axis) for axis in axes), axes=axes)
        if value.tensor is None:
            value.tensor = tensor
        self._values[id(tensor)].append(value)
        return value

    def _unflattened(self, x: Any) -> Value:
        """A flattened image in Keras's order of elements: by way of the image."""
        sizes, order = x.flat
        shape = (x.shape[0], *(sizes[i] for i in order))
        axes = tuple(range(len(shape)))
        image = self.method("reshape", x, *minus_one_for_unknown(shape), shape=shape, axes=axes)
        image = self.permute(image, (0, *(order.index(i) + 1 for i in range(len(order)))))
        return self.method("flatten", image, 1, shape=x.shape, axes=(0, 1))

    def align(
        self, tensors: Sequence[Tensor], flat: bool = False, broadcasts: bool = False
    ) -> dict[int, Any]:
        """One common axis order for several tensors: that of most elements, if their ranks agree.

        With ``broadcasts``, operands of lower rank follow by a reshape.
        """
        values = {id(tensor): self.any(tensor) for tensor in tensors}
        real = [t for t in tensors if isinstance(values[id(t)], Value) and len(t.shape) > 0]
        ranked = {
            id(t): t
            for t in tensors
            if not isinstance(values[id(t)], (int, float)) and len(t.shape)
        }
        marks = {values[key].flat for key in ranked}
        if marks - {None} and (not flat or len(marks) > 1):
            return {id(t): self.last(t) for t in tensors}
        if len({len(t.shape) for t in ranked.values()}) > 1:
            aligned = self._align_ranks(list(ranked.values()), values) if broadcasts else None
            return {**values, **(aligned or {id(t): self.last(t) for t in tensors})}
        if not real or marks - {None}:
            return values
        axes = self._common_axes(real)
        return {**values, **{key: self.in_axes(t, axes) for key, t in ranked.items()}}

    def _common_axes(self, tensors: list[Tensor]) -> tuple[int, ...]:
        """The order of the largest tensor; among equals, channels first if one of them has that form."""
        largest = max(map(_size, tensors))
        forms = [
            value.axes for t in tensors if _size(t) == largest for value in self._values[id(t)]
        ]
        moved = [axes for axes in forms if axes != tuple(range(len(axes)))]
        return moved[0] if moved else forms[0]

    def _align_ranks(self, tensors: list[Tensor], values: dict[int, Any]) -> dict[int, Any] | None:
        """Operands of one axis order where their ranks differ; None where a reshape is not enough."""
        rank = max(len(t.shape) for t in tensors)
        largest = [t for t in tensors if len(t.shape) == rank and isinstance(values[id(t)], Value)]
        if not largest:
            return None
        axes = values[id(max(largest, key=_size))].axes
        table: dict[int, Any] = {}
        for tensor in tensors:
            if len(tensor.shape) == rank:
                table[id(tensor)] = (tensor, None)
                continue
            full = (1,) * (rank - len(tensor.shape)) + tensor.shape
            moved = [axis for axis in axes if full[axis] != 1]
            if axes == tuple(range(rank)) or moved != sorted(moved) or tensor.shape.count(None) > 1:
                return None
            sizes = [full[axis] for axis in axes]
            while sizes and sizes[0] == 1:
                sizes.pop(0)
            table[id(tensor)] = (tensor, tuple(sizes))
        return {key: self._operand(tensor, axes, sizes) for key, (tensor, sizes) in table.items()}

    def _operand(self, tensor: Tensor, axes: tuple[int, ...], shape: Shape | None) -> Any:
        if shape is None:
            return self.in_axes(tensor, axes)
        own = axes if len(shape) == len(axes) else tuple(range(len(shape)))
        return self.method(
            "reshape", self.last(tensor), *minus_one_for_unknown(shape), shape=shape, axes=own
        )

    def sole_reader(self, x: Any) -> bool:
        """Whether ``x`` is made for the call being lowered alone: nobody else sees how its axes lie."""
        tensor = x.tensor
        readers = [call for call in self.graph.calls for t in call.inputs if t is tensor]
        outside = any(t is tensor for t in self.graph.outputs)
        return x.node is not None and readers == [self.call_record] and not outside

    def activation(self, x: Any, activation: Any) -> Any:
        """Apply a Keras activation: None, a name, a function, a layer, a torch module."""
        from keras2torch.layers.activations import apply_activation

        result = apply_activation(self, x, activation)
        if len(result.shape) == len(x.shape) and result.shape != x.shape:  # glu
            raise self.call_record.operation.unsupported(  # type: ignore[attr-defined]
                f"activation={activation!r} changes the shape, which Keras's layer does not expect",
                "apply it as a layer of its own",
            )
        return result


def _size(tensor: Tensor) -> float:
    return math.prod(n or 1 for n in tensor.shape)
