"""Resizing of images. Formulas: jax.image, keras/src/backend/jax/image.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Tensor
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, function, ops
from keras2torch.ops.cropping import ImageOp, batched, crop_images, known_sizes, padded, refused
from keras2torch.ops.dtypes import float_dtype, is_float
from keras2torch.ops.sizes import as_shape, static

_METHODS = {
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


class _Resize(ImageOp):
    path = "keras.ops.image.resize"

    def output_spec(
        self, x: Any, size: Any, interpolation: str, antialias: bool, corners: Any = None
    ) -> Spec:
        dtype = x.dtype if interpolation == "nearest" else float_dtype(x)
        return Spec(self.with_sizes(x.shape, static(size)), dtype)

    def lower(
        self, b: Any, x: Any, size: Any, interpolation: str, antialias: bool, corners: Any = None
    ) -> Any:
        shape = self.torch_shape(b, x.axes)
        options: dict[str, Any] = {"shape": shape, "axes": x.axes}
        size = tuple(size)
        if interpolation == "nearest":
            mode = "nearest" if corners == "legacy" else "nearest-exact"
            images = b.floating(x)
            made = b.function("F.interpolate", images, size, mode=mode, **options)
            return (
                made
                if is_float(x.dtype)
                else b.method("to", made, dtype_of_value(x), dtype=x.dtype)
            )
        images = b.floating(x)
        if corners is True:
            return b.function(
                "F.interpolate", images, size, mode=interpolation, align_corners=True, **options
            )
        if interpolation == "bilinear" and not antialias:
            return b.function("F.interpolate", images, size, mode="bilinear", **options)
        growing = all(
            isinstance(n, int) and m is not None and n >= m for n, m in zip(size, x.shape[2:])
        )
        if interpolation == "bilinear" or interpolation == "bicubic" and (antialias or growing):
            # With antialias torch has Keras's cubic kernel (a = -0.5), and nothing else changes when growing.
            return b.function(
                "F.interpolate", images, size, mode=interpolation, antialias=True, **options
            )
        return b.function(
            "resample", images, (2, 3), size, _METHODS[interpolation], bool(antialias), **options
        )


def dtype_of_value(x: Any) -> Any:
    from keras2torch.constructors import Dtype

    return Dtype(x.dtype)


@function("keras.ops.image.resize(image=images)")
def resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: Any = None,
) -> Any:  # fmt: skip
    """Of images of integers to such: rounded, and kept in the range of the type."""
    images = as_operand(images)
    made = _resized(
        images, size, interpolation, antialias, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_value, data_format
    )  # fmt: skip
    whole = made.dtype != images.dtype and not is_float(images.dtype)
    return ops.saturate_cast(ops.round(made), images.dtype) if whole else made


def _resized(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_value: float = 0.0,
    data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = batched(images, data_format)
    size = as_shape(size)
    if interpolation not in ("nearest", *_METHODS):
        raise refused(f"interpolation={interpolation!r} is not known")
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        height, width = known_sizes(images, data_format, "an aspect ratio")
        goal_height, goal_width = int(width * size[0] / size[1]), int(height * size[1] / size[0])
        if crop_to_aspect_ratio:
            inner = max(min(height, goal_height), 1), max(min(width, goal_width), 1)
            top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
            images = crop_images(images, top, left, None, None, *inner, data_format)
        else:
            outer = max(height, goal_height), max(width, goal_width)
            top, left = (outer[0] - height) // 2, (outer[1] - width) // 2
            # Keras puts as much behind as in front, along one axis only.
            edges = (top, 0, top, 0) if top else (0, left, 0, left)
            images = padded(images, *edges, data_format, fill_value)
    made = _Resize(data_format).record(images, size, interpolation, bool(antialias))
    return ops.squeeze(made, 0) if single else made


@function("tf.image.resize")
def tf_resize(
    images: Any,
    size: Any,
    method: Any = "bilinear",
    preserve_aspect_ratio: bool = False,
    antialias: bool = False,
) -> Any:
    name = {0: "bilinear", 1: "nearest", 2: "bicubic"}.get(method, str(method).lower())
    if preserve_aspect_ratio:
        height, width = known_sizes(as_operand(images), "channels_last", "an aspect ratio")
        scale = min(int(size[0]) / height, int(size[1]) / width)
        size = (round(height * scale), round(width * scale))
    if name == "area":
        raise refused('method="area"', 'use "bilinear" with antialias=True')
    return _resized(images, size, name, antialias, data_format="channels_last")


@function("{tf,tf.compat.v1}.image.resize_images tf.compat.v1.image.resize")
def legacy_resize(
    images: Any,
    size: Any,
    method: Any = 0,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
    name: Any = None,
) -> Any:
    """TensorFlow 1's, where ``method`` is a number or a name."""
    if preserve_aspect_ratio:
        raise refused("preserve_aspect_ratio=True of TensorFlow 1", "give the size")
    if method in (1, "nearest"):
        return legacy_nearest(images, size, align_corners)
    if method in (0, "bilinear"):
        return legacy_bilinear(images, size, align_corners)
    raise refused(f"TensorFlow 1's resizing with method={method!r}", "use tf.image.resize")


@function("{tf,tf.compat.v1}.image.resize_bilinear")
def legacy_bilinear(
    images: Any,
    size: Any,
    align_corners: bool = False,
    name: Any = None,
    half_pixel_centers: bool = False,
) -> Any:
    """TensorFlow 1's, exact where the corners are aligned."""
    if half_pixel_centers:
        return _resized(images, size, "bilinear", data_format="channels_last")
    if not align_corners:
        raise refused(
            "TensorFlow 1's bilinear resizing samples off centre, which torch has not got",
            "use align_corners=True, tf.image.resize of TensorFlow 2, or UpSampling2D",
        )
    return _Resize("channels_last").record(images, as_shape(size), "bilinear", False, True)


@function("{tf,tf.compat.v1}.image.resize_nearest_neighbor")
def legacy_nearest(
    images: Any,
    size: Any,
    align_corners: bool = False,
    name: Any = None,
    half_pixel_centers: bool = False,
) -> Any:
    if half_pixel_centers and not align_corners:
        return _resized(images, size, "nearest", data_format="channels_last")
    if align_corners:
        raise refused("the nearest pixel with align_corners=True", "leave align_corners out")
    return _Resize("channels_last").record(images, as_shape(size), "nearest", False, "legacy")


@function("K.resize_images")
def backend_resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: Any = None,
    interpolation: str = "nearest",
) -> Any:
    """Keras 2's: sizes times whole factors."""
    height, width = known_sizes(x, data_format, "resizing")
    return resize(
        x, (height * height_factor, width * width_factor), interpolation, data_format=data_format
    )


class _ScaleAndTranslate(Op):
    path = "keras.ops.image.scale_and_translate"

    def output_spec(
        self,
        x: Any,
        sizes: Any,
        scale: Any,
        translation: Any,
        dims: Any,
        method: str,
        antialias: bool,
    ) -> Spec:
        shape = tuple(m if m is None else int(n) for n, m in zip(sizes, x.shape))
        return Spec(
            tuple(int(sizes[i]) if i in dims else n for i, n in enumerate(shape)), float_dtype(x)
        )

    def lower(
        self,
        b: Any,
        x: Any,
        sizes: Any,
        scale: Any,
        translation: Any,
        dims: Any,
        method: str,
        antialias: bool,
    ) -> Any:
        goals = tuple(int(sizes[d]) for d in dims)
        shape = b.output_tensors[0].shape
        return b.function(
            "resample",
            b.floating(x),
            dims,
            goals,
            method,
            antialias,
            scale,
            translation,
            shape=shape,
            axes=x.axes,
        )


_scale_and_translate = _ScaleAndTranslate()


@function("keras.ops.image.scale_and_translate")
def scale_and_translate(
    images: Any,
    output_shape: Any,
    scale: Any,
    translation: Any,
    spatial_dims: Any,
    method: str,
    antialias: bool = True,
) -> Any:
    images = as_operand(images)
    numbers = []
    for value in (scale, translation):
        value = as_plain(value)
        if isinstance(value, Tensor):
            raise _scale_and_translate.unsupported(
                "a scale that the model computes", "give numbers"
            )
        numbers.append(tuple(float(n) for n in numpy.ravel(value)))
    sizes = tuple(
        0 if isinstance(n, Tensor) or n is None else int(n) for n in as_shape(output_shape)
    )
    method = method.removeprefix("bi").removeprefix("tri")
    return _scale_and_translate.record(
        images, sizes, *numbers, tuple(spatial_dims), method, bool(antialias)
    )
