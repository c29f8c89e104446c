"""Image layers: Resizing, CenterCrop, and the random transformations of geometry.

Sources: keras/src/layers/preprocessing/image_preprocessing/*.py of Keras 3.15. The torch of the random ones
is in helpers/augment.py.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.constructors import Name
from keras2torch.graph import Spec
from keras2torch.layers.base import Layer


class _ImageLayer(Layer):
    """Images in batches, floating point in torch whatever their dtype in Keras."""

    layout = "spatial"
    training_default = True  # in Keras's call(), and so in the nodes of saved models
    base_arguments = {
        **Layer.base_arguments,
        "data_format": None,
        "bounding_box_format": None,
        "factor": None,
    }

    def _set_base(self, given: dict[str, Any]) -> None:
        super()._set_base(given)
        if "data_format" not in self.fields:
            self.given_data_format = given.get("data_format")

    @property
    def channels_first(self) -> bool:
        given = self.data_format if "data_format" in self.fields else self.given_data_format
        return (given or config.image_data_format) == "channels_first"

    def output_spec(self, inputs: Any) -> Spec:
        if len(inputs.shape) != 4:
            raise self.unsupported(
                f"an input of {len(inputs.shape)} axes: Keras would take the batch for one image",
                "give the images four axes, with one for the channels",
            )
        return Spec(inputs.shape, "float32")

    def resized(self, inputs: Any, height: Any, width: Any) -> Spec:
        """The Spec of images in another size."""
        batch, *rest = _ImageLayer.output_spec(self, inputs).shape
        size = (int(height), int(width))
        return Spec(
            (batch, rest[0], *size) if self.channels_first else (batch, *size, rest[-1]), "float32"
        )


def bounds(factor: Any, low: float = -1.0) -> tuple[Any, Any]:
    """The range that a Keras ``factor`` means: two numbers in order, or from -f (not below ``low``) to f."""
    if isinstance(factor, (list, tuple)):
        first, second = sorted(factor)
        return first, second
    factor = abs(factor)
    return max(-factor, low), factor


class Resizing(_ImageLayer):
    """Images in another size."""

    height: int
    width: int
    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float = 0.0
    antialias: bool = False
    data_format: Any = None

    ignored = ("fill_mode", "fill_value")  # there is one mode; the value matters for padding only

    def output_spec(self, inputs: Any) -> Spec:
        return self.resized(inputs, self.height, self.width)

    def lower(self, b: Any, inputs: Any) -> Any:
        size = (int(self.height), int(self.width))
        x = b.floating(inputs)
        if self.crop_to_aspect_ratio:
            x = crop_to_aspect_ratio(b, x, size)
        elif self.pad_to_aspect_ratio:
            x = self._padded(b, x, size)
        shape = (*x.shape[:2], *size)
        mode, antialias = str(self.interpolation).lower(), bool(self.antialias)
        if tuple(x.shape[2:]) != size:
            x = self._interpolated(b, x, size, shape, mode, antialias)
        if x is not inputs and not inputs.dtype.startswith(("float", "bfloat")):
            low, high = (0, 255) if inputs.dtype == "uint8" else (None, None)
            x = b.method("round", x)
            x = x if high is None else b.method("clamp", x, low, high)
        return x

    def _padded(self, b: Any, x: Any, size: tuple[int, int]) -> Any:
        value = float(self.fill_value)
        if None in x.shape[2:]:
            extra = (value,) if value else ()
            return b.function(
                "pad_to_aspect_ratio", x, *size, *extra, shape=(*x.shape[:2], None, None)
            )
        (height, width), (rows, columns) = size, x.shape[2:]
        top = int((max(rows, int(float(columns * height) / width)) - rows) / 2)
        left = int((max(columns, int(float(rows * width) / height)) - columns) / 2)
        pads = ((top, top), (0, 0)) if top > 0 else ((0, 0), (left, left))
        return b.pad(x, pads, value) if top > 0 or left > 0 else x

    def _interpolated(
        self, b: Any, x: Any, size: tuple[int, int], shape: Any, mode: str, antialias: bool
    ) -> Any:
        target = size[0] if size[0] == size[1] else size
        extra = {"antialias": True} if antialias else {}
        if mode == "nearest":
            return b.function("F.interpolate", x, target, mode="nearest-exact", shape=shape)
        if mode == "bilinear":
            return b.function("F.interpolate", x, target, mode="bilinear", **extra, shape=shape)
        kernel = {"bicubic": "cubic", "lanczos3": "lanczos3", "lanczos5": "lanczos5"}.get(mode)
        if kernel is None:
            raise self.unsupported(f"interpolation={mode!r} is not Keras's")
        return b.function("resize", x, size, Name(kernel), **extra, shape=shape)


def crop_to_aspect_ratio(b: Any, x: Any, size: tuple[int, int]) -> Any:
    """The largest window in the middle with the shape of ``size``: a slice, or at run time by a helper."""
    if None in x.shape[2:]:
        return b.function("crop_to_aspect_ratio", x, *size, shape=(*x.shape[:2], None, None))
    (height, width), (rows, columns) = size, x.shape[2:]
    crop_h = max(min(rows, int(float(columns * height) / width)), 1)
    crop_w = max(min(columns, int(float(rows * width) / height)), 1)
    return window(b, x, int((rows - crop_h) / 2), int((columns - crop_w) / 2), crop_h, crop_w)


def window(b: Any, x: Any, top: int, left: int, height: int, width: int) -> Any:
    """``x[:, :, top:..., left:...]``, if it is not all of ``x``."""
    if (height, width) == tuple(x.shape[2:]):
        return x
    parts = [
        slice(start or None, start + length if start + length < full else None)
        for start, length, full in ((top, height, x.shape[2]), (left, width, x.shape[3]))
    ]
    return b.index(
        x, (slice(None), slice(None), *parts), shape=(*x.shape[:2], height, width), axes=x.axes
    )


class CenterCrop(_ImageLayer):
    """The middle of the images; resized where they are too small."""

    height: int
    width: int
    data_format: Any = None

    def output_spec(self, inputs: Any) -> Spec:
        return self.resized(inputs, self.height, self.width)

    def lower(self, b: Any, inputs: Any) -> Any:
        height, width = size = (int(self.height), int(self.width))
        x = b.floating(inputs)
        shape = (*x.shape[:2], *size)
        if None in x.shape[2:]:
            return b.function("center_crop", x, height, width, shape=shape)
        rows, columns = x.shape[2:]
        if rows >= height and columns >= width:
            return window(b, x, (rows - height) // 2, (columns - width) // 2, height, width)
        x = crop_to_aspect_ratio(b, x, size)
        return b.function("F.interpolate", x, size, mode="bilinear", shape=shape)


class _Augmentation(_ImageLayer):
    """A random transformation: a helper module of the layer's own name, at work in train mode only."""

    ignored = ("seed",)
    old_names = {"rng_type": None, "force_generator": None}  # of Keras 2: what draws the numbers

    def arguments(self) -> dict[str, Any]:
        """What the helper module's constructor is given."""
        raise NotImplementedError

    def lower(self, b: Any, inputs: Any) -> Any:
        x = b.floating(inputs)
        arguments = self.arguments()
        if b.training is False:
            return x
        if b.training:
            raise self.unsupported(
                "training=True at the call", "leave it out: the module's mode decides"
            )
        return b.call(b.submodule(type(self).__name__, **arguments), x)

    def sampling(self, **usual: Any) -> dict[str, Any]:
        """How pixels between pixels and outside are found, where it is not as usual."""
        usual = {"interpolation": "bilinear", "fill_mode": "reflect", "fill_value": 0.0, **usual}
        given = {name: getattr(self, name, usual[name]) for name in usual}
        if given["fill_mode"] != "constant":
            given["fill_value"] = 0.0
        return {name: value for name, value in given.items() if value != usual[name]}


class RandomFlip(_Augmentation):
    """Mirrors half of the images."""

    mode: str = "horizontal_and_vertical"
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        return {"mode": self.mode}


class RandomRotation(_Augmentation):
    """Rotates by a random angle."""

    factor: Any
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: Any = None
    old_names = {"value_range": None}  # in the configs of Keras 3.0 to 3.5, without effect

    def arguments(self) -> dict[str, Any]:
        return {"factor": bounds(self.factor), **self.sampling()}


class RandomZoom(_Augmentation):
    """Zooms by a random factor."""

    height_factor: Any
    width_factor: Any = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        width = {} if self.width_factor is None else {"width_factor": bounds(self.width_factor)}
        return {"height_factor": bounds(self.height_factor), **width, **self.sampling()}


class RandomTranslation(_Augmentation):
    """Moves by a random distance."""

    height_factor: Any
    width_factor: Any
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: Any = None
    fill_value: float = 0.0
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        factors = {
            "height_factor": bounds(self.height_factor),
            "width_factor": bounds(self.width_factor),
        }
        return {**factors, **self.sampling()}


class RandomShear(_Augmentation):
    """Shears by a random amount."""

    x_factor: Any = 0.0
    y_factor: Any = 0.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    data_format: Any = None
    seed: Any = None

    def arguments(self) -> dict[str, Any]:
        return {
            "x_factor": bounds(self.x_factor),
            "y_factor": bounds(self.y_factor),
            **self.sampling(),
        }


class RandomPerspective(_Augmentation):
    """Moves the corners at random."""

    factor: Any = 1.0
    scale: float = 1.0
    interpolation: str = "bilinear"
    fill_value: float = 0.0
    seed: Any = None
    data_format: Any = None
    fill_mode = "constant"

    def arguments(self) -> dict[str, Any]:
        return {"factor": bounds(self.factor, 0.0), "scale": float(self.scale), **self.sampling()}


class RandomElasticTransform(_Augmentation):
    """Distorts the images by a smooth random field."""

    factor: Any = 1.0
    scale: Any = 1.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    value_range: Any = (0, 255)
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        factors = {"factor": bounds(self.factor, 0.0), "scale": bounds(self.scale, 0.0)}
        return {**factors, "value_range": tuple(self.value_range), **self.sampling()}


class RandomCrop(_ImageLayer):
    """Where the images have the target size already, nothing; else refused."""

    height: int
    width: int
    seed: Any = None
    data_format: Any = None
    ignored = ("seed",)

    def lower(self, b: Any, inputs: Any) -> Any:
        if tuple(inputs.shape[2:]) != (int(self.height), int(self.width)):
            raise self.unsupported(
                "Keras 3 crops in training only, and passes whole images of another size on in inference",
                "crop in the data pipeline, and use CenterCrop or Resizing in the model",
            )
        return b.floating(inputs)


class RandomErasing(_Augmentation):
    """Fills a random box."""

    factor: Any = 1.0
    scale: Any = (0.02, 0.33)
    fill_value: Any = None
    value_range: Any = (0, 255)
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        fill = self.fill_value
        fill = tuple(map(float, fill)) if isinstance(fill, (list, tuple)) else fill
        factors = {"factor": bounds(self.factor, 0.0), "scale": bounds(self.scale, 0.0)}
        return {**factors, "fill_value": fill, "value_range": tuple(self.value_range)}


class CutMix(_Augmentation):
    """Puts boxes of other images into each image."""

    factor: Any = 1.0
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        return {"factor": bounds(self.factor, 0.0)}


class MixUp(_Augmentation):
    """Mixes each image with another one."""

    alpha: float = 0.2
    data_format: Any = None
    seed: Any = None

    def arguments(self) -> dict[str, Any]:
        return {"alpha": float(self.alpha)}


class MaxNumBoundingBoxes(_ImageLayer):
    """Changes bounding boxes only: images pass as they are."""

    max_number: int
    fill_value: int = -1
    ignored = ("max_number", "fill_value")

    def lower(self, b: Any, inputs: Any) -> Any:
        return b.floating(inputs)
