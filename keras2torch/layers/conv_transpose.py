"""Transposed convolutions.

Keras computes the full output, (n - 1) * stride + window pixels, and crops it: for "same" to n * stride
pixels, the odd one off the end. torch crops evenly (``padding``) and gives back at the end
(``output_padding``). Amounts: keras/src/backend/common/backend_utils.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

from keras2torch.graph import Shape, Spec
from keras2torch.layers.conv import KERAS1_NAMES, ConvLayer, square
from keras2torch.layers.operation import pair


def crops(window: int, stride: int, padding: str, output_padding: int | None) -> tuple[int, int]:
    """How many pixels come off (front, end) of the full output; negative: zeros are added."""
    if padding == "valid":
        extra = max(window, stride) - window if output_padding is None else output_padding
        return 0, -extra
    if output_padding is None:
        total = stride + window - 2
    else:
        total = window + window % 2 - 2 + output_padding
    front = min(total - total // 2, window - 1)
    return window - 1 - front, window - 1 - (total - front)


def full_size(size: int | None, window: int, stride: int) -> int | None:
    """Length of the uncropped output."""
    return None if size is None else (size - 1) * stride + window


class Conv2DTranspose(ConvLayer, names=("Convolution2DTranspose",)):
    """2D transposed convolution ("deconvolution")."""

    filters: int
    kernel_size: Any
    strides: Any = (1, 1)
    padding: Any = "valid"
    output_padding: Any = None
    data_format: Any = None
    dilation_rate: Any = (1, 1)
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None

    old_names = {"groups": None}  # in the configs of Keras 2; always 1

    def build(self, input_shape: Shape) -> None:
        kernel, _, _ = self.geometry()
        channels = input_shape[self.channel_axis()]
        self.kernel = self.add_kernel((*kernel, int(self.filters), channels))
        self.add_bias(int(self.filters))

    def windows(self) -> tuple[int, ...]:
        """The sides of the dilated kernel."""
        kernel, _, dilation = self.geometry()
        return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation))

    def cropping(self, sizes: Shape) -> tuple[tuple[int, int], ...]:
        """``crops`` for each spatial axis of an input with these spatial sizes."""
        _, strides, _ = self.geometry()
        padding = self.padding_name()
        extra: tuple[int | None, ...] = (None,) * self.rank
        if self.output_padding is not None:
            extra = pair(self.output_padding, self.rank)
            if any(amount >= s for amount, s in zip(extra, strides)):  # type: ignore[operator]
                raise self.wrong("output_padding should be less than strides")
        return tuple(crops(w, s, padding, e) for w, s, e in zip(self.windows(), strides, extra))

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.spatial(inputs.shape)
        self.channels(inputs, self.kernel.shape[-1])
        _, strides, _ = self.geometry()
        full = [full_size(n, w, s) for n, w, s in zip(sizes, self.windows(), strides)]
        left = [None if n is None else n - sum(c) for n, c in zip(full, self.cropping(sizes))]
        return Spec(self.with_spatial(inputs.shape, left, int(self.filters)), self.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        kernel, strides, dilation = self.geometry()
        rank = self.rank
        sizes = inputs.shape[2:]
        # What torch can do itself: the same on both sides, and some of it back at the end.
        paddings, additions, rest = [], [], []
        for (front, end), s, d in zip(self.cropping(sizes), strides, dilation):
            if 0 <= front - end < max(s, d):
                paddings.append(front)
                additions.append(front - end)
                rest.append(0)
            else:
                paddings.append(min(front, end))
                additions.append(0)
                rest.append(end - front)
        weights = {
            "weight": b.mapping(lambda k: k.transpose(rank + 1, rank, *range(rank)), self.kernel)
        }
        if self.use_bias:
            weights["bias"] = b.same(self.bias)
        conv = b.submodule(
            f"nn.ConvTranspose{rank}d",
            weights=weights,
            in_channels=inputs.shape[1],
            out_channels=int(self.filters),
            kernel_size=square(kernel),
            stride=square(strides),
            padding=square(tuple(paddings)),
            output_padding=square(tuple(additions)),
            dilation=square(dilation),
            bias=bool(self.use_bias),
        )
        shape = self.torch_shape(b, inputs.axes)
        full = (
            *shape[:2],
            *(None if n is None else n + cut for n, cut in zip(shape[2:], rest)),
        )
        x = b.call(conv, b.floating(inputs), shape=full, axes=inputs.axes, dtype=self.dtype)
        if any(rest):
            cut = tuple(slice(None, -n) if n else slice(None) for n in rest)
            x = b.index(x, (slice(None), slice(None), *cut), shape=shape, axes=inputs.axes)
            x.node.note = 'Keras "same" cuts the odd pixel off the end'
        return b.activation(x, self.activation)


class Conv1DTranspose(Conv2DTranspose, names=("Convolution1DTranspose",)):
    """1D transposed convolution."""

    rank = 1
    strides: Any = 1
    dilation_rate: Any = 1


def _moved(fields: dict[str, Any], name: str, before: str) -> dict[str, Any]:
    names = [other for other in fields if other != name]
    names.insert(names.index(before), name)
    return {other: fields[other] for other in names}


class Conv3DTranspose(Conv2DTranspose, names=("Convolution3DTranspose",)):
    """3D transposed convolution."""

    rank = 3
    fields = _moved(Conv2DTranspose.fields, "data_format", before="output_padding")
    strides: Any = (1, 1, 1)
    dilation_rate: Any = (1, 1, 1)


class Deconvolution2D(Conv2DTranspose):
    """Keras 1: ``Deconvolution2D(nb_filter, nb_row, nb_col, output_shape, ...)``."""

    output_size: Any = None

    old_names = {**KERAS1_NAMES, "output_shape": "output_size"}
    keras1_order = (
        "output_size",
        "kernel_initializer",
        "activation",
        "weights",
        "padding",
        "strides",
        "data_format",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
        "use_bias",
    )

    def cropping(self, sizes: Shape) -> tuple[tuple[int, int], ...]:
        """The gradient of the convolution that makes ``sizes`` of the given output."""
        if self.output_size is None:
            return super().cropping(sizes)
        given = tuple(self.output_size)
        wanted = given[2:] if self.channels_first else given[1:-1]
        _, strides, _ = self.geometry()
        result = []
        for n, size, w, s in zip(sizes, wanted, self.windows(), strides):
            full = full_size(n, w, s)
            if full is None or size is None:
                raise self.wrong("a spatial size of output_shape or of the input is not known")
            same = self.padding_name() == "same"
            if n != (-(-size // s) if same else (size - w) // s + 1):
                raise self.wrong(f"no convolution makes {n} of the {size} in output_shape")
            front = max(0, full - size) // 2 if same else 0
            result.append((front, full - size - front))
        return tuple(result)


class Deconvolution3D(Deconvolution2D):
    """Keras 1: ``Deconvolution3D(nb_filter, kernel_dim1, kernel_dim2, kernel_dim3, ...)``."""

    rank = 3
    strides: Any = (1, 1, 1)
    dilation_rate: Any = (1, 1, 1)
