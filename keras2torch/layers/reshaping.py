"""Layers that move, repeat, cut off and add elements.

Sources: keras/src/layers/reshaping of Keras 3.15. "Spatial" ones work on (N, C, *S) as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras2torch.constructors import Dtype
from keras2torch.errors import K2TError
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer
from keras2torch.layers.conv import Spatial, square
from keras2torch.layers.core import flattened, product
from keras2torch.layers.operation import pair


class Reshape(Layer):
    """The elements of each sample in another shape; one size may be -1."""

    target_shape: Any
    old_names = {"dims": "target_shape"}
    layout = "any"

    def target(self, shape: Shape) -> Shape:
        """The new shape without the batch axis. Raises ValueError where the sizes do not fit."""
        given = self.target_shape
        wanted = [int(n) if n is not None else -1 for n in (given if _is_list(given) else (given,))]
        if wanted.count(-1) > 1:
            raise ValueError(f"only one size may be -1 in target_shape={given!r}")
        total, known = product(shape[1:]), product(n for n in wanted if n != -1)
        if total is None:
            return tuple(None if n == -1 else n for n in wanted)
        if total % (known or 1) or (-1 not in wanted and total != known):
            raise ValueError(f"{total} elements do not fill target_shape={given!r}")
        return tuple(total // known if n == -1 else n for n in wanted)  # type: ignore[operator]

    def output_spec(self, inputs: Any) -> Spec:
        return Spec((inputs.shape[0], *self.target(inputs.shape)), inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        tensor = b.call_record.inputs[0]
        rank, wanted = len(tensor.shape), self.target(tensor.shape)
        channels_first = (0, rank - 1, *range(1, rank - 1))
        if len(wanted) == 1:
            return flattened(b, inputs, tuple(range(rank)))
        image = inputs.flat is None and inputs.axes == channels_first and rank > 3
        if image and len(wanted) == 2 and wanted[1] == tensor.shape[-1] not in (None, 1):
            # (N, C, *S) to (N, S, C): the pixels in a row, and the two axes change places later.
            shape = (inputs.shape[0], wanted[1], wanted[0])
            return b.method("flatten", inputs, 2, shape=shape, axes=(0, 2, 1))
        return b.reshape(b.last(tensor), (inputs.shape[0], *wanted))


class Permute(Layer):
    """The axes of each sample in another order; ``dims`` counts from 1."""

    dims: Any
    layout = "any"

    def order(self, rank: int) -> tuple[int, ...]:
        dims = tuple(int(n) for n in self.dims)
        if sorted(dims) != list(range(1, rank)):
            raise ValueError(f"dims={self.dims!r} is no order of the axes 1 to {rank - 1}")
        return (0, *dims)

    def output_spec(self, inputs: Any) -> Spec:
        order = self.order(len(inputs.shape))
        return Spec(tuple(inputs.shape[axis] for axis in order), inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        order = self.order(len(inputs.axes))
        dims = tuple(inputs.axes.index(axis) for axis in order)
        if dims == tuple(range(len(dims))) and not inputs.in_keras_order:
            # torch's axes already lie as they should: they only count from another order.
            if b.sole_reader(inputs):
                inputs.axes = dims
                return inputs
            return b.permute(b.last(b.call_record.inputs[0]), order)
        return b.permute(inputs, dims)


class RepeatVector(Layer):
    """(N, F) to (N, n, F): each vector ``n`` times."""

    n: int

    def output_spec(self, inputs: Any) -> Spec:
        if len(inputs.shape) != 2:
            raise ValueError("an input of 2 axes is needed")
        return Spec((inputs.shape[0], int(self.n), inputs.shape[1]), inputs.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        batch, features = inputs.shape
        row = b.method("unsqueeze", inputs, 1, shape=(batch, 1, features))
        return b.method("expand", row, -1, int(self.n), -1, shape=(batch, int(self.n), features))


class _Edges(Spatial):
    """Cropping and zero padding: an amount before and after each spatial axis."""

    layout = "spatial"

    def amounts(self, given: Any) -> tuple[tuple[int, int], ...]:
        """The argument in all the forms that Keras takes, as (before, after) for each axis."""
        if self.rank == 1:
            low, high = pair(given, 2)
            result: tuple[tuple[int, int], ...] = ((low, high),)
        elif isinstance(given, int):
            result = ((given, given),) * self.rank
        else:
            if not _is_list(given) or len(given) != self.rank:
                raise K2TError(f"{given!r} should be an integer or {self.rank} amounts")
            result = tuple((low, high) for low, high in (pair(each, 2) for each in given))
        if any(low < 0 or high < 0 for low, high in result):
            raise K2TError(f"{given!r} should not be negative")
        return result

    def grown(self, inputs: Any, amounts: Sequence[tuple[int, int]], sign: int) -> Spec:
        sizes = self.spatial(inputs.shape)
        sizes = tuple(n if n is None else n + sign * sum(a) for n, a in zip(sizes, amounts))
        if any(n is not None and n <= 0 for n in sizes):
            raise ValueError("nothing would be left of an axis")
        return Spec(self.with_spatial(inputs.shape, sizes), inputs.dtype)


class Cropping2D(_Edges):
    """Cuts rows and columns off."""

    cropping: Any = ((0, 0), (0, 0))
    data_format: Any = None
    old_names = {"dim_ordering": "data_format"}
    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        return self.grown(inputs, self.amounts(self.cropping), -1)

    def lower(self, b: Any, inputs: Any) -> Any:
        first = 2 if self.channels_first else 1
        index = [slice(None)] * len(inputs.axes)
        for axis, (low, high) in enumerate(self.amounts(self.cropping)):
            index[inputs.dim(first + axis)] = slice(low or None, -high if high else None)
        while len(index) > 1 and index[-1] == slice(None):
            index.pop()
        if all(part == slice(None) for part in index):
            return inputs
        return b.index(
            inputs, tuple(index), shape=self.torch_shape(b, inputs.axes), axes=inputs.axes
        )


class Cropping1D(Cropping2D):
    """Cuts steps off; always of axis 1."""

    rank = 1
    channels_first = False  # type: ignore[assignment]
    fields = {}
    cropping: Any = (1, 1)


class Cropping3D(Cropping2D):
    """Cuts voxels off."""

    rank = 3
    cropping: Any = ((1, 1), (1, 1), (1, 1))


class ZeroPadding2D(_Edges):
    """Zeros around an image; the next convolution takes them as its own padding where it can."""

    padding: Any = (1, 1)
    data_format: Any = None
    old_names = {"dim_ordering": "data_format"}

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if isinstance(self.padding, dict):  # Keras 1: {"top_pad": 1, ...}
            sides = ("top", "bottom", "left", "right")
            top, bottom, left, right = (self.padding.get(f"{side}_pad", 0) for side in sides)
            self.padding = ((top, bottom), (left, right))
        elif self.rank == 2 and _is_list(self.padding) and len(self.padding) == 4:
            top, bottom, left, right = self.padding
            self.padding = ((top, bottom), (left, right))

    def output_spec(self, inputs: Any) -> Spec:
        return self.grown(inputs, self.amounts(self.padding), 1)

    def lower(self, b: Any, inputs: Any) -> Any:
        return b.pad(inputs, self.amounts(self.padding), note="")


class ZeroPadding1D(ZeroPadding2D):
    """Zero steps before and after."""

    rank = 1
    padding: Any = 1


class ZeroPadding3D(ZeroPadding2D):
    """Zero voxels around."""

    rank = 3
    padding: Any = ((1, 1), (1, 1), (1, 1))


class _UpSampling(Spatial):
    """Every pixel ``size`` times along each axis."""

    def factors(self) -> tuple[int, ...]:
        return pair(self.size, self.rank)

    def output_spec(self, inputs: Any) -> Spec:
        sizes = self.spatial(inputs.shape)
        sizes = tuple(n if n is None else n * f for n, f in zip(sizes, self.factors()))
        return Spec(self.with_spatial(inputs.shape, sizes), inputs.dtype)

    def interpolate(self, b: Any, x: Any, **options: Any) -> Any:
        factors = square(self.factors())
        shape = self.torch_shape(b, x.axes)
        return b.function(
            "F.interpolate", x, scale_factor=factors, **options, shape=shape, axes=x.axes
        )

    def repeat(self, b: Any, x: Any) -> Any:
        """The nearest pixels; of integers by way of floats, the only ones that torch interpolates."""
        repeated = self.interpolate(b, b.floating(x))
        if repeated.dtype == x.dtype:
            return repeated
        return b.method("to", repeated, Dtype(x.dtype), dtype=x.dtype)

    def lower(self, b: Any, inputs: Any) -> Any:
        return self.repeat(b, inputs)


class UpSampling1D(_UpSampling):
    """Every step ``size`` times; always axis 1."""

    size: int = 2
    old_names = {"length": "size"}
    rank = 1
    channels_first = False  # type: ignore[assignment]


class UpSampling2D(_UpSampling):
    """Every pixel ``size`` times, or an interpolation."""

    size: Any = (2, 2)
    data_format: Any = None
    interpolation: str = "nearest"
    old_names = {"dim_ordering": "data_format"}

    def lower(self, b: Any, inputs: Any) -> Any:
        kind = str(self.interpolation).lower()
        if kind == "nearest":
            return self.repeat(b, inputs)
        floats = inputs.dtype.startswith(("float", "bfloat"))
        if kind in ("bilinear", "bicubic") and not floats:
            raise self.unsupported(
                f"interpolation={kind!r} of integers is rounded by Keras",
                "cast the images to floats",
            )
        if kind == "bilinear":
            return self.interpolate(b, inputs, mode="bilinear")
        if kind == "bicubic":  # torch takes Keras's cubic (a = -0.5) where it antialiases
            return self.interpolate(b, inputs, mode="bicubic", antialias=True)
        raise self.unsupported(
            f"torch has no interpolation={kind!r}", 'use "nearest", "bilinear" or "bicubic"'
        )


class UpSampling3D(_UpSampling):
    """Every voxel ``size`` times."""

    size: Any = (2, 2, 2)
    data_format: Any = None
    old_names = {"dim_ordering": "data_format"}
    rank = 3


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
