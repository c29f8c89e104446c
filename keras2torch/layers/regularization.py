"""Layers that act in train mode only: spatial dropout, noise, activity regularisation."""

from __future__ import annotations

from typing import Any

from keras2torch.layers.base import Layer


class _SpatialDropout(Layer):
    """Drops whole channels."""

    rank = 2
    ignored = ("seed",)
    supports_masking = True
    layout = "spatial"
    old_names = {"p": "rate", "dim_ordering": "data_format"}

    @property
    def channels_first(self) -> bool:
        from keras2torch.layers.conv import data_format

        return self.rank > 1 and data_format(self) == "channels_first"

    def lower(self, b: Any, inputs: Any) -> Any:
        rate = float(self.rate)
        if len(inputs.shape) != self.rank + 2:
            raise self.unsupported(f"an input of {len(inputs.shape)} axes")
        if b.training is False or not rate:
            return inputs
        if b.training:
            return b.function(f"F.dropout{self.rank}d", inputs, rate)
        return b.call(b.submodule(f"nn.Dropout{self.rank}d", p=rate), inputs)


class SpatialDropout1D(_SpatialDropout):
    """Drops whole channels of sequences (N, T, C)."""

    rate: float
    seed: Any = None

    rank = 1


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images."""

    rate: float
    data_format: Any = None
    seed: Any = None


class SpatialDropout3D(_SpatialDropout):
    """Drops whole channels of volumes."""

    rate: float
    data_format: Any = None
    seed: Any = None

    rank = 3


class _Noise(Layer):
    ignored = ("seed",)
    supports_masking = True
    layout = "any"
    takes_flat = True

    def noise(self, b: Any, inputs: Any, **amount: float) -> Any:
        """A helper module of the layer's own name; nothing in inference mode."""
        if b.training is False or not all(amount.values()):
            return inputs
        if b.training:
            amount["always"] = True
        return b.call(b.submodule(type(self).__name__, **amount), inputs)


class GaussianNoise(_Noise):
    """Adds normal noise of a standard deviation."""

    stddev: float
    seed: Any = None

    old_names = {"sigma": "stddev"}

    def lower(self, b: Any, inputs: Any) -> Any:
        return self.noise(b, inputs, std=float(self.stddev))


class GaussianDropout(_Noise):
    """Multiplies by normal noise around 1, with the variance rate / (1 - rate)."""

    rate: float
    seed: Any = None

    old_names = {"p": "rate"}

    def lower(self, b: Any, inputs: Any) -> Any:
        return self.noise(b, inputs, p=float(self.rate))


class AlphaDropout(Layer):
    """Dropout that keeps the mean and variance of SELU networks."""

    rate: float
    noise_shape: Any = None
    seed: Any = None

    ignored = ("seed",)
    supports_masking = True
    layout = "any"
    takes_flat = True

    def lower(self, b: Any, inputs: Any) -> Any:
        if b.training is False or not self.rate:
            return inputs
        if self.noise_shape is not None:
            raise self.unsupported("noise_shape has no equal in torch", "leave noise_shape out")
        if b.training:
            return b.function("F.alpha_dropout", inputs, float(self.rate), training=True)
        return b.call(b.submodule("nn.AlphaDropout", p=float(self.rate)), inputs)


class ActivityRegularization(Layer):
    """The identity; adds a penalty on its input to the loss."""

    l1: float = 0.0
    l2: float = 0.0

    supports_masking = True
    layout = "any"
    takes_flat = True

    def __init__(self, *args: Any, **kwargs: Any):
        from keras2torch.regularizers import REGISTRY

        super().__init__(*args, **kwargs)
        if self.l1 or self.l2:
            self.activity_regularizer = REGISTRY["L1L2"](l1=float(self.l1), l2=float(self.l2))

    def lower(self, b: Any, inputs: Any) -> Any:
        return inputs
