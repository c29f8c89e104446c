"""Recurrent layers in torch: nn.LSTM, nn.GRU and nn.RNN where they are exactly right, else a loop over a written cell.

Masked steps need no loop where only outputs are asked for: a step that is skipped might as well not be there, so the
unmasked steps move to the front, torch's layer runs over them, and its outputs move back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from keras2torch.builder import Builder
from keras2torch.graph import Graph, Scope, Tensor, tensors_in
from keras2torch.layers.modes import training_mode
from keras2torch.layers.recurrent_base import _Cell, state_sizes
from keras2torch.layers.recurrent_cells import StackedRNNCells
from keras2torch.lower import lower
from keras2torch.module import Module, Node, Submodule, Value

STATE_NAMES = {1: ("h",), 2: ("h", "c")}


def run_layer(
    b: Builder, layer: Any, x: Any, mask: Any, states: Any, role: str = ""
) -> tuple[Value, list[Value]]:
    """The output of a recurrent layer and, where somebody may ask for them, its last states."""
    mask = boolean(b, mask)
    if layer.go_backwards:
        x = b.method("flip", x, 1, shape=x.shape)
        mask = b.method("flip", mask, 1, shape=mask.shape) if mask is not None else None
    cells = cells_of(layer)
    holder = None
    if layer.stateful:
        sizes = [(x.shape[0], size) for cell in cells for size in state_sizes(cell)]
        holder = b.submodule("CarriedState", part_role(role, "state"), shapes=tuple(sizes))
        states = states if states is not None else read_state(b, holder, sizes)
    given = list(states) if states is not None else None
    kept: list[Value] = []
    for index, cell in enumerate(cells):
        last = index == len(cells) - 1
        count = len(state_sizes(cell))
        run = Run(b, layer, cell, part_role(role, f"layer{index + 1}") if len(cells) > 1 else role)
        run.index = index
        run.sequences = bool(layer.return_sequences) or not last
        run.with_states = bool(layer.return_state or layer.stateful)
        run.zero = last and bool(layer.zero_output_for_mask) and not layer.unroll
        own = given[len(kept) : len(kept) + count] if given is not None else None
        x, new = run.over(x, mask, own)
        kept += new if run.with_states else [None] * count  # type: ignore[list-item]
    if holder is not None:
        x, kept = keep_state(b, holder, x, kept, bool(layer.return_state))
    return x, kept


def cells_of(layer: Any) -> list[Any]:
    """A stack of cells is a chain: each runs over the sequence that the one before it made."""
    return list(layer.cell.cells) if isinstance(layer.cell, StackedRNNCells) else [layer.cell]


def boolean(b: Builder, mask: Any) -> Any:
    """A mask (N, T) as booleans. Of more axes, as an embedding of words in sentences has: where any is set."""
    if mask is not None and mask.dtype != "bool":
        mask = b.method("bool", mask, dtype="bool")
    if mask is not None and len(mask.shape) == 3:
        mask = b.method("any", mask, dim=-1, shape=mask.shape[:2], axes=(0, 1))
    return mask


def part_role(role: str, part: str) -> str:
    """The name of one part of a layer, within one direction of a Bidirectional."""
    return f"{role}_{part}" if role else part


class Run:
    """One cell over all steps of one sequence."""

    index = 0
    sequences = True  # whether all outputs are wanted, not the last alone
    with_states = False
    zero = False  # whether the output of a masked step is zero

    def __init__(self, b: Builder, layer: Any, cell: Any, role: str):
        self.b, self.layer, self.cell, self.role = b, layer, cell, role
        self.written = isinstance(cell, _Cell) and not cell.user_defined

    def over(self, x: Any, mask: Any, states: list[Value] | None) -> tuple[Value, list[Value]]:
        """The output (N, T, units), or (N, units) of the last step, and the last states (N, units)."""
        if self.written and self.cell.native(self.b.training):
            if mask is None or not (self.with_states and len(state_sizes(self.cell)) > 1):
                return self._native(x, mask, states)
        return self._loop(x, mask, states)

    # torch's own layers.
    def _native(self, x: Any, mask: Any, states: list[Value] | None) -> tuple[Value, list[Value]]:
        b = self.b
        x = self._dropped(x)
        if mask is not None:
            x = b.function("skip_masked", x, mask, shape=x.shape)
        module = native_module(b, [self.cell], x.shape[-1], self.role)
        y, raw = call_native(b, module, x, [states] if states is not None else None)
        if mask is not None:
            return self._unskipped(y, mask, states)
        size = (x.shape[0], y.shape[-1])
        new = [b.index(value, 0, shape=size, axes=(0, 1)) for value in raw]
        if self.sequences:
            return y, new
        return (new[0] if self.with_states else last_step(b, y)), new

    def _unskipped(self, y: Any, mask: Any, states: Any) -> tuple[Value, list[Value]]:
        """The outputs in their places, and the state, which is the output of the last unmasked step."""
        b = self.b
        before = () if states is None or self.layer.unroll else (states[0],)
        size = (y.shape[0], y.shape[-1])
        if self.sequences:
            held = b.function("hold_masked", y, mask, *before, shape=y.shape)
            state = last_step(b, held)
            output = zeroed(b, held, mask, 2) if self.zero else held
        else:
            output = state = b.function("last_unmasked", y, mask, *before, shape=size, axes=(0, 1))
            if self.zero:
                output = zeroed(
                    b, output, b.index(mask, (slice(None), -1), shape=mask.shape[:1]), 1
                )
        return output, [state] if self.with_states else []

    def _dropped(self, x: Any) -> Any:
        """Dropout of whole features: Keras drops the same ones at every step of a sequence."""
        rate = self.cell.rates(self.b.training)[0]
        if not rate:
            return x
        b = self.b
        swapped = (x.shape[0], x.shape[2], x.shape[1])
        turned = b.method("transpose", x, 1, 2, shape=swapped)
        if b.training:
            turned = b.function("F.dropout1d", turned, rate, shape=swapped)
        else:
            note = "drops the same features at every step"
            dropout = b.submodule(
                "nn.Dropout1d", part_role(self.role, "dropout"), p=rate, note=note
            )
            dropout.hints = ("dropout",)
            turned = b.call(dropout, turned)
        return b.method("transpose", turned, 1, 2, shape=x.shape, axes=(0, 1, 2))

    # A loop.
    def _loop(self, x: Any, mask: Any, states: list[Value] | None) -> tuple[Value, list[Value]]:
        b = self.b
        if mask is not None and self.layer.unroll and (states is not None or not self.written):
            raise self.layer.unsupported(
                "unroll=True with a mask and an initial state or a cell of one's own, where Keras "
                "holds other outputs than without unroll",
                "leave unroll out",
            )
        masks: dict[str, Value] = {}
        if self.written:
            x, masks = self._gate_masks(x)
            graph = step_graph(self.cell, x.shape[-1], tuple(masks), b.training)
        else:
            graph = self.layer.steps[self.index]
        states = states if states is not None else self._zeros(x)
        child = step_module(b, self.cell, graph, part_role(self.role, "cell"))
        size = graph.outputs[0].shape[1:]
        y = Value((*x.shape[:2], *size), tuple(range(2 + len(size))))
        names = STATE_NAMES.get(len(states), ()) if self.written else ()
        new = [Value(s.shape, s.axes, name=n) for s, n in zip_longest(states, names)]
        loop(b, child, x, mask, states, masks, y, new)
        if mask is not None and self.zero:
            y = zeroed(b, y, mask, 2)
        return (y if self.sequences else last_step(b, y)), new

    def _zeros(self, x: Any) -> list[Value]:
        """The initial state."""
        made: dict[int, Value] = {}
        for size in state_sizes(self.cell):
            if size not in made:
                made[size] = zeros = self.b.method(
                    "new_zeros", x, self.b.size(x, 0), size, shape=(x.shape[0], size), axes=(0, 1)
                )
                zeros.hint = "zeros" if len(made) == 1 else f"zeros{len(made)}"
        return [made[size] for size in state_sizes(self.cell)]

    def _gate_masks(self, x: Any) -> tuple[Any, dict[str, Value]]:
        """Dropout masks, made once for all steps; ``x`` itself is dropped where one mask serves all gates."""
        b, cell = self.b, self.cell
        rates = cell.rates(b.training)
        by_gate = cell.drops_by_gate(b.training)
        lead = (cell.gates,) if by_gate else ()
        masks = {}
        if rates[0] and by_gate:
            shape = (*lead, x.shape[0], x.shape[-1])
            masks["input_masks"] = self._mask(x, shape, rates[0], "dropout", "input_masks")
        elif rates[0]:
            x = self._dropped(x)
        if rates[1]:
            shape = (*lead, x.shape[0], int(cell.units))
            masks["state_masks"] = self._mask(
                x, shape, rates[1], "recurrent_dropout", "state_masks"
            )
        return x, masks

    def _mask(self, x: Any, shape: tuple, rate: float, part: str, name: str) -> Value:
        sizes = [*shape[:-2], self.b.size(x, 0), shape[-1]]
        role = part_role(self.role, part)
        return dropout_mask(self.b, x, sizes, shape, rate, role, name)


def dropout_mask(
    b: Builder, x: Any, sizes: list, shape: tuple, rate: float, role: str, name: str
) -> Value:
    """``nn.Dropout`` of ones: a mask that all steps share."""
    ones = b.method("new_ones", x, *sizes, shape=shape, axes=tuple(range(len(shape))))
    if b.training:
        mask = b.function("F.dropout", ones, rate)
    else:
        dropout = b.submodule("nn.Dropout", role, p=rate, note="one mask for all steps")
        dropout.hints = ("recurrent_dropout" if "recurrent" in role else "dropout",)
        mask = b.call(dropout, ones)
    mask.hint = name
    return mask


def last_step(b: Builder, y: Any) -> Value:
    """``y[:, -1]``."""
    return b.index(
        y, (slice(None), -1), shape=(y.shape[0], *y.shape[2:]), axes=tuple(range(len(y.shape) - 1))
    )


def zeroed(b: Builder, y: Any, mask: Any, rank: int) -> Value:
    """``y`` with zeros where the mask (of ``rank`` axes) says that a step is none."""
    for _ in range(len(y.shape) - rank):
        mask = b.method(
            "unsqueeze", mask, -1, shape=(*mask.shape, 1), axes=tuple(range(len(mask.shape) + 1))
        )
    return b.function("torch.where", mask, y, 0.0, shape=y.shape, axes=y.axes, dtype=y.dtype)


# torch's layers.
def native_module(b: Builder, cells: Sequence[Any], features: int, role: str) -> Submodule:
    """``nn.LSTM(...)``: of one cell, or of a forward and a backward one."""
    cell = cells[0]
    weights, initial = cell.native_weights(b), cell.native_initial()
    options = cell.torch_options()
    if len(cells) > 1:
        weights |= cells[1].native_weights(b, "_l0_reverse")
        initial |= cells[1].native_initial("_l0_reverse")
        options["bidirectional"] = True
    return b.submodule(
        cell.torch_layer,
        role,
        input_size=features,
        hidden_size=int(cell.units),
        bias=bool(cell.use_bias),
        batch_first=True,
        weights=weights,
        initial=initial,
        **options,
    )


def call_native(b: Builder, module: Submodule, x: Any, states: Any) -> tuple[Value, list[Value]]:
    """Outputs (N, T, directions * units) and last states (directions, N, units) of torch's layer.

    ``states``: for each direction its initial states (N, units), or None for zeros.
    """
    units = module.args["hidden_size"]
    directions = 2 if module.args.get("bidirectional") else 1
    names = ("h", "c") if module.cls == "nn.LSTM" else ("h",)
    batch = x.shape[0]
    y = Value((*x.shape[:2], directions * units), (0, 1, 2))
    new = [Value((directions, batch, units), (0, 1, 2), name=name) for name in names]
    arguments: tuple[Any, ...] = (x,)
    if states is not None:
        raw = [_stacked(b, [own[i] for own in states]) for i in range(len(names))]
        arguments += (tuple(raw),) if len(raw) > 1 else (raw[0],)
    pattern = (y, tuple(new)) if len(new) > 1 else (y, new[0])
    b.multi("call", module, arguments, {}, [y, *new], pattern)
    return y, new


def _stacked(b: Builder, states: list[Value]) -> Value:
    """States of all directions in one tensor; torch's own, where they come from there."""
    first = states[0]
    shape = (len(states), *first.shape)
    node = first.node
    if len(states) == 1:
        if node is not None and node.kind == "index" and node.args[1] == 0:
            whole = node.args[0]
            if isinstance(whole, Value) and whole.shape == shape and _of_call(whole):
                return whole
        return b.method("unsqueeze", first, 0, shape=shape, axes=(0, 1, 2))
    return b.function("torch.stack", tuple(states), shape=shape, axes=(0, 1, 2))


def _of_call(value: Value) -> bool:
    return value.node is not None and value.node.kind == "call"


# Loops over a written cell.
def step_graph(cell: Any, features: int, masks: tuple[str, ...], training: bool | None) -> Graph:
    """One step of a cell of Keras's own, on symbolic tensors."""
    sizes = state_sizes(cell)
    names = STATE_NAMES[len(sizes)]
    x = Tensor((None, features), name="x")
    states = [Tensor((None, size), name=name) for size, name in zip(sizes, names)]
    given: dict[str, Any] = {"dropped": True}
    lead = (cell.gates,) if cell.drops_by_gate(training) else ()
    for name in masks:
        size = features if name == "input_masks" else sizes[0]
        given[name] = Tensor((*lead, None, size), name=name)
    with training_mode(training):
        return traced_step(cell, x, states, given)


def traced_step(cell: Any, x: Tensor, states: list[Tensor], masks: dict[str, Tensor]) -> Graph:
    """The graph of ``cell(x, states)``: its outputs are the cell's output and its new states."""
    outputs = cell(x, states, **masks)
    return Graph.between([x, *states, *tensors_in(masks)], tensors_in(outputs), cell.name)


def step_module(b: Builder, cell: Any, graph: Graph, role: str) -> Submodule:
    """The cell as a class of its own in the generated file."""

    def make() -> Module:
        module = lower(graph)
        for node in module.nodes:
            node.scopes = inner_scopes(node, cell, graph)
        doc = getattr(cell, "class_doc", None) or (type(cell).__doc__ or "").strip()
        module.scope = Scope("layer", type(cell).__name__.strip("_"), cell, 0, doc)
        return module

    return b.child(make, role)


def inner_scopes(node: Node, layer: Any, graph: Graph) -> tuple[Scope, ...]:
    """The scopes of a node within ``layer``, whose call ``graph`` is; those around it say nothing there."""
    owners = [scope.owner for scope in node.scopes]
    if layer in owners:
        return node.scopes[owners.index(layer) + 1 :]
    return node.scopes if len(graph.calls) > 1 else ()  # what is around all calls is gone already


def loop(
    b: Builder,
    child: Submodule,
    x: Any,
    mask: Any,
    states: list[Value],
    constants: dict[str, Value],
    y: Value,
    new: list[Value],
    dim: int = 1,
) -> None:
    """``y, *new = run_recurrent(cell, x, *states, **constants)``."""
    kwargs = {"dim": dim, **constants} if dim != 1 else dict(constants)
    if mask is None:
        b.multi("function", "run_recurrent", (child, x, *states), kwargs, [y, *new])
    else:
        b.multi("function", "run_masked", (child, x, mask, *states), kwargs, [y, *new])


# States that outlive a batch.
def read_state(
    b: Builder, holder: Submodule, shapes: Sequence[tuple[int, ...]], axes: tuple[int, ...] = (0, 1)
) -> list[Value]:
    """The states with which the batch before ended."""
    values = [Value(shape, axes) for shape in shapes]
    for value, name in zip(values, STATE_NAMES.get(len(values), ())):
        value.name = name
    if len(values) == 1:
        read = b.method("read", holder, shape=(1, *shapes[0]))
        return [b.index(read, 0, shape=shapes[0], axes=values[0].axes)]
    return b.multi("method", "read", (holder,), {}, values)


def keep_state(
    b: Builder, holder: Submodule, x: Any, states: list[Value], returned: bool
) -> tuple[Value, list[Value]]:
    """Store the states for the next batch. The output passes through, so that this is not left out."""
    outputs = [Value(v.shape, v.axes, v.dtype, name=v.name) for v in (x, *states)]
    b.multi("method", "keep", (holder, x, *states), {}, outputs)
    return outputs[0], outputs[1:] if returned else states
