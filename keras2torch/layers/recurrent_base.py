"""What the cells of recurrent layers share: weights, dropout, activations, and when torch has a layer for them.

Formulas: keras/src/layers/rnn/dropout_rnn_cell.py of Keras 3.15, and those of each cell.
The weights keep Keras's layout and order of gates: ``x @ kernel + h @ recurrent_kernel + bias``.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Graph, Shape, Spec, Tensor, tensors_in
from keras2torch.layers.activations import activation_name
from keras2torch.layers.base import Layer
from keras2torch.lower import inline
from keras2torch.module import Mapping, Value

# Keras 1's names, and those that today's layers pass on without naming them.
OLD_NAMES: dict[str, str | None] = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
}


def old_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of Keras 1 that changed more than their name."""
    given = dict(arguments)
    if "consume_less" in given:
        given["implementation"] = {"cpu": 0, "mem": 1, "gpu": 2}.get(given.pop("consume_less"), 1)
    if "forget_bias_init" in given:
        given["unit_forget_bias"] = given.pop("forget_bias_init") in ("one", "ones")
    return given


class _Cell(Layer):
    """What the cells share. A call takes the input and the states; it gives the output and the new states."""

    base_arguments = {**Layer.base_arguments, "implementation": 2}
    old_names = OLD_NAMES
    ignored = ("seed",)
    own_class = True
    gates = 1
    torch_layer = ""
    """The torch layer that runs this cell over a sequence, where ``native`` says so."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **old_arguments(kwargs))

    def _set_base(self, given: dict[str, Any]) -> None:
        super()._set_base(given)
        implementation = given.get("implementation")
        self.implementation = 2 if implementation is None else int(implementation)

    def build(self, input_shape: Any = None) -> None:
        units = int(self.units)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.gates * units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(units, self.gates * units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = None
        start = self.bias_start()
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self.bias_shape(),
                initializer=start,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def bias_shape(self) -> Shape:
        return (self.gates * int(self.units),)

    def bias_start(self) -> Any:
        """The initialiser of the whole bias."""
        return self.bias_initializer

    # What Keras's own cells tell.
    @property
    def state_size(self) -> Any:
        return int(self.units)

    @property
    def output_size(self) -> int:
        return int(self.units)

    def get_initial_state(self, batch_size: Any = None, **kwargs: Any) -> Any:
        """Zeros; a recurrent layer makes its own."""
        from keras2torch.ops import OPS

        return [OPS["keras.ops.zeros"]((batch_size, n)) for n in state_sizes(self)]

    def output_spec(self, inputs: Any, states: Any = None, **options: Any) -> Any:
        if inputs.shape[-1] != self.kernel.shape[0]:
            raise ValueError(f"the last axis should be {self.kernel.shape[0]}")
        spec = Spec((inputs.shape[0], int(self.units)), self.dtype)
        count = len(tensors_in(states))
        return spec, [spec] * count if isinstance(states, (list, tuple)) else spec

    def call(self, inputs: Any, states: Any, **options: Any) -> Any:
        trace_activations(self, (None, int(self.units)))
        return super().call(inputs, states, **options)

    # Dropout.
    def rates(self, training: bool | None) -> tuple[float, float]:
        """The dropout of inputs and of states that acts."""
        return state_rates(self, training)

    def drops_by_gate(self, training: bool | None) -> bool:
        """Whether each gate has a dropout mask of its own; else one mask serves the whole input."""
        return self.gates > 1 and (self.implementation != 2 or self.rates(training)[1] > 0)

    def check_dropout(self, b: Any, dropped: bool) -> None:
        """Outside a recurrent layer nobody makes the masks."""
        if not dropped and any(self.rates(b.training)):
            raise self.unsupported(
                "dropout of a cell that is called by the program itself",
                "give the cell to keras.layers.RNN, or leave its dropout out",
            )

    def native(self, training: bool | None) -> bool:
        """Whether ``torch_layer`` computes exactly this cell over a sequence."""
        return (
            activation_name(self.activation) == "tanh"
            and (self.gates == 1 or activation_name(self.recurrent_activation) == "sigmoid")
            and self.rates(training)[1] == 0
            and not (self.rates(training)[0] and self.drops_by_gate(training))
        )

    def torch_options(self) -> dict[str, Any]:
        """What ``torch_layer`` needs to know besides sizes."""
        return {}

    # Torch.
    def native_weights(self, b: Any, suffix: str = "_l0") -> dict[str, Mapping]:
        """The tensors of ``torch_layer`` from Keras's weights."""
        weights = {
            f"weight_ih{suffix}": b.mapping(lambda kernel: kernel.T, self.kernel),
            f"weight_hh{suffix}": b.mapping(lambda kernel: kernel.T, self.recurrent_kernel),
        }
        if self.bias is not None:
            shape = tuple(int(n) for n in self.bias_shape() if n)
            zeros = Mapping(
                (), lambda: numpy.zeros(shape, "float32"), shape, False, fixed="Keras has one bias"
            )
            weights |= {f"bias_ih{suffix}": b.same(self.bias), f"bias_hh{suffix}": zeros}
        return weights

    def native_initial(self, suffix: str = "_l0") -> dict[str, Any]:
        """How those tensors start, where it is not as their Keras weight does."""
        return {f"bias_hh{suffix}": "zeros"} if self.bias is not None else {}

    def projected(self, b: Any, x: Any, masks: Any, kernel: Any, row: int | None = None) -> Any:
        """``x @ kernel + bias``, with a dropout mask for each gate if there are ``masks``.

        ``row``: which row of the bias; -1 for all of it, None for none.
        """
        kernel = b.param(kernel)
        shape = (x.shape[0], kernel.shape[1])
        if masks is not None and self.gates == 1:
            x, masks = b.operator("*", x, masks), None
        if masks is None:
            x = b.operator("@", x, kernel, shape=shape)
        else:
            x = b.function("matmul_by_gate", x, masks, kernel, shape=shape)
        if self.bias is None or row is None:
            return x
        bias = b.param(self.bias)
        if row >= 0:
            bias = b.index(bias, row, shape=bias.shape[1:], axes=(0,))
        return b.operator("+", x, bias, shape=shape)


def split(b: Any, x: Any, *names: str, dim: int = -1) -> list[Value]:
    """``x`` cut into as many equal parts along one dimension as there are names."""
    shape = list(x.shape)
    shape[dim] //= len(names)
    parts = [Value(tuple(shape), x.axes, hint=name, name=name) for name in names]
    return b.multi("method", "chunk", (x, len(names)), {"dim": dim}, parts)


def state_rates(cell: Any, training: bool | None) -> tuple[float, float]:
    """The dropout of a cell's inputs and of its states that acts."""
    given = float(cell.dropout or 0), float(cell.recurrent_dropout or 0)
    if training is False:
        return 0.0, 0.0
    if max(given) >= 1:
        raise cell.unsupported("a dropout of 1 leaves nothing", "use a rate below 1")
    return given


def trace_activations(cell: Any, shape: Shape) -> None:
    """Run the program's own activation functions on a symbolic tensor of a state's shape."""
    traced = cell.__dict__.setdefault("traced", {})
    for name in ("activation", "recurrent_activation"):
        function = cell._fields.get(name)
        known = not callable(function) or activation_name(function) is not None
        if known or type(function).__module__.startswith("torch.") or id(function) in traced:
            continue
        x = Tensor(shape)
        traced[id(function)] = graph = Graph.between([x], [function(x)], name)
        if graph.outputs[0].shape != shape:
            raise cell.unsupported(f"its {name} changes the shape of its input")


def activated(b: Any, cell: Any, x: Any, activation: Any) -> Any:
    """An activation of ``cell``, also a function of the program's own, which was traced before."""
    graph = cell.__dict__.get("traced", {}).get(id(activation))
    return b.activation(x, activation) if graph is None else inline(b, graph, x)


def named(value: Value, name: str) -> Value:
    """``value``, with the name that the formula gives it."""
    value.name = name
    return value


def refuse_unread(layer: Layer) -> None:
    """Raises UnsupportedError for an argument of an inner layer that nothing has read."""
    for name in layer.unread_fields():
        raise layer.unsupported(
            f"the argument {name}={layer._fields[name]!r} has no exact translation yet"
        )


def state_sizes(cell: Any) -> list[int]:
    """The sizes of a cell's states, one after the other. Raises UnsupportedError for states of more axes."""
    sizes = cell.state_size
    flat: list[Any] = list(sizes) if isinstance(sizes, (list, tuple)) else [sizes]
    if not all(hasattr(size, "__index__") for size in flat):
        raise cell.unsupported(
            f"the state_size {sizes!r} is no integer or list of integers",
            "give each state of the cell one axis",
        )
    return [int(size) for size in flat]


def output_size(cell: Any) -> int:
    """The size of a cell's output."""
    size = getattr(cell, "output_size", None)
    return int(size) if size is not None else state_sizes(cell)[0]
