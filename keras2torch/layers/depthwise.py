"""Depthwise and separable convolutions. Keras's depthwise kernel is (*S, channels, multiplier)."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.conv import KERAS1_NAMES, ConvLayer, square


class _Depthwise(ConvLayer):
    """What both share: one filter bank for each channel, ``nn.ConvNd(groups=channels)``."""

    strides_with_dilation = True

    def add_depthwise(self, input_shape: Shape, name: str) -> Any:
        kernel, _, _ = self.geometry()
        channels = input_shape[self.channel_axis()]
        return self.add_kernel((*kernel, channels, int(self.depth_multiplier)), name, "depthwise")

    def depthwise(self, b: Any, x: Any, weight: Any, bias: Any, role: str = "") -> Any:
        """The convolution of each channel of ``x`` by itself."""
        kernel, strides, dilation = self.geometry()
        rank, channels = self.rank, x.shape[1]
        filters = channels * int(self.depth_multiplier)

        def to_torch(array: Any) -> Any:
            turned = array.transpose(rank, rank + 1, *range(rank))
            return turned.reshape(filters, 1, *kernel)

        weights = {"weight": b.mapping(to_torch, weight)}
        if bias is not None:
            weights["bias"] = b.same(bias)
        conv = b.submodule(
            f"nn.Conv{rank}d",
            role,
            weights=weights,
            in_channels=channels,
            out_channels=filters,
            kernel_size=square(kernel),
            stride=square(strides),
            dilation=square(dilation),
            groups=channels,
            bias=bias is not None,
        )
        sizes = self.spatial(b.output_tensors[0].shape)
        x = self.padded(b, b.floating(x))
        shape = (x.shape[0], filters, *sizes)
        return b.call(conv, x, shape=shape, axes=x.axes, dtype=self.dtype, folds=0.0)


class DepthwiseConv2D(_Depthwise):
    """2D convolution of each channel by itself."""

    kernel_size: Any
    strides: Any = (1, 1)
    padding: Any = "valid"
    depth_multiplier: int = 1
    data_format: Any = None
    dilation_rate: Any = (1, 1)
    activation: Any = None
    use_bias: bool = True
    depthwise_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    depthwise_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    depthwise_constraint: Any = None
    bias_constraint: Any = None

    old_names = {"groups": None}  # in the configs of Keras 2; always 1

    def build(self, input_shape: Shape) -> None:
        self.kernel = self.add_depthwise(input_shape, "kernel")
        self.add_bias(self.kernel.shape[-2] * self.kernel.shape[-1])

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.convolved(inputs)
        channels, multiplier = self.kernel.shape[-2:]
        self.channels(inputs, channels)
        return Spec(self.with_spatial(inputs.shape, sizes, channels * multiplier), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        x = self.depthwise(b, inputs, self.kernel, self.bias)
        return b.activation(x, self.activation)


class DepthwiseConv1D(DepthwiseConv2D):
    """1D convolution of each channel by itself."""

    rank = 1
    strides: Any = 1
    dilation_rate: Any = 1


class SeparableConv2D(_Depthwise):
    """A depthwise convolution, then a pointwise one that mixes the channels."""

    filters: int
    kernel_size: Any
    strides: Any = (1, 1)
    padding: Any = "valid"
    data_format: Any = None
    dilation_rate: Any = (1, 1)
    depth_multiplier: int = 1
    activation: Any = None
    use_bias: bool = True
    depthwise_initializer: Any = "glorot_uniform"
    pointwise_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    depthwise_regularizer: Any = None
    pointwise_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    depthwise_constraint: Any = None
    pointwise_constraint: Any = None
    bias_constraint: Any = None

    old_names = {
        **dict.fromkeys(
            # in the configs of Keras 2, where nothing reads them
            ("groups", "kernel_initializer", "kernel_regularizer", "kernel_constraint")
        ),
        "depthwise_init": "depthwise_initializer",
        "pointwise_init": "pointwise_initializer",
    }

    def build(self, input_shape: Shape) -> None:
        filters = int(self.filters)
        self.depthwise_kernel = self.add_depthwise(input_shape, "depthwise_kernel")
        channels = self.depthwise_kernel.shape[-2] * self.depthwise_kernel.shape[-1]
        shape = (*(1,) * self.rank, channels, filters)
        self.pointwise_kernel = self.add_kernel(shape, "pointwise_kernel", "pointwise")
        self.add_bias(filters)

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.convolved(inputs)
        self.channels(inputs, self.depthwise_kernel.shape[-2])
        return Spec(self.with_spatial(inputs.shape, sizes, int(self.filters)), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        rank = self.rank
        x = self.depthwise(b, inputs, self.depthwise_kernel, None, "depthwise")
        kernel = self.pointwise_kernel
        weights = {"weight": b.mapping(lambda k: k.transpose(rank + 1, rank, *range(rank)), kernel)}
        if self.use_bias:
            weights["bias"] = b.same(self.bias)
        pointwise = b.submodule(
            f"nn.Conv{rank}d",
            "pointwise",
            weights=weights,
            in_channels=x.shape[1],
            out_channels=int(self.filters),
            kernel_size=1,
            bias=bool(self.use_bias),
        )
        shape = self.torch_shape(b, inputs.axes)
        x = b.call(pointwise, x, shape=shape, axes=inputs.axes, dtype=self.dtype)
        return b.activation(x, self.activation)


class SeparableConv1D(SeparableConv2D):
    """1D form of SeparableConv2D."""

    rank = 1
    strides: Any = 1
    dilation_rate: Any = 1


_KERAS1_ORDER = (
    "depthwise_initializer",  # Keras 1's one `init` is for both kernels
    "activation",
    "weights",
    "padding",
    "strides",
    "depth_multiplier",
    "data_format",
    "depthwise_regularizer",
    "pointwise_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "depthwise_constraint",
    "pointwise_constraint",
    "bias_constraint",
    "use_bias",
)


class SeparableConvolution2D(SeparableConv2D):
    """Keras 1: ``SeparableConvolution2D(nb_filter, nb_row, nb_col, init, ...)``."""

    keras1_order = _KERAS1_ORDER
    old_names = {**KERAS1_NAMES, "init": "depthwise_initializer"}

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        given = super()._bind(args, kwargs)
        if "depthwise_initializer" in given:
            given.setdefault("pointwise_initializer", given["depthwise_initializer"])
        return given


class SeparableConvolution1D(SeparableConv1D):
    """The long name of SeparableConv1D."""
