"""Wrapper, Bidirectional and TimeDistributed.

Behaviour: keras/src/layers/rnn/{bidirectional,time_distributed}.py of Keras 3.15.
"""

from __future__ import annotations

import copy
from typing import Any

from keras2torch.frontend import trace
from keras2torch.graph import Graph, Scope, Shape, Spec, Tensor, tensors_in
from keras2torch.layers.base import Layer
from keras2torch.layers.recurrent import _Recurrent, leaves
from keras2torch.layers.recurrent_cells import StackedRNNCells, _Cell, split
from keras2torch.layers.recurrent_lowering import (
    call_native,
    inner_scopes,
    native_module,
    part_role,
)
from keras2torch.lower import lower
from keras2torch.module import Module, Submodule
from keras2torch.ops.base import Op


class Wrapper(Layer):
    """Base of layers around another layer."""

    layer: Any

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True


# Both directions.
class Bidirectional(Layer):
    """A recurrent layer forwards and another one backwards, their outputs merged."""

    layer: Any
    merge_mode: Any = "concat"
    weights: Any = None  # type: ignore[assignment]
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
        halves = self._fields.get("weights")
        self._read.add("weights")
        if halves:
            self.forward_layer.initial_weights = halves[: len(halves) // 2]
            self.backward_layer_used.initial_weights = halves[len(halves) // 2 :]
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
        return super().unread_fields() + [n for d in self.directions for n in d.unread_fields()]

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length, input_dim)

    def reset_states(self) -> None:
        """While a program is recorded there is no state; the generated CarriedState has this method."""

    reset_state = reset_states

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        for direction in self.directions:
            direction.build(sequences_shape)
            direction.built = True
            if direction.initial_weights is not None:
                direction.set_weights(direction.initial_weights)

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


# The argument of this name hides Keras's property; the property is what everybody else asks for.
Bidirectional.weights = Layer.weights  # type: ignore[method-assign]


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


# Every step alike.
class TimeDistributed(Wrapper):
    """The same layer on every step (axis 1): the steps join the batch for it."""

    supports_masking = True

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if not isinstance(self.layer, Layer):
            raise self.unsupported(
                f"a {type(self.layer).__name__} is no layer", "wrap a keras layer or model"
            )
        if not self._trainable:
            self.trainable = False

    def build(self, input_shape: Any = None) -> None:
        """The inner layer is built by its first call."""

    def sublayers(self) -> list[Layer]:
        return [self.layer]

    def compute_output_shape(self, input_shape: Any) -> Any:
        inner = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (input_shape[0], input_shape[1], *inner[1:])

    def call(self, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        if not isinstance(inputs, Tensor) or len(inputs.shape) < 3:
            raise self.unsupported(
                "its input has no axis of steps and one more behind it, as Keras asks, too",
                "give it one tensor of shape (batch, steps, ...)",
            )
        scope = trace.new_scope("wrapper", "TimeDistributed", self)
        outputs = trace.scoped(scope, self._over_steps, inputs, mask)
        for tensor in tensors_in(outputs):
            tensor.mask = inputs.mask
        return outputs

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        raise AssertionError("a call of TimeDistributed is recorded as those of the layer inside")

    def _over_steps(self, x: Tensor, mask: Tensor | None) -> Any:
        if type(self.layer).__name__ in _ANY_AXES and not self.layer.user_defined:
            return self.layer(x)
        if _sees_the_batch(self.layer):
            return _EachStep(self.layer, x).record(x)
        folded = _FoldTime().record(x)
        mask = x.mask if mask is None else mask
        if mask is not None and len(mask.shape) > 2:
            folded.mask = _FoldTime().record(mask)
        made = self.layer(folded)
        steps = x.shape[1] if x.shape[1] is not None else _Steps().record(x)
        unfolded = [_UnfoldTime().record(tensor, steps) for tensor in tensors_in(made)]
        return unfolded if isinstance(made, (list, tuple)) else unfolded[0]


# Layers that treat the last axis, or each element by itself: an axis of steps more changes nothing.
_ANY_AXES = frozenset(
    "Dense Activation Dropout Embedding ReLU LeakyReLU ELU GaussianNoise GaussianDropout Rescaling".split()
)


def _sees_the_batch(layer: Any) -> bool:
    """Whether training looks at the samples of a step together, so that the steps must stay apart."""
    kinds = ("BatchNormalization", "SpectralNormalization")
    if type(layer).__name__ in kinds:
        return bool(layer.trainable)
    return any(_sees_the_batch(inner) for inner in layer.sublayers())


class _FoldTime(Op):
    """(N, T, ...) -> (N * T, ...)."""

    layout = "any"
    name = "fold_time"

    def output_spec(self, x: Any) -> Spec:
        batch, steps = x.shape[:2]
        both = None if batch is None or steps is None else batch * steps
        return Spec((both, *x.shape[2:]), x.dtype)

    def input_axes(self, behind: Any) -> tuple[int, ...]:
        """How the input of a model had best lie: as the steps, joined with the batch, are read then."""
        return (0, *(axis + 1 for axis in (0, *behind()[1:])))

    def lower(self, b: Any, x: Any) -> Any:
        x = _steps_second(b, x)
        node = x.node
        if node is not None and node.target == "unflatten" and node.args[1] == 0:
            return node.args[0]  # another wrapped layer made it
        spec = b.output_tensors[0].shape
        axes = (0, *(axis - 1 for axis in x.axes[2:]))
        shape = tuple(spec[axis] for axis in axes)
        return b.method("flatten", x, 0, 1, shape=shape, axes=axes)


class _UnfoldTime(Op):
    """(N * T, ...) -> (N, T, ...)."""

    layout = "any"
    name = "unfold_time"
    tensors = ()

    def output_spec(self, x: Any, steps: Any) -> Spec:
        steps = steps if isinstance(steps, int) else None
        batch = None if x.shape[0] is None or steps is None else x.shape[0] // steps
        return Spec((batch, steps, *x.shape[1:]), x.dtype)

    def lower(self, b: Any, x: Any, steps: Any) -> Any:
        if x.axes[0] != 0:
            x = b.in_axes(x.tensor, tuple(range(len(x.axes))))
        axes = (0, 1, *(axis + 1 for axis in x.axes[1:]))
        spec = b.output_tensors[0].shape
        return b.method(
            "unflatten", x, 0, (-1, steps), shape=tuple(spec[a] for a in axes), axes=axes
        )


class _Steps(Op):
    """How many steps there are, where only the data tells."""

    layout = "any"
    name = "steps"

    def output_spec(self, x: Any) -> Spec:
        return Spec((), "int32")

    def lower(self, b: Any, x: Any) -> Any:
        return b.size(x, x.dim(1))


def _steps_second(b: Any, x: Any) -> Any:
    """``x`` with the batch and the steps in front, as ``flatten(0, 1)`` needs them."""
    if x.axes[:2] == (0, 1):
        return x
    order = (0, 1, *(axis for axis in x.axes if axis > 1))
    return b.in_axes(x.tensor, order)


class _EachStep(Op):
    """The inner layer on one step after the other, where training looks at the samples of a step together."""

    layout = "any"
    name = "each_step"

    def __init__(self, layer: Any, x: Tensor):
        self.layer = layer
        step = Tensor((x.shape[0], *x.shape[2:]), x.dtype, name="x")
        self.graph = Graph.between([step], tensors_in(layer(step)), layer.name)

    @property
    def trainable(self) -> bool:
        return bool(self.layer.trainable)

    def input_axes(self, behind: Any) -> tuple[int, ...]:
        """As the inner layer reads one step."""
        return (0, *(axis + 1 for axis in (0, *lower(self.graph).inputs[0].axes[1:])))

    def output_spec(self, x: Any) -> Spec:
        (made,) = self.graph.outputs
        return Spec((*x.shape[:2], *made.shape[1:]), made.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        module = self._module()
        (given,), (made,) = module.inputs, module.outputs
        x = b.in_axes(x.tensor, (0, 1, *(axis + 1 for axis in given.axes[1:])))
        axes = (0, 1, *(axis + 1 for axis in made.axes[1:]))
        spec = b.output_tensors[0].shape
        node = module.nodes[-1]
        if len(module.nodes) == 1 and node.kind == "call" and node.args == (given,):
            part: Any = node.target
        else:
            part = b.child(lambda: module, "")
        note = "batch statistics step by step, as Keras"
        shape = tuple(spec[axis] for axis in axes)
        return b.function("each_step", part, x, shape=shape, axes=axes, note=note)

    def _module(self) -> Module:
        module = lower(self.graph)
        layer = self.layer
        for node in module.nodes:
            node.scopes = inner_scopes(node, layer, self.graph)
        name = getattr(layer, "display_name", type(layer).__name__)
        module.scope = Scope("layer", name, layer, 0, None)
        return module


__all__ = ["Bidirectional", "Submodule", "TimeDistributed", "Wrapper"]
