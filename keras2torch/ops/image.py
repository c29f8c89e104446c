"""Functions on images: resizing, patches, colours, filters, geometry.

Formulas: keras/src/ops/image.py, keras/src/backend/jax/image.py of Keras 3.15 and jax.image.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch import config
from keras2torch.frontend import trace
from keras2torch.graph import Tensor
from keras2torch.layers.conv import output_size, pad_same
from keras2torch.layers.operation import pair
from keras2torch.ops.base import Spec, as_operand, as_plain, function, ops
from keras2torch.ops.convolution import channels_first, depthwise_conv
from keras2torch.ops.cropping import ImageOp, batched, refused
from keras2torch.ops.dtypes import is_float


# Patches.
class _Patches(ImageOp):
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


@function("keras.ops.image.extract_patches(image=images)")
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
        raise refused("a sigma that the model computes", "give sigma as a number")
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
    images, single = batched(images, data_format)
    if data_format is None:  # which Keras fills in on symbolic tensors only
        data_format = "channels_first" if trace.is_tracing() else config.image_data_format
    sigma = as_plain(sigma)
    # Keras names the sizes (x, y), and lays the first one along the columns.
    kernel = numpy.outer(
        _gauss(int(kernel_size[1]), sigma[1]), _gauss(int(kernel_size[0]), sigma[0])
    )
    made = _filtered(images, kernel, data_format)
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
    image1, single = batched(image1, data_format)
    image2, _ = batched(image2, data_format)
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
