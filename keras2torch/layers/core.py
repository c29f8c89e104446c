"""Dense, Activation, Dropout, Flatten and other layers of every program."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.activations import activation_name, apply_activation
from keras2torch.layers.base import Layer
from keras2torch.layers.conv import data_format


def product(sizes: Any) -> int | None:
    """The product of sizes; None if one is unknown."""
    total = 1
    for n in sizes:
        if n is None:
            return None
        total *= n
    return total


class Dense(Layer):
    """``activation(inputs @ kernel + bias)`` over the last axis."""

    units: int
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    lora_rank: Any = None
    lora_alpha: Any = None
    quantization_config: Any = None

    old_names = {
        "output_dim": "units",
        "init": "kernel_initializer",
        "W_regularizer": "kernel_regularizer",
        "b_regularizer": "bias_regularizer",
        "W_constraint": "kernel_constraint",
        "b_constraint": "bias_constraint",
        "bias": "use_bias",
    }
    supports_masking = True
    takes_flat = True
    traces_activation = True

    def build(self, input_shape: Shape) -> None:
        units = int(self.units)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def output_spec(self, inputs: Any) -> Spec:
        if inputs.shape[-1] != self.kernel.shape[0]:
            raise ValueError(f"the last axis should be {self.kernel.shape[0]}")
        return Spec((*inputs.shape[:-1], int(self.units)), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        features, units = self.kernel.shape
        flat = inputs.flat

        def view(kernel: Any) -> Any:
            if flat is None:
                return kernel.T
            shape, order = flat  # the rows follow the order in which torch flattened the image
            return kernel.reshape(*shape, units).transpose(len(shape), *order)

        mapping = b.mapping(lambda kernel: view(kernel).reshape(units, features), self.kernel)
        mapping.view = view
        weights = {"weight": mapping}
        if self.use_bias:
            weights["bias"] = b.same(self.bias)
        linear = b.submodule(
            "nn.Linear",
            weights=weights,
            in_features=features,
            out_features=units,
            bias=bool(self.use_bias),
        )
        shape = (*inputs.shape[:-1], units)
        x = b.call(linear, b.floating(inputs), shape=shape, axes=tuple(range(len(shape))))
        x.flat = None
        return b.activation(x, self.activation)


class Activation(Layer):
    """Any activation as a layer."""

    activation: Any
    traces_activation = True
    supports_masking = True
    layout = "any"
    takes_flat = True

    def output_spec(self, inputs: Any) -> Spec:
        shape = inputs.shape
        if activation_name(self.activation) == "glu":  # halves the features
            shape = (*shape[:-1], shape[-1] // 2 if shape[-1] else None)
        return Spec(shape, self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        return apply_activation(b, inputs, self.activation)


class Flatten(Layer):
    """All axes but the batch into one. Of a channels-first torch tensor, in torch's element order."""

    data_format: Any = None
    supports_masking = False
    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        shape = inputs.shape
        return Spec((shape[0], product(shape[1:]) if len(shape) > 1 else 1), inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        rank = len(inputs.axes)
        # Keras flattens a channels_first tensor in channels-last order, too.
        channels_first = data_format(self) == "channels_first" and rank > 2
        return flattened(
            b, inputs, (0, *range(2, rank), 1) if channels_first else tuple(range(rank))
        )


def flattened(b: Any, x: Any, order: tuple[int, ...]) -> Any:
    """``torch.flatten(x, 1)``: in torch's order of elements, and on demand in Keras's (axes in ``order``)."""
    shape = (x.shape[0], product(x.shape[1:]))
    rank = len(x.axes)
    if rank == 1:
        return b.method("unsqueeze", x, 1, shape=(*x.shape, 1), axes=(0, 1))
    if rank == 2:
        return x
    dims = tuple(x.axes.index(axis) for axis in order)
    kept = [d for d in dims if x.shape[d] != 1]
    if kept == sorted(kept):
        return b.function("torch.flatten", x, 1, shape=shape, axes=(0, 1))
    if None in x.shape[1:]:
        return b.method("flatten", b.permute(x, dims), 1, shape=shape, axes=(0, 1))
    b.later(lambda: b.method("flatten", b.permute(x, dims), 1, shape=shape, axes=(0, 1)))
    value = b.function("torch.flatten", x, 1, shape=shape, axes=(0, 1))
    # From Keras's flattened sizes to the torch dimensions in their order.
    value.flat = (
        tuple(x.shape[d] for d in dims[1:]),
        tuple(dims[1:].index(d) for d in range(1, rank)),
    )
    return value


class Dropout(Layer):
    """Zeroes a share of the inputs in train mode and scales up the rest."""

    rate: float
    noise_shape: Any = None
    seed: Any = None
    ignored = ("seed",)  # torch's generator is another one
    old_names = {"p": "rate"}
    supports_masking = True
    layout = "any"
    takes_flat = True

    def lower(self, b: Any, inputs: Any) -> Any:
        rate = float(self.rate)
        if not 0 <= rate <= 1:
            raise self.unsupported(f"rate={rate} is no share", "give one between 0 and 1")
        if b.training is False or not rate:
            return inputs
        if self.noise_shape is not None:
            tensor = b.call_record.inputs[0]
            return self.shared(b, b.last(tensor) if inputs.flat else inputs, tensor.shape, rate)
        if b.training:
            return b.function("F.dropout", inputs, rate)
        return b.call(b.submodule("nn.Dropout", p=rate), inputs)

    def shared(self, b: Any, x: Any, shape: Any, rate: float) -> Any:
        """One choice along the axes where ``noise_shape`` is 1."""
        given = tuple(self.noise_shape)
        if len(given) != len(shape) or any(
            n not in (None, 1, size) for n, size in zip(given, shape)
        ):
            raise self.unsupported(
                f"noise_shape={given} for an input of shape {shape}", "use None and 1 only"
            )
        dims = tuple(sorted(x.dim(i) for i, n in enumerate(given) if n == 1))
        always = {"always": True} if b.training else {}
        return b.call(b.submodule("SharedDropout", p=rate, dims=dims, **always), x)
