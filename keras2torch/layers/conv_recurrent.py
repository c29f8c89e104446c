"""ConvLSTM1D, 2D and 3D: an LSTM whose products are convolutions.

Formulas: keras/src/layers/rnn/conv_lstm.py of Keras 3.15. In torch, frames lie as (N, C, T, *S), and the
four gates are one convolution of 4 * filters channels.
"""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Graph, Shape, Spec, Tensor
from keras2torch.layers.conv import ConvLayer, pad_same, square
from keras2torch.layers.modes import training_mode
from keras2torch.layers.recurrent import _Recurrent
from keras2torch.layers.recurrent_base import state_rates, trace_activations
from keras2torch.layers.recurrent_cells import forget_gate_open, lstm_update
from keras2torch.layers.recurrent_lowering import (
    STATE_NAMES,
    boolean,
    dropout_mask,
    keep_state,
    loop,
    part_role,
    read_state,
    step_module,
    traced_step,
)
from keras2torch.module import Value


class _ConvLSTMCell(ConvLayer):
    """One step; the states are h and c, of the size of the convolved input."""

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: Any = "valid"
    data_format: Any = None
    dilation_rate: Any = 1
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

    traces_activation = False
    own_class = True
    ignored = ("seed",)
    class_doc = "One step of a convolutional LSTM: the output, and the new states h and c."

    def build(self, input_shape: Shape) -> None:
        if None in self.spatial(input_shape):
            raise self.unsupported(
                f"the spatial sizes of the input {input_shape} are not all known",
                "give the Input its full size, as Keras asks, too",
            )
        kernel, _, _ = self.geometry()
        filters = int(self.filters)
        self.kernel = self.add_kernel((*kernel, input_shape[self.channel_axis()], 4 * filters))
        self.recurrent_kernel = self.add_kernel(
            (*kernel, filters, 4 * filters), "recurrent_kernel", "recurrent"
        )
        self.add_bias(4 * filters)
        if self.unit_forget_bias and self.bias is not None:
            self.bias.initializer = forget_gate_open(self.bias_initializer)

    def state_shape(self, inputs: Any) -> Shape:
        """Of a state, in Keras's order."""
        return self.with_spatial(inputs.shape, self.convolved(inputs), int(self.filters))

    def output_spec(self, inputs: Any, states: Any, **masks: Any) -> Any:
        self.channels(inputs, self.kernel.shape[-2])
        spec = Spec(self.state_shape(inputs), self.dtype)
        return spec, [spec, spec]

    def rates(self, training: bool | None) -> tuple[float, float]:
        return state_rates(self, training)

    def lower(
        self, b: Any, inputs: Any, states: Any, input_masks: Any = None, state_masks: Any = None
    ) -> Any:
        h, c = states
        kernel, strides, dilation = self.geometry()
        ones = (1,) * self.rank
        x = self._by_gate(b, inputs, input_masks)
        x = self._convolved(
            b, self.padded(b, x), c, self.kernel, "input_conv", strides, dilation, input_masks
        )
        h = pad_same(b, self._by_gate(b, h, state_masks), kernel, ones, ones)
        h = self._convolved(
            b, h, c, self.recurrent_kernel, "recurrent_conv", ones, ones, state_masks
        )
        return lstm_update(self, b, b.operator("+", x, h), c, 1)

    def _by_gate(self, b: Any, x: Any, masks: Any) -> Any:
        """The input once for each gate, dropped by the gate's own mask."""
        if masks is None:
            return x
        shape = (x.shape[0], 4 * x.shape[1], *x.shape[2:])
        repeated = b.method("repeat", x, 1, 4, *(1,) * self.rank, shape=shape)
        return b.operator("*", repeated, masks)

    def _convolved(
        self,
        b: Any,
        x: Any,
        c: Any,
        weight: Any,
        role: str,
        strides: Any,
        dilation: Any,
        masks: Any,
    ) -> Any:
        rank = self.rank
        own_bias = weight is self.kernel and self.bias is not None
        weights = {"weight": b.mapping(lambda k: k.transpose(rank + 1, rank, *range(rank)), weight)}
        if own_bias:
            weights["bias"] = b.same(self.bias)
        conv = b.submodule(
            f"nn.Conv{rank}d",
            role,
            weights=weights,
            in_channels=x.shape[1],
            out_channels=4 * int(self.filters),
            kernel_size=square(self.geometry()[0]),
            stride=square(strides),
            dilation=square(dilation),
            groups=4 if masks is not None else 1,
            bias=own_bias,
        )
        shape = (x.shape[0], 4 * int(self.filters), *c.shape[2:])
        return b.call(conv, x, shape=shape, axes=c.axes, folds=0.0)


class _ConvLSTM1DCell(_ConvLSTMCell):
    rank = 1


class _ConvLSTM2DCell(_ConvLSTMCell):
    rank = 2


class _ConvLSTM3DCell(_ConvLSTMCell):
    rank = 3


class _ConvLSTM(_Recurrent, ConvLayer):
    """What the three ranks share."""

    traces_activation = False
    cell_name = "conv_lstm_cell"

    @property
    def input_rank(self) -> int:  # type: ignore[override]
        return self.rank + 3

    def set_cell(self) -> None:
        super().set_cell()
        self.cell.data_format = "channels_first" if self.channels_first else "channels_last"

    def trace_cells(self, sequences: Tensor) -> None:
        """The cell is Keras's own; its activations may be the program's."""
        state = self.cell.state_shape(Tensor((None, *sequences.shape[2:])))
        trace_activations(self.cell, state)

    def state_count(self) -> int:
        return 2

    def output_spec(self, sequences: Any, initial_state: Any = None) -> Any:
        shape = sequences.shape
        if len(shape) != self.input_rank:
            raise ValueError(f"an input of {self.input_rank} axes is needed")
        step = Tensor((shape[0], *shape[2:]))
        self.cell.channels(step, self.cell.kernel.shape[-2])
        state = self.cell.state_shape(step)
        output = Spec(
            (shape[0], shape[1], *state[1:]) if self.return_sequences else state, self.dtype
        )
        return [output, *[Spec(state, self.dtype)] * 2] if self.return_state else output

    def run(self, b: Any, x: Any, mask: Any, states: Any, role: str = "") -> tuple[Any, list[Any]]:
        mask, time = boolean(b, mask), x.dim(1)
        if self.go_backwards:
            x = b.method("flip", x, time, shape=x.shape)
            mask = b.method("flip", mask, 1, shape=mask.shape) if mask is not None else None
        frame = tuple(n for i, n in enumerate(x.shape) if i != time)
        axes = tuple(axis - (axis > 1) for axis in x.axes if axis != 1)
        step = Tensor([frame[axes.index(axis)] for axis in range(len(axes))], name="x")
        state_shape = tuple(self.cell.state_shape(step)[axis] for axis in axes)
        holder = None
        if states is not None:
            states = [b.in_axes(state.tensor, axes) for state in states]
        if self.stateful:
            holder = b.submodule(
                "CarriedState", part_role(role, "state"), shapes=(state_shape,) * 2
            )
            states = states or read_state(b, holder, [state_shape] * 2, axes)
        if states is None:
            sizes = [b.size(x, 0), *state_shape[1:]]
            zeros = b.method("new_zeros", x, *sizes, shape=state_shape, axes=axes)
            zeros.hint = "zeros"
            states = [zeros, zeros]
        masks = self._gate_masks(b, x, frame, state_shape, axes, role)
        child = step_module(
            b, self.cell, self._graph(step, masks, b.training), part_role(role, "cell")
        )
        y = Value((*state_shape[:time], x.shape[time], *state_shape[time:]), x.axes)
        new = [Value(state_shape, axes, name=name) for name in STATE_NAMES[2]]
        loop(b, child, x, mask, states, masks, y, new, time)
        if not self.return_sequences:
            index = (slice(None),) * time + (-1,)
            y = b.index(y, index, shape=state_shape, axes=axes)
        elif mask is not None and self.zero_output_for_mask:
            y = self._zeroed(b, y, mask, time)
        if holder is not None:
            y, new = keep_state(b, holder, y, new, bool(self.return_state))
        return y, new

    def _zeroed(self, b: Any, y: Any, mask: Any, time: int) -> Any:
        shape = [1] * len(y.shape)
        shape[0], shape[time] = -1, y.shape[time] or b.size(y, time)
        known = tuple(None if n == -1 or not isinstance(n, int) else n for n in shape)
        mask = b.method("view", mask, *shape, shape=known, axes=y.axes)
        return b.function("torch.where", mask, y, 0.0, shape=y.shape, axes=y.axes, dtype=y.dtype)

    def _graph(self, step: Tensor, masks: dict[str, Value], training: bool | None) -> Graph:
        state = self.cell.state_shape(step)
        states = [Tensor((None, *state[1:]), name=name) for name in STATE_NAMES[2]]
        given = {}
        for name in masks:
            shape = list(step.shape if name == "input_masks" else state)
            shape[self.cell.channel_axis()] *= 4
            given[name] = Tensor((None, *shape[1:]), name=name)
        x = Tensor((None, *step.shape[1:]), name="x")
        with training_mode(training):
            return traced_step(self.cell, x, states, given)

    def _gate_masks(
        self, b: Any, x: Any, frame: Any, state: Any, axes: tuple[int, ...], role: str
    ) -> dict[str, Value]:
        """A dropout mask for each gate, side by side along the channels, made once for all steps."""
        names = (("input_masks", frame, "dropout"), ("state_masks", state, "recurrent_dropout"))
        masks = {}
        for rate, (name, shape, part) in zip(self.cell.rates(b.training), names):
            if rate:
                shape = (shape[0], 4 * shape[1], *shape[2:])
                sizes = [b.size(x, 0), *shape[1:]]
                masks[name] = dropout_mask(b, x, sizes, shape, rate, part_role(role, part), name)
                masks[name].axes = axes
        return masks


class ConvLSTM2D(_ConvLSTM):
    """2D convolutional LSTM (Shi et al. 2015)."""

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: Any = "valid"
    data_format: Any = None
    dilation_rate: Any = 1
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

    cell_class = _ConvLSTM2DCell


class ConvLSTM1D(ConvLSTM2D):
    """1D convolutional LSTM."""

    rank = 1
    cell_class = _ConvLSTM1DCell  # type: ignore[assignment]


class ConvLSTM3D(ConvLSTM2D):
    """3D convolutional LSTM."""

    rank = 3
    cell_class = _ConvLSTM3DCell  # type: ignore[assignment]
