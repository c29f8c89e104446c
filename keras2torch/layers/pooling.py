"""Poolings over windows, over everything, and to a given size.

Averages of "same" leave out the padding, and maxima ignore it; torch's ``ceil_mode`` does just that with
the windows that stick out at the end, so that lopsided padding needs no pad in front.
"""

from __future__ import annotations

from typing import Any

from keras2torch.constructors import Dtype
from keras2torch.graph import Shape, Spec
from keras2torch.layers.conv import Spatial, output_size, pad_same, same_pads, square
from keras2torch.layers.operation import pair

_INFINITY = float("-inf")


def overhang(
    sizes: Shape, window: tuple[int, ...], strides: tuple[int, ...]
) -> tuple[tuple[int, ...], bool] | None:
    """How torch says "same": (padding, ceil_mode). None where it needs a pad in front.

    Where a size is unknown, the padding in front must come out the same for all sizes.
    """
    padding, ceil = [], False
    for size, k, s in zip(sizes, window, strides):
        possible = [size] if size is not None else range(s, 2 * s)
        pads = [same_pads(n, k, s, 1) for n in possible]
        if len({low for low, _ in pads}) > 1 or (s == 1 and any(low != high for low, high in pads)):
            return None
        padding.append(pads[0][0])
        ceil = ceil or any(low != high for low, high in pads)
    return tuple(padding), ceil


class _Pooling(Spatial):
    """Pooling over windows."""

    pool_size: Any = 2
    strides: Any = None
    padding: Any = "valid"
    data_format: Any = None

    old_names = {
        "pool_length": "pool_size",
        "stride": "strides",
        "border_mode": "padding",
        "dim_ordering": "data_format",
    }
    mode = "max"

    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(window, strides)."""
        window = self.pool_size
        strides = window if self.strides is None else self.strides
        if min(*window, *strides) < 1:
            raise self.wrong("pool_size and strides should be positive")
        return window, strides

    def padding_name(self) -> str:
        padding = str(self.padding).lower()
        if padding not in ("valid", "same"):
            raise self.unsupported(
                f"padding={self.padding!r} is not known", 'use "valid" or "same"'
            )
        return padding

    def output_spec(self, inputs: Any) -> Spec:
        window, strides = self.geometry()
        padding = self.padding_name()
        sizes = self.spatial(inputs.shape)
        sizes = tuple(output_size(n, k, s, 1, padding) for n, k, s in zip(sizes, window, strides))
        return Spec(self.with_spatial(inputs.shape, sizes), inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        pooled = self.pooled(b, b.floating(inputs))
        if self.mode == "avg" or pooled.dtype == inputs.dtype:
            return pooled
        return b.method("to", pooled, Dtype(inputs.dtype), dtype=inputs.dtype)

    def pooled(self, b: Any, x: Any) -> Any:
        """The windows of floats, the only ones that torch pools everywhere."""
        window, strides = self.geometry()
        if self.padding_name() != "same":
            return self.pool(b, x, {})
        found = overhang(x.shape[2:], window, strides)
        if found is None:
            return self.lower_lopsided(b, x)
        padding, ceil = found
        return self.pool(b, x, {"padding": square(padding)} | ({"ceil_mode": True} if ceil else {}))

    def pool(self, b: Any, x: Any, options: dict[str, Any]) -> Any:
        """``F.max_pool2d(x, window, strides, ...)``."""
        window, strides = self.geometry()
        if self.mode == "avg" and options.get("padding"):
            options = {**options, "count_include_pad": False}
        arguments = [square(window)]
        if strides != window:
            arguments.append(square(strides))
        name = f"F.{self.mode}_pool{self.rank}d"
        shape = self.torch_shape(b, x.axes)
        return b.function(name, x, *arguments, **options, shape=shape, axes=x.axes)

    def lower_lopsided(self, b: Any, x: Any) -> Any:
        """Padding in front, of an uneven amount or one that depends on a size known at run time."""
        raise NotImplementedError


class MaxPooling2D(_Pooling, names=("MaxPool2D",)):
    """The largest value in each window."""

    pool_size: Any = (2, 2)

    def lower_lopsided(self, b: Any, x: Any) -> Any:
        window, strides = self.geometry()
        return self.pool(b, pad_same(b, x, window, strides, (1,) * self.rank, _INFINITY), {})


class MaxPooling1D(MaxPooling2D, names=("MaxPool1D",)):
    """The largest value in each window."""

    rank = 1
    pool_size: Any = 2


class MaxPooling3D(MaxPooling2D, names=("MaxPool3D",)):
    """The largest value in each window."""

    rank = 3
    pool_size: Any = (2, 2, 2)


class AveragePooling2D(_Pooling, names=("AvgPool2D",)):
    """The mean of each window, of the real pixels in it."""

    pool_size: Any
    mode = "avg"

    def __init__(self, *args: Any, **kwargs: Any):
        if not args and not {"pool_size", "pool_length"} & set(kwargs):
            kwargs["pool_size"] = (2,) * self.rank  # the default before Keras 3
        super().__init__(*args, **kwargs)

    def lower_lopsided(self, b: Any, x: Any) -> Any:
        window, strides = self.geometry()
        shape = self.torch_shape(b, x.axes)
        return b.function("average_pool_same", x, window, strides, shape=shape, axes=x.axes)


class AveragePooling1D(AveragePooling2D, names=("AvgPool1D",)):
    """The mean of each window, of the real steps in it."""

    rank = 1


class AveragePooling3D(AveragePooling2D, names=("AvgPool3D",)):
    """The mean of each window, of the real voxels in it."""

    rank = 3


class _GlobalPooling(Spatial):
    """One value for each channel."""

    data_format: Any = None
    keepdims: bool = False

    old_names = {"dim_ordering": "data_format"}
    layout = "any"
    reduction = "mean"

    def reduced(self) -> list[int]:
        """The Keras axes that go."""
        first = 2 if self.channels_first else 1
        return list(range(first, first + self.rank))

    def output_spec(self, inputs: Any) -> Spec:
        self.spatial(inputs.shape)
        axes = self.reduced()
        if self.keepdims:
            shape = tuple(1 if i in axes else n for i, n in enumerate(inputs.shape))
        else:
            shape = tuple(n for i, n in enumerate(inputs.shape) if i not in axes)
        return Spec(shape, inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        x = b.floating(inputs) if self.reduction == "mean" else inputs
        return b.reduce(self.reduction, x, self.reduced(), bool(self.keepdims))


class GlobalAveragePooling2D(_GlobalPooling, names=("GlobalAvgPool2D",)):
    """The mean over height and width."""


class GlobalAveragePooling3D(_GlobalPooling, names=("GlobalAvgPool3D",)):
    """The mean over depth, height and width."""

    rank = 3


class GlobalAveragePooling1D(_GlobalPooling, names=("GlobalAvgPool1D",)):
    """The mean over the steps; of the unmasked ones where there is a mask."""

    rank = 1

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().lower(b, inputs)
        steps = self.reduced()[0]
        keep, x = bool(self.keepdims), inputs
        dim = x.dim(steps)
        # the mask has the batch and the step axis
        channel = 3 - dim
        shape = tuple(1 if d == channel else n for d, n in enumerate(x.shape))
        weights = b.method("unsqueeze", b.floating(mask), channel, shape=shape, axes=x.axes)
        total = b.reduce("sum", b.operator("*", x, weights), [steps], keep)
        return b.operator("/", total, b.reduce("sum", weights, [steps], keep))


class GlobalMaxPooling2D(_GlobalPooling, names=("GlobalMaxPool2D",)):
    """The maximum over height and width."""

    reduction = "amax"


class GlobalMaxPooling1D(GlobalMaxPooling2D, names=("GlobalMaxPool1D",)):
    """The maximum over the steps."""

    rank = 1


class GlobalMaxPooling3D(GlobalMaxPooling2D, names=("GlobalMaxPool3D",)):
    """The maximum over depth, height and width."""

    rank = 3


class _AdaptivePooling(Spatial):
    """Pooling to a given size, over windows that differ by a pixel where they must."""

    output_size: Any
    data_format: Any = None
    mode = "avg"

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.spatial(inputs.shape)
        if None in sizes:
            raise ValueError("the spatial sizes must be known")
        return Spec(
            self.with_spatial(inputs.shape, pair(self.output_size, self.rank)), inputs.dtype
        )

    def lower(self, b: Any, inputs: Any) -> Any:
        size = square(pair(self.output_size, self.rank))
        shape = self.torch_shape(b, inputs.axes)
        name = f"F.adaptive_{self.mode}_pool{self.rank}d"
        return b.function(name, b.floating(inputs), size, shape=shape, axes=inputs.axes)


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """Means to ``output_size``."""

    rank = 1


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """Means to ``output_size``."""


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """Means to ``output_size``."""

    rank = 3


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """Maxima to ``output_size``."""

    rank = 1
    mode = "max"


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """Maxima to ``output_size``."""

    mode = "max"


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """Maxima to ``output_size``."""

    rank = 3
    mode = "max"
