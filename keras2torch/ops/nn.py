"""Normalisations, attention, losses as functions on tensors.

Formulas: keras/src/ops/nn.py and keras/src/backend/jax/nn.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.ops.base import (
    Op,
    Spec,
    as_operand,
    as_plain,
    axes_of,
    dim_argument,
    function,
    ops,
)
from keras2torch.ops.dtypes import float_dtype, is_float


def _floating(x: Any) -> Any:
    x = as_operand(x)
    return x if is_float(x.dtype) else ops.cast(x, "float32")


# Normalisation.
class _Normalize(Op):
    """``F.normalize``: x / max(norm, epsilon)."""

    layout = "any"

    def output_spec(self, x: Any, axis: Any, order: int, epsilon: float) -> Spec:
        axes_of(axis, len(x.shape))
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, axis: Any, order: int, epsilon: float) -> Any:
        axes = axes_of(axis, len(x.axes))
        dims = tuple(sorted(x.dim(a) for a in axes))
        kwargs: dict[str, Any] = {} if order == 2 else {"p": float(order)}
        dim: Any = dims if len(dims) > 1 else dim_argument(x, axes[0])
        if dim != 1:
            kwargs["dim"] = dim
        return b.function("F.normalize", x, **kwargs, eps=float(epsilon))


_normalize = _Normalize()


@function("keras.ops.normalize")
def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: Any = None) -> Any:
    """x over its norm, which is taken as ``epsilon`` at least."""
    return _normalize.record(
        _floating(x), axis, int(order), config.epsilon if epsilon is None else epsilon
    )


@function("K.l2_normalize {tf.nn,tf.math,tf}.l2_normalize(dim=axis)")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """TensorFlow's: x * rsqrt(max(sum(x²), epsilon))."""
    return _normalize.record(_floating(x), axis, 2, float(epsilon) ** 0.5)


@function("keras.ops.moments")
def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> Any:
    """(mean, variance); never across replicas, as there is one."""
    return ops.mean(x, axes, keepdims), ops.var(x, axes, keepdims)


@function("tf.nn.moments")
def tf_moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, keep_dims: Any = None
) -> Any:
    return moments(x, axes, bool(keepdims or keep_dims))


def _along(value: Any, axis: int, rank: int) -> Any:
    """A vector that broadcasts along one axis."""
    if value is None or len(as_operand(value).shape) != 1 or axis == rank - 1:
        return value
    return ops.reshape(value, [-1 if i == axis else 1 for i in range(rank)])


@function("keras.ops.batch_normalization")
def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    axis: int,
    offset: Any = None,
    scale: Any = None,
    epsilon: float = 1e-3,
) -> Any:
    x = as_operand(x)
    rank = len(x.shape)
    mean, variance, offset, scale = (
        _along(v, axis % rank, rank) for v in (mean, variance, offset, scale)
    )
    inverse = ops.rsqrt(as_operand(variance) + epsilon)
    inverse = inverse if scale is None else inverse * scale
    result = (x - mean) * inverse
    return result if offset is None else result + offset


@function("tf.nn.batch_normalization")
def tf_batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float
) -> Any:
    return batch_normalization(x, mean, variance, -1, offset, scale, variance_epsilon)


@function("K.batch_normalization")
def backend_batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Any:
    return batch_normalization(x, mean, var, -1, beta, gamma, epsilon)


class _Norm(Op):
    """``F.layer_norm`` or ``F.rms_norm`` over the last axes."""

    tensors = ("x", "weight", "bias")

    def output_spec(
        self, x: Any, weight: Any, bias: Any, axes: tuple[int, ...], epsilon: float
    ) -> Spec:
        return Spec(x.shape, float_dtype(x))

    def lower(
        self, b: Any, x: Any, weight: Any, bias: Any, axes: tuple[int, ...], epsilon: float
    ) -> Any:
        shape = tuple(x.shape[a] for a in axes)
        given = {"weight": weight, "bias": bias}
        kwargs = {k: v for k, v in given.items() if v is not None}
        return b.function(
            f"F.{self.name}",
            b.floating(x),
            shape,
            eps=float(epsilon),
            shape=x.shape,
            axes=x.axes,
            **kwargs,
        )


class _LayerNorm(_Norm):
    name = "layer_norm"


class _RMSNorm(_Norm):
    name = "rms_norm"


_layer_norm, _rms_norm = _LayerNorm(), _RMSNorm()


def _trailing(x: Any, axis: Any, *weights: Any) -> tuple[int, ...] | None:
    """The axes where they are the last ones, of known sizes that the weights have."""
    rank = len(x.shape)
    axes = tuple(sorted(axes_of(axis, rank)))
    sizes = tuple(x.shape[a] for a in axes)
    fits = all(w is None or as_operand(w).shape == sizes for w in weights)
    return (
        axes
        if axes == tuple(range(rank - len(axes), rank)) and None not in sizes and fits
        else None
    )


@function("keras.ops.layer_normalization")
def layer_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1, epsilon: Any = None, **kwargs: Any
) -> Any:
    x = _floating(x)
    epsilon = config.epsilon if epsilon is None else epsilon
    if kwargs.get("rms_scaling"):
        result = x * ops.rsqrt(ops.var(x, axis=axis, keepdims=True) + epsilon)
        return result if gamma is None else result * _wide(gamma, x, axis)
    axes = _trailing(x, axis, gamma, beta)
    if axes is not None:
        return _layer_norm.record(x, gamma, beta, axes, epsilon)
    centred = x - ops.mean(x, axis=axis, keepdims=True)
    result = centred * ops.rsqrt(ops.var(x, axis=axis, keepdims=True) + epsilon)
    result = result if gamma is None else result * _wide(gamma, x, axis)
    return result if beta is None else result + _wide(beta, x, axis)


def _wide(value: Any, x: Any, axis: Any) -> Any:
    """A weight over ``axis``, with 1 for the other axes."""
    value = as_operand(value)
    if len(value.shape) == len(x.shape) or not value.shape:
        return value
    axes = axes_of(axis, len(x.shape))
    sizes = iter(value.shape)
    return ops.reshape(value, [next(sizes) if i in axes else 1 for i in range(len(x.shape))])


@function("keras.ops.rms_normalization")
def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: Any = None) -> Any:
    x = _floating(x)
    epsilon = config.epsilon if epsilon is None else epsilon
    axes = _trailing(x, axis, scale)
    if axes is not None:
        return _rms_norm.record(x, scale, None, axes, epsilon)
    result = x * ops.rsqrt(ops.mean(ops.square(x), axis=axis, keepdims=True) + epsilon)
    return result if scale is None else result * scale


# Attention.
class _Attention(Op):
    """torch's attention on (batch, heads, length, depth)."""

    tensors = ("query", "key", "value", "mask")

    def output_spec(
        self, query: Any, key: Any, value: Any, mask: Any, is_causal: bool, scale: Any
    ) -> Spec:
        return Spec((*query.shape[:-1], value.shape[-1]), float_dtype(query))

    def lower(
        self, b: Any, query: Any, key: Any, value: Any, mask: Any, is_causal: bool, scale: Any
    ) -> Any:
        given = {"attn_mask": mask, "is_causal": is_causal or None, "scale": scale}
        kwargs = {k: v for k, v in given.items() if v is not None}
        shape = b.output_tensors[0].shape
        return b.function(
            "F.scaled_dot_product_attention",
            query,
            key,
            value,
            shape=shape,
            axes=(0, 1, 2, 3),
            **kwargs,
        )


_attention = _Attention()


@function("keras.ops.dot_product_attention")
def dot_product_attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: Any = None, is_causal: bool = False,
    flash_attention: Any = None, attn_logits_soft_cap: Any = None,
) -> Any:  # fmt: skip
    """Attention on (batch, length, heads, depth); keys may have fewer heads, each for several queries."""
    if attn_logits_soft_cap is not None:
        raise UnsupportedError(
            "keras.ops.dot_product_attention: attn_logits_soft_cap, which Keras's backends read differently",
            where=trace.user_location(),
            fix="write the attention out with keras.ops.matmul and keras.ops.softmax",
        )
    query, key, value = (ops.swapaxes(x, 1, 2) for x in (query, key, value))
    shared = query.shape[1] // key.shape[1]
    if shared > 1:
        key, value = ops.repeat(key, shared, axis=1), ops.repeat(value, shared, axis=1)
    if bias is not None and (mask is not None or is_causal) or mask is not None and is_causal:
        result = _written_out(query, key, value, bias, mask, scale, is_causal)
    else:
        added = bias if mask is None else _masked_bias(mask)
        result = _attention.record(query, key, value, added, is_causal, as_plain(scale))
    return ops.swapaxes(result, 1, 2)


def _masked_bias(mask: Any) -> Any:
    """A boolean mask as what is added: rows without any key attend evenly, as in Keras, and are not NaN."""
    return ops.where(ops.cast(mask, "bool"), 0.0, -1e30)


def _written_out(
    query: Any, key: Any, value: Any, bias: Any, mask: Any, scale: Any, is_causal: bool
) -> Any:
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    logits = ops.matmul(query, ops.swapaxes(key, -1, -2)) * scale
    logits = logits if bias is None else logits + bias
    if is_causal:
        rows, columns = ops.shape(query)[2], ops.shape(key)[2]
        causal = ops.expand_dims(ops.arange(rows), -1) >= ops.arange(columns)
        mask = causal if mask is None else ops.logical_and(ops.cast(mask, "bool"), causal)
    if mask is not None:
        logits = ops.where(ops.cast(mask, "bool"), logits, -1e30)
    return ops.matmul(ops.softmax(logits, -1), value)


class Polar(Op, names="keras.ops.polar"):
    """A complex tensor of magnitudes and angles."""

    layout = "any"
    tensors = ("abs_", "angle")

    def output_spec(self, abs_: Any, angle: Any) -> Spec:
        return Spec(abs_.shape, "complex64")

    def lower(self, b: Any, abs_: Any, angle: Any) -> Any:
        return b.function("torch.polar", abs_, angle, dtype="complex64")


@function("{tf.nn,K}.bias_add(x=value)")
def bias_add(value: Any, bias: Any, data_format: Any = None) -> Any:
    first = data_format is not None and str(data_format) not in ("channels_last", "NHWC", "NWC")
    if first and len(as_operand(value).shape) > 2:
        rank = len(as_operand(value).shape)
        bias = ops.reshape(bias, [1, -1] + [1] * (rank - 2))
    return ops.add(value, bias)


@function("tf.nn.zero_fraction")
def zero_fraction(value: Any) -> Any:
    return ops.mean(ops.cast(ops.equal(value, 0), "float32"))


@function("tf.nn.crelu(features=x)")
def crelu(x: Any, axis: int = -1) -> Any:
    """relu of x and of -x, side by side."""
    x = as_operand(x)
    return ops.relu(ops.concatenate([x, -x], axis))


@function("tf.nn.xw_plus_b tf.compat.v1.nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any) -> Any:
    return ops.matmul(x, weights) + biases
