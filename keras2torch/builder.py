"""The builder that every ``lower`` writes torch through: values, nodes, submodules, parameters.

Shapes are worked out here for the common cases (elementwise, reductions, reshapes, concatenation);
anything else states ``shape=`` (in torch's order, None where unknown).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from keras2torch.constants import LITERAL, constant_text
from keras2torch.errors import K2TError
from keras2torch.graph import Call, Constant, Graph, Shape, Tensor, Weight
from keras2torch.module import Mapping, Module, ModuleClass, Node, Param, Submodule, Value
from keras2torch.naming import is_generic
from keras2torch.torch_signatures import signature_of

Pads = tuple[tuple[int, int], ...]


class Builder:
    """Collects the nodes of a flat Module."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.nodes: list[Node] = []
        self._preparing = False
        self.prepared: set[int] = set()  # nodes (by id) that a layer of a class of its own has before it
        self.call_in_progress: Call | None = None
        self.uses: dict[int, int] = {}
        for call in graph.calls:
            self.uses[id(call.operation)] = self.uses.get(id(call.operation), 0) + 1
        self._values: dict[int, list[Any]] = {}
        self._later: dict[int, Callable[[], Value]] = {}
        self._submodules: dict[tuple[int, str], Submodule] = {}
        self._params: dict[Any, Param] = {}
        self._tensors: list[Tensor] = []  # keeps ids alive

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

    # Keras tensor -> Value, in an axis order.
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

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """What is made meanwhile stands before the call of a layer that has a class of its own, not in the class."""
        self._preparing = True
        try:
            yield
        finally:
            self._preparing = False

    def later(self, make: Callable[[], Value]) -> None:
        """Another form of the call's output (in Keras's order), made only if somebody asks."""
        self._later[id(self.output_tensors[0])] = make

    def any(self, tensor: Tensor) -> Any:
        """The tensor in whatever form there is."""
        if id(tensor) not in self._values:
            if isinstance(tensor, Weight):
                self.bind(tensor, self.param(tensor))
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
        image = self.method("reshape", x, *_sizes(shape), shape=shape, axes=axes)
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
        return self.method("reshape", self.last(tensor), *_sizes(shape), shape=shape, axes=own)

    def sole_reader(self, x: Any) -> bool:
        """Whether ``x`` is made for the call being lowered alone: nobody else sees how its axes lie."""
        tensor = x.tensor
        readers = [call for call in self.graph.calls for t in call.inputs if t is tensor]
        outside = any(t is tensor for t in self.graph.outputs)
        return x.node is not None and readers == [self.call_record] and not outside

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
            return self.method("reshape", _reshaped(x), *_sizes(shape), shape=shape, axes=axes)
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

    # Members.
    def submodule(
        self,
        cls: str,
        /,
        role: str = "",
        *,
        weights: dict[str, Mapping] | None = None,
        initial: dict[str, Any] | None = None,
        note: str | None = None,
        **args: Any,
    ) -> Submodule:
        """The submodule of the layer being lowered; the same one again when the layer is called again.

        ``role`` tells several submodules of one layer apart and names them ("depthwise", "pointwise").
        """
        layer = self.call_record.operation
        key = (id(layer), role)
        args = signature_of(cls).complete(args)
        found = self._submodules.get(key)
        if found is not None:
            if found.cls != cls or found.args != args:
                raise K2TError(f"{layer} is called in ways that need two different {cls}")
            return found
        given: dict[str, Any] = {}
        for name, mapping in (weights or {}).items():
            source = mapping.sources[0] if mapping.sources else None
            given[name] = source.initializer if source is not None else None
        found = Submodule(
            cls,
            args,
            weights or {},
            hints=self._hints(layer, role),
            note=note,
            initial={**given, **(initial or {})},
            owner=layer,
            frozen=not getattr(layer, "trainable", True),
        )
        self._submodules[key] = found
        return found

    def child(self, make: Callable[[], Module], role: str) -> Submodule:
        """A part of the layer being lowered as a class of its own; ``make`` gives its body, with a scope.

        For what ``forward`` calls many times: it is handed to a function, ``run_recurrent(self.cell, x)``.
        """
        layer = self.call_record.operation
        found = self._submodules.get((id(layer), role))
        if found is None:
            body = make()
            assert body.scope is not None
            cls = ModuleClass(body.scope.name, [body], doc=body.scope.doc)
            found = Submodule(cls, body=body, owner=layer, hints=self._hints(layer, role))
            self._submodules[id(layer), role] = found
        return found

    def call(self, submodule: Submodule, *args: Any, **options: Any) -> Value:
        """``self.submodule(x)``."""
        own = {k: options.pop(k) for k in _NODE_OPTIONS if k in options}
        return self.node("call", submodule, args, options, **own)

    def param(self, weight: Weight, mapping: Mapping | None = None) -> Param:
        """A variable of a layer as a parameter (or a buffer) of the module itself."""
        key = id(weight)
        if key not in self._params:
            self._tensors.append(weight)
            self._params[key] = Param(
                mapping
                or Mapping((weight,), lambda array: array, _known(weight.shape), weight.trainable),
                weight.dtype,
                hints=(
                    (weight.attribute,)
                    if weight.attribute
                    else self._hints(weight.layer, str(weight.name))
                ),
                buffer=not weight.trainable,
                initial=weight.initializer,
                owner=weight.layer,
            )
        return self._params[key]

    def constant(self, array: Any, dtype: str | None = None, name: str = "constant") -> Any:
        """A number becomes a literal; an array a buffer that is no part of the state dict."""
        import numpy

        array = numpy.asarray(array)
        if array.ndim == 0:
            # 2.828427 is the float32 that is meant, where item() would tell 2.8284270763397217
            return float(str(array)) if array.dtype == "float32" else array.item()
        if array.size > LITERAL:  # say now, at the program's line, if it cannot be written
            constant_text(array, dtype or str(array.dtype))
        shape = tuple(int(n) for n in array.shape)
        mapping = Mapping((), lambda: array, shape, False)
        return Param(mapping, dtype or str(array.dtype), (name,), buffer=True, constant=array)

    def mapping(self, function: Callable[..., Any], *weights: Weight) -> Mapping:
        """How a torch tensor comes from Keras weights; its shape is found with empty arrays of theirs."""
        import numpy

        probes = [
            numpy.lib.stride_tricks.as_strided(
                numpy.float32(0), _known(w.shape), (0,) * len(w.shape)
            )
            for w in weights
        ]
        shape = tuple(int(n) for n in function(*probes).shape)
        return Mapping(tuple(weights), function, shape, all(w.trainable for w in weights))

    def same(self, *weights: Weight) -> Mapping:
        """A torch tensor that is a Keras weight as it stands."""
        return Mapping(
            tuple(weights), lambda array: array, _known(weights[0].shape), weights[0].trainable
        )

    def _hints(self, layer: Any, role: str) -> tuple[str, ...]:
        """Names for a member, best first: the program's name, its variable, the role."""
        hints: list[str] = []
        if role and layer is self.call_record.operation and layer.own_class:
            return (role,)
        if getattr(layer, "named", False):
            hints.append(f"{layer.name}_{role}" if role else str(layer.name))
        attribute = getattr(layer, "attribute", None)
        if attribute and not is_generic(attribute):
            hints.append(f"{attribute}_{role}" if role else attribute)
        variable = getattr(layer, "variable", None)
        if variable and not is_generic(variable):
            hints.append(f"{variable}_{role}" if role else variable)
        if role:
            hints.append(role)
        return tuple(hints)

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


_NODE_OPTIONS = ("shape", "axes", "dtype", "note", "folds", "scalar")


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


def _known(shape: Shape) -> tuple[int, ...]:
    return tuple(int(n) if n is not None else 1 for n in shape)


def _size(tensor: Tensor) -> float:
    return math.prod(n or 1 for n in tensor.shape)


def _sizes(shape: Shape) -> list[int]:
    return [-1 if n is None else n for n in shape]


def _flatten(structure: Any) -> list[Any]:
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in _flatten(item)]
    if isinstance(structure, dict):
        return [leaf for item in structure.values() for leaf in _flatten(item)]
    return [structure]
