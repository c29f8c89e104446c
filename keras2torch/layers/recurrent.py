"""SimpleRNN, LSTM, GRU and RNN over any cells, with Keras's signatures. How they run: recurrent_lowering.py.

Arguments: keras/src/layers/rnn/{rnn,simple_rnn,lstm,gru}.py of Keras 3.15. A script is taken with today's
``recurrent_activation="sigmoid"``, whatever the Keras that it was written for, and with the ``reset_after`` of its
own Keras, as the weights have other shapes; a saved file states both.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.recording import note
from keras2torch.graph import Graph, Shape, Spec, Tensor, map_structure
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import as_tensor
from keras2torch.layers.recurrent_base import (
    OLD_NAMES,
    _Cell,
    old_arguments,
    output_size,
    refuse_unread,
    state_sizes,
    trace_activations,
)
from keras2torch.layers.recurrent_cells import GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from keras2torch.layers.recurrent_lowering import cells_of, run_layer, traced_step

_ANY_CELL: Any = _Cell


class _Recurrent(Layer):
    """What recurrent layers share: a ``cell`` that runs over the steps (axis 1) of its input."""

    base_arguments = {
        **Layer.base_arguments,
        "implementation": 2,
        "unroll": False,
        "zero_output_for_mask": False,
        "time_major": False,
    }
    old_names = OLD_NAMES
    ignored = ("seed", "use_cudnn", "unroll")
    supports_masking = True
    cell_class = _ANY_CELL
    cell_name = "cell"
    input_rank = 3

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **old_arguments(kwargs))
        self.steps: dict[int, Graph] = {}  # the traced steps of the user's own cells
        self.set_cell()

    def _set_base(self, given: dict[str, Any]) -> None:
        super()._set_base(given)
        self.implementation = given.get("implementation")
        for name in ("unroll", "zero_output_for_mask"):
            if name not in self.fields:
                setattr(self, name, bool(given.get(name)))
        if given.get("time_major"):
            raise self.unsupported(
                "time_major=True was Keras 2's", "transpose the input to (batch, time, ...)"
            )

    def set_cell(self) -> None:
        """Make the cell, which holds the weights, of the layer's own arguments."""
        fields = self.cell_class.fields
        shared = {name: value for name, value in self._fields.items() if name in fields}
        if "implementation" in self.cell_class.base_arguments:
            shared["implementation"] = self.implementation
        self.cell: Any = self.cell_class(
            **shared, name=self.cell_name, trainable=self._trainable, dtype=self._dtype
        )
        self.cell.named = False
        self.cell.created = None
        self._read.update(shared)

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length, input_dim)

    def sublayers(self) -> list[Layer]:
        return [self.cell]

    def unread_fields(self) -> list[str]:
        for cell in cells_of(self):
            if isinstance(cell, _Cell):
                refuse_unread(cell)
        return super().unread_fields()

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        shape = sequences_shape[0] if isinstance(sequences_shape, list) else sequences_shape
        if self.stateful and shape[0] is None:
            raise self.unsupported(
                "stateful=True needs a known batch size",
                "give the input one: batch_shape=(size, steps, features)",
            )
        if not self.cell.built:
            self.cell.build((shape[0], *shape[2:]))
            self.cell.built = True

    # The call.
    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Keras 1 and 2 also took the initial states behind the input: ``lstm([x, h, c])``."""
        if isinstance(sequences, (list, tuple)):
            initial_state = list(sequences[1:]) or initial_state
            sequences = sequences[0]
        states = None
        if initial_state is not None:
            states = leaves(initial_state)
            expected = self.state_count()
            if len(states) != expected:
                raise K2TError(
                    f"{type(self).__name__} {self.name!r} has {expected} states, {len(states)} given",
                    where=trace.user_location(),
                )
        self.trace_cells(sequences)
        return super().call(sequences, initial_state=states, mask=mask)

    def state_count(self) -> int:
        return sum(len(state_sizes(cell)) for cell in cells_of(self))

    def trace_cells(self, sequences: Tensor) -> None:
        """Run one step of each cell that the user wrote, on symbolic tensors."""
        features: Any = sequences.shape[2:]
        for index, cell in enumerate(cells_of(self)):
            if (not isinstance(cell, _Cell) or cell.user_defined) and index not in self.steps:
                x = Tensor((None, *features), sequences.dtype, name="x")
                sizes = state_sizes(cell)
                names = (
                    ["state"] if len(sizes) == 1 else [f"state{i + 1}" for i in range(len(sizes))]
                )
                states = [Tensor((None, size), name=name) for size, name in zip(sizes, names)]
                self.steps[index] = traced_step(cell, x, states, {})
            elif isinstance(cell, _Cell):
                trace_activations(cell, (None, int(cell.units)))
            features = (output_size(cell),)

    def output_spec(self, sequences: Any, initial_state: Any = None) -> Any:
        if len(sequences.shape) != self.input_rank:
            raise ValueError(f"an input of {self.input_rank} axes is needed")
        batch, steps = sequences.shape[:2]
        last = len(cells_of(self)) - 1
        if last in self.steps:
            size = self.steps[last].outputs[0].shape[1:]
        else:
            size = (output_size(self.cell),)
        output = Spec(
            (batch, steps, *size) if self.return_sequences else (batch, *size), self.dtype
        )
        if not self.return_state:
            return output
        sizes = self.cell.state_size
        states = map_structure(lambda n: Spec((batch, n), self.dtype), sizes, int)
        return [output, *states] if isinstance(states, (list, tuple)) else [output, states]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        kept = mask if self.return_sequences else None
        return [kept] + [None] * 9 if self.return_state else kept

    def lower(self, b: Any, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        output, states = self.run(b, b.floating(sequences), mask, initial_state)
        return [output, *states] if self.return_state else output

    def run(self, b: Any, x: Any, mask: Any, states: Any, role: str = "") -> tuple[Any, list[Any]]:
        """The output and the last states; ``role`` tells the two directions of a Bidirectional apart."""
        return run_layer(b, self, x, mask, states, role)

    def reset_states(self, states: Any = None) -> None:
        """While a program is recorded there is no state; a training script does it at the same time."""
        from keras2torch.training.calls import note_reset

        note_reset(self)

    reset_state = reset_states


def leaves(states: Any) -> list[Tensor]:
    """The states in a nested list, one after the other; arrays become constants."""
    if isinstance(states, (list, tuple)):
        return [leaf for item in states for leaf in leaves(item)]
    return [as_tensor(states)]


class RNN(_Recurrent):
    """Any cell, a list of cells, or a cell of the user's own, over the steps of the input."""

    cell: Any
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    zero_output_for_mask: bool = False

    def set_cell(self) -> None:
        if isinstance(self.cell, (list, tuple)):
            self.cell = StackedRNNCells(list(self.cell))
        for cell in cells_of(self):
            if not isinstance(cell, Layer) or not hasattr(cell, "state_size"):
                raise self.unsupported(
                    f"the cell {cell!r} is no layer with a state_size",
                    "make the cell a subclass of keras.layers.Layer",
                )


class SimpleRNN(_Recurrent):
    """A fully-connected recurrent layer."""

    units: int
    activation: Any = "tanh"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    seed: Any = None

    cell_class = SimpleRNNCell
    cell_name = "simple_rnn_cell"


def _is_old(kwargs: dict[str, Any]) -> bool:
    """Whether the program is one of Keras 1.0 to 2.3."""
    return config.before_tensorflow_2 or not OLD_NAMES.keys().isdisjoint(kwargs)


def _tell_of_gates(name: str, kwargs: dict[str, Any]) -> None:
    if kwargs.keys().isdisjoint(("recurrent_activation", "inner_activation")):
        note(
            f"{name}'s gates are sigmoid, as since Keras 2.3; Keras 1.0 to 2.2 had hard_sigmoid, "
            "clip(0.2 * x + 0.5, 0, 1): for weights trained with these, use a saved model"
        )


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter 1997)."""

    units: int
    activation: Any = "tanh"
    recurrent_activation: Any = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    unit_forget_bias: bool = True
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: Any = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    use_cudnn: Any = "auto"

    cell_class = LSTMCell
    cell_name = "lstm_cell"
    optional_gates = True

    def __init__(self, *args: Any, **kwargs: Any):
        if _is_old(kwargs) and self.optional_gates:
            _tell_of_gates("LSTM", kwargs)
        super().__init__(*args, **kwargs)


class GRU(_Recurrent):
    """Gated recurrent unit (Cho et al. 2014)."""

    units: int
    activation: Any = "tanh"
    recurrent_activation: Any = "sigmoid"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: Any = None
    return_sequences: bool = False
    return_state: bool = False
    go_backwards: bool = False
    stateful: bool = False
    unroll: bool = False
    reset_after: bool = True
    use_cudnn: Any = "auto"

    cell_class = GRUCell
    cell_name = "gru_cell"

    def __init__(self, *args: Any, **kwargs: Any):
        if _is_old(kwargs) and self.optional_order:
            _tell_of_gates("GRU", kwargs)
            if "reset_after" not in kwargs:
                kwargs["reset_after"] = False
                note("GRU resets before its product (reset_after=False), as in Keras 1.0 to 2.3")
        super().__init__(*args, **kwargs)

    optional_order = True
    """Whether a GRU of Keras 1.0 to 2.3 resets before its product, unless it is told otherwise."""


class CuDNNLSTM(LSTM):
    """Keras 2's LSTM for GPUs: the same function, always with tanh and sigmoid."""

    optional_gates = False


class CuDNNGRU(GRU):
    """Keras 2's GRU for GPUs: the same function as GRU with ``reset_after=True``."""

    optional_order = False
