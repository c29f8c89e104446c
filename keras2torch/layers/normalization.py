"""BatchNormalization and LayerNormalization: keras/src/layers/normalization/ of Keras 3.15."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Shape
from keras2torch.layers.base import Layer
from keras2torch.layers.core import product
from keras2torch.module import Mapping


def tracked() -> Mapping:
    """torch's count of batches, which Keras does not keep."""
    return Mapping((), lambda: numpy.zeros((), "int64"), (), False)


class BatchNormalization(Layer):
    """Normalises over all axes but ``axis``, by the batch in train mode, by running averages in inference."""

    axis: Any = -1
    momentum: float = 0.99
    epsilon: float = 0.001
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    moving_mean_initializer: Any = "zeros"
    moving_variance_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None
    renorm: bool = False
    renorm_clipping: Any = None
    renorm_momentum: float = 0.99
    synchronized: bool = False

    old_names = {
        "mode": None,
        "beta_init": "beta_initializer",
        "gamma_init": "gamma_initializer",
        "running_mean_initializer": "moving_mean_initializer",
        "running_variance_initializer": "moving_variance_initializer",
        "fused": None,
        "virtual_batch_size": None,
        "adjustment": None,
    }
    ignored = ("renorm_clipping", "renorm_momentum")
    supports_masking = True

    def _axis(self, rank: int) -> int:
        axis = self.axis[0] if isinstance(self.axis, (list, tuple)) else self.axis
        return int(axis) % rank

    def build(self, input_shape: Shape) -> None:
        size = (input_shape[self._axis(len(input_shape))],)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=size,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=size,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=size,
            initializer=self.moving_mean_initializer,
            trainable=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=size,
            initializer=self.moving_variance_initializer,
            trainable=False,
        )
        self._rank = len(input_shape)

    @property
    def layout(self) -> str:  # type: ignore[override]
        """torch normalises dimension 1: images are wanted channels first."""
        return "spatial" if 3 <= self._rank <= 5 else "last"

    @property
    def channels_first(self) -> bool:
        """Whether Keras's axis 1 is the one to be normalised."""
        return self._axis(self._rank) == 1

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        if mask is not None and b.training is not False and self.trainable:
            raise self.unsupported(
                "a mask weights the batch statistics, which torch's batch normalisation cannot",
                "put the layer before the mask, or use LayerNormalization",
            )
        if self.renorm:
            raise self.unsupported("renorm has no equal in torch", "set renorm=False")
        if self.synchronized:
            raise self.unsupported(
                "synchronized=True", "set it to False; convert the module by nn.SyncBatchNorm"
            )
        rank = self._rank
        axis = self._axis(rank)
        if rank > 5 or (rank > 2 and axis not in (1, rank - 1)) or (rank == 2 and axis != 1):
            raise self.unsupported(f"axis={self.axis} of {rank} axes", "normalise the channel axis")
        size = self.moving_mean.shape[0]
        weights = {}
        affine = self.gamma is not None or self.beta is not None
        if affine:
            weights["weight"] = (
                b.same(self.gamma) if self.gamma is not None else _fixed((size,), 1, "scale=False")
            )
            weights["bias"] = (
                b.same(self.beta) if self.beta is not None else _fixed((size,), 0, "center=False")
            )
        weights["running_mean"] = b.same(self.moving_mean)
        weights["running_var"] = b.same(self.moving_variance)
        weights["num_batches_tracked"] = tracked()
        norm = b.submodule(
            f"nn.BatchNorm{max(1, rank - 2)}d",
            weights=weights,
            num_features=size,
            eps=float(self.epsilon),
            momentum=_complement(float(self.momentum)),
            affine=affine,
        )
        # Keras runs a frozen batch normalisation in inference mode.
        norm.eval_mode = not self.trainable or b.training is False
        return b.call(norm, inputs, shape=inputs.shape, axes=inputs.axes)


def _fixed(shape: tuple[int, ...], value: float, reason: str) -> Mapping:
    """A tensor that torch has and Keras has not: constant, and not trained."""
    return Mapping((), lambda: numpy.full(shape, value, "float32"), shape, False, fixed=reason)


def _complement(momentum: float) -> float:
    """torch counts the share of the new batch: 1 - 0.99 is 0.01, not 0.010000000000000009."""
    return float(f"{1 - momentum:.12g}")


class LayerNormalization(Layer):
    """Normalises each sample over ``axis`` (one or several)."""

    axis: Any = -1
    epsilon: float = 0.001
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    old_names = {"rms_scaling": None}
    supports_masking = True

    def _axes(self, rank: int) -> tuple[int, ...]:
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        return tuple(sorted(int(axis) % rank for axis in axes))

    def build(self, input_shape: Shape) -> None:
        shape = tuple(input_shape[axis] for axis in self._axes(len(input_shape)))
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )

    def lower(self, b: Any, inputs: Any) -> Any:
        rank = len(inputs.shape)
        axes = self._axes(rank)
        order = (*(a for a in range(rank) if a not in axes), *axes)
        x = b.permute(inputs, order)
        sizes = tuple(inputs.shape[a] for a in axes)
        if product(sizes) is None:
            raise self.unsupported(
                "an axis that it normalises has no known size", "give the Input a full shape"
            )
        weights = {}
        affine = self.gamma is not None or self.beta is not None
        if self.gamma is not None:
            weights["weight"] = b.same(self.gamma)
        elif affine:
            weights["weight"] = _fixed(sizes, 1, "scale=False")
        if self.beta is not None:
            weights["bias"] = b.same(self.beta)
        norm = b.submodule(
            "nn.LayerNorm",
            weights=weights,
            normalized_shape=sizes[0] if len(sizes) == 1 else sizes,
            eps=float(self.epsilon),
            elementwise_affine=affine,
            bias=self.beta is not None or not affine,
        )
        y = b.call(norm, x, shape=x.shape, axes=x.axes)
        return b.permute(y, tuple(order.index(a) for a in range(rank)))
