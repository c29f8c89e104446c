"""Activations, convolutions, pooling, normalisations, attention and losses as functions on tensors."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from ops_oracle import N, b, check, check_constant, f, i

pytestmark = pytest.mark.thin(12)

X = f(N, 6, 8)
PLAIN = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "sigmoid", "tanh", "softplus", "softsign", "silu",
    "swish", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink",
    "log_sigmoid", "glu", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "softmax", "log_softmax",
]  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_activation(name: str) -> None:
    check(lambda ops, x: getattr(ops, name)(x), (f(N, 6, 8, low=-4, high=4),))


@pytest.mark.parametrize("name", [n for n in dir(keras.activations) if n not in ("get", "serialize", "deserialize")
                                  and not n.startswith("_") and n != "threshold"])  # fmt: skip
def test_keras_activation(name: str) -> None:
    """keras.activations as functions on tensors."""
    from ops_oracle import Names

    ours = Names("keras.activations")

    def case(ops: Any, x: Any) -> Any:
        return getattr(ours if isinstance(ops, Names) else keras.activations, name)(x)

    check(case, (f(N, 6, 8, low=-4, high=4),), specs=False)


ACTIVATIONS = {
    "leaky_relu": (lambda ops, x: ops.leaky_relu(x, negative_slope=0.3), (X,)),
    "elu": (lambda ops, x: (ops.elu(x, 0.5), ops.celu(x, 2.0)), (X,)),
    "gelu": (lambda ops, x: (ops.gelu(x, approximate=False), ops.gelu(x, True)), (X,)),
    "axes": (lambda ops, x: (ops.softmax(x, axis=1), ops.log_softmax(x, axis=1), ops.glu(x, axis=1), ops.sparsemax(x, axis=1)), (X,)),
    "softmax over two axes": (lambda ops, x: ops.softmax(x, axis=(1, 2)), (X,)),
    "thresholds": (lambda ops, x: (ops.hard_shrink(x, 1.0), ops.soft_shrink(x, 0.2), ops.threshold(x, 0.5, -1.0)), (X,)),
    "squareplus": (lambda ops, x: ops.squareplus(x, b=2), (X,)),
    "integers": (lambda ops, x: (ops.relu(x - 2), ops.relu6(x * 3)), (i(N, 3),)),
}  # fmt: skip

IMAGE, SIGNAL, VOLUME = f(N, 7, 8, 4), f(N, 9, 4), f(N, 5, 6, 5, 2)
CONVOLUTIONS = {
    "conv": (lambda ops, x, k: (ops.conv(x, k), ops.conv(x, k, 2, "same"), ops.conv(x, k, (1, 2))), (IMAGE, f(3, 2, 4, 5))),
    "conv dilated": (lambda ops, x, k: (ops.conv(x, k, padding="same", dilation_rate=2), ops.conv(x, k, dilation_rate=(2, 1))), (IMAGE, f(3, 3, 4, 5))),
    "conv groups": (lambda ops, x, k: ops.conv(x, k, padding="same"), (IMAGE, f(3, 3, 2, 6))),
    "conv1d": (lambda ops, x, k: (ops.conv(x, k), ops.conv(x, k, 2, "same")), (SIGNAL, f(3, 4, 5))),
    "conv3d": (lambda ops, x, k: ops.conv(x, k, padding="same"), (VOLUME, f(2, 3, 2, 2, 3))),
    "conv channels first": (lambda ops, x, k: ops.conv(x, k, 2, "same", data_format="channels_first"), (f(N, 4, 7, 8), f(3, 3, 4, 5))),
    "conv unknown size": (lambda ops, x, k: ops.conv(x, k, 2, "same"), (f(2, N, N, 3), f(3, 3, 3, 2))),
    "depthwise": (lambda ops, x, k: (ops.depthwise_conv(x, k), ops.depthwise_conv(x, k, 2, "same")), (IMAGE, f(3, 3, 4, 2))),
    "separable": (lambda ops, x, d, p: ops.separable_conv(x, d, p, 1, "same"), (IMAGE, f(3, 3, 4, 2), f(1, 1, 8, 3))),
    "transposed": (lambda ops, x, k: (ops.conv_transpose(x, k, 2), ops.conv_transpose(x, k, 2, "same")), (IMAGE, f(3, 3, 5, 4))),
    "transposed even": (lambda ops, x, k: (ops.conv_transpose(x, k, 2, "same"), ops.conv_transpose(x, k, (2, 1), "same")), (IMAGE, f(4, 4, 5, 4))),
    "transposed padding": (lambda ops, x, k: ops.conv_transpose(x, k, 3, "same", output_padding=1), (IMAGE, f(3, 3, 5, 4))),
    "max_pool": (lambda ops, x: (ops.max_pool(x, 2, 2), ops.max_pool(x, 3, 2, "same"), ops.max_pool(x, (2, 3), 1)), (IMAGE,)),
    "average_pool": (lambda ops, x: (ops.average_pool(x, 2, 2), ops.average_pool(x, 3, 2, "same")), (IMAGE,)),
    "pool1d": (lambda ops, x: (ops.max_pool(x, 2, 2), ops.average_pool(x, 3, 1, "same")), (SIGNAL,)),
    "adaptive": (lambda ops, x: (ops.adaptive_average_pool(x, 3), ops.adaptive_max_pool(x, (2, 4))), (IMAGE,)),
    "depth_to_space": (lambda ops, x: (ops.depth_to_space(x, 2), ops.depth_to_space(x, 2, data_format="channels_first")), (f(N, 4, 6, 4),)),
    "space_to_depth": (lambda ops, x: (ops.space_to_depth(x, 2), ops.space_to_depth(x, 2, data_format="channels_first")), (f(N, 4, 6, 4),)),
    "unfold": (lambda ops, x: (ops.unfold(x, 3), ops.unfold(x, (2, 3), dilation=2, padding=1, stride=2)), (f(N, 3, 7, 8),)),
    "fold": (lambda ops, x: ops.fold(x, (6, 8), 2, stride=2), (f(N, 12, 12),)),
    "fold overlapping": (lambda ops, x: ops.fold(x, (4, 5), (2, 3), padding=1), (f(N, 12, 25),)),
}  # fmt: skip

Q = f(N, 5, 2, 4)
NORMS = {
    "normalize": (lambda ops, x: (ops.normalize(x), ops.normalize(x, axis=1), ops.normalize(x, order=3)), (X,)),
    "normalize zero": (lambda ops, x: ops.normalize(x * 0 + 1e-9, epsilon=1e-3), (X,)),
    "moments": (lambda ops, x: (ops.moments(x, axes=[1]), ops.moments(x, axes=(0, 2), keepdims=True)), (X,)),
    "batch": (lambda ops, x, m, v, o, s: (ops.batch_normalization(x, m, v, -1), ops.batch_normalization(x, m, v, -1, o, s, epsilon=0.1)),
              (X, f(8), f(8, low=0.1), f(8), f(8))),
    "batch axis": (lambda ops, x, m, v: ops.batch_normalization(x, m, v, axis=1), (X, f(6), f(6, low=0.1))),
    "layer": (lambda ops, x, g, b: (ops.layer_normalization(x), ops.layer_normalization(x, g, b, epsilon=0.1)), (X, f(8), f(8))),
    "layer axes": (lambda ops, x: (ops.layer_normalization(x, axis=1), ops.layer_normalization(x, axis=(1, 2))), (X,)),
    "rms": (lambda ops, x, s: (ops.rms_normalization(x), ops.rms_normalization(x, s, epsilon=0.1), ops.rms_normalization(x, axis=1)), (X, f(8))),
    "attention": (lambda ops, q, k, v: (ops.dot_product_attention(q, k, v), ops.dot_product_attention(q, k, v, scale=0.3)), (Q, f(N, 6, 2, 4), f(N, 6, 2, 4))),
    "attention causal": (lambda ops, q: ops.dot_product_attention(q, q, q, is_causal=True), (Q,)),
    "attention mask": (lambda ops, q, m: ops.dot_product_attention(q, q, q, mask=m), (Q, b(N, 1, 5, 5))),
    "attention mask causal": (lambda ops, q, m: ops.dot_product_attention(q, q, q, mask=m, is_causal=True), (Q, b(N, 2, 5, 5))),
    "attention bias": (lambda ops, q, z: ops.dot_product_attention(q, q, q, bias=z), (Q, f(N, 2, 5, 5))),
    "attention bias mask": (lambda ops, q, z, m: ops.dot_product_attention(q, q, q, bias=z, mask=m), (Q, f(N, 2, 5, 5), b(N, 2, 5, 5))),
    "psnr": (lambda ops, x, y: ops.psnr(x, y, 2.0), (X, X)),
    "polar": (lambda ops, r, t: ops.polar(r, t), (f(N, 4, low=0.1), f(N, 4))),
}  # fmt: skip

P = f(N, 5, low=0.05, high=0.95)
LOSSES = {
    "binary": (lambda ops, t, x: (ops.binary_crossentropy(t, ops.sigmoid(x)), ops.binary_crossentropy(t, x, from_logits=True)), (P, f(N, 5))),
    "categorical": (lambda ops, t, x: (ops.categorical_crossentropy(t, ops.softmax(x)), ops.categorical_crossentropy(t, x, from_logits=True)), (P, f(N, 5))),
    "categorical axis": (lambda ops, t, x: ops.categorical_crossentropy(t, x, from_logits=True, axis=1), (f(N, 5, 2, low=0, high=1), f(N, 5, 2))),
    "sparse": (lambda ops, t, x: (ops.sparse_categorical_crossentropy(t, ops.softmax(x)), ops.sparse_categorical_crossentropy(t, x, from_logits=True)),
               (i(N), f(N, 5))),
    "sparse column": (lambda ops, t, x: ops.sparse_categorical_crossentropy(t, x, from_logits=True), (i(N, 1), f(N, 5))),
    "ctc": (lambda ops, t, x: ops.ctc_loss(t, x, ops.ones_like(t[:, 0]) * 3, ops.ones_like(t[:, 0]) * 9), (i(N, 4, low=1), f(N, 9, 5))),
    "ctc blank": (lambda ops, t, x: ops.ctc_loss(t, x, ops.ones_like(t[:, 0]) * 4, ops.ones_like(t[:, 0]) * 8, mask_index=4), (i(N, 4, high=4), f(N, 9, 5))),
}  # fmt: skip

TABLES = {**ACTIVATIONS, **CONVOLUTIONS, **NORMS, **LOSSES}


@pytest.mark.parametrize("name", TABLES)
def test_nn(name: str) -> None:
    function, arrays = TABLES[name]
    check(function, arrays, specs=False, tolerance=2e-5, gradients=name != "normalize zero")


def test_constant_activations() -> None:
    check_constant(
        lambda ops: (
            ops.relu(np.array([-1.0, 2.0], "float32")),
            ops.softmax(np.array([1.0, 2.0], "float32")),
        )
    )
