"""Convolutions with a kernel that is a tensor, pooling, pixel shuffles, patches."""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.graph import Shape
from keras2torch.layers.conv import output_size, pad_same, square
from keras2torch.layers.conv_transpose import crops, full_size
from keras2torch.layers.operation import pair
from keras2torch.ops.base import Op, Spec, as_operand, function
from keras2torch.ops.dtypes import float_dtype, promote

_TF = "filters=kernel, filter=kernel, input=inputs, value=inputs, dilations=dilation_rate"


class _Convolution(Op):
    """One convolution: ``kernel`` is (*window, in, out); for ``depthwise`` (*window, channels, multiplier)."""

    layout = "spatial"
    tensors = ("inputs", "kernel")

    def __init__(
        self,
        strides: Any,
        padding: str,
        data_format: Any,
        dilation_rate: Any,
        depthwise: bool = False,
    ):
        self.strides, self.dilation = strides, dilation_rate
        self.padding = str(padding).lower()
        self.channels_first = channels_first(data_format)
        self.depthwise = depthwise
        self.path = "keras.ops.depthwise_conv" if depthwise else "keras.ops.conv"
        if self.padding not in ("valid", "same", "causal"):
            raise self.unsupported(f"padding={padding!r} is not known", 'use "valid" or "same"')

    def spatial_shape(self, shape: Shape) -> Shape:
        return shape[2:] if self.channels_first else shape[1:-1]

    def with_sizes(self, shape: Shape, sizes: Any, channels: int | None) -> Shape:
        inner = (channels, *sizes) if self.channels_first else (*sizes, channels)
        return (shape[0], *inner)

    def geometry(self, rank: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return pair(self.strides, rank), pair(self.dilation, rank)

    def filters(self, kernel: Any) -> int:
        return kernel.shape[-1] * kernel.shape[-2] if self.depthwise else kernel.shape[-1]

    def output_spec(self, inputs: Any, kernel: Any) -> Spec:
        rank = len(inputs.shape) - 2
        if len(kernel.shape) != rank + 2:
            raise ValueError(f"the kernel should have {rank + 2} axes")
        strides, dilation = self.geometry(rank)
        window = kernel.shape[:rank]
        sizes = [
            output_size(n, k, s, d, self.padding)
            for n, k, s, d in zip(self.spatial_shape(inputs.shape), window, strides, dilation)
        ]
        dtype = promote(inputs.dtype, kernel.dtype, "float")
        return Spec(self.with_sizes(inputs.shape, sizes, self.filters(kernel)), dtype)

    def lower(self, b: Any, inputs: Any, kernel: Any) -> Any:
        kernel = b.last(b.call_record.kwargs["kernel"])
        rank = len(inputs.shape) - 2
        strides, dilation = self.geometry(rank)
        window = kernel.shape[:rank]
        channels = inputs.shape[1]
        groups = channels if self.depthwise else channels // kernel.shape[-2]
        x = b.floating(inputs)
        if self.padding == "same":
            x = pad_same(b, x, window, strides, dilation)
        elif self.padding == "causal":
            x = b.pad(x, ((dilation[0] * (window[0] - 1), 0),), note="causal: sees the past only")
        shape = tuple(b.output_tensors[0].shape[axis] for axis in inputs.axes)
        given = {"stride": square(strides), "dilation": square(dilation), "groups": groups}
        kwargs = {k: v for k, v in given.items() if v != 1}
        weight = self.weight(b, kernel, rank)
        return b.function(
            f"F.conv{rank}d",
            x,
            weight,
            shape=shape,
            axes=inputs.axes,
            dtype="float32",
            folds=0.0,
            **kwargs,
        )

    def weight(self, b: Any, kernel: Any, rank: int) -> Any:
        """The kernel as torch wants it: (out, in, *window)."""
        window = tuple(range(rank))
        if not self.depthwise:
            return b.permute(kernel, (rank + 1, rank, *window))
        turned = b.permute(kernel, (rank, rank + 1, *window))
        shape = (self.filters(kernel), 1, *kernel.shape[:rank])
        return b.method("reshape", turned, *shape, shape=shape, axes=tuple(range(rank + 2)))


def channels_first(data_format: Any) -> bool:
    """Whether channels come first, in Keras's or TensorFlow's words."""
    given = config.image_data_format if data_format is None else str(data_format)
    return given == "channels_first" or given.startswith("NC")


@function("keras.ops.conv")
def conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    return _Convolution(strides, padding, data_format, dilation_rate).record(inputs, kernel)


@function("keras.ops.depthwise_conv")
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    return _Convolution(strides, padding, data_format, dilation_rate, True).record(inputs, kernel)


@function("keras.ops.separable_conv")
def separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


def inner_sizes(value: Any, data_format: Any) -> Any:
    """TensorFlow's strides name all axes: [1, 2, 2, 1]."""
    if not isinstance(value, (list, tuple)) or len(value) < 3:
        return 1 if value is None else value
    return value[2:] if channels_first(data_format or "NHWC") else value[1:-1]


@function(
    f"tf.nn.{{conv1d,conv2d,conv3d,convolution}}({_TF}) tf.compat.v1.nn.{{conv1d,conv2d,conv3d}}({_TF})"
)
def tf_conv(
    inputs: Any, kernel: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None,
    dilation_rate: Any = None, stride: Any = None, use_cudnn_on_gpu: Any = None,
) -> Any:  # fmt: skip
    rank = len(as_operand(inputs).shape) - 2
    strides = stride if strides is None else strides
    strides, dilation = (
        inner_sizes(v, data_format) if rank > 1 else first_size(v) for v in (strides, dilation_rate)
    )
    return conv(inputs, kernel, strides, padding_of(padding), data_format or "NHWC", dilation)


def first_size(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value[1] if len(value) == 3 else value[0]
    return 1 if value is None else value


def padding_of(padding: Any) -> str:
    if not isinstance(padding, str):
        raise _Convolution(1, "valid", None, 1).unsupported(
            "explicit paddings", "use tf.pad, then VALID"
        )
    return padding.lower()


@function(f"tf.nn.depthwise_conv2d({_TF})")
def tf_depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "VALID",
    data_format: Any = None,
    dilation_rate: Any = None,
) -> Any:
    return depthwise_conv(
        inputs,
        kernel,
        inner_sizes(strides, data_format),
        padding_of(padding),
        data_format or "NHWC",
        dilation_rate or 1,
    )


@function(
    "tf.nn.separable_conv2d(input=inputs, depthwise_filter=depthwise_kernel, pointwise_filter=pointwise_kernel)"
)
def tf_separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any, padding: Any, data_format: Any = None,
    dilations: Any = None,
) -> Any:  # fmt: skip
    x = tf_depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilations)
    return conv(x, pointwise_kernel, 1, "valid", data_format or "NHWC")


@function("K.{conv1d,conv2d,conv3d}(x=inputs)")
def backend_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@function("K.depthwise_conv2d(x=inputs, depthwise_kernel=kernel)")
def backend_depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:
    return depthwise_conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@function("K.{separable_conv1d,separable_conv2d}(x=inputs)")
def backend_separable_conv(
    inputs: Any, depthwise_kernel: Any, pointwise_kernel: Any, strides: Any = 1, padding: str = "valid",
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    return separable_conv(
        inputs, depthwise_kernel, pointwise_kernel, strides, padding, data_format, dilation_rate
    )


class TransposedConvolution(_Convolution):
    """``kernel`` is (*window, out, in)."""

    def __init__(
        self, strides: Any, padding: str, output_padding: Any, data_format: Any, dilation_rate: Any
    ):
        super().__init__(strides, padding, data_format, dilation_rate)
        self.output_padding = output_padding
        self.path = "keras.ops.conv_transpose"

    def cuts(self, kernel: Any, rank: int) -> list[tuple[int, int, int]]:
        """(front, end) that come off the full output of each axis, and the window."""
        strides, dilation = self.geometry(rank)
        extra = (None,) * rank if self.output_padding is None else pair(self.output_padding, rank)
        windows = [d * (k - 1) + 1 for k, d in zip(kernel.shape, dilation)]
        return [(*crops(w, s, self.padding, e), w) for w, s, e in zip(windows, strides, extra)]

    def output_spec(self, inputs: Any, kernel: Any) -> Spec:
        rank = len(inputs.shape) - 2
        strides, _ = self.geometry(rank)
        sizes = []
        for n, s, (front, end, window) in zip(
            self.spatial_shape(inputs.shape), strides, self.cuts(kernel, rank)
        ):
            full = full_size(n, window, s)
            sizes.append(None if full is None else full - front - end)
        dtype = promote(inputs.dtype, kernel.dtype, "float")
        return Spec(self.with_sizes(inputs.shape, sizes, kernel.shape[-2]), dtype)

    def lower(self, b: Any, inputs: Any, kernel: Any) -> Any:
        kernel = b.last(b.call_record.kwargs["kernel"])
        rank = len(inputs.shape) - 2
        strides, dilation = self.geometry(rank)
        paddings, additions, rest = [], [], []
        for (front, end, _), s, d in zip(self.cuts(kernel, rank), strides, dilation):
            exact = 0 <= front - end < max(s, d)
            paddings.append(front if exact else min(front, end))
            additions.append(front - end if exact else 0)
            rest.append(0 if exact else end - front)
        given = {
            "stride": square(strides),
            "padding": square(tuple(paddings)),
            "output_padding": square(tuple(additions)),
            "dilation": square(dilation),
        }
        defaults = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        kwargs = {k: v for k, v in given.items() if v != defaults[k]}
        shape = tuple(b.output_tensors[0].shape[axis] for axis in inputs.axes)
        full = (*shape[:2], *(None if n is None else n + cut for n, cut in zip(shape[2:], rest)))
        weight = b.permute(kernel, (rank + 1, rank, *range(rank)))
        x = b.function(
            f"F.conv_transpose{rank}d",
            b.floating(inputs),
            weight,
            shape=full,
            axes=inputs.axes,
            dtype="float32",
            **kwargs,
        )
        if any(rest):
            cut = tuple(slice(None, -n) if n else slice(None) for n in rest)
            x = b.index(x, (slice(None), slice(None), *cut), shape=shape, axes=inputs.axes)
        return x


@function("keras.ops.conv_transpose")
def conv_transpose(
    inputs: Any, kernel: Any, strides: Any = 1, padding: str = "valid", output_padding: Any = None,
    data_format: Any = None, dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    return TransposedConvolution(
        strides, padding, output_padding, data_format, dilation_rate
    ).record(inputs, kernel)


__all__ = ["channels_first", "float_dtype"]
