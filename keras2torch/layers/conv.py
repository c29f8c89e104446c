"""Convolutions. Kernels: keras/src/layers/convolutional/base_conv.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError, ShapeError
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer


def same_pads(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """Keras's "same": as much as makes ceil(size / stride) windows, the odd pixel at the end."""
    total = max(0, dilation * (kernel - 1) + 1 - (stride if size % stride == 0 else size % stride))
    return total // 2, total - total // 2


def output_size(
    size: int | None, kernel: int, stride: int, dilation: int, padding: str
) -> int | None:
    """Length of a convolved or pooled axis. Raises ValueError where the window does not fit."""
    if size is None:
        return None
    if padding in ("same", "causal"):
        return -(-size // stride)
    result = (size - dilation * (kernel - 1) - 1) // stride + 1
    if result <= 0:
        window = dilation * (kernel - 1) + 1
        raise ValueError(f"a window of {window} is larger than the axis of {size}")
    return result


def pad_same(
    b: Any,
    x: Any,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    value: float = 0.0,
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


def data_format(layer: Any) -> str:
    """The layer's ``data_format``, or the session's (keras.backend.set_image_data_format)."""
    from keras2torch import config

    given = layer.data_format
    if given in (None, "default"):
        return config.image_data_format
    given = {"tf": "channels_last", "th": "channels_first"}.get(given, given)  # Keras 1's names
    if given not in ("channels_last", "channels_first"):
        raise K2TError(
            f"{type(layer).__name__} {layer.name!r}: the data_format {given!r} is neither "
            "'channels_last' nor 'channels_first'",
            where=layer.where,
        )
    return given


def square(sizes: tuple[int, ...]) -> Any:
    """One number where all axes are equal, as torch takes it."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


class Spatial(Layer):
    """What layers over ``rank`` spatial axes share; ``lower`` gets (N, C, *S)."""

    abstract = True
    rank = 2
    per_axis = ("kernel_size", "strides", "dilation_rate", "pool_size")
    layout = "spatial"

    @property
    def channels_first(self) -> bool:
        """Decided once: a program may change the session's format later."""
        if "_channels_first" not in self.__dict__:
            self._channels_first = data_format(self) == "channels_first"
        return self._channels_first

    def channel_axis(self) -> int:
        return 1 if self.channels_first else -1

    def spatial(self, shape: Shape) -> Shape:
        """The spatial sizes of a Keras shape."""
        if len(shape) != self.rank + 2:
            raise ValueError(f"an input of {self.rank + 2} axes is needed")
        return shape[2:] if self.channels_first else shape[1:-1]

    def with_spatial(self, shape: Shape, sizes: Any, channels: int | None = None) -> Shape:
        """A Keras shape with other spatial sizes (and channels)."""
        if channels is None:
            channels = shape[self.channel_axis()]
        inner = (channels, *sizes) if self.channels_first else (*sizes, channels)
        return (shape[0], *inner)

    def wrong(self, what: str) -> ShapeError:
        """The error to raise where arguments and shapes do not fit together."""
        return ShapeError(f"{type(self).__name__} {self.name!r}: {what}", where=self.where)

    def torch_shape(self, b: Any, axes: tuple[int, ...]) -> Shape:
        """The announced output shape in torch's order of axes."""
        shape = b.output_tensors[0].shape
        return tuple(shape[axis] for axis in axes)


# Keras 1's words; they are understood everywhere.
KERAS1_NAMES: dict[str, str | None] = {
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "init": "kernel_initializer",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "atrous_rate": "dilation_rate",
    "dim_ordering": "data_format",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
}
_KERNEL_SIDES = {
    1: (),
    2: ("nb_row", "nb_col"),
    3: ("kernel_dim1", "kernel_dim2", "kernel_dim3"),
}


class ConvLayer(Spatial):
    """What all convolutions share: Keras 1's arguments, the bias, padding and geometry."""

    abstract = True
    traces_activation = True
    strides_with_dilation = False
    """Whether Keras takes strides > 1 and dilation_rate > 1 together."""
    old_names = KERAS1_NAMES
    keras1_order = tuple[str, ...]()  # not annotated: annotated names are Keras's arguments
    """Of a class that only Keras 1 programs name: what followed the kernel's sides by position."""

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Keras 1 gave the sides of the kernel one by one: ``Convolution2D(32, 3, 3, ...)``."""
        sides = _KERNEL_SIDES[self.rank]
        first = 0 if "nb_filter" in kwargs or "filters" in kwargs else 1
        given = args[first : first + len(sides)]
        by_name = sides and all(name in kwargs for name in sides)
        old = bool(self.keras1_order) or bool(set(kwargs) & set(KERAS1_NAMES))
        if by_name:
            kwargs = {**kwargs, "kernel_size": tuple(kwargs[name] for name in sides)}
            kwargs = {name: value for name, value in kwargs.items() if name not in sides}
        elif (
            old
            and len(sides)
            and len(given) == len(sides)
            and all(isinstance(n, int) for n in given)
        ):
            rest = args[first + len(sides) :]
            kwargs = {**kwargs, "kernel_size": tuple(given), **dict(zip(self.keras1_order, rest))}
            args = args[:first]
        elif self.rank == 1 and self.keras1_order and len(args) > 2 and isinstance(args[2], str):
            kwargs = {**kwargs, **dict(zip(self.keras1_order, args[2:]))}
            args = args[:2]
        return super()._bind(args, kwargs)

    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """(kernel size, strides, dilation), each with one number for each spatial axis."""
        kernel, strides, dilation = self.kernel_size, self.strides, self.dilation_rate
        if min(*kernel, *strides, *dilation) < 1:
            raise self.wrong("kernel_size, strides and dilation_rate should be positive")
        if max(strides) > 1 and max(dilation) > 1 and not self.strides_with_dilation:
            raise self.wrong("strides > 1 and dilation_rate > 1 do not go together")
        return kernel, strides, dilation

    def padding_name(self) -> str:
        padding = str(self.padding).lower()
        if padding not in ("valid", "same") and not (padding == "causal" and self.rank == 1):
            raise self.unsupported(
                f"padding={self.padding!r} is not known", 'use "valid" or "same"'
            )
        return padding

    def convolved(self, inputs: Any) -> Shape:
        """The spatial sizes after the convolution."""
        return tuple(
            output_size(n, k, s, d, self.padding_name())
            for n, k, s, d in zip(self.spatial(inputs.shape), *self.geometry())
        )

    def padded(self, b: Any, x: Any) -> Any:
        """``x`` (N, C, *S) with the padding in front that Keras asks for."""
        kernel, strides, dilation = self.geometry()
        padding = self.padding_name()
        if padding == "same":
            return pad_same(b, x, kernel, strides, dilation)
        if padding == "causal":
            past = dilation[0] * (kernel[0] - 1)
            return b.pad(x, ((past, 0),), note="causal: sees the past only")
        return x

    def add_kernel(self, shape: Shape, name: str = "kernel", kind: str = "kernel") -> Any:
        """The variable ``name``, with the initialiser, regulariser and constraint of its kind."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{kind}_initializer"),
            regularizer=getattr(self, f"{kind}_regularizer"),
            constraint=getattr(self, f"{kind}_constraint"),
        )

    def add_bias(self, size: int | None) -> None:
        self.bias = self.add_kernel((size,), "bias", "bias") if self.use_bias else None

    def channels(self, inputs: Any, expected: Any) -> None:
        """Raises ValueError if the input has other channels than the kernel was built for."""
        if inputs.shape[self.channel_axis()] != expected:
            raise ValueError(f"the channel axis should be {expected}")


class Conv2D(ConvLayer):
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
        channels, groups = input_shape[self.channel_axis()], int(self.groups)
        if groups < 1 or (channels or 0) % groups or int(self.filters) % groups:
            raise self.wrong(
                f"{channels} channels and {self.filters} filters do not go into {groups} groups"
            )
        depth = None if channels is None else channels // groups
        kernel, _, _ = self.geometry()
        self.kernel = self.add_kernel((*kernel, depth, int(self.filters)))
        self.add_bias(int(self.filters))

    @property
    def user_defined(self) -> bool:
        return super().user_defined or self._own_convolution

    @property
    def _own_convolution(self) -> bool:
        """Whether a subclass of the user's convolves in its own way."""
        return type(self).convolution_op is not Conv2D.convolution_op

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        if not self._own_convolution:
            return super().call(inputs, **kwargs)
        from keras2torch.frontend.standins.activations import get
        from keras2torch.ops.base import ops

        outputs = self.convolution_op(inputs, self.kernel)
        if self.use_bias:
            sizes = (1,) * self.rank
            first = (1, int(self.filters), *sizes)
            outputs = outputs + (
                ops.reshape(self.bias, first) if self.channels_first else self.bias
            )
        return get(self.activation)(outputs) if self.activation is not None else outputs

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """What a subclass may override: the convolution with another kernel, say."""
        from keras2torch.ops.base import ops

        _, strides, dilation = self.geometry()
        padding, order = self.padding_name(), data_format(self)
        return ops.conv(inputs, kernel, strides, padding, order, dilation)

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.convolved(inputs)
        self.channels(inputs, self.kernel.shape[-2] * int(self.groups))
        return Spec(self.with_spatial(inputs.shape, sizes, int(self.filters)), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        kernel, strides, dilation = self.geometry()
        rank = self.rank
        weights = {
            "weight": b.mapping(lambda k: k.transpose(rank + 1, rank, *range(rank)), self.kernel)
        }
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
            groups=int(self.groups),
            bias=bool(self.use_bias),
        )
        x = self.padded(b, b.floating(inputs))
        shape = self.torch_shape(b, inputs.axes)
        x = b.call(conv, x, shape=shape, axes=inputs.axes, dtype=self.dtype, folds=0.0)
        return b.activation(x, self.activation)


class Conv1D(Conv2D):
    """1D convolution, also causal."""

    rank = 1
    strides: Any = 1
    dilation_rate: Any = 1

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length, input_dim)


class Conv3D(Conv2D):
    """3D convolution."""

    rank = 3
    strides: Any = (1, 1, 1)
    dilation_rate: Any = (1, 1, 1)


# As Keras 1 programs call them, by position too. Later versions keep most of these names.
_AFTER_KERNEL = ("kernel_initializer", "activation", "weights", "padding", "strides")
_AT_THE_END = (
    "kernel_regularizer",
    "bias_regularizer",
    "activity_regularizer",
    "kernel_constraint",
    "bias_constraint",
    "use_bias",
)


class Convolution1D(Conv1D):
    """Keras 1: ``Convolution1D(nb_filter, filter_length, init, activation, ...)``."""

    keras1_order = tuple[str, ...]((*_AFTER_KERNEL, *_AT_THE_END))


class Convolution2D(Conv2D):
    """Keras 1: ``Convolution2D(nb_filter, nb_row, nb_col, init, activation, ...)``."""

    keras1_order = tuple[str, ...]((*_AFTER_KERNEL, "data_format", *_AT_THE_END))


class Convolution3D(Conv3D):
    """Keras 1: ``Convolution3D(nb_filter, kernel_dim1, kernel_dim2, kernel_dim3, ...)``."""

    keras1_order = tuple[str, ...]((*_AFTER_KERNEL, "data_format", *_AT_THE_END))


class AtrousConvolution1D(Convolution1D):
    """Keras 1's dilated convolution."""

    keras1_order = (*_AFTER_KERNEL, "dilation_rate", *_AT_THE_END)


class AtrousConvolution2D(Convolution2D):
    """Keras 1's dilated convolution."""

    keras1_order = (*_AFTER_KERNEL, "dilation_rate", "data_format", *_AT_THE_END)
