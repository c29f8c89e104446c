"""TimeDistributed: a layer on every step of a sequence.

Behaviour: keras/src/layers/rnn/time_distributed.py of Keras 3.15. The steps join the batch for the inner
layer, which is recorded as any other; only where training looks at a batch as a whole does a loop keep them apart.
"""

from __future__ import annotations

from typing import Any

from keras2torch.frontend import trace
from keras2torch.graph import Graph, Scope, Shape, Spec, Tensor, tensors_in
from keras2torch.layers.base import Layer
from keras2torch.layers.core import Dense
from keras2torch.layers.recurrent_lowering import inner_scopes
from keras2torch.layers.wrappers import Wrapper
from keras2torch.lower import lower
from keras2torch.module import Module
from keras2torch.ops.base import Op


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


class TimeDistributedDense(Dense):
    """Keras 1's Dense over the steps of a sequence, which is what Dense has become."""

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length, input_dim)


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
