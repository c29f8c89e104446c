"""Functions on images: resizing, patches, colours, filters, geometry.

Formulas: keras/src/ops/image.py, keras/src/backend/jax/image.py of Keras 3.15 and jax.image.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Shape, Tensor
from keras2torch.layers.base import pair
from keras2torch.layers.conv import output_size, pad_same
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, function, ops
from keras2torch.ops.convolution import channels_first, depthwise_conv
from keras2torch.ops.dtypes import float_dtype, is_float
from keras2torch.ops.sizes import as_shape, static

_METHODS = {
    "bilinear": "linear",
    "bicubic": "cubic",
    "lanczos3": "lanczos3",
    "lanczos5": "lanczos5",
}


class _Images(Op):
    """Of images (N, C, H, W) in torch; ``channels_first`` is that of the Keras tensors."""

    layout = "spatial"

    def __init__(self, data_format: Any = None):
        self.channels_first = channels_first(data_format)

    def with_sizes(self, shape: Shape, sizes: Any, channels: Any = ()) -> Shape:
        kept = shape[1 if self.channels_first else -1] if channels == () else channels
        inner = (kept, *sizes) if self.channels_first else (*sizes, kept)
        return (shape[0], *inner)

    def torch_shape(self, b: Any, axes: tuple[int, ...]) -> Shape:
        shape = b.output_tensors[0].shape
        return tuple(shape[axis] for axis in axes)


class _Resize(_Images):
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
    from keras2torch.expressions import Dtype

    return Dtype(x.dtype)


def _batched(images: Any, data_format: Any) -> tuple[Any, bool]:
    """Images with a batch axis, and whether it had to be added."""
    images = as_operand(images)
    single = len(images.shape) == 3
    return (ops.expand_dims(images, 0) if single else images), single


def _sizes_of(images: Any, data_format: Any) -> tuple[int | None, int | None]:
    shape = images.shape
    return (shape[-2], shape[-1]) if channels_first(data_format) else (shape[-3], shape[-2])


def _known_sizes(images: Any, data_format: Any, what: str) -> tuple[int, int]:
    height, width = _sizes_of(images, data_format)
    if height is None or width is None:
        raise _Resize().unsupported(
            f"{what} of images of unknown size", "give the Input a full shape"
        )
    return height, width


@function("keras.ops.image.resize")
def resize(
    images: Any, size: Any, interpolation: str = "bilinear", antialias: bool = False,
    crop_to_aspect_ratio: bool = False, pad_to_aspect_ratio: bool = False, fill_mode: str = "constant",
    fill_value: float = 0.0, data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = _batched(images, data_format)
    size = as_shape(size)
    if interpolation not in ("nearest", *_METHODS):
        raise _Resize().unsupported(f"interpolation={interpolation!r} is not known")
    if crop_to_aspect_ratio or pad_to_aspect_ratio:
        height, width = _known_sizes(images, data_format, "an aspect ratio")
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
            images = _padded(images, *edges, data_format, fill_value)
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
        height, width = _known_sizes(as_operand(images), "channels_last", "an aspect ratio")
        scale = min(int(size[0]) / height, int(size[1]) / width)
        size = (round(height * scale), round(width * scale))
    if name == "area":
        raise _Resize().unsupported('method="area"', 'use "bilinear" with antialias=True')
    return resize(images, size, name, antialias, data_format="channels_last")


@function(
    "tf.image.{resize_bilinear,resize_images} tf.compat.v1.image.{resize_bilinear,resize_images,resize}"
)
def legacy_bilinear(
    images: Any, size: Any, align_corners: bool = False, method: Any = 0, **kwargs: Any
) -> Any:
    """TensorFlow 1's, exact where the corners are aligned or each pixel is repeated."""
    if method in (1, "nearest"):
        return legacy_nearest(images, size, align_corners)
    if not align_corners:
        raise _Resize().unsupported(
            "TensorFlow 1's bilinear resizing samples off centre, which torch has not got",
            "use align_corners=True, tf.image.resize of TensorFlow 2, or UpSampling2D",
        )
    return _Resize("channels_last").record(images, as_shape(size), "bilinear", False, True)


@function("tf.image.resize_nearest_neighbor tf.compat.v1.image.resize_nearest_neighbor")
def legacy_nearest(images: Any, size: Any, align_corners: bool = False, **kwargs: Any) -> Any:
    if align_corners:
        raise _Resize().unsupported(
            "the nearest pixel with align_corners=True", "leave align_corners out"
        )
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
    height, width = _known_sizes(x, data_format, "resizing")
    return resize(
        x, (height * height_factor, width * width_factor), interpolation, data_format=data_format
    )


# Patches.
class _Patches(_Images):
    """Every window's pixels in one axis, in the order rows, columns, channels."""

    path = "keras.ops.image.extract_patches"

    def output_spec(self, x: Any, size: Any, strides: Any, dilation: Any, padding: str) -> Spec:
        spatial = x.shape[2:] if self.channels_first else x.shape[1:-1]
        channels = x.shape[1 if self.channels_first else -1]
        count = [output_size(*item, padding) for item in zip(spatial, size, strides, dilation)]
        return Spec(self.with_sizes(x.shape, count, int(numpy.prod(size)) * channels), x.dtype)

    def lower(self, b: Any, x: Any, size: Any, strides: Any, dilation: Any, padding: str) -> Any:
        rank = len(size)
        n, channels = x.shape[:2]
        if padding == "same":
            x = pad_same(b, x, size, strides, dilation)
        counts = self.torch_shape(b, x.axes)[2:]
        for i, (k, s, d) in enumerate(zip(size, strides, dilation)):
            span = d * (k - 1) + 1
            shape = (*x.shape[: 2 + i], counts[i], *x.shape[3 + i :], span)
            x = b.method("unfold", x, 2 + i, span, s, shape=shape, axes=tuple(range(len(shape))))
        if max(dilation) > 1:
            shape = (*x.shape[: 2 + rank], *size)
            key = (Ellipsis, *(slice(None, None, d) for d in dilation))
            x = b.index(x, key, shape=shape, axes=tuple(range(len(shape))))
        order = (0, *range(2, 2 + 2 * rank), 1)
        x = b.permute(x, order)
        shape = (n, *counts, channels * int(numpy.prod(size)))
        x = b.method("flatten", x, 1 + rank, shape=shape, axes=tuple(range(len(shape))))
        return b.permute(x, (0, rank + 1, *range(1, rank + 1))) if self.channels_first else x


def _patches(
    images: Any, rank: int, size: Any, strides: Any, dilation: Any, padding: str, data_format: Any
) -> Any:
    images = as_operand(images)
    single = len(images.shape) == rank + 1
    images = ops.expand_dims(images, 0) if single else images
    size, dilation = pair(size, rank), pair(dilation, rank)
    strides = size if not strides else pair(strides, rank)
    made = _Patches(data_format).record(images, size, strides, dilation, str(padding).lower())
    return ops.squeeze(made, 0) if single else made


@function("keras.ops.image.extract_patches")
def extract_patches(
    images: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
) -> Any:
    rank = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _patches(images, rank, size, strides, dilation_rate, padding, data_format)


@function("keras.ops.image.extract_patches_3d")
def extract_patches_3d(
    volumes: Any,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
) -> Any:
    return _patches(volumes, 3, size, strides, dilation_rate, padding, data_format)


@function(
    "tf.image.{extract_patches,extract_image_patches}(ksizes=sizes) tf.{extract_image_patches}(ksizes=sizes)"
)
def tf_extract_patches(
    images: Any, sizes: Any, strides: Any, rates: Any = (1, 1, 1, 1), padding: str = "VALID"
) -> Any:
    window, steps, dilation = (tuple(as_plain(v))[1:-1] for v in (sizes, strides, rates))
    return _patches(images, 2, window, steps, dilation, padding, "channels_last")


# Crops and pads.
def _padded(
    images: Any, top: Any, left: Any, bottom: Any, right: Any, data_format: Any, value: Any = 0
) -> Any:
    edges = [(0, 0)] * (len(images.shape) - 3)
    inner = [(top, bottom), (left, right)]
    pads = [*edges, (0, 0), *inner] if channels_first(data_format) else [*edges, *inner, (0, 0)]
    return ops.pad(images, pads, constant_values=value or None)


@function("keras.ops.image.pad_images")
def pad_images(
    images: Any, top_padding: Any = None, left_padding: Any = None, bottom_padding: Any = None,
    right_padding: Any = None, target_height: Any = None, target_width: Any = None, data_format: Any = None,
) -> Any:  # fmt: skip
    images = as_operand(images)
    if None in (top_padding, left_padding, bottom_padding, right_padding):
        height, width = _known_sizes(images, data_format, "padding to a size")
        if top_padding is None:
            top_padding = target_height - bottom_padding - height
        if bottom_padding is None:
            bottom_padding = target_height - top_padding - height
        if left_padding is None:
            left_padding = target_width - right_padding - width
        if right_padding is None:
            right_padding = target_width - left_padding - width
    return _padded(images, top_padding, left_padding, bottom_padding, right_padding, data_format)


@function("tf.image.pad_to_bounding_box(image=images)")
def pad_to_bounding_box(
    images: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    return pad_images(
        images,
        offset_height,
        offset_width,
        None,
        None,
        target_height,
        target_width,
        data_format="channels_last",
    )


@function("keras.ops.image.crop_images")
def crop_images(
    images: Any, top_cropping: Any = None, left_cropping: Any = None, bottom_cropping: Any = None,
    right_cropping: Any = None, target_height: Any = None, target_width: Any = None, data_format: Any = None,
) -> Any:  # fmt: skip
    images = as_operand(images)
    height, width = _sizes_of(images, data_format)
    rows = _cut(height, top_cropping, bottom_cropping, target_height)
    columns = _cut(width, left_cropping, right_cropping, target_width)
    if channels_first(data_format):
        return images[..., rows, columns]
    return images[..., rows, columns, :]


def _cut(size: int | None, front: Any, end: Any, target: Any) -> slice:
    """The slice that a size, what comes off in front and at the end, and a target say."""
    if front is None and size is not None:
        front = size - target - end
    if front is None or front < 0:
        raise ValueError("the crop is larger than the image")
    if target is not None:
        return slice(
            front or None, front + target if size is None or front + target != size else None
        )
    return slice(front or None, -end if end else None)


@function("tf.image.crop_to_bounding_box(image=images)")
def crop_to_bounding_box(
    images: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Any:
    return crop_images(
        images,
        offset_height,
        offset_width,
        None,
        None,
        target_height,
        target_width,
        data_format="channels_last",
    )


@function("tf.image.resize_with_crop_or_pad tf.image.resize_image_with_crop_or_pad")
def resize_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Any:
    image = as_operand(image)
    height, width = _known_sizes(image, "channels_last", "a crop or pad")
    top, left = max(0, (height - target_height) // 2), max(0, (width - target_width) // 2)
    inner = min(height, target_height), min(width, target_width)
    image = crop_images(image, top, left, None, None, *inner, data_format="channels_last")
    edges = max(0, (target_height - height) // 2), max(0, (target_width - width) // 2)
    return pad_images(
        image, *edges, None, None, target_height, target_width, data_format="channels_last"
    )


# Colours.
@function("keras.ops.image.rgb_to_grayscale")
def rgb_to_grayscale(images: Any, data_format: Any = None) -> Any:
    images = as_operand(images)
    axis = -3 if channels_first(data_format) else -1
    if images.shape[axis] == 1:
        return images
    dtype = images.dtype
    floats = images if is_float(dtype) else ops.cast(images, "float32")
    red, green, blue = ops.split(floats, 3, axis)
    return ops.cast(0.2989 * red + 0.587 * green + 0.114 * blue, dtype)


@function("tf.image.rgb_to_grayscale")
def tf_rgb_to_grayscale(images: Any) -> Any:
    return rgb_to_grayscale(images, "channels_last")


@function("tf.image.grayscale_to_rgb")
def grayscale_to_rgb(images: Any) -> Any:
    return ops.concatenate([as_operand(images)] * 3, -1)


@function("keras.ops.image.rgb_to_hsv")
def rgb_to_hsv(images: Any, data_format: Any = None) -> Any:
    axis = -3 if channels_first(data_format) else -1
    tiny = float(numpy.finfo("float32").eps)
    images = ops.where(ops.abs(images) < tiny, 0.0, images)
    red, green, blue = ops.unstack(images, 3, axis)
    value = ops.maximum(ops.maximum(red, green), blue)
    spread = value - ops.minimum(ops.minimum(red, green), blue)
    saturation = ops.where(value > 0, spread / ops.where(value > 0, value, 1.0), 0.0)
    norm = 1.0 / (6.0 * ops.where(spread > 0, spread, 1.0))
    hue = ops.where(
        ops.equal(value, green), norm * (blue - red) + 1 / 3, norm * (red - green) + 2 / 3
    )
    hue = ops.where(ops.equal(value, red), norm * (green - blue), hue)
    hue = ops.where(spread > 0, hue, 0.0) + ops.cast(hue < 0.0, "float32")
    return ops.stack([hue, saturation, value], axis)


@function("keras.ops.image.hsv_to_rgb")
def hsv_to_rgb(images: Any, data_format: Any = None) -> Any:
    axis = -3 if channels_first(data_format) else -1
    hue, saturation, value = ops.unstack(images, 3, axis)
    sixth = ops.mod(hue, 1.0) * 6.0
    shares = (
        ops.clip(ops.abs(sixth - 3.0) - 1.0, 0.0, 1.0),
        ops.clip(2.0 - ops.abs(sixth - 2.0), 0.0, 1.0),
        ops.clip(2.0 - ops.abs(sixth - 4.0), 0.0, 1.0),
    )
    return ops.stack([value * (1.0 - saturation + saturation * share) for share in shares], axis)


@function("tf.image.rgb_to_hsv")
def tf_rgb_to_hsv(images: Any) -> Any:
    return rgb_to_hsv(images, "channels_last")


@function("tf.image.hsv_to_rgb")
def tf_hsv_to_rgb(images: Any) -> Any:
    return hsv_to_rgb(images, "channels_last")


# Filters.
def _gauss(size: int, sigma: Any) -> Any:
    if isinstance(sigma, Tensor):
        raise _Resize().unsupported("a sigma that the model computes", "give sigma as a number")
    places = numpy.arange(size) - (size - 1) / 2
    weights = numpy.exp(-0.5 * (places / float(as_plain(sigma))) ** 2)
    return weights / weights.sum()


def _filtered(images: Any, kernel: Any, data_format: Any, padding: str = "same") -> Any:
    """Each channel convolved with one kernel (rows, columns)."""
    channels = images.shape[1 if channels_first(data_format) else -1]
    weights = numpy.tile(kernel[:, :, None, None], (1, 1, channels, 1)).astype("float32")
    return depthwise_conv(images, weights, 1, padding, data_format)


@function("keras.ops.image.gaussian_blur")
def gaussian_blur(
    images: Any, kernel_size: Any = (3, 3), sigma: Any = (1.0, 1.0), data_format: Any = None
) -> Any:
    images, single = _batched(images, data_format)
    sigma = as_plain(sigma)
    # Keras names the sizes (x, y), and lays the first one along the columns.
    kernel = numpy.outer(
        _gauss(int(kernel_size[1]), sigma[1]), _gauss(int(kernel_size[0]), sigma[0])
    )
    made = _filtered(
        images, kernel, "channels_first" if data_format != "channels_last" else data_format
    )
    return ops.squeeze(made, 0) if single else made


_SOBEL = numpy.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], "float32")


@function("keras.ops.image.sobel_edges")
def sobel_edges(images: Any, data_format: Any = None) -> Any:
    """The gradients along rows and columns, in a new last axis."""
    images = as_operand(images)
    given = "channels_first" if data_format == "channels_first" else "channels_last"
    return ops.stack([_filtered(images, _SOBEL.T, given), _filtered(images, _SOBEL, given)], -1)


@function("keras.ops.image.ssim")
def ssim(
    image1: Any, image2: Any, max_val: Any = 1.0, filter_size: int = 11, filter_sigma: float = 1.5, k1: float = 0.01,
    k2: float = 0.03, data_format: Any = None,
) -> Any:  # fmt: skip
    """Structural similarity, one number an image."""
    image1, single = _batched(image1, data_format)
    image2, _ = _batched(image2, data_format)
    weights = _gauss(filter_size, filter_sigma)
    kernel = numpy.outer(weights, weights)

    def blurred(x: Any) -> Any:
        return _filtered(x, kernel, data_format, "valid")

    first, second = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    mean1, mean2 = blurred(image1), blurred(image2)
    variance1 = blurred(image1 * image1) - mean1 * mean1
    variance2 = blurred(image2 * image2) - mean2 * mean2
    covariance = blurred(image1 * image2) - mean1 * mean2
    above = (2.0 * mean1 * mean2 + first) * (2.0 * covariance + second)
    below = (mean1 * mean1 + mean2 * mean2 + first) * (variance1 + variance2 + second)
    made = ops.mean(above / below, axis=(1, 2, 3))
    return ops.squeeze(made, 0) if single else made


# Geometry.
class _Transformed(_Images):
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
        raise _Resize().unsupported(
            f"interpolation={interpolation!r}", 'use "nearest" or "bilinear"'
        )
    return int(interpolation == "bilinear")


@function("keras.ops.image.affine_transform")
def affine_transform(
    images: Any, transform: Any, interpolation: str = "bilinear", fill_mode: str = "constant", fill_value: float = 0,
    data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = _batched(images, data_format)
    transform = as_operand(transform)
    transform = ops.expand_dims(transform, 0) if len(transform.shape) == 1 else transform
    arguments = (_order(interpolation), fill_mode, float(fill_value))
    made = _Transformed(data_format).record(images, transform, None, "affine_transform", arguments)
    return ops.squeeze(made, 0) if single else made


@function("keras.ops.image.perspective_transform")
def perspective_transform(
    images: Any, start_points: Any, end_points: Any, interpolation: str = "bilinear", fill_value: float = 0,
    data_format: Any = None,
) -> Any:  # fmt: skip
    images, single = _batched(images, data_format)
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
        given = {"mode": mode} if mode != "constant" else {}
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


@function("keras.ops.image.map_coordinates")
def map_coordinates(
    inputs: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    return _map_coordinates.record(inputs, coordinates, int(order), fill_mode, float(fill_value))


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


# What is left of tf.image.
@function("tf.image.flip_left_right(image=images)")
def flip_left_right(images: Any) -> Any:
    return ops.flip(images, -2)


@function("tf.image.flip_up_down(image=images)")
def flip_up_down(images: Any) -> Any:
    return ops.flip(images, -3)


@function("tf.image.per_image_standardization(image=images)")
def per_image_standardization(images: Any) -> Any:
    images = ops.cast(images, "float32")
    axes = (-3, -2, -1)
    height, width, channels = images.shape[-3:]
    least = float((height * width * channels) ** -0.5)
    deviation = ops.maximum(ops.std(images, axes, keepdims=True), least)
    return (images - ops.mean(images, axes, keepdims=True)) / deviation


@function("tf.image.psnr(a=x, b=y)")
def tf_psnr(x: Any, y: Any, max_val: Any) -> Any:
    """One number an image."""
    error = ops.mean(ops.square(ops.subtract(x, y)), axis=(-3, -2, -1))
    return 20 * ops.log10(float(as_plain(max_val))) - 10 * ops.log10(error)


@function("tf.image.total_variation")
def total_variation(images: Any) -> Any:
    images = as_operand(images)
    rows = ops.abs(images[..., 1:, :, :] - images[..., :-1, :, :])
    columns = ops.abs(images[..., :, 1:, :] - images[..., :, :-1, :])
    axes = (-3, -2, -1)
    return ops.sum(rows, axes) + ops.sum(columns, axes)


@function("tf.image.adjust_brightness(image=images)")
def adjust_brightness(images: Any, delta: Any) -> Any:
    return ops.add(images, delta)


@function("tf.image.adjust_contrast")
def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    images = as_operand(images)
    mean = ops.mean(images, (-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean
