"""GroupNormalization, RMSNormalization, UnitNormalization, SpectralNormalization and Normalization.

Sources: keras/src/layers/normalization/*.py and preprocessing/normalization.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, is_absent
from keras2torch.frontend.recording import note
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer
from keras2torch.layers.normalization import _Normalization, floats
from keras2torch.layers.wrappers import Wrapper
from keras2torch.torch_signatures import signature_of


class GroupNormalization(_Normalization):
    """Normalises each group of channels of each sample."""

    groups: int = 32
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    beta_constraint: Any = None
    gamma_constraint: Any = None

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self.axis]
        self.count = channels if self.groups == -1 else int(self.groups)
        if channels is not None and self.count is not None and channels % self.count:
            raise ValueError(f"{channels} channels are not divisible into {self.count} groups")
        self.add_scale_and_offset((channels,))

    def lower(self, b: Any, inputs: Any) -> Any:
        rank = len(inputs.axes)
        axis = int(self.axis) % rank
        order = (0, axis, *(a for a in range(1, rank) if a != axis))
        x = b.permute(floats(self, inputs), tuple(inputs.axes.index(a) for a in order), axes=order)
        affine = self.gamma is not None or self.beta is not None
        norm = b.submodule(
            "nn.GroupNorm",
            weights=self.affine(b) if affine else {},
            num_groups=self.count,
            num_channels=x.shape[1],
            eps=float(self.epsilon),
            affine=affine,
        )
        return b.call(norm, x, shape=x.shape, axes=order)


class RMSNormalization(Layer):
    """Divides by the root of the mean square over some axes."""

    axis: Any = -1
    epsilon: float = 1e-6

    def build(self, input_shape: Shape) -> None:
        axes = sorted(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        self.scale = self.add_weight(
            name="scale", shape=tuple(input_shape[a] for a in axes), initializer="ones"
        )

    def lower(self, b: Any, inputs: Any) -> Any:
        inputs = floats(self, inputs)
        rank = len(inputs.shape)
        axes = sorted(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        kept = [a % rank for a in axes]
        if kept == list(range(rank - len(kept), rank)):
            shape = self.scale.shape
            norm = b.submodule(
                "nn.RMSNorm",
                weights={"weight": b.same(self.scale)},
                normalized_shape=shape[0] if len(shape) == 1 else shape,
                eps=float(self.epsilon),
            )
            return b.call(norm, inputs)
        square = b.reduce("mean", b.method("square", inputs), kept, keepdims=True)
        root = b.function("torch.rsqrt", b.operator("+", square, float(self.epsilon)))
        x = b.operator("*", inputs, root, shape=inputs.shape)
        return b.operator(
            "*", x, b.param(self.scale), shape=inputs.shape
        )  # on the last axes, as Keras does


class UnitNormalization(Layer):
    """Scales to L2 norm 1."""

    axis: Any = -1
    supports_masking = True
    layout = "any"

    def lower(self, b: Any, inputs: Any) -> Any:
        axes = list(self.axis) if isinstance(self.axis, (list, tuple)) else [self.axis]
        if len(axes) == 1:
            dim = inputs.dim(axes[0])
            dim = -1 if dim == len(inputs.axes) - 1 else dim
            return (
                b.function("F.normalize", inputs, dim=dim)
                if dim != 1
                else b.function("F.normalize", inputs)
            )
        dims = tuple(sorted(inputs.dim(a) for a in axes))
        shape = tuple(1 if i in dims else n for i, n in enumerate(inputs.shape))
        norm = b.function("torch.linalg.vector_norm", inputs, dim=dims, keepdim=True, shape=shape)
        return b.operator("/", inputs, b.method("clamp", norm, min=1e-12), shape=inputs.shape)


_SPECTRAL = {
    "nn.Linear": "SpectralLinear",
    "nn.Conv1d": "SpectralConv1d",
    "nn.Conv2d": "SpectralConv2d",
    "nn.Conv3d": "SpectralConv3d",
    "nn.ConvTranspose2d": "SpectralConvTranspose2d",
}
"""torch module -> the helper that divides its weight by the spectral norm at each training step."""


class SpectralNormalization(Wrapper):
    """Divides the kernel of a layer by its largest singular value, in place, at each training step."""

    layer: Any
    power_iterations: int = 1

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        kernel = getattr(self.layer, "kernel", None)
        if kernel is None:
            raise self.unsupported(
                f"a {type(self.layer).__name__} has no kernel that torch could normalise",
                "wrap a Dense or a convolution",
            )
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer={"class_name": "TruncatedNormal", "config": {"stddev": 0.02}},
            trainable=False,
        )

    @property
    def weights(self) -> list[Any]:
        """Keras holds the kernel as the wrapper's own."""
        first = [self.layer.kernel, self.vector_u] if self.built else []
        return first + [w for w in super().weights if all(w is not own for own in first)]

    def of_stored(self, stored: list[Any]) -> list[Any]:
        """Keras's own format holds the kernel twice, as the wrapper's and as the layer's; the legacy one has u last."""
        if len(stored) > len(self.weights):
            return stored[:2] + stored[3:]
        return [*stored[:1], *stored[-1:], *stored[1:-1]]

    @property
    def layout(self) -> str:  # type: ignore[override]
        return str(self.layer.layout)

    @property
    def channels_first(self) -> bool:
        return bool(getattr(self.layer, "channels_first", False))

    def output_spec(self, inputs: Any) -> Spec:
        return self.layer.output_spec(inputs)

    def lower(self, b: Any, inputs: Any) -> Any:
        count, iterations = len(b.nodes), int(self.power_iterations)
        x = self.layer.lower(b, inputs)
        if b.training is False:
            return x
        for node in b.nodes[count:]:
            sub = node.target
            if node.kind != "call" or self.layer.kernel not in sub.weights["weight"].sources:
                continue
            if sub.cls not in _SPECTRAL:
                raise self.unsupported(
                    f"no helper for {sub.cls}", "wrap a Dense, a Conv or a Conv2DTranspose"
                )
            torch = signature_of(sub.cls)
            kept = {*torch.positional, "padding"}  # the pass that folds pads looks for it
            sub.args = {k: v for k, v in sub.args.items() if k in kept or v != torch.defaults[k]}
            sub.cls = _SPECTRAL[sub.cls]
            sub.weights["vector_u"] = b.mapping(lambda u: u.reshape(-1), self.vector_u)
            sub.initial["vector_u"] = self.vector_u.initializer
            if iterations != 1:
                sub.args["power_iterations"] = iterations
        return x


class Statistics(numpy.ndarray):
    """A mean or variance that ``adapt`` has found, with the methods that scripts use on Keras's."""

    def numpy(self) -> Any:
        return numpy.asarray(self)


class Normalization(Layer):
    """``(x - mean) / sqrt(variance)``, with statistics that were given, adapted, or stored."""

    axis: Any = -1
    mean: Any = None
    variance: Any = None
    invert: bool = False

    supports_masking = True
    layout = "any"

    def adapt(self, data: Any, batch_size: Any = None, steps: Any = None, **_: Any) -> None:
        """Find the statistics, where the data is really here; else they are buffers to be filled."""
        if type(data) is not numpy.ndarray or data.dtype.kind not in "fiub":
            where = trace.user_location()
            note(
                f"{where}: the data of {self.name}.adapt() is not here: the buffers for mean and std "
                "start as 0 and 1; fill them from your training data"
            )
            self._fields["mean"] = self._fields["variance"] = Absent(Source("adapted data", where))
            return
        reduced = tuple(a for a in range(data.ndim) if a not in self._kept(data.ndim))
        self._fields["mean"] = numpy.mean(data, axis=reduced).astype("float32").view(Statistics)
        self._fields["variance"] = numpy.var(data, axis=reduced).astype("float32").view(Statistics)

    def _kept(self, rank: int) -> tuple[int, ...]:
        axes = self.axis
        axes = () if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
        return tuple(sorted(a % rank for a in axes))

    def build(self, input_shape: Shape) -> None:
        if input_shape is None:
            return
        self.adapt_mean = self.adapt_variance = None
        if self.mean is not None and not is_absent(self.mean):
            return
        shape = tuple(input_shape[a] for a in self._kept(len(input_shape)))
        self.adapt_mean = self.add_weight(
            name="mean", shape=shape, initializer="zeros", trainable=False
        )
        self.adapt_variance = self.add_weight(
            name="variance", shape=shape, initializer="ones", trainable=False
        )
        self.add_weight(name="count", shape=(), dtype="int32", initializer="zeros", trainable=False)

    def lower(self, b: Any, inputs: Any) -> Any:
        axes, shape = inputs.axes, b.output_tensors[0].shape
        kept = self._kept(len(shape))
        full = tuple(int(n or 1) if a in kept else 1 for a, n in enumerate(shape))

        def laid_out(array: Any) -> Any:
            """In the input's axis order, without leading axes of 1."""
            array = array.transpose(axes)
            lead = next((i for i, n in enumerate(array.shape) if n != 1), len(axes))
            return array.reshape(array.shape[lead:])

        def std(array: Any) -> Any:
            return numpy.maximum(numpy.sqrt(array), numpy.float32(1e-7))

        statistics = (self.mean, self.variance)
        if self.adapt_mean is None:
            given = [numpy.asarray(v, "float32") for v in statistics]
            spread = [numpy.broadcast_to(_aligned(v, kept, len(shape)), full) for v in given]
            first, second = (
                _short(b, laid_out(v), name)
                for v, name in ((spread[0], "mean"), (std(spread[1]), "std"))
            )
        else:
            make = b.mapping(lambda v: laid_out(v.reshape(full)), self.adapt_mean)
            first = b.param(self.adapt_mean, make)
            make = b.mapping(lambda v: laid_out(std(v.reshape(full))), self.adapt_variance)
            second = b.param(self.adapt_variance, make)
            second.hints = (*second.hints[:-1], "std")
        if self.invert:
            return b.operator(
                "+", b.operator("*", inputs, second, shape=inputs.shape), first, shape=inputs.shape
            )
        return b.operator(
            "/", b.operator("-", inputs, first, shape=inputs.shape), second, shape=inputs.shape
        )


def _aligned(array: Any, kept: tuple[int, ...], rank: int) -> Any:
    """Statistics with an axis for each of the input's, from the right on the kept ones (as in Keras)."""
    shape = [1] * rank
    for i in range(1, array.ndim + 1):
        shape[kept[-i]] = array.shape[-i]
    return array.reshape(shape)


def _short(b: Any, array: Any, name: str) -> Any:
    """A number where all are equal, else a constant buffer."""
    if array.size and (array == array.flat[0]).all():
        return float(array.flat[0])
    return b.constant(array, "float32", name)
