"""Nodes of ``forward``: functions, methods, operators, and what only changes a shape.

Shapes are worked out here for the common cases (elementwise, reductions, reshapes, concatenation);
anything else states ``shape=`` (in torch's order, None where unknown).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.graph import Call, Graph, Shape, Tensor
from keras2torch.module import Node, Param, Submodule, Value

Pads = tuple[tuple[int, int], ...]
_NODE_OPTIONS = ("shape", "axes", "dtype", "note", "folds", "scalar")


class Nodes:
    """The nodes so far, and the call that is being lowered."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.nodes: list[Node] = []
        self._preparing = False
        self.prepared: set[int] = set()  # nodes (by id) that stand before a layer's own class
        self.call_in_progress: Call | None = None

    # The call being lowered.
    @property
    def call_record(self) -> Call:
        assert self.call_in_progress is not None
        return self.call_in_progress

    @property
    def training(self) -> bool | None:
        """The call's ``training``: None follows the module's mode."""
        return self.call_record.training

    @property
    def output_tensors(self) -> tuple[Tensor, ...]:
        """The Keras tensors that the call being lowered makes (for their shapes and dtypes)."""
        return self.call_record.outputs

    # Nodes.
    def node(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        shape: Shape | None = None,
        axes: tuple[int, ...] | None = None,
        dtype: str | None = None,
        note: str | None = None,
        folds: float | None = None,
        scalar: bool = False,
    ) -> Value:
        """One node with one output. Without ``shape``: elementwise over the values in ``args``."""
        operands = [a for a in _flatten((args, kwargs)) if isinstance(a, (Value, Param))]
        if shape is None:
            shape = broadcast(*(v.shape for v in operands))
        if axes is None:
            same = [v.axes for v in operands if len(v.axes) == len(shape)]
            axes = same[0] if same else tuple(range(len(shape)))
        flat = next((v.flat for v in operands if v.flat is not None), None)
        output = Value(
            tuple(shape),
            axes,
            dtype or (operands[0].dtype if operands else "float32"),
            flat=flat if len(shape) == 2 else None,
        )
        if scalar or (
            kind == "operator" and operands and all(getattr(v, "scalar", False) for v in operands)
        ):
            output.scalar = True
            output.source = next(
                (v.source for v in operands if isinstance(v, Value) and v.source), None
            )
        call = self.call_in_progress
        node = Node(
            kind,
            target,
            args,
            dict(kwargs or {}),
            (output,),
            call=call,
            where=call.where if call else None,
            note=note,
            folds=folds,
        )
        output.node = node
        self.nodes.append(node)
        if self._preparing:
            self.prepared.add(id(node))
        return output

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """What is made meanwhile stands before the call of a layer that has a class of its own, not in the class."""
        self._preparing = True
        try:
            yield
        finally:
            self._preparing = False

    def call(self, submodule: Submodule, *args: Any, **options: Any) -> Value:
        """``self.submodule(x)``."""
        own = {k: options.pop(k) for k in _NODE_OPTIONS if k in options}
        return self.node("call", submodule, args, options, **own)

    def function(self, name: str, *args: Any, **kwargs: Any) -> Value:
        """``F.relu(x)``. ``shape axes dtype note folds`` go to ``node``, the rest into the text."""
        own = {k: kwargs.pop(k) for k in _NODE_OPTIONS if k in kwargs}
        return self.node("function", name, args, kwargs, **own)

    def method(self, name: str, x: Any, *args: Any, **kwargs: Any) -> Value:
        """``x.name(...)``."""
        own = {k: kwargs.pop(k) for k in _NODE_OPTIONS if k in kwargs}
        return self.node("method", name, (x, *args), kwargs, **own)

    def operator(self, symbol: str, *args: Any, **options: Any) -> Value:
        """``x + y``; with one argument ``-x``."""
        return self.node("operator", symbol, args, **options)

    def index(
        self, x: Any, index: Any, *, shape: Shape, axes: tuple[int, ...] | None = None
    ) -> Value:
        """``x[index]``."""
        return self.node("index", "", (x, index), shape=shape, axes=axes)

    def size(self, x: Any, dim: int) -> Any:
        """``x.shape[dim]``: a number where it is known, else a scalar value."""
        if x.shape[dim] is not None:
            return x.shape[dim]
        value = self.node("size", "", (x, dim), shape=(), dtype="int32", scalar=True)
        value.source = x
        return value

    def multi(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: Sequence[Value],
        pattern: Any = None,
    ) -> list[Value]:
        """One node with several outputs, unpacked by ``pattern`` (nested tuples of the outputs)."""
        node = self.node(kind, target, args, kwargs, shape=()).node
        assert node is not None
        node.outputs, node.pattern = tuple(outputs), (
            pattern if pattern is not None else tuple(outputs)
        )
        for value in outputs:
            value.node = node
        return list(outputs)

    def items(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *of: Value
    ) -> list[Value]:
        """What a function gives as a tuple of tensors: ``a, b = x.unbind()``, or ``x.unbind()[0]`` where it is one."""
        if len(of) > 1:
            return self.multi(kind, target, args, kwargs, of)
        shape, axes, dtype = of[0].shape, of[0].axes, of[0].dtype
        made = self.node(kind, target, args, kwargs, shape=shape, axes=axes, dtype=dtype)
        return [self.index(made, 0, shape=shape, axes=axes)]

    def floating(self, x: Any) -> Any:
        """``x``, or ``x.float()`` where it holds integers or booleans."""
        if x.dtype.startswith(("float", "bfloat")):
            return x
        return self.method("float", x, dtype="float32")

    # Shapes.
    def permute(self, x: Any, dims: tuple[int, ...], axes: tuple[int, ...] | None = None) -> Value:
        """``x.permute(dims)``; a reshape where only axes of size 1 move."""
        shape = tuple(x.shape[d] for d in dims)
        if axes is None:
            axes = tuple(range(len(dims)))
        if dims == tuple(range(len(dims))):
            return x
        turned = self._turned(x)
        if turned is not None:  # two turns are one
            source, order = turned
            both = tuple(order[d] for d in dims)
            if both != tuple(range(len(both))):
                return self.permute(source, both, axes)
            if source.axes == axes:
                return source
        moving = [d for d in dims if x.shape[d] != 1]
        if moving == sorted(moving) and shape.count(None) <= 1:
            return self.method(
                "reshape", _reshaped(x), *minus_one_for_unknown(shape), shape=shape, axes=axes
            )
        swapped = [i for i, d in enumerate(dims) if i != d]
        if len(swapped) == 2:
            return self.method("transpose", x, *swapped, shape=shape, axes=axes)
        return self.method("permute", x, *dims, shape=shape, axes=axes)

    def _turned(self, x: Any) -> tuple[Value, tuple[int, ...]] | None:
        """What ``x`` is a permutation of, if it was made so in the same scope, and the order."""
        node, call = getattr(x, "node", None), self.call_in_progress
        if node is None or call is None or node.call is None:
            return None
        ours, theirs = ([s for s in c.scopes if s.kind != "function"] for c in (call, node.call))
        if ours != theirs:
            return None
        if node.kind != "method" or node.target not in ("permute", "transpose"):
            return None
        source, *dims = node.args
        order = list(range(len(x.shape)))
        if node.target == "permute":
            order = dims
        else:
            order[dims[0]], order[dims[1]] = order[dims[1]], order[dims[0]]
        return (source, tuple(order)) if isinstance(source, Value) else None

    def reshape(self, x: Any, shape: Sequence[Any], note: str | None = None) -> Value:
        """``x`` (in Keras's order) in another shape. Sizes: int, None (unknown), or a scalar Value."""
        known = tuple(n if isinstance(n, int) else None for n in shape)
        if known == tuple(x.shape) and None not in known[1:]:
            return x
        identity = tuple(range(len(known)))
        same_batch = bool(known) and bool(x.shape) and known[0] == x.shape[0]
        rest = x.shape[1:]
        fits = None in (*rest, *known[1:]) or math.prod(rest) == math.prod(known[1:])  # type: ignore[arg-type]
        if same_batch and fits and len(known) == 2 and len(x.shape) > 2:
            return self.method("flatten", x, 1, shape=known, axes=identity, note=note)
        sizes: list[Any] = list(shape)
        if sum(n is None for n in sizes) > 1 and sizes[0] is None:
            sizes[0] = self.size(x, 0)
        if sum(n is None for n in sizes) > 1:
            for i, n in enumerate(
                sizes
            ):  # an unknown size that is carried over from the same place
                if n is None and i < len(x.shape) and x.shape[i] is None:
                    sizes[i] = self.size(x, i)
                    if sum(n is None for n in sizes) <= 1:
                        break
        if sum(n is None for n in sizes) > 1:
            raise K2TError(f"a reshape to {tuple(known)} has more than one unknown size")
        sizes = [-1 if n is None else n for n in sizes]
        x = _reshaped(x)
        return self.method("reshape", x, *sizes, shape=known, axes=identity, note=note)

    def reduce(
        self,
        name: str,
        x: Any,
        keras_axes: Sequence[int] | None,
        keepdims: bool = False,
        **options: Any,
    ) -> Value:
        """``x.mean(dim=(2, 3))`` over Keras axes (None: all), in any axis order."""
        rank = len(x.axes)
        axes = [a % rank for a in (range(rank) if keras_axes is None else keras_axes)]
        dims = tuple(sorted(x.axes.index(a) for a in axes))
        if keepdims:
            shape = tuple(1 if i in dims else n for i, n in enumerate(x.shape))
            kept = x.axes
        else:
            shape = tuple(n for i, n in enumerate(x.shape) if i not in dims)
            left = [a for i, a in enumerate(x.axes) if i not in dims]
            kept = tuple(sorted(left).index(a) for a in left)
        kwargs: dict[str, Any] = {"dim": dims[0] if len(dims) == 1 else dims}
        if keepdims:
            kwargs["keepdim"] = True
        if len(dims) == rank and not keepdims:
            kwargs = {}
        own = {k: options.pop(k) for k in _NODE_OPTIONS if k in options}
        return self.node("method", name, (x,), {**kwargs, **options}, shape=shape, axes=kept, **own)

    def cat(self, values: Sequence[Any], dim: int) -> Value:
        """``torch.cat(values, dim)``: all in one axis order."""
        place = dim % len(values[0].shape)
        sizes = [v.shape[place] for v in values]
        others = [tuple(1 if i == place else n for i, n in enumerate(v.shape)) for v in values]
        shape = list(broadcast(*others))
        shape[place] = None if None in sizes else sum(sizes)
        kwargs = {"dim": dim} if dim else {}
        return self.node("function", "torch.cat", (list(values),), kwargs, shape=tuple(shape))

    def pad(
        self,
        x: Any,
        pads: Pads,
        value: float = 0.0,
        mode: str = "constant",
        note: str | None = None,
    ) -> Value:
        """Padding of the last ``len(pads)`` dimensions, (before, after) each; folded into its consumer if it can be."""
        lead = len(x.shape) - len(pads)
        shape = [n for n in x.shape]
        for i, (low, high) in enumerate(pads):
            size = x.shape[lead + i]
            shape[lead + i] = None if size is None else size + low + high
        kwargs = {"pads": tuple(tuple(p) for p in pads), "value": value, "mode": mode}
        return self.node("pad", "", (x,), kwargs, shape=tuple(shape), note=note)


def broadcast(*shapes: Shape) -> Shape:
    """The common shape of an elementwise operation. Raises ValueError where there is none."""
    rank = max(map(len, shapes), default=0)
    result: list[int | None] = []
    for position in range(rank):
        sizes = {s[position - rank + len(s)] for s in shapes if position - rank + len(s) >= 0}
        fixed = {n for n in sizes if n not in (1, None)}
        if len(fixed) > 1:
            raise ValueError(f"shapes {', '.join(map(str, shapes))} do not fit together")
        result.append(fixed.pop() if fixed else None if None in sizes else 1)
    return tuple(result)


def _reshaped(x: Any) -> Any:
    """What ``x`` is a reshape of: a reshape of ``x`` may as well start from there."""
    node = getattr(x, "node", None)
    if node is not None and node.kind == "method" and node.target in ("reshape", "flatten"):
        return node.args[0]
    return x


def _flatten(structure: Any) -> list[Any]:
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in _flatten(item)]
    if isinstance(structure, dict):
        return [leaf for item in structure.values() for leaf in _flatten(item)]
    return [structure]


def minus_one_for_unknown(shape: Shape) -> list[int]:
    """The sizes as ``reshape`` takes them."""
    return [-1 if n is None else n for n in shape]
