"""Images under affine and perspective maps. Formulas: keras/src/backend/jax/image.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Constant
from keras2torch.ops.base import Op, Spec, as_operand, function, ops
from keras2torch.ops.cropping import ImageOp, batched, refused
from keras2torch.ops.dtypes import float_dtype, is_float


# Geometry.
class _Transformed(ImageOp):
    """A helper function on images (N, C, H, W) and points."""

    tensors = ("x", "first", "second")

    def output_spec(
        self, x: Any, first: Any, second: Any, name: str, arguments: tuple[Any, ...]
    ) -> Spec:
        return Spec(x.shape, float_dtype(x))

    def lower(
        self, b: Any, x: Any, first: Any, second: Any, name: str, arguments: tuple[Any, ...]
    ) -> Any:
        points = [
            b.last(b.call_record.kwargs[n])
            for n in ("first", "second")
            if b.call_record.kwargs[n] is not None
        ]
        return b.function(name, b.floating(x), *points, *arguments, shape=x.shape, axes=x.axes)


def _order(interpolation: str) -> int:
    if interpolation not in ("nearest", "bilinear"):
        raise refused(f"interpolation={interpolation!r}", 'use "nearest" or "bilinear"')
    return int(interpolation == "bilinear")


@function("keras.ops.image.affine_transform(image=images)")
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = batched(images, data_format)
    transform = as_operand(transform)
    if isinstance(transform, Constant) and numpy.any(transform.value[..., 6:]):
        raise refused(
            "c0 and c1 other than 0 (which Keras's backends read in different ways)",
            "use keras.ops.image.perspective_transform",
        )
    transform = ops.expand_dims(transform, 0) if len(transform.shape) == 1 else transform
    arguments = (_order(interpolation), fill_mode, float(fill_value))
    made = _Transformed(data_format).record(images, transform, None, "affine_transform", arguments)
    return ops.squeeze(made, 0) if single else made


@function("keras.ops.image.perspective_transform")
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = batched(images, data_format)
    points = [as_operand(p) for p in (start_points, end_points)]
    points = [
        ops.cast(ops.expand_dims(p, 0) if len(p.shape) == 2 else p, "float32") for p in points
    ]
    arguments = (_order(interpolation), float(fill_value))
    made = _Transformed(data_format).record(images, *points, "perspective_transform", arguments)
    return ops.squeeze(made, 0) if single else made


class _MapCoordinates(Op):
    tensors = ("inputs", "coordinates")
    path = "keras.ops.image.map_coordinates"

    def output_spec(
        self, inputs: Any, coordinates: Any, order: int, mode: str, value: float
    ) -> Spec:
        if coordinates.shape[0] != len(inputs.shape):
            raise ValueError("the first axis of the coordinates should name the axes of the inputs")
        return Spec(coordinates.shape[1:], inputs.dtype)

    def lower(
        self, b: Any, inputs: Any, coordinates: Any, order: int, mode: str, value: float
    ) -> Any:
        if not is_float(inputs.dtype):
            raise self.unsupported("inputs that are integers", "cast them to float32")
        given: dict[str, Any] = {"mode": mode} if mode != "constant" else {}
        given.update({"value": value} if value else {})
        shape = b.output_tensors[0].shape
        return b.function(
            "map_coordinates",
            inputs,
            b.floating(coordinates),
            order,
            shape=shape,
            axes=tuple(range(len(shape))),
            **given,
        )


_map_coordinates = _MapCoordinates()


@function("keras.ops.image.map_coordinates(input=inputs)")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    return _map_coordinates.record(inputs, coordinates, int(order), fill_mode, float(fill_value))
