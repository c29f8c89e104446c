"""Image layers that change colours. Their torch is in helpers/augment_color.py and augment_mix.py.

Sources: keras/src/layers/preprocessing/image_preprocessing/*.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

from keras2torch.layers.image import _Augmentation, _ImageLayer, bounds


class _Color(_Augmentation):
    """A change of colours by ``factor``, within ``value_range``."""

    lowest = 0.0
    """The least that a ``factor`` of one number can mean."""

    def arguments(self) -> dict[str, Any]:
        return {
            "factor": bounds(self.factor, self.lowest),
            "value_range": tuple(sorted(self.value_range)),
        }


class RandomBrightness(_Color):
    """Adds a random amount."""

    factor: Any
    value_range: Any = (0, 255)
    seed: Any = None
    lowest = -1.0

    def lower(self, b: Any, inputs: Any) -> Any:
        if not inputs.dtype.startswith(("float", "bfloat")):
            raise self.unsupported(
                "images of integers, on which Keras overflows", "put Rescaling in front of it"
            )
        return super().lower(b, inputs)


class RandomContrast(_Color):
    """Spreads the values by a random factor."""

    factor: Any
    value_range: Any = (0, 255)
    seed: Any = None


class RandomGrayscale(_Augmentation):
    """Takes the colours from some images."""

    factor: float = 0.5
    data_format: Any = None
    seed: Any = None

    def arguments(self) -> dict[str, Any]:
        return {"factor": float(self.factor)}


class RandomColorDegeneration(_Color):
    """Takes a random part of the colours."""

    factor: Any
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None
    lowest = -1.0


class RandomInvert(_Color):
    """Inverts some images."""

    factor: Any = 1.0
    value_range: Any = (0, 255)
    seed: Any = None
    data_format: Any = None


class Solarization(_Augmentation):
    """Adds a random amount, and inverts what is above a random threshold."""

    addition_factor: Any = 0.0
    threshold_factor: Any = 0.0
    value_range: Any = (0, 255)
    seed: Any = None

    def arguments(self) -> dict[str, Any]:
        return {
            "addition_factor": bounds(self.addition_factor, 0.0),
            "threshold_factor": bounds(self.threshold_factor, 0.0),
            "value_range": tuple(sorted(self.value_range)),
        }


class RandomPosterization(_Color):
    """Keeps a random number of bits."""

    factor: Any
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None
    lowest = 1


class RandomHue(_Color):
    """Turns the hue."""

    factor: Any
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None


class RandomSaturation(_Color):
    """Changes the saturation."""

    factor: Any
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None
    lowest = -1.0


class RandomSharpness(_Color):
    """Sharpens or smooths."""

    factor: Any
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None


class RandomGaussianBlur(_Augmentation):
    """Blurs some images."""

    factor: Any = 1.0
    kernel_size: Any = 3
    sigma: Any = 1.0
    value_range: Any = (0, 255)
    data_format: Any = None
    seed: Any = None

    def arguments(self) -> dict[str, Any]:
        size = self.kernel_size
        return {
            "factor": bounds(self.factor, 0.0),
            "kernel_size": tuple(size) if isinstance(size, (list, tuple)) else (size, size),
            "sigma": bounds(self.sigma, 0.0),
            "value_range": tuple(self.value_range),
        }


class RandomColorJitter(_Augmentation):
    """Brightness, contrast, saturation and hue, one behind the other."""

    value_range: Any = (0, 255)
    brightness_factor: Any = None
    contrast_factor: Any = None
    saturation_factor: Any = None
    hue_factor: Any = None
    seed: Any = None
    data_format: Any = None

    def lower(self, b: Any, inputs: Any) -> Any:
        x = b.floating(inputs)
        if b.training is False:
            return x
        if b.training:
            raise self.unsupported(
                "training=True at the call", "leave it out: the module's mode decides"
            )
        for name, layer in (
            ("brightness", RandomBrightness),
            ("contrast", RandomContrast),
            ("saturation", RandomSaturation),
            ("hue", RandomHue),
        ):
            factor = getattr(self, f"{name}_factor")
            if factor is not None:
                value_range = tuple(sorted(self.value_range))
                limits = bounds(factor, layer.lowest)
                module = b.submodule(layer.__name__, name, factor=limits, value_range=value_range)
                x = b.call(module, x)
        return x


class RandAugment(_Augmentation):
    """Random operations out of eleven."""

    value_range: Any = (0, 255)
    num_ops: int = 2
    factor: Any = 0.5
    interpolation: str = "bilinear"
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        return {
            "value_range": tuple(sorted(self.value_range)),
            "num_ops": int(self.num_ops),
            "factor": bounds(self.factor, 0.0),
            **({} if self.interpolation == "bilinear" else {"interpolation": self.interpolation}),
        }


class AugMix(_Augmentation):
    """Mixtures of chains of random operations."""

    value_range: Any = (0, 255)
    num_chains: int = 3
    chain_depth: int = 3
    factor: Any = 0.3
    alpha: float = 1.0
    all_ops: bool = True
    interpolation: str = "bilinear"
    seed: Any = None
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        return {
            "value_range": tuple(sorted(self.value_range)),
            "num_chains": int(self.num_chains),
            "chain_depth": int(self.chain_depth),
            "factor": bounds(self.factor, 0.0),
            "alpha": float(self.alpha),
            "all_ops": bool(self.all_ops),
            **({} if self.interpolation == "bilinear" else {"interpolation": self.interpolation}),
        }


class Equalization(_Augmentation):
    """Equalises the histograms, in training only."""

    value_range: Any = (0, 255)
    bins: int = 256
    data_format: Any = None

    def arguments(self) -> dict[str, Any]:
        bins = {} if int(self.bins) == 256 else {"bins": int(self.bins)}
        return {"value_range": tuple(sorted(self.value_range)), **bins}


class AutoContrast(_ImageLayer):
    """Stretches the values over the whole range, always."""

    value_range: Any = (0, 255)

    def lower(self, b: Any, inputs: Any) -> Any:
        # Keras takes axes 1 and 2 for the image's, in channels_first, too.
        dims = {"dims": (1, 2)} if self.channels_first else {}
        x = b.floating(inputs)
        return b.function(
            "auto_contrast", x, tuple(sorted(self.value_range)), **dims, shape=x.shape
        )


class ContrastLimitedAdaptiveHistogramEqualization(_ImageLayer):
    """Equalises the histograms of a grid of tiles, always."""

    value_range: Any = (0, 255)
    clip_limit: float = 4.0
    tile_grid_size: Any = (8, 8)
    data_format: Any = None

    def lower(self, b: Any, inputs: Any) -> Any:
        if not inputs.dtype.startswith(("float", "bfloat")):
            raise self.unsupported("images of integers", "put Rescaling(1.0) in front of it")
        grid = tuple(int(n) for n in self.tile_grid_size)
        limit = float(self.clip_limit)
        return b.function(
            "equalize_tiles", inputs, tuple(self.value_range), limit, grid, shape=inputs.shape
        )
