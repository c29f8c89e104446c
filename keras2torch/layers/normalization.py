"""Batch and layer normalisation.

Keras's moving variance follows the batch's own variance, torch's running variance the unbiased one, which is
n / (n - 1) times as large for n values in a channel of the batch. Outputs and gradients are equal.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.errors import ShapeError
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer
from keras2torch.module import Mapping

_KERAS1_NAMES = {
    "gamma_init": "gamma_initializer",
    "beta_init": "beta_initializer",
}


def floats(layer: Layer, inputs: Any) -> Any:
    """The inputs of a normalisation, which Keras cuts off to whole numbers where they were such.

    Raises UnsupportedError for integers.
    """
    if not inputs.dtype.startswith(("float", "bfloat")):
        raise layer.unsupported(
            "Keras cuts what it makes of integers off to integers", "give it floats: cast its input"
        )
    return inputs


class _Normalization(Layer):
    """A scale (gamma) and an offset (beta) around a normalisation over some axes."""

    supports_masking = True
    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        dtype = inputs.dtype
        return Spec(inputs.shape, dtype if dtype.startswith(("float", "bfloat")) else "float32")

    def add_scale_and_offset(self, shape: Shape) -> None:
        self.gamma = self._add("gamma", shape) if self.scale else None
        self.beta = self._add("beta", shape) if self.center else None

    def _add(self, name: str, shape: Shape) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{name}_initializer"),
            regularizer=getattr(self, f"{name}_regularizer"),
            constraint=getattr(self, f"{name}_constraint"),
        )

    def affine(self, b: Any, order: Any = None) -> dict[str, Mapping]:
        """``weight`` and ``bias`` of the torch module; what Keras does not have stays at 1 or 0."""

        def arranged(array: Any) -> Any:
            return array if order is None else array[order]

        known: Any = self.gamma if self.gamma is not None else self.beta
        shape = known.shape
        ones = Mapping((), lambda: numpy.ones(shape, "float32"), shape, False, "Keras: scale=False")
        zeros = Mapping(
            (), lambda: numpy.zeros(shape, "float32"), shape, False, "Keras: center=False"
        )
        return {
            "weight": ones if self.gamma is None else b.mapping(arranged, self.gamma),
            "bias": zeros if self.beta is None else b.mapping(arranged, self.beta),
        }


class BatchNormalization(_Normalization):
    """Each channel to mean 0 and variance 1: of the batch in train mode, of moving averages else."""

    inner_methods = ("_moments", "_calculate_mean_and_var")

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
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

    ignored = ("renorm_clipping", "renorm_momentum", "synchronized")
    old_names = {**_KERAS1_NAMES, "fused": None, "virtual_batch_size": None, "adjustment": None}
    takes_flat = True

    def __init__(self, *args: Any, mode: int = 0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if mode not in (0, 2):  # Keras 1's mode 1 normalises each sample
            raise self.unsupported(f"mode={mode} of Keras 1", "use mode=0, or LayerNormalization")
        self._always_by_batch = mode == 2
        if self.renorm:
            raise self.unsupported("renorm=True has no equal in torch", "set renorm=False")
        if isinstance(self.axis, (list, tuple)):
            if len(self.axis) != 1:
                raise self.unsupported(f"axis={self.axis!r} has several axes", "give one axis")
            self.axis = self.axis[0]

    def build(self, input_shape: Shape) -> None:
        shape = (input_shape[int(self.axis)],)
        self.add_scale_and_offset(shape)
        for name in ("moving_mean", "moving_variance"):
            weight = self.add_weight(
                name=name,
                shape=shape,
                initializer=getattr(self, f"{name}_initializer"),
                trainable=False,
            )
            setattr(self, name, weight)

    def output_spec(self, inputs: Any) -> Spec:
        if inputs.shape[int(self.axis)] != self.moving_mean.shape[0]:
            raise ValueError(f"axis {self.axis} should be of size {self.moving_mean.shape[0]}")
        return super().output_spec(inputs)

    def lower(self, b: Any, inputs: Any, mask: Any = None) -> Any:
        x = b.floating(inputs)
        rank = len(x.axes)
        if rank < 2 or rank > 5:
            raise self.unsupported(f"torch normalises tensors of 2 to 5 axes, not {rank}")
        if x.dim(int(self.axis)) != 1:
            axis = int(self.axis) % rank
            axes = (0, axis, *(a for a in range(1, rank) if a != axis))
            x = b.permute(x, tuple(x.axes.index(a) for a in axes), axes=axes)
        training = self.mode(b)
        if mask is None or training is False:
            return b.call(self.module(b, x, training), x)
        if rank != 3 or training is True or x.axes != (0, 2, 1):
            raise self.unsupported(
                "the statistics of this masked batch have no translation",
                "normalise before the mask is made",
            )
        return b.call(self.module(b, x, training, "MaskedBatchNorm1d"), x, mask)

    def mode(self, b: Any) -> bool | None:
        """Whether the batch's statistics are used: always, never, or (None) in train mode."""
        if self._always_by_batch:
            return True
        if not self.trainable:
            return False
        modes = {call.training for call in b.graph.calls if call.operation is self}
        if len(modes) > 1:
            raise self.unsupported(
                "the layer is called with more than one value of `training`",
                "give all its calls the same",
            )
        return modes.pop()

    def module(self, b: Any, x: Any, training: bool | None, cls: str | None = None) -> Any:
        """``nn.BatchNormNd``; it keeps to its own statistics or the batch's where Keras does."""
        order = None
        if x.flat is not None:  # a flattened image: its features in torch's order
            sizes, permutation = x.flat
            order = numpy.arange(x.shape[1]).reshape(sizes).transpose(permutation).reshape(-1)
        affine = self.gamma is not None or self.beta is not None
        weights = self.affine(b, order) if affine else {}
        if training is not True:
            weights |= self.statistics(b, order)
        options: dict[str, Any] = {} if affine else {"affine": False}
        sub = b.submodule(
            cls or f"nn.BatchNorm{max(1, len(x.shape) - 2)}d",
            weights=weights,
            num_features=x.shape[1],
            eps=float(self.epsilon),
            momentum=round(1 - float(self.momentum), 12),
            **options,
            **({"track_running_stats": False} if training else {}),
        )
        sub.eval_mode = training is False
        return sub

    def statistics(self, b: Any, order: Any) -> dict[str, Mapping]:
        """The buffers of ``nn.BatchNormNd``."""

        def arranged(array: Any) -> Any:
            return array if order is None else array[order]

        return {
            "running_mean": b.mapping(arranged, self.moving_mean),
            "running_var": b.mapping(arranged, self.moving_variance),
            "num_batches_tracked": Mapping((), lambda: numpy.array(0, "int64"), (), False),
        }


class LayerNormalization(_Normalization):
    """Each sample to mean 0 and variance 1 over one axis or several."""

    axis: Any = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    def __init__(self, *args: Any, rms_scaling: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if rms_scaling:
            raise self.unsupported("rms_scaling=True is deprecated", "use RMSNormalization")

    def normalised(self, rank: int) -> tuple[int, ...]:
        given = self.axis if isinstance(self.axis, (list, tuple)) else (self.axis,)
        if not all(-rank <= int(axis) < rank for axis in given):
            raise ShapeError(
                f"LayerNormalization {self.name!r}: axis {self.axis} of an input of {rank} dimensions",
                where=self.where,
            )
        return tuple(sorted(int(axis) % rank for axis in given))

    def build(self, input_shape: Shape) -> None:
        axes = self.normalised(len(input_shape))
        self._shape = tuple(input_shape[axis] for axis in axes)
        if None in self._shape:
            raise ShapeError(
                f"LayerNormalization {self.name!r}: the size of axis {self.axis} is not known",
                where=self.where,
                fix="give the Input a full shape on that axis",
            )
        self.add_scale_and_offset(self._shape)

    def lower(self, b: Any, inputs: Any) -> Any:
        x = floats(self, inputs)
        rank = len(x.axes)
        axes = self.normalised(rank)
        if 0 in axes:
            raise self.unsupported("normalising over the batch axis has no equal in torch")
        if x.axes[-len(axes) :] != axes:
            order = (*(a for a in range(rank) if a not in axes), *axes)
            x = b.permute(x, tuple(x.axes.index(a) for a in order), axes=order)
        affine = self.gamma is not None or self.beta is not None
        weights = self.affine(b) if affine else {}
        bias = self.beta is not None
        if not bias:
            weights.pop("bias", None)
        norm = b.submodule(
            "nn.LayerNorm",
            weights=weights,
            normalized_shape=self._shape[0] if len(axes) == 1 else self._shape,
            eps=float(self.epsilon),
            elementwise_affine=affine,
            **({} if bias or not affine else {"bias": False}),
        )
        return b.call(norm, x)
