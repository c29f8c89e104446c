"""Wrapper and Bidirectional. Behaviour: keras/src/layers/rnn/bidirectional.py of Keras 3.15."""

from __future__ import annotations

import copy
from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer
from keras2torch.layers.recurrent import _Recurrent, leaves
from keras2torch.layers.recurrent_base import _Cell, refuse_unread, split
from keras2torch.layers.recurrent_cells import StackedRNNCells
from keras2torch.layers.recurrent_lowering import (
    call_native,
    native_module,
    part_role,
)


class Wrapper(Layer):
    """Base of layers around another layer."""

    layer: Any

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


class Bidirectional(Layer):
    """A recurrent layer forwards and another one backwards, their outputs merged."""

    layer: Any
    merge_mode: Any = "concat"
    weights: Any = None
    backward_layer: Any = None

    supports_masking = True

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        layer = self.layer
        for given in (layer, self.backward_layer):
            if given is not None and not isinstance(given, _Recurrent):
                raise self.unsupported(
                    f"a {type(given).__name__} layer inside",
                    "wrap a recurrent layer: LSTM, GRU, SimpleRNN, RNN or ConvLSTM",
                )
        if self.merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise self.unsupported(f"merge_mode={self.merge_mode!r} is not Keras's")
        self.forward_layer = renewed(layer)
        self.backward_layer_used = self.backward_layer or renewed(layer, go_backwards=True)
        self._check_pair()
        for direction in self.directions:
            direction.zero_output_for_mask = bool(layer.return_sequences)
            direction._read.add("zero_output_for_mask")  # matters under a mask only
        if not (self._trainable and layer.trainable):
            self.trainable = False

    @property
    def directions(self) -> list[Any]:
        return [self.forward_layer, self.backward_layer_used]

    def _check_pair(self) -> None:
        forward, backward = self.directions
        for name in ("stateful", "return_sequences", "return_state"):
            if bool(getattr(forward, name)) != bool(getattr(backward, name)):
                raise self.unsupported(f"the two layers differ in {name}, which Keras refuses, too")
        if bool(forward.go_backwards) == bool(backward.go_backwards):
            raise self.unsupported(
                "both layers run in the same direction, which Keras refuses, too"
            )

    # Of the two layers.
    @property
    def layout(self) -> str:  # type: ignore[override]
        return self.forward_layer.layout

    @property
    def channels_first(self) -> bool:
        return bool(getattr(self.forward_layer, "channels_first", False))

    @property
    def return_sequences(self) -> bool:
        return bool(self.forward_layer.return_sequences)

    @property
    def return_state(self) -> bool:
        return bool(self.forward_layer.return_state)

    @property
    def stateful(self) -> bool:
        return bool(self.forward_layer.stateful)

    def sublayers(self) -> list[Layer]:
        return self.directions

    def unread_fields(self) -> list[str]:
        for direction in self.directions:
            refuse_unread(direction)
        return super().unread_fields()

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length, input_dim)

    def reset_states(self) -> None:
        """While a program is recorded there is no state; the generated CarriedState has this method."""

    reset_state = reset_states

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for direction in self.directions:
            direction.build(sequences_shape)
            direction.built = True

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        if isinstance(sequences, (list, tuple)):
            initial_state = list(sequences[1:]) or initial_state
            sequences = sequences[0]
        for direction in self.directions:
            direction.trace_cells(sequences)
        states = None if initial_state is None else leaves(initial_state)
        return super().call(sequences, initial_state=states, mask=mask)

    def output_spec(self, sequences: Any, initial_state: Any = None) -> Any:
        forward, backward = (direction.output_spec(sequences) for direction in self.directions)
        states = forward[1:] + backward[1:] if self.return_state else []
        left, right = (forward[0], backward[0]) if self.return_state else (forward, backward)
        if self.merge_mode is None:
            return [left, right, *states]
        if self.merge_mode == "concat":
            left = Spec((*left.shape[:-1], left.shape[-1] + right.shape[-1]), left.dtype)
        elif left.shape != right.shape:
            raise ValueError(f"the outputs to merge have the shapes {left.shape} and {right.shape}")
        return [left, *states] if states else left

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        kept = mask if self.return_sequences else None
        return [kept, kept] if self.merge_mode is None else [kept]

    # Torch.
    def lower(self, b: Any, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        half = len(initial_state) // 2 if initial_state is not None else 0
        states = [initial_state[:half], initial_state[half:]] if half else [None, None]
        sequences = b.floating(sequences)
        if mask is None and self._one_module(b.training):
            outputs, new = self._together(b, sequences, states if half else None)
        else:
            outputs, new = self._apart(b, sequences, mask, states)
        merged = self._merged(b, *outputs) if len(outputs) > 1 else outputs
        if self.return_state:
            return [*merged, *new]
        return merged if self.merge_mode is None else merged[0]

    def _one_module(self, training: bool | None) -> bool:
        """Whether torch's ``bidirectional=True`` is exactly this pair."""
        forward, backward = self.directions
        cells = [direction.cell for direction in self.directions]
        alike = type(cells[0]) is type(cells[1]) and isinstance(cells[0], _Cell)
        return (
            alike
            and not cells[0].user_defined
            and not self.stateful
            and not forward.go_backwards
            and all(cell.native(training) and not any(cell.rates(training)) for cell in cells)
            and int(cells[0].units) == int(cells[1].units)
            and bool(cells[0].use_bias) == bool(cells[1].use_bias)
            and cells[0].torch_options() == cells[1].torch_options()
        )

    def _together(self, b: Any, x: Any, states: Any) -> tuple[list[Any], list[Any]]:
        cells = [direction.cell for direction in self.directions]
        module = native_module(b, cells, x.shape[-1], "")
        y, raw = call_native(b, module, x, states)
        size = (x.shape[0], int(cells[0].units))
        outputs = [y] if self.merge_mode == "concat" else []
        if self.return_sequences and not outputs:
            outputs = split(b, y, "forwards", "backwards")
        last = [[b.index(v, i, shape=size, axes=(0, 1)) for v in raw] for i in (0, 1)]
        if not self.return_sequences:
            outputs = [last[0][0], last[1][0]]
        return outputs, last[0] + last[1]

    def _apart(self, b: Any, x: Any, mask: Any, states: Any) -> tuple[list[Any], list[Any]]:
        kind = self.forward_layer.cell_name.removesuffix("_cell").replace("cell", "rnn")
        outputs, new = [], []
        for name, direction, given in zip(("forward", "backward"), self.directions, states):
            output, last = direction.run(b, x, mask, given, part_role(name, kind))
            outputs.append(output)
            new += last
        if self.return_sequences:
            time = outputs[1].dim(1)
            outputs[1] = b.method("flip", outputs[1], time, shape=outputs[1].shape)
        return outputs, new

    def _merged(self, b: Any, left: Any, right: Any) -> list[Any]:
        if self.merge_mode == "concat":
            return [b.cat([left, right], left.dim(-1))]
        if self.merge_mode == "mul":
            return [b.operator("*", left, right)]
        if self.merge_mode == "sum":
            return [b.operator("+", left, right)]
        if self.merge_mode == "ave":
            return [b.operator("/", b.operator("+", left, right), 2)]
        return [left, right]


def renewed(layer: Any, **changes: Any) -> Any:
    """A layer with the same arguments and weights of its own, as Keras makes one from the config."""
    arguments = {**layer._arguments, **changes}
    if "cell" in arguments:
        arguments["cell"] = _renewed_cell(arguments["cell"])
    twin = type(layer)(**arguments)
    twin.named, twin.created, twin.where = False, None, layer.where
    twin.trainable = layer.trainable
    return twin


def _renewed_cell(cell: Any) -> Any:
    if isinstance(cell, (list, tuple)):
        return [_renewed_cell(item) for item in cell]
    if isinstance(cell, StackedRNNCells):
        return StackedRNNCells([_renewed_cell(item) for item in cell.cells])
    if isinstance(cell, _Cell) and not cell.user_defined:
        return type(cell)(**cell._arguments)
    return copy.deepcopy(cell)
