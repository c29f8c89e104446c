"""EinsumDense and other layers that multiply by a kernel: ReversibleEmbedding, and those of Keras 1 and 2.

Sources: keras/src/layers/core/einsum_dense.py, reversible_embedding.py (Keras 3.15); locally_connected*.py
(Keras 2.15).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer
from keras2torch.layers.conv import data_format, output_size
from keras2torch.layers.core import product
from keras2torch.layers.operation import pair


@dataclass(frozen=True)
class Equation:
    """An einsum of an input and a kernel: letters of both and of the output, and where "..." stands."""

    input: str
    kernel: str
    output: str
    elided: str  # "", "left" or "right"

    @staticmethod
    def parse(text: str) -> Equation:
        """Raises ValueError for an equation that EinsumDense does not take."""
        compact = text.replace(" ", "").replace("...", "0")
        for pattern, elided in (
            (r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)", ""),
            (r"0([a-zA-Z]+),([a-zA-Z]+)->0([a-zA-Z]+)", "left"),
            (r"([a-zA-Z]{2,})0,([a-zA-Z]+)->([a-zA-Z]+)0", "right"),
        ):
            found = re.fullmatch(pattern, compact)
            if found:
                return Equation(found[1], found[2], found[3], elided)
        raise ValueError(
            f"the equation {text!r} has not the form [X],[Y]->[Z], ...[X],[Y]->...[Z] or [X]...,[Y]->[Z]..."
        )

    def output_shape(self, shape: Shape, given: tuple[int | None, ...]) -> Shape:
        """The full output shape from the input's and the one that the layer was given (without the batch)."""
        elided = len(shape) - len(self.input)
        if self.elided == "left":
            return (*shape[:elided], *given) if elided else (shape[0], *given)
        return (shape[0], *given, *shape[len(shape) - elided :])

    def sizes(self, shape: Shape, output: Shape) -> dict[str, int | None]:
        """The size of each letter."""
        ends = self.elided == "left"
        pairs = [*zip(self.input, shape[-len(self.input) :] if ends else shape)]
        pairs += zip(self.output, output[-len(self.output) :] if ends else output)
        return {letter: size for letter, size in pairs if size is not None}

    @property
    def contracted(self) -> str:
        return "".join(c for c in self.input if c in self.kernel and c not in self.output)

    @property
    def made(self) -> str:
        """The output letters that the kernel brings in."""
        return "".join(c for c in self.output if c not in self.input)

    @property
    def linear(self) -> bool:
        """Whether this is a matrix product over the last axes of the input."""
        kept = self.input[: len(self.input) - len(self.contracted)]
        return bool(
            self.elided != "right"
            and self.contracted
            and self.made
            and self.input.endswith(self.contracted)
            and self.output == kept + self.made
            and sorted(self.kernel) == sorted(self.contracted + self.made)
        )


class EinsumDense(Layer):
    """``activation(einsum(equation, inputs, kernel) + bias)``; an nn.Linear where the equation is one."""

    equation: str
    output_shape: Any
    activation: Any = None
    bias_axes: Any = None
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    lora_rank: Any = None
    lora_alpha: Any = None
    gptq_unpacked_column_size: Any = None
    quantization_config: Any = None

    ignored = ("gptq_unpacked_column_size", "lora_alpha")
    traces_activation = True

    def build(self, input_shape: Shape) -> None:
        equation = Equation.parse(self.equation)
        output = self._output(input_shape)
        sizes = equation.sizes(input_shape, output)
        self.kernel = self.add_weight(
            name="kernel",
            shape=tuple(sizes.get(letter) for letter in equation.kernel),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        ins = [sizes[c] or 1 for c in equation.kernel if c not in equation.output]
        outs = [sizes[c] or 1 for c in equation.kernel if c in equation.output]
        self.kernel.fans = (math.prod(ins), math.prod(outs))
        self.bias = None
        if self.bias_axes:
            first = min(equation.output.index(letter) for letter in self.bias_axes)
            shape = [sizes.get(c) if c in self.bias_axes else 1 for c in equation.output[first:]]
            if equation.elided != "left":
                shape += [1] * (len(input_shape) - len(equation.input))
            self.bias = self.add_weight(
                name="bias",
                shape=tuple(shape),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _output(self, shape: Shape) -> Shape:
        given = (
            (self.output_shape,) if isinstance(self.output_shape, int) else tuple(self.output_shape)
        )
        return Equation.parse(self.equation).output_shape(shape, given)

    def output_spec(self, inputs: Any) -> Spec:
        equation, output = Equation.parse(self.equation), self._output(inputs.shape)
        known = equation.sizes(inputs.shape, output)
        ends = len(output) - len(equation.output) if equation.elided == "left" else 0
        shape = list(output)
        for index, letter in enumerate(equation.output):
            if shape[ends + index] is None:
                shape[ends + index] = known.get(letter)
        return Spec(tuple(shape), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        inputs, equation = b.floating(inputs), Equation.parse(self.equation)
        shape = b.output_tensors[0].shape
        bias = self.bias
        own_bias = bias is None or sorted(self.bias_axes) == sorted(equation.made)
        if equation.linear and own_bias:
            x = linear(b, inputs, self.kernel, bias, equation)
        else:
            x = b.function(
                "torch.einsum",
                self.equation.replace(" ", ""),
                inputs,
                b.param(self.kernel),
                shape=shape,
            )
            if bias is not None:
                x = b.operator("+", x, b.param(bias), shape=shape)
        return b.activation(x, self.activation)


def linear(
    b: Any, x: Any, kernel: Any, bias: Any, equation: Equation, role: str = "", flat: bool = False
) -> Any:
    """A linear einsum as nn.Linear, flattened before and unflattened behind where it spans several axes.

    ``flat``: the input has its contracted axes in one already.
    """
    sizes = dict(zip(equation.kernel, kernel.shape))
    order = [equation.kernel.index(c) for c in equation.contracted + equation.made]
    features, units = (
        math.prod(sizes[c] for c in part) for part in (equation.contracted, equation.made)
    )
    weights = {"weight": b.mapping(lambda k: k.transpose(order).reshape(features, units).T, kernel)}
    if bias is not None:
        weights["bias"] = b.mapping(lambda array: array.reshape(-1), bias)
    module = b.submodule(
        "nn.Linear",
        role=role,
        weights=weights,
        in_features=features,
        out_features=units,
        bias=bias is not None,
    )
    if len(equation.contracted) > 1 and not flat:
        x = b.method(
            "flatten",
            x,
            -len(equation.contracted),
            shape=(*x.shape[: -len(equation.contracted)], features),
        )
    x = b.call(module, x, shape=(*x.shape[:-1], units))
    if len(equation.made) > 1:
        made = tuple(sizes[c] for c in equation.made)
        x = b.method("unflatten", x, -1, made, shape=(*x.shape[:-1], *made))
    return x


class ReversibleEmbedding(Layer):
    """An embedding that also projects back to the vocabulary (``reverse=True``), with the same weights."""

    input_dim: int
    output_dim: int
    tie_weights: bool = True
    embeddings_initializer: Any = "uniform"
    embeddings_regularizer: Any = None
    embeddings_constraint: Any = None
    mask_zero: bool = False
    reverse_dtype: Any = None
    logit_soft_cap: Any = None

    integer_input = True
    ignored = ("logit_soft_cap", "reverse_dtype")  # of the way back only

    def build(self, input_shape: Shape | None = None) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(int(self.input_dim), int(self.output_dim)),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(int(self.output_dim), int(self.input_dim)),
                initializer=self.embeddings_initializer,
            )

    def output_spec(self, inputs: Any, reverse: bool = False) -> Spec:
        if reverse:
            return Spec((*inputs.shape[:-1], int(self.input_dim)), self.dtype)
        return Spec((*inputs.shape, int(self.output_dim)), self.dtype)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outputs = super().__call__(*args, **kwargs)
        if self.mask_zero and not kwargs.get("reverse", len(args) > 1 and args[1]):
            outputs.mask = args[0] != 0
        return outputs

    def lower(self, b: Any, inputs: Any, reverse: bool = False) -> Any:
        shape = b.output_tensors[0].shape
        if not reverse:
            return b.function(
                "F.embedding", inputs, b.param(self.embeddings), shape=shape, dtype=self.dtype
            )
        if self.reverse_dtype not in (None, self.dtype):
            raise self.unsupported(
                "another reverse_dtype than the layer's own", "leave reverse_dtype out"
            )
        if self.tie_weights:
            x = b.function("F.linear", inputs, b.param(self.embeddings), shape=shape)
        else:
            x = b.operator("@", inputs, b.param(self.reverse_embeddings), shape=shape)
        if self.logit_soft_cap is not None:
            cap = float(self.logit_soft_cap)
            x = b.operator("*", b.function("torch.tanh", b.operator("/", x, cap)), cap)
        return x


class _LocallyConnected(Layer):
    """A convolution whose kernel differs from place to place."""

    rank = 1
    layout = "spatial"
    traces_activation = True
    old_names = {
        "nb_filter": "filters",
        "filter_length": "kernel_size",
        "subsample_length": "strides",
        "subsample": "strides",
        "border_mode": "padding",
        "init": "kernel_initializer",
        "bias": "use_bias",
    }

    @property
    def channels_first(self) -> bool:
        return data_format(self) == "channels_first"

    def _places(self, shape: Shape) -> tuple[int, ...]:
        if self.padding != "valid" or int(self.implementation) != 1:
            raise self.unsupported("only padding='valid' with implementation=1 is translated")
        sizes = shape[2:] if self.channels_first else shape[1:-1]
        kernel, strides = pair(self.kernel_size, self.rank), pair(self.strides, self.rank)
        return tuple(output_size(n, k, s, 1, "valid") for n, k, s in zip(sizes, kernel, strides))  # type: ignore[misc]

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[1 if self.channels_first else -1]
        places = self._places(input_shape)
        window = product((*pair(self.kernel_size, self.rank), channels))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(product(places), window, int(self.filters)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(*places, int(self.filters)),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def output_spec(self, inputs: Any) -> Spec:
        places, filters = self._places(inputs.shape), int(self.filters)
        batch = inputs.shape[0]
        return Spec(
            (batch, filters, *places) if self.channels_first else (batch, *places, filters),
            self.dtype,
        )

    def lower(self, b: Any, inputs: Any) -> Any:
        kernel, strides = pair(self.kernel_size, self.rank), pair(self.strides, self.rank)
        channels, places, filters = inputs.shape[1], self.bias_places(inputs), int(self.filters)
        area = math.prod(kernel)

        def weight(
            array: Any,
        ) -> Any:  # windows are (*kernel, channels) in Keras, (channels, *kernel) in torch
            by_axis = array.reshape(array.shape[0], area, channels, filters)
            return by_axis.transpose(3, 2, 1, 0).reshape(filters, channels * area, array.shape[0])

        x = (
            b.method(
                "unsqueeze",
                inputs,
                2,
                shape=(*inputs.shape[:2], 1, *inputs.shape[2:]),
                axes=(0, 1, 2, 3),
            )
            if self.rank == 1
            else inputs
        )
        window = (1, *kernel) if self.rank == 1 else kernel
        step = (1, *strides) if self.rank == 1 else strides
        count = math.prod(places)
        patches = b.function(
            "F.unfold",
            x,
            window,
            stride=step,
            shape=(inputs.shape[0], channels * area, count),
            axes=(0, 1, 2),
            note="(N, channels * window, places)",
        )
        kernel_param = b.param(self.kernel, b.mapping(weight, self.kernel))
        x = b.function(
            "torch.einsum",
            "nkp,fkp->nfp",
            patches,
            kernel_param,
            shape=(inputs.shape[0], filters, count),
        )
        if self.rank == 2:
            x = b.method("unflatten", x, -1, places, shape=(inputs.shape[0], filters, *places))
        x.axes = inputs.axes
        if self.bias is not None:
            first = b.mapping(
                lambda array: array.transpose(self.rank, *range(self.rank)), self.bias
            )
            x = b.operator("+", x, b.param(self.bias, first), shape=x.shape, axes=inputs.axes)
        return b.activation(x, self.activation)

    def bias_places(self, inputs: Any) -> tuple[int, ...]:
        """The output's spatial sizes."""
        keras_shape = tuple(
            inputs.shape[inputs.axes.index(axis)] for axis in range(len(inputs.shape))
        )
        return self._places(keras_shape)


class LocallyConnected1D(_LocallyConnected):
    """1D, of Keras 1 and 2."""

    filters: int
    kernel_size: Any
    strides: Any = 1
    padding: Any = "valid"
    data_format: Any = None
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    implementation: int = 1


class LocallyConnected2D(_LocallyConnected):
    """2D, of Keras 1 and 2."""

    rank = 2
    filters: int
    kernel_size: Any
    strides: Any = (1, 1)
    padding: Any = "valid"
    data_format: Any = None
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    implementation: int = 1
