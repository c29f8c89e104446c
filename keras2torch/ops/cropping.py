"""Crops and pads of images, and what the functions on images share."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import Shape
from keras2torch.ops.base import Op, as_operand, function, ops
from keras2torch.ops.convolution import channels_first


class ImageOp(Op):
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


def refused(what: str, fix: str | None = None) -> UnsupportedError:
    """The error to raise where an image function has no exact translation."""
    return UnsupportedError(f"keras.ops.image: {what}", where=trace.user_location(), fix=fix)


def batched(images: Any, data_format: Any) -> tuple[Any, bool]:
    """Images with a batch axis, and whether it had to be added."""
    images = as_operand(images)
    single = len(images.shape) == 3
    return (ops.expand_dims(images, 0) if single else images), single


def sizes_of(images: Any, data_format: Any) -> tuple[int | None, int | None]:
    shape = images.shape
    return (shape[-2], shape[-1]) if channels_first(data_format) else (shape[-3], shape[-2])


def known_sizes(images: Any, data_format: Any, what: str) -> tuple[int, int]:
    height, width = sizes_of(images, data_format)
    if height is None or width is None:
        raise refused(f"{what} of images of unknown size", "give the Input a full shape")
    return height, width


# Crops and pads.
def padded(
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
        height, width = known_sizes(images, data_format, "padding to a size")
        if top_padding is None:
            top_padding = target_height - bottom_padding - height
        if bottom_padding is None:
            bottom_padding = target_height - top_padding - height
        if left_padding is None:
            left_padding = target_width - right_padding - width
        if right_padding is None:
            right_padding = target_width - left_padding - width
    return padded(images, top_padding, left_padding, bottom_padding, right_padding, data_format)


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
    height, width = sizes_of(images, data_format)
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
    height, width = known_sizes(image, "channels_last", "a crop or pad")
    top, left = max(0, (height - target_height) // 2), max(0, (width - target_width) // 2)
    inner = min(height, target_height), min(width, target_width)
    image = crop_images(image, top, left, None, None, *inner, data_format="channels_last")
    edges = max(0, (target_height - height) // 2), max(0, (target_width - width) // 2)
    return pad_images(
        image, *edges, None, None, target_height, target_width, data_format="channels_last"
    )
