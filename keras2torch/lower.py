"""Graph -> flat Module: gives every operation its inputs in the axis order it wants, and calls its ``lower``.

Keras tensors are channels-last, convolutions of torch channels-first. A tensor may therefore have several
Values, one per axis order; a permute is emitted only when an operation asks for an order that no Value has.
"""

from __future__ import annotations

from typing import Any

from keras2torch.builder import Builder
from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Call, Graph, Scope, Tensor, map_structure, relative_scopes
from keras2torch.module import Module, Node, Param, Value


def lower(graph: Graph) -> Module:
    """Translate every call of ``graph``; the result is one flat Module in Keras's order of calls.

    Raises UnsupportedError (naming layer and line) where a call has no exact translation.
    """
    graph.check()
    lowering = _lower_calls(graph)
    b = lowering.builder
    b.call_in_progress = None
    inside = relative_scopes(graph)
    within = {id(call): inside(call) for call in graph.calls}
    own = {
        id(call): (class_scope(call),)
        for call in graph.calls
        if getattr(call.operation, "own_class", False)
    }
    for node in b.nodes:
        around = within.get(id(node.call), ())
        node.scopes = around if id(node) in b.prepared else around + own.get(id(node.call), ())
    outputs = [b.last(t) if b.is_flat(t) else b.any(t) for t in graph.outputs]
    inputs = [lowering.inputs[id(tensor)] for tensor in graph.inputs]
    module = Module(inputs, outputs, b.nodes)
    remove_dead_nodes(module)
    module.check()
    return module


class _TwoOrdersError(Exception):
    """A shared layer is given flattened images in two orders of elements."""


def _lower_calls(graph: Graph) -> _Lowering:
    """Every call lowered, each shared layer on flattened images only where all its calls have one order."""
    in_keras_order: set[int] = set()
    while True:
        lowering = _Lowering(graph, in_keras_order)
        try:
            for call in graph.calls:
                lowering.lower_call(call)
            return lowering
        except _TwoOrdersError as conflict:
            in_keras_order.add(*conflict.args)


def inline(b: Builder, graph: Graph, x: Value) -> Value:
    """The calls of ``graph``, a traced function of one tensor, on ``x``: as often as it is asked for."""
    around, (given,), (made,) = b.call_in_progress, graph.inputs, graph.outputs
    lowering = object.__new__(_Lowering)
    lowering.builder, lowering.in_keras_order, lowering.orders = b, set(), {}
    with b.bound(given, x, [t for call in graph.calls for t in call.outputs]):
        for call in graph.calls:
            lowering.lower_call(call)
        b.call_in_progress = around
        return b.in_axes(made, x.axes)


def class_scope(call: Call) -> Scope:
    """The scope of a layer whose torch is a class of its own in the generated file."""
    layer: Any = call.operation
    tensors = [(name, value) for name, value in call.kwargs.items() if isinstance(value, Tensor)]
    names = {id(tensor): (name, tensor) for name, tensor in reversed(tensors)}
    if tensors and any(tensor is tensors[0][1] for _, tensor in tensors[1:]):
        del names[id(tensors[0][1])]  # query and value alike: no name tells what it is
    named = tuple(reversed(names.values()))
    return Scope("layer", type(layer).__name__, layer, call.order, layer.class_doc, (), named)


class _Lowering:
    def __init__(self, graph: Graph, in_keras_order: set[int]):
        self.graph = graph
        self.in_keras_order = in_keras_order
        self.orders: dict[int, Any] = {}  # of the flattened images that a shared layer is given
        self.builder = Builder(graph)
        _keep_last_of_each_statement(graph)
        self.inputs: dict[int, Value] = {}
        for tensor in graph.inputs:
            axes = _input_axes(tensor, graph)
            shape = tuple(tensor.shape[axis] for axis in axes)
            value = Value(shape, axes, tensor.dtype, hint=tensor.name)
            self.inputs[id(tensor)] = value
            self.builder.bind(tensor, value)

    def lower_call(self, call: Call) -> None:
        b, operation = self.builder, call.operation
        b.call_in_progress = call
        if (
            getattr(operation, "casts_floats", False)
            and getattr(operation, "dtype", "") == "float64"
        ):
            raise UnsupportedError(
                f"{operation.name!r} computes in float64; float32 is translated",
                where=call.where,
                fix="set the dtype policy to float32",
            )
        args, kwargs = self._values(call)
        try:
            results = operation.lower(b, *args, **kwargs)
        except K2TError as error:
            error.where = error.where or call.where
            raise
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        if len(results) != len(call.outputs):
            raise AssertionError(
                f"{operation}: {len(results)} values for {len(call.outputs)} outputs"
            )
        for tensor, value in zip(call.outputs, results):
            if value is not None:
                self._check_shape(call, tensor, value)
                b.bind(tensor, value)
        unread: list[str] = getattr(operation, "unread_fields", list)()
        passed_on = bool(results) and any(results[0] is x for x in (*args, *kwargs.values()))
        if unread and not passed_on:  # how a layer does what it does not do here changes nothing
            raise operation.unsupported(  # type: ignore[attr-defined]
                f"the argument {unread[0]}={operation._fields[unread[0]]!r} "  # type: ignore[attr-defined]
                "has no exact translation yet",
            )

    def _values(self, call: Call) -> tuple[Any, Any]:
        """The call's arguments with Values in place of tensors, in the operation's layout."""
        b, operation = self.builder, call.operation
        layout, flat = operation.layout, getattr(operation, "takes_flat", False)
        tensors = call.inputs
        if flat and b.uses.get(id(operation), 0) > 1 and getattr(operation, "weights", None):
            flat = id(operation) not in self.in_keras_order
            orders = [getattr(b.any(tensor), "flat", None) for tensor in tensors]
            if flat and self.orders.setdefault(id(operation), orders) != orders:
                raise _TwoOrdersError(id(operation))  # its kernel has its rows in one order only
        table: dict[int, Any] = {}
        if layout == "spatial":
            rank = max((len(t.shape) for t in tensors), default=0)
            for tensor in tensors:
                full = len(tensor.shape) == rank
                table[id(tensor)] = b.spatial(tensor, operation) if full else b.last(tensor)
        elif layout == "any":
            table = b.align(tensors, flat, getattr(operation, "broadcasts", False))
        else:
            for tensor in tensors:
                table[id(tensor)] = b.any(tensor) if flat and b.is_flat(tensor) else b.last(tensor)
        if getattr(operation, "casts_floats", False):
            for tensor in tensors:
                if tensor.dtype in ("float16", "bfloat16"):
                    table[id(tensor)] = b.method("float", table[id(tensor)], dtype="float32")

        def convert(tensor: Tensor) -> Any:
            return table[id(tensor)]

        return map_structure(convert, call.args), map_structure(convert, call.kwargs)

    def _check_shape(self, call: Call, tensor: Tensor, value: Any) -> None:
        if isinstance(value, (int, float, Param)):
            return
        expected = tuple(tensor.shape[axis] for axis in value.axes)
        fits = len(expected) == len(value.shape) and all(
            a is None or b is None or a == b for a, b in zip(expected, value.shape)
        )
        if not fits:
            raise AssertionError(
                f"{call.operation} at {call.where}: announced {tensor.shape}, lowered to {value.shape} "
                f"with axes {value.axes}"
            )
        value.shape = expected
        value.dtype = tensor.dtype


def _keep_last_of_each_statement(graph: Graph) -> None:
    """``x = B()(A()(y))``: the variable names B and what it makes, not A."""
    for call in graph.calls:
        for tensor in call.inputs:
            maker = tensor.call
            if maker and maker.assigned and call.assigned:
                if maker.assigned.statement == call.assigned.statement:
                    created = getattr(maker.operation, "created", None)
                    if created is not None and created.statement == maker.assigned.statement:
                        maker.operation.created = None  # type: ignore[attr-defined]
                    maker.assigned = None


def _input_axes(tensor: Tensor, graph: Graph) -> tuple[int, ...]:
    """The torch axis order of a model input: channels first where a convolution-like call reads it first."""
    identity = tuple(range(len(tensor.shape)))
    consumers: dict[int, list[Call]] = {}
    for call in graph.calls:
        for item in call.inputs:
            consumers.setdefault(id(item), []).append(call)
    seen: set[int] = set()
    pending = [tensor]
    while pending:
        current = pending.pop(0)
        for call in consumers.get(id(current), []):
            if len(current.shape) != len(tensor.shape) or id(call) in seen:
                continue
            seen.add(id(call))
            wish = getattr(call.operation, "input_axes", None)  # of steps that join the batch
            if wish is not None:
                axes = wish(lambda call=call: _input_axes(call.outputs[0], graph))
                if axes != identity:
                    return axes
                continue
            if call.operation.layout == "spatial":
                return Builder.spatial_axes(len(tensor.shape), call.operation)
            if call.operation.layout == "any":
                pending.extend(call.outputs)
    return identity


def remove_dead_nodes(module: Module) -> None:
    """Drop nodes whose values nobody reads."""
    needed = set(map(id, module.outputs))
    kept: list[Node] = []
    for node in reversed(module.nodes):
        if node.kind == "keep" or any(id(value) in needed for value in node.outputs):
            kept.append(node)
            needed.update(map(id, node.inputs))
    module.nodes = kept[::-1]
