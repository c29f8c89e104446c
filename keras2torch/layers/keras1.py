"""Layers that only Keras 1 had. Formulas: keras/layers/core.py of Keras 1.2.2."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape
from keras2torch.layers.base import Layer

_NAMES: dict[str, str | None] = {
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "init": "kernel_initializer",
    "bias": "use_bias",
}


class MaxoutDense(Layer):
    """The largest of ``nb_feature`` dense layers' outputs (Goodfellow et al. 2013)."""

    output_dim: int
    nb_feature: int = 4
    kernel_initializer: Any = "glorot_uniform"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    use_bias: bool = True

    old_names = _NAMES

    def build(self, input_shape: Shape) -> None:
        count, units = int(self.nb_feature), int(self.output_dim)
        self.kernel = self.add_weight(
            name="W",
            shape=(count, input_shape[-1], units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="b",
                shape=(count, units),
                initializer="zeros",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        from keras2torch.ops.base import ops

        outputs = ops.einsum("nd,kdo->nko", inputs, self.kernel)
        return ops.max(outputs if self.bias is None else outputs + self.bias, axis=1)


class Highway(Layer):
    """A dense layer beside its own input, mixed by a learned gate (Srivastava et al. 2015)."""

    kernel_initializer: Any = "glorot_uniform"
    activation: Any = None
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    use_bias: bool = True

    old_names = {**_NAMES, "transform_bias": None}

    def build(self, input_shape: Shape) -> None:
        size = input_shape[-1]
        self.kernel = self.add_weight(
            name="W",
            shape=(size, size),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.carry_kernel = self.add_weight(
            name="W_carry", shape=(size, size), initializer=self.kernel_initializer
        )
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="b",
                shape=(size,),
                initializer="zeros",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
            self.carry_bias = self.add_weight(name="b_carry", shape=(size,), initializer="ones")

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        from keras2torch.frontend.standins.activations import get
        from keras2torch.ops.base import ops

        gate, outputs = ops.matmul(inputs, self.carry_kernel), ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            gate, outputs = gate + self.carry_bias, outputs + self.bias
        gate = ops.sigmoid(gate)
        if self.activation is not None:
            outputs = get(self.activation)(outputs)
        return outputs * gate + inputs * (1 - gate)
