"""The cells of recurrent layers: one step each, written out in the generated file where torch has no layer for it.

Formulas: keras/src/layers/rnn/{simple_rnn,lstm,gru,stacked_rnn_cells}.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Shape
from keras2torch.initial_text import Lines, lines_for
from keras2torch.layers.activations import activation_name
from keras2torch.layers.base import Layer
from keras2torch.layers.recurrent_base import (
    OLD_NAMES,
    _Cell,
    activated,
    named,
    output_size,
    split,
)
from keras2torch.module import Mapping


class SimpleRNNCell(_Cell):
    """``h = activation(x @ kernel + h @ recurrent_kernel + bias)``."""

    units: int
    activation: Any = "tanh"
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    recurrent_initializer: Any = "orthogonal"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    recurrent_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: Any = None

    old_names = {**OLD_NAMES, "recurrent_activation": None}
    torch_layer = "nn.RNN"
    class_doc = "One step of a plain recurrent layer: the output, and the new state."

    def native(self, training: bool | None) -> bool:
        return activation_name(self.activation) in ("tanh", "relu") and not self.rates(training)[1]

    def torch_options(self) -> dict[str, Any]:
        return {"nonlinearity": activation_name(self.activation)}

    def lower(
        self,
        b: Any,
        inputs: Any,
        states: Any,
        input_masks: Any = None,
        state_masks: Any = None,
        dropped: bool = False,
    ) -> Any:
        self.check_dropout(b, dropped)
        h = states[0] if isinstance(states, (list, tuple)) else states
        x = self.projected(b, inputs, input_masks, self.kernel, -1)
        h = self.projected(b, h, state_masks, self.recurrent_kernel)
        h = named(activated(b, self, b.operator("+", x, h), self.activation), "h")
        return [h, h]


class LSTMCell(_Cell):
    """Gates in the order input, forget, candidate, output; the states are h and c."""

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
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    seed: Any = None

    gates = 4
    torch_layer = "nn.LSTM"
    class_doc = "One step of a long short-term memory: the output, and the new states h and c."

    @property
    def state_size(self) -> Any:
        return [int(self.units)] * 2

    def bias_start(self) -> Any:
        return (
            forget_gate_open(self.bias_initializer)
            if self.unit_forget_bias
            else self.bias_initializer
        )

    def lower(
        self,
        b: Any,
        inputs: Any,
        states: Any,
        input_masks: Any = None,
        state_masks: Any = None,
        dropped: bool = False,
    ) -> Any:
        self.check_dropout(b, dropped)
        h, c = states
        total = self.projected(b, inputs, input_masks, self.kernel)
        total = b.operator("+", total, self.projected(b, h, state_masks, self.recurrent_kernel))
        if self.bias is not None:
            total = b.operator("+", total, b.param(self.bias), shape=total.shape)
        return lstm_update(self, b, total, c, -1)


def lstm_update(cell: Any, b: Any, total: Any, c: Any, dim: int) -> list[Any]:
    """The output and the states after an LSTM's step, from its gates, which lie side by side along ``dim``."""
    names = ("input_gate", "forget_gate", "candidate", "output_gate")
    input_gate, forget_gate, candidate, output_gate = split(b, total, *names, dim=dim)
    kept = b.operator("*", activated(b, cell, forget_gate, cell.recurrent_activation), c)
    candidate = activated(b, cell, candidate, cell.activation)
    added = b.operator("*", activated(b, cell, input_gate, cell.recurrent_activation), candidate)
    c = named(b.operator("+", kept, added), "c")
    output_gate = activated(b, cell, output_gate, cell.recurrent_activation)
    h = named(b.operator("*", output_gate, activated(b, cell, c, cell.activation)), "h")
    return [h, h, c]


def forget_gate_open(initializer: Any) -> Lines:
    """Keras's ``unit_forget_bias``: the forget gate's quarter of the bias starts at 1."""

    def make(target: str) -> list[str]:
        mapping = Mapping((), lambda: None, (4,))
        return [
            *lines_for(initializer, target, mapping),
            f"{target}.data.chunk(4)[1].fill_(1)  # the forget gate",
        ]

    config: dict[str, Any] = getattr(initializer, "get_config", dict)()
    return Lines(
        f"forget gate, {initializer if isinstance(initializer, (str, dict)) else config}", make
    )


class GRUCell(_Cell):
    """Gates in the order update, reset, candidate. ``reset_after``: the reset gate acts after the product."""

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
    kernel_constraint: Any = None
    recurrent_constraint: Any = None
    bias_constraint: Any = None
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    reset_after: bool = True
    seed: Any = None

    gates = 3
    torch_layer = "nn.GRU"
    class_doc = "One step of a gated recurrent unit: the output, and the new state."

    def bias_shape(self) -> Shape:
        size = 3 * int(self.units)
        return (2, size) if self.reset_after else (size,)

    def native(self, training: bool | None) -> bool:
        return bool(self.reset_after) and super().native(training)

    def native_weights(self, b: Any, suffix: str = "_l0") -> dict[str, Mapping]:
        def reset_first(
            array: Any,
        ) -> Any:  # update, reset, candidate -> torch's reset, update, new
            update, reset, candidate = numpy.split(array, 3)
            return numpy.concatenate([reset, update, candidate])

        weights = {
            f"weight_ih{suffix}": b.mapping(lambda kernel: reset_first(kernel.T), self.kernel),
            f"weight_hh{suffix}": b.mapping(
                lambda kernel: reset_first(kernel.T), self.recurrent_kernel
            ),
        }
        if self.bias is not None:  # both of torch's biases are Keras's
            weights[f"bias_ih{suffix}"] = b.mapping(lambda bias: reset_first(bias[0]), self.bias)
            weights[f"bias_hh{suffix}"] = b.mapping(lambda bias: reset_first(bias[1]), self.bias)
        return weights

    def native_initial(self, suffix: str = "_l0") -> dict[str, Any]:
        return {}

    def lower(
        self,
        b: Any,
        inputs: Any,
        states: Any,
        input_masks: Any = None,
        state_masks: Any = None,
        dropped: bool = False,
    ) -> Any:
        self.check_dropout(b, dropped)
        h = states[0] if isinstance(states, (list, tuple)) else states
        lower = self._reset_after if self.reset_after else self._reset_before
        update, candidate = lower(b, inputs, h, input_masks, state_masks)
        kept = b.operator("*", update, h)
        h = b.operator("+", kept, b.operator("*", b.operator("-", 1, update), candidate))
        return [named(h, "h"), h]

    def _reset_after(self, b: Any, x: Any, h: Any, input_masks: Any, state_masks: Any) -> Any:
        of_x = self.projected(b, x, input_masks, self.kernel, 0)
        of_x = split(b, of_x, "update_x", "reset_x", "candidate_x")
        of_h = self.projected(b, h, state_masks, self.recurrent_kernel, 1)
        of_h = split(b, of_h, "update_h", "reset_h", "candidate_h")
        update = named(self._gate(b, of_x[0], of_h[0]), "update")
        reset = named(self._gate(b, of_x[1], of_h[1]), "reset")
        candidate = b.operator("+", of_x[2], b.operator("*", reset, of_h[2]))
        return update, named(activated(b, self, candidate, self.activation), "candidate")

    def _reset_before(self, b: Any, x: Any, h: Any, input_masks: Any, state_masks: Any) -> Any:
        of_x = self.projected(b, x, input_masks, self.kernel, -1)
        of_x = split(b, of_x, "update_x", "reset_x", "candidate_x")
        kernels = split(
            b, b.param(self.recurrent_kernel), "update_kernel", "reset_kernel", "candidate_kernel"
        )
        seen = [h] * 3
        if state_masks is not None:
            masks = [b.index(state_masks, i, shape=state_masks.shape[1:]) for i in range(3)]
            seen = [b.operator("*", h, mask) for mask in masks]
        product = lambda left, right: b.operator("@", left, right, shape=h.shape)  # noqa: E731
        update = named(self._gate(b, of_x[0], product(seen[0], kernels[0])), "update")
        reset = named(self._gate(b, of_x[1], product(seen[1], kernels[1])), "reset")
        candidate = product(b.operator("*", reset, seen[2]), kernels[2])
        candidate = activated(b, self, b.operator("+", of_x[2], candidate), self.activation)
        return update, named(candidate, "candidate")

    def _gate(self, b: Any, left: Any, right: Any) -> Any:
        return activated(b, self, b.operator("+", left, right), self.recurrent_activation)


class StackedRNNCells(Layer):
    """Cells one after the other, each with its own states, as one cell."""

    cells: Any

    def build(self, input_shape: Any = None) -> None:
        for cell in self.cells:
            if not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))

    @property
    def state_size(self) -> Any:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        return output_size(self.cells[-1])

    def sublayers(self) -> list[Layer]:
        return list(self.cells)

    def call(self, inputs: Any, states: Any, **kwargs: Any) -> Any:
        new = []
        for cell, given in zip(self.cells, states):
            inputs, after = cell(inputs, given if isinstance(given, (list, tuple)) else [given])
            new.append(after if isinstance(given, (list, tuple)) else after[0])
        return inputs, new
