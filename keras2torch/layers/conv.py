"""Convolutions. Kernels: keras/src/layers/convolutional/base_conv.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer, pair


def same_pads(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Keras's "same": as much as makes ceil(size / stride) windows, the odd pixel at the end."""
    total = max(0, dilation * (kernel - 1) + 1 - (stride if size % stride == 0 else size % stride))
    return total // 2, total - total // 2


def output_size(size: int | None, kernel: int, stride: int, dilation: int, padding: str) -> int | None:
    """Length of a convolved or pooled axis. Raises ValueError where the window does not fit."""
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    result = (size - dilation * (kernel - 1) - 1) // stride + 1
    if result <= 0:
        raise ValueError(f"a window of {dilation * (kernel - 1) + 1} is larger than the axis of {size}")
    return result


def pad_same(
    b: Any, x: Any, kernel: tuple[int, ...], strides: tuple[int, ...], dilation: tuple[int, ...], value: float = 0.0
) -> Any:
    """``x`` (N, C, *S) padded as Keras's "same"; by a run-time helper where a size is unknown."""
    sizes = x.shape[2:]
    if None not in sizes:
        pads = tuple(same_pads(n, k, s, d) for n, k, s, d in zip(sizes, kernel, strides, dilation))
        return b.pad(x, pads, value)
    if all(s == 1 for s in strides):
        pads = tuple(same_pads(s, k, s, d) for k, s, d in zip(kernel, strides, dilation))
        return b.pad(x, pads, value)
    window = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))
    shape = (*x.shape[:2], *(None for _ in sizes))
    extra = {"value": value} if value else {}
    return b.function("pad_same", x, window, strides, shape=shape, **extra)


class _Conv(Layer):
    """What the convolutions share. ``rank`` is the number of spatial axes."""

    rank = 2
    layout = "spatial"
    traces_activation = True

    @property
    def channels_first(self) -> bool:
        return data_format(self) == "channels_first"

    def channel_axis(self) -> int:
        return 1 if self.channels_first else -1

    def spatial(self, shape: Shape) -> Shape:
        """The spatial sizes of a Keras shape."""
        return shape[2:] if self.channels_first else shape[1:-1]

    def shape_of(self, inputs: Any, channels: int, sizes: Any) -> Spec:
        batch = inputs.shape[0]
        shape = (batch, channels, *sizes) if self.channels_first else (batch, *sizes, channels)
        return Spec(shape, self.dtype)

    def add_bias(self, size: int) -> None:
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(size,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def padding_name(self) -> str:
        padding = self.padding
        return padding.lower() if isinstance(padding, str) else padding


def data_format(layer: Any) -> str:
    """The layer's ``data_format``, or the session's (keras.backend.set_image_data_format)."""
    from keras2torch import config

    return layer.data_format or config.image_data_format


class Conv2D(_Conv, names=("Convolution2D",)):
    """2D convolution."""

    filters: int
    kernel_size: Any
    strides: Any = (1, 1)
    padding: Any = "valid"
    data_format: Any = None
    dilation_rate: Any = (1, 1)
    groups: int = 1
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.channel_axis()]
        kernel = pair(self.kernel_size, self.rank)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*kernel, None if channels is None else channels // int(self.groups), int(self.filters)),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias(int(self.filters))

    def _geometry(self) -> tuple[tuple[int, ...], ...]:
        return tuple(pair(v, self.rank) for v in (self.kernel_size, self.strides, self.dilation_rate))

    def output_spec(self, inputs: Any) -> Spec:
        channels = inputs.shape[self.channel_axis()]
        expected = self.kernel.shape[-2] * int(self.groups)
        if len(inputs.shape) != self.rank + 2:
            raise ValueError(f"an input of {self.rank + 2} axes is needed")
        if channels != expected:
            raise ValueError(f"the channel axis should be {expected}")
        kernel, strides, dilation = self._geometry()
        padding = self.padding_name()
        sizes = self.spatial(inputs.shape)
        if isinstance(padding, str):
            sizes = tuple(output_size(n, k, s, d, padding) for n, k, s, d in zip(sizes, kernel, strides, dilation))
        return self.shape_of(inputs, int(self.filters), sizes)

    def lower(self, b: Any, inputs: Any) -> Any:
        kernel, strides, dilation = self._geometry()
        rank, groups = self.rank, int(self.groups)
        x = inputs
        if self.padding_name() == "same":
            x = pad_same(b, x, kernel, strides, dilation)
        weights = {"weight": b.mapping(lambda k: k.transpose(rank + 1, rank, *range(rank)), self.kernel)}
        if self.use_bias:
            weights["bias"] = b.same(self.bias)
        conv = b.submodule(
            f"nn.Conv{rank}d",
            weights=weights,
            in_channels=inputs.shape[1],
            out_channels=int(self.filters),
            kernel_size=square(kernel),
            stride=square(strides),
            dilation=square(dilation),
            groups=groups,
            bias=bool(self.use_bias),
        )
        spec = b.output_tensors[0].shape
        shape = tuple(spec[axis] for axis in inputs.axes)
        x = b.call(conv, x, shape=shape, axes=inputs.axes, folds=0.0)
        return b.activation(x, self.activation)


def square(sizes: tuple[int, ...]) -> Any:
    """One number where all axes are equal, as torch takes it."""
    return sizes[0] if len(set(sizes)) == 1 else sizes
