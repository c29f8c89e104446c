"""The layers that networks of keras.applications bring along. Source: keras/src/applications/*.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer


class LayerScale(Layer):
    """A factor for each channel (ConvNeXt)."""

    init_values: float
    projection_dim: int

    def build(self, input_shape: Shape) -> None:
        initial = {"class_name": "Constant", "config": {"value": float(self.init_values)}}
        shape = (int(self.projection_dim),)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer=initial)

    def lower(self, b: Any, inputs: Any) -> Any:
        return b.operator("*", inputs, b.param(self.gamma), shape=inputs.shape)


class StochasticDepth(Layer):
    """Leaves out a residual branch for a share of the samples (ConvNeXt)."""

    drop_path_rate: float
    layout = "any"

    def lower(self, b: Any, x: Any) -> Any:
        rate = float(self.drop_path_rate)
        if not rate or b.training is False:
            return x
        dims = tuple(i for i, axis in enumerate(x.axes) if axis)
        always = {"always": True} if b.training else {}
        return b.call(b.submodule("SharedDropout", p=rate, dims=dims, **always), x)


class CustomScaleLayer(Layer):
    """A residual branch, scaled (InceptionResNetV2)."""

    scale: float
    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        return Spec(inputs[0].shape, self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        branch = inputs[1] if self.scale == 1 else b.operator("*", inputs[1], float(self.scale))
        return b.operator("+", inputs[0], branch)
