"""Activations that are layers of their own, with parameters."""

from __future__ import annotations

from typing import Any

from keras2torch.builder import broadcast
from keras2torch.graph import Shape, Spec
from keras2torch.layers.activations import ACTIVATIONS
from keras2torch.layers.base import Layer


class _Elementwise(Layer):
    supports_masking = True
    layout = "any"
    takes_flat = True

    def lower_activation(self, b: Any, x: Any) -> Any:
        """The layer as the ``activation`` of another layer."""
        return self.lower(b, x)


class ReLU(_Elementwise):
    """Rectified linear unit, with an optional slope, ceiling and threshold."""

    max_value: Any = None
    negative_slope: Any = 0.0
    threshold: Any = 0.0

    old_names = {"alpha": "negative_slope"}

    def lower(self, b: Any, inputs: Any) -> Any:
        slope = float(self.negative_slope or 0.0)
        return ACTIVATIONS["relu"](
            b,
            b.floating(inputs) if slope else inputs,
            slope,
            self.max_value,
            float(self.threshold or 0.0),
        )


class LeakyReLU(_Elementwise):
    """``x`` where positive, ``negative_slope * x`` elsewhere; Keras's slope is 0.3."""

    negative_slope: Any = 0.3

    old_names = {"alpha": "negative_slope"}

    def lower(self, b: Any, inputs: Any) -> Any:
        return ACTIVATIONS["leaky_relu"](b, b.floating(inputs), float(self.negative_slope))


class ELU(_Elementwise):
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    alpha: Any = 1.0

    def lower(self, b: Any, inputs: Any) -> Any:
        return ACTIVATIONS["elu"](b, b.floating(inputs), float(self.alpha))


class ThresholdedReLU(_Elementwise):
    """Keras 1 and 2: ``x`` where it is above ``theta``, 0 elsewhere."""

    theta: Any = 1.0

    def lower(self, b: Any, inputs: Any) -> Any:
        return b.function("F.threshold", inputs, float(self.theta), 0.0)


class PReLU(Layer):
    """Leaky ReLU with a learned slope per feature; ``shared_axes`` share one."""

    alpha_initializer: Any = "Zeros"
    alpha_regularizer: Any = None
    alpha_constraint: Any = None
    shared_axes: Any = None

    old_names = {"init": "alpha_initializer"}
    supports_masking = True
    layout = "any"

    def build(self, input_shape: Shape) -> None:
        shape = list(input_shape[1:])
        shared = self.shared_axes
        for axis in shared if isinstance(shared, (list, tuple)) else [shared] if shared else []:
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def lower(self, b: Any, inputs: Any) -> Any:
        if b.uses[id(self)] > 1:  # one tensor of slopes for all the calls
            inputs = b.last(b.call_record.inputs[0])
        order = tuple(axis - 1 for axis in inputs.axes[1:])
        sizes = tuple(self.alpha.shape[axis] for axis in order)
        if all(n == 1 for n in sizes[1:]):  # one slope for each torch channel, or for all
            weights = {"weight": b.mapping(lambda alpha: alpha.reshape(-1), self.alpha)}
            prelu = b.submodule("nn.PReLU", weights=weights, num_parameters=sizes[0])
            return b.call(prelu, inputs)
        alpha = b.param(self.alpha, b.mapping(lambda array: array.transpose(order), self.alpha))
        negative = b.operator("*", alpha, inputs, shape=inputs.shape, axes=inputs.axes)
        positive = b.operator(">", inputs, 0, dtype="bool")
        return b.function("torch.where", positive, inputs, negative, dtype=inputs.dtype)


class Softmax(Layer):
    """Softmax over an axis (or several), of the positions that a mask keeps."""

    axis: Any = -1

    supports_masking = True

    layout = "any"

    def output_spec(self, inputs: Any, mask: Any = None) -> Spec:
        if mask is not None and len(broadcast(inputs.shape, mask.shape)) > len(inputs.shape):
            raise ValueError("the mask should not have more axes")
        return Spec(inputs.shape, inputs.dtype)

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        x = b.floating(inputs)
        if mask is not None:
            if mask.dtype != "bool":
                mask = b.operator(">", mask, 0.5, dtype="bool")
            low = -3e4 if x.dtype == "float16" else -1e9
            x = b.function("torch.where", mask, x, low, shape=x.shape, axes=x.axes, dtype=x.dtype)
        axes = list(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        if len(axes) == 1:
            x = ACTIVATIONS["softmax"](b, x, axes[0])
        else:
            dims = tuple(sorted(x.dim(axis) for axis in axes))
            shape = tuple(1 if i in dims else n for i, n in enumerate(x.shape))
            total = b.function("torch.logsumexp", x, dims, keepdim=True, shape=shape, axes=x.axes)
            x = b.function("torch.exp", b.operator("-", x, total))
        if mask is not None:
            x = b.function("torch.where", mask, x, 0.0, shape=x.shape, axes=x.axes, dtype=x.dtype)
        return x
