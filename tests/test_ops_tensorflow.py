"""Functions of tf and keras.backend, compared with what they are in keras.ops."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from ops_oracle import N, Names, b, check, f, i

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Constant
from keras2torch.inputs import Input
from keras2torch.ops import OPS
from keras2torch.ops.refusals import OTHERS

pytestmark = pytest.mark.thin(12)

X, M = f(N, 4, 5), f(N, 3, 4)
tf_float = "float32"


def halves(count: int) -> np.ndarray:
    """The matrix that puts the mean of two neighbours between them: bilinear with aligned corners."""
    matrix = np.zeros((2 * count - 1, count), "float32")
    matrix[::2] = np.eye(count)
    matrix[1::2] = (np.eye(count)[:-1] + np.eye(count)[1:]) / 2
    return matrix


IMAGE = f(N, 6, 8, 3, low=0, high=1)
MEL = np.asarray(
    keras.layers.MelSpectrogram().linear_to_mel_weight_matrix(3, 5, 8000, 80.0, 3000.0)
)
# name: (with tf, with keras.ops, inputs)
TF: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "shape": (
        lambda tf, x: tf.reshape(x, [tf.shape(x)[0], -1]),
        lambda ops, x: ops.reshape(x, (-1, 20)),
        (X,),
    ),
    "shape unpacked": (lambda tf, x: _merge(tf, x), lambda ops, x: ops.reshape(x, (-1, 20)), (X,)),
    "shape sliced": (
        lambda tf, x: tf.reshape(x, tf.concat([tf.shape(x)[:-1], [5, 1]], axis=0)),
        lambda ops, x: ops.expand_dims(x, -1),
        (X,),
    ),
    "shape stacked": (
        lambda tf, x: tf.zeros(tf.stack([tf.shape(x)[0], 2])) + x[:, 0, :2],
        lambda ops, x: x[:, 0, :2],
        (X,),
    ),
    "shape times two": (
        lambda tf, x: tf.image.resize(x, tf.shape(x)[1:3] * 2),
        lambda ops, x: ops.image.resize(x, (12, 16)),
        (IMAGE,),
    ),
    "shape backwards": (
        lambda tf, x: x[..., :2] / tf.cast(tf.shape(x)[1:3][..., ::-1], x.dtype),
        lambda ops, x: x[..., :2] / np.array([8, 6], "float32"),
        (IMAGE,),
    ),
    "shape of unknown sizes": (
        lambda tf, x: tf.image.resize(x, tf.shape(x)[1:3] * 2, method="nearest"),
        lambda ops, x: ops.repeat(ops.repeat(x, 2, 1), 2, 2),
        (f(2, N, N, 3),),
    ),
    "reduce_prod of a shape": (
        lambda tf, x: tf.reshape(x, (-1, tf.reduce_prod(tf.shape(x)[1:]))),
        lambda ops, x: ops.reshape(x, (-1, 20)),
        (X,),
    ),
    "concat": (
        lambda tf, x: tf.concat([x, x * 2], 1),
        lambda ops, x: ops.concatenate([x, x * 2], 1),
        (X,),
    ),
    "concat by name": (
        lambda tf, x: tf.concat(values=[x, x], axis=-1),
        lambda ops, x: ops.concatenate([x, x], -1),
        (X,),
    ),
    "stack and unstack": (
        lambda tf, x: tf.stack(tf.unstack(x, axis=1), axis=2),
        lambda ops, x: ops.transpose(x, (0, 2, 1)),
        (X,),
    ),
    "expand and squeeze": (
        lambda tf, x: tf.squeeze(tf.expand_dims(x, axis=1), axis=[1]),
        lambda ops, x: x,
        (X,),
    ),
    "transpose": (
        lambda tf, x: tf.transpose(x, perm=[0, 2, 1]),
        lambda ops, x: ops.transpose(x, (0, 2, 1)),
        (X,),
    ),
    "matmul": (
        lambda tf, x: tf.matmul(x, x, transpose_b=True),
        lambda ops, x: ops.matmul(x, ops.transpose(x, (0, 2, 1))),
        (M,),
    ),
    "matmul transposed": (
        lambda tf, x: tf.linalg.matmul(x, x, transpose_a=True),
        lambda ops, x: ops.matmul(ops.transpose(x, (0, 2, 1)), x),
        (M,),
    ),
    "einsum": (
        lambda tf, x: tf.einsum("bij,bkj->bik", x, x),
        lambda ops, x: ops.einsum("bij,bkj->bik", x, x),
        (M,),
    ),
    "tensordot": (
        lambda tf, x, y: tf.tensordot(x, y, axes=[[2], [0]]),
        lambda ops, x, y: ops.tensordot(x, y, [[2], [0]]),
        (M, f(4, 2)),
    ),
    "reductions": (
        lambda tf, x: (
            tf.reduce_sum(x, axis=1),
            tf.reduce_mean(x, [1, 2]),
            tf.reduce_max(x, axis=-1, keepdims=True),
            tf.reduce_min(x),
        ),
        lambda ops, x: (
            ops.sum(x, 1),
            ops.mean(x, (1, 2)),
            ops.max(x, -1, keepdims=True),
            ops.min(x),
        ),
        (X,),
    ),
    "old names at their defaults": (
        lambda tf, x: tf.reduce_sum(x, axis=1, keep_dims=False, reduction_indices=None),
        lambda ops, x: ops.sum(x, axis=1),
        (X,),
    ),
    "scalar_mul": (lambda tf, x: tf.scalar_mul(2.0, x), lambda ops, x: 2.0 * x, (X,)),
    "reductions by old names": (
        lambda tf, x: (
            tf.reduce_mean(x, reduction_indices=1, keep_dims=True),
            tf.reduce_sum(input_tensor=x, axis=2),
        ),
        lambda ops, x: (ops.mean(x, 1, keepdims=True), ops.sum(x, 2)),
        (X,),
    ),
    "more reductions": (
        lambda tf, x: (
            tf.reduce_prod(x, axis=1),
            tf.math.reduce_std(x, axis=1),
            tf.math.reduce_variance(x),
            tf.reduce_logsumexp(x, axis=1),
        ),
        lambda ops, x: (ops.prod(x, 1), ops.std(x, 1), ops.var(x), ops.logsumexp(x, 1)),
        (X,),
    ),
    "reduce booleans": (
        lambda tf, x: (tf.reduce_all(x > -1, axis=1), tf.reduce_any(x > 1)),
        lambda ops, x: (ops.all(x > -1, 1), ops.any(x > 1)),
        (X,),
    ),
    "argmax": (
        lambda tf, x: (tf.argmax(x, axis=-1), tf.argmax(x, 1), tf.argmin(x, axis=2)),
        lambda ops, x: (ops.argmax(x, -1), ops.argmax(x, 1), ops.argmin(x, 2)),
        (X,),
    ),
    "math": (
        lambda tf, x: tf.exp(x) + tf.square(x) - tf.math.sin(x) * tf.abs(x) + tf.math.tanh(x),
        lambda ops, x: ops.exp(x) + ops.square(x) - ops.sin(x) * ops.abs(x) + ops.tanh(x),
        (X,),
    ),
    "arithmetic": (
        lambda tf, x, y: tf.add(x, y) * tf.subtract(x, y) / tf.maximum(y, 0.5)
        + tf.pow(x, 2)
        + tf.multiply(x, 2.0),
        lambda ops, x, y: (x + y) * (x - y) / ops.maximum(y, 0.5) + x**2 + x * 2,
        (X, X),
    ),
    "divide_no_nan": (
        lambda tf, x, y: tf.math.divide_no_nan(x, y),
        lambda ops, x, y: ops.divide_no_nan(x, y),
        (X, X),
    ),
    "add_n": (lambda tf, x: tf.add_n([x, x * 2, x * 3]), lambda ops, x: x * 6, (X,)),
    "squared_difference": (
        lambda tf, x, y: tf.math.squared_difference(x, y),
        lambda ops, x, y: (x - y) ** 2,
        (X, X),
    ),
    "clip": (
        lambda tf, x: tf.clip_by_value(x, -1.0, clip_value_max=0.5),
        lambda ops, x: ops.clip(x, -1.0, 0.5),
        (X,),
    ),
    "clip_by_norm": (
        lambda tf, x: tf.clip_by_norm(x, 1.0, axes=[1]),
        lambda ops, x: x / ops.maximum(ops.norm(x, axis=1, keepdims=True), 1.0),
        (X,),
    ),
    "cast": (
        lambda tf, x: tf.cast(x > 0, tf_float) * tf.cast(tf.cast(x, "int32"), "float32"),
        lambda ops, x: ops.cast(x > 0, "float32") * ops.cast(ops.cast(x, "int32"), "float32"),
        (X,),
    ),
    "where": (
        lambda tf, x: tf.where(tf.greater(x, 0), x, tf.zeros_like(x)),
        lambda ops, x: ops.where(x > 0, x, 0.0),
        (X,),
    ),
    "logic": (
        lambda tf, x: tf.logical_and(x > 0, tf.logical_not(x > 1)),
        lambda ops, x: ops.logical_and(x > 0, ops.logical_not(x > 1)),
        (X,),
    ),
    "gather": (
        lambda tf, x, k: (tf.gather(x, k, axis=1), tf.gather(x, [0, 2], axis=2)),
        lambda ops, x, k: (ops.take(x, k, 1), ops.take(x, np.array([0, 2]), 2)),
        (X, i(3, high=4)),
    ),
    "gather of batches": (
        lambda tf, x, k: tf.gather(x, k, batch_dims=1),
        lambda ops, x, k: ops.take_along_axis(x, k[:, :, None], 1),
        (X, i(N, 3, high=4)),
    ),
    "gather of batches, axis": (
        lambda tf, x, k: tf.gather(x, k, batch_dims=1, axis=2),
        lambda ops, x, k: ops.take_along_axis(x, k[:, None], 2),
        (X, i(N, 3, high=5)),
    ),
    "gather_nd": (
        lambda tf, x, k: tf.gather_nd(x, k),
        lambda ops, x, k: x[k[:, 0], k[:, 1]],
        (f(4, 5), i(3, 2, high=4)),
    ),
    "one_hot": (
        lambda tf, k: (tf.one_hot(k, 6), tf.one_hot(k, depth=6, on_value=2.0, off_value=-1.0)),
        lambda ops, k: (ops.one_hot(k, 6), ops.where(ops.one_hot(k, 6) > 0, 2.0, -1.0)),
        (i(N, 3),),
    ),
    "range": (
        lambda tf, x: x + tf.cast(tf.range(tf.shape(x)[1]), "float32"),
        lambda ops, x: x + ops.arange(x.shape[1], dtype="float32"),
        (f(2, N),),
    ),
    "tile": (lambda tf, x: tf.tile(x, [1, 2, 1]), lambda ops, x: ops.tile(x, (1, 2, 1)), (X,)),
    "tile by shape": (
        lambda tf, x, y: tf.tile(x[None], [tf.shape(y)[0], 1]) + y,
        lambda ops, x, y: x[None] + y,
        (f(5), f(N, 5)),
    ),
    "pad": (
        lambda tf, x: (
            tf.pad(x, [[0, 0], [1, 1], [2, 0]]),
            tf.pad(x, [[0, 0], [2, 2], [0, 0]], mode="REFLECT"),
        ),
        lambda ops, x: (
            ops.pad(x, ((0, 0), (1, 1), (2, 0))),
            ops.pad(x, ((0, 0), (2, 2), (0, 0)), mode="reflect"),
        ),
        (X,),
    ),
    "split": (
        lambda tf, x: (tf.split(x, 2, axis=1), tf.split(x, [1, 3, -1], axis=2)),
        lambda ops, x: (ops.split(x, 2, 1), ops.split(x, [1, 4], 2)),
        (X,),
    ),
    "reverse and roll": (
        lambda tf, x: tf.roll(tf.reverse(x, axis=[1]), shift=1, axis=2),
        lambda ops, x: ops.roll(ops.flip(x, 1), 1, 2),
        (X,),
    ),
    "cumsum": (
        lambda tf, x: (
            tf.cumsum(x, axis=1),
            tf.cumsum(x, axis=1, exclusive=True),
            tf.math.cumsum(x, 1, reverse=True),
        ),
        lambda ops, x: (
            ops.cumsum(x, 1),
            ops.cumsum(x, 1) - x,
            ops.flip(ops.cumsum(ops.flip(x, 1), 1), 1),
        ),
        (X,),
    ),
    "fill": (
        lambda tf, x: x + tf.fill(tf.shape(x), 2.0) + tf.ones((1, 5)) + tf.zeros_like(x),
        lambda ops, x: x + 3,
        (X,),
    ),
    "constants": (
        lambda tf, x: x * tf.constant([1.0, 2.0, 3.0, 4.0, 5.0]) + tf.eye(4, 5) + tf.identity(x),
        lambda ops, x: x * ops.arange(1, 6) + ops.eye(4, 5) + x,
        (X,),
    ),
    "band_part": (
        lambda tf, x: (
            tf.linalg.band_part(x, -1, 0),
            tf.linalg.band_part(x, 0, -1),
            tf.linalg.band_part(x, 1, 1),
        ),
        lambda ops, x: (ops.tril(x), ops.triu(x), ops.triu(ops.tril(x, 1), -1)),
        (f(N, 4, 4),),
    ),
    "look ahead mask": (
        lambda tf, x: x
        * (1 - tf.linalg.band_part(tf.ones((tf.shape(x)[1], tf.shape(x)[1])), -1, 0)),
        lambda ops, x: x * (1 - ops.tril(ops.ones((4, 4)))),
        (f(N, 4, 4),),
    ),
    "diag": (
        lambda tf, x: (tf.linalg.diag(x), tf.linalg.diag_part(tf.linalg.diag(x))),
        lambda ops, x: (x[..., None] * ops.eye(4), x),
        (f(N, 4),),
    ),
    "norm": (
        lambda tf, x: (tf.norm(x, axis=1), tf.linalg.norm(x, ord=1, axis=-1, keepdims=True)),
        lambda ops, x: (ops.norm(x, axis=1), ops.norm(x, 1, -1, keepdims=True)),
        (X,),
    ),
    "sequence_mask": (
        lambda tf, k: tf.sequence_mask(k, 6, dtype="float32"),
        lambda ops, k: ops.cast(ops.arange(6) < k[:, None], "float32"),
        (i(N),),
    ),
    "nn": (
        lambda tf, x: tf.nn.relu(x)
        + tf.nn.sigmoid(x)
        + tf.nn.softmax(x, axis=1)
        + tf.nn.leaky_relu(x, alpha=0.1)
        + tf.nn.gelu(x)
        + tf.nn.swish(x),
        lambda ops, x: ops.relu(x)
        + ops.sigmoid(x)
        + ops.softmax(x, 1)
        + ops.leaky_relu(x, 0.1)
        + ops.gelu(x, False)
        + ops.silu(x),
        (X,),
    ),
    "more nn": (
        lambda tf, x: tf.nn.elu(x)
        + tf.nn.selu(x)
        + tf.nn.softplus(x)
        + tf.nn.log_softmax(x)
        + tf.nn.relu6(x)
        + tf.nn.softsign(x),
        lambda ops, x: ops.elu(x)
        + ops.selu(x)
        + ops.softplus(x)
        + ops.log_softmax(x)
        + ops.relu6(x)
        + ops.softsign(x),
        (X,),
    ),
    "l2_normalize": (
        lambda tf, x: (tf.nn.l2_normalize(x, axis=1), tf.math.l2_normalize(x, -1)),
        lambda ops, x: (
            x / ops.norm(x, axis=1, keepdims=True),
            x / ops.norm(x, axis=-1, keepdims=True),
        ),
        (X,),
    ),
    "moments": (
        lambda tf, x: tf.nn.moments(x, axes=[1], keepdims=True),
        lambda ops, x: ops.moments(x, [1], keepdims=True),
        (X,),
    ),
    "batch_normalization": (
        lambda tf, x, m: tf.nn.batch_normalization(x, m, m * m, None, None, 1e-3),
        lambda ops, x, m: (x - m) / ops.sqrt(m * m + 1e-3),
        (X, f(5)),
    ),
    "conv2d": (
        lambda tf, x, k: tf.nn.conv2d(x, k, strides=[1, 2, 2, 1], padding="SAME"),
        lambda ops, x, k: ops.conv(x, k, 2, "same"),
        (IMAGE, f(3, 3, 3, 4)),
    ),
    "conv2d first": (
        lambda tf, x, k: tf.nn.conv2d(x, k, 1, "VALID", data_format="NCHW"),
        lambda ops, x, k: ops.conv(x, k, data_format="channels_first"),
        (f(N, 3, 6, 8), f(3, 3, 3, 4)),
    ),
    "conv1d": (
        lambda tf, x, k: tf.nn.conv1d(x, k, stride=2, padding="SAME"),
        lambda ops, x, k: ops.conv(x, k, 2, "same"),
        (X, f(3, 5, 2)),
    ),
    "depthwise_conv2d": (
        lambda tf, x, k: tf.nn.depthwise_conv2d(x, k, strides=[1, 1, 1, 1], padding="SAME"),
        lambda ops, x, k: ops.depthwise_conv(x, k, 1, "same"),
        (IMAGE, f(3, 3, 3, 2)),
    ),
    "conv2d_transpose": (
        lambda tf, x, k: tf.nn.conv2d_transpose(
            x, k, [tf.shape(x)[0], 12, 16, 4], strides=2, padding="SAME"
        ),
        lambda ops, x, k: ops.conv_transpose(x, k, 2, "same"),
        (IMAGE, f(3, 3, 4, 3)),
    ),
    "max_pool": (
        lambda tf, x: tf.nn.max_pool2d(x, 2, 2, "VALID")
        + tf.nn.avg_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
        lambda ops, x: ops.max_pool(x, 2, 2) + ops.average_pool(x, 2, 2, "same"),
        (IMAGE,),
    ),
    "depth_to_space": (
        lambda tf, x: tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2),
        lambda ops, x: x,
        (IMAGE,),
    ),
    "lrn": (
        lambda tf, x: tf.nn.local_response_normalization(x, 2, 1.0, 0.1, 0.75),
        lambda ops, x: _lrn(ops, x),
        (f(N, 3, 3, 6),),
    ),
    "cross-entropies": (
        lambda tf, t, x: (
            tf.nn.softmax_cross_entropy_with_logits(t, x),
            tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=x),
        ),
        lambda ops, t, x: (
            ops.categorical_crossentropy(t, x, True),
            ops.binary_crossentropy(t, x, True),
        ),
        (f(N, 5, low=0, high=1), f(N, 5)),
    ),
    "sparse cross-entropy": (
        lambda tf, t, x: tf.nn.sparse_softmax_cross_entropy_with_logits(t, x),
        lambda ops, t, x: ops.sparse_categorical_crossentropy(t, x, True),
        (i(N), f(N, 5)),
    ),
    "embedding_lookup": (
        lambda tf, w, k: tf.nn.embedding_lookup(w, k),
        lambda ops, w, k: ops.take(w, k, 0),
        (f(7, 3), i(N, 4)),
    ),
    "top_k": (lambda tf, x: tf.math.top_k(x, k=2), lambda ops, x: ops.top_k(x, 2), (X,)),
    "sort": (
        lambda tf, x: (tf.sort(x, direction="DESCENDING"), tf.argsort(x, axis=1)),
        lambda ops, x: (-ops.sort(-x), ops.argsort(x, axis=1)),
        (X,),
    ),
    "image": (
        lambda tf, x: (
            tf.image.flip_left_right(x),
            tf.image.rgb_to_grayscale(x),
            tf.image.grayscale_to_rgb(x[..., :1]),
            tf.image.per_image_standardization(x),
        ),
        lambda ops, x: (
            ops.flip(x, 2),
            ops.image.rgb_to_grayscale(x),
            ops.repeat(x[..., :1], 3, -1),
            (x - ops.mean(x, (1, 2, 3), keepdims=True)) / ops.std(x, (1, 2, 3), keepdims=True),
        ),
        (IMAGE,),
    ),
    "extract_patches": (
        lambda tf, x: tf.image.extract_patches(
            x, sizes=[1, 2, 2, 1], strides=[1, 2, 2, 1], rates=[1, 1, 1, 1], padding="VALID"
        ),
        lambda ops, x: ops.image.extract_patches(x, 2),
        (IMAGE,),
    ),
    "crop and pad": (
        lambda tf, x: (
            tf.image.crop_to_bounding_box(x, 1, 2, 3, 4),
            tf.image.resize_with_crop_or_pad(x, 8, 6),
        ),
        lambda ops, x: (x[:, 1:4, 2:6], ops.pad(x[:, :, 1:7], ((0, 0), (1, 1), (0, 0), (0, 0)))),
        (IMAGE,),
    ),
    "slice": (
        lambda tf, x: (
            tf.slice(x, [0, 1, 2], [-1, 2, 3]),
            tf.strided_slice(x, [0, 1], [3, 3], begin_mask=1, end_mask=1),
        ),
        lambda ops, x: (x[:, 1:3, 2:5], x[:, 1:3]),
        (X,),
    ),
    "boolean_mask": (
        lambda tf, x: tf.boolean_mask(x, [True, False, True, True], axis=1),
        lambda ops, x: x[:, np.array([0, 2, 3])],
        (X,),
    ),
    "eye": (
        lambda tf, x: tf.matmul(x, tf.eye(3, batch_shape=[tf.shape(x)[0], 6])) + tf.eye(8, 3),
        lambda ops, x: x + ops.eye(8, 3),
        (IMAGE,),
    ),
    "resizing of TensorFlow 1": (
        lambda tf, x: (
            tf.compat.v1.image.resize_images(x, (12, 16), 1),
            tf.image.resize_nearest_neighbor(x, (9, 12), half_pixel_centers=True),
            tf.image.resize_bilinear(x, (9, 12), half_pixel_centers=True),
            tf.compat.v1.image.resize_images(x, (11, 15), "bilinear", True),
        ),
        lambda ops, x: (
            ops.repeat(ops.repeat(x, 2, 1), 2, 2),
            ops.image.resize(x, (9, 12), "nearest"),
            ops.image.resize(x, (9, 12), "bilinear"),
            ops.einsum("iy,nyxc,jx->nijc", halves(6), x, halves(8)),
        ),
        (IMAGE,),
    ),
    "map_fn": (lambda tf, x: tf.map_fn(lambda t: t * 2, x), lambda ops, x: x * 2, (f(3, 4),)),
    "cond": (
        lambda tf, x: tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x),
        lambda ops, x: ops.where(ops.sum(x) > 0, x, -x),
        (X,),
    ),
    "complex": (
        lambda tf, x: tf.abs(tf.signal.fft(tf.complex(x, x))),
        lambda ops, x: ops.sqrt(ops.square(ops.fft((x, x))[0]) + ops.square(ops.fft((x, x))[1])),
        (X,),
    ),
    "spectrograms": (
        lambda tf, x: (
            tf.abs(tf.signal.stft(x, 8, 4))
            @ tf.signal.linear_to_mel_weight_matrix(3, 5, 8000, 80.0, 3000.0),
            tf.abs(tf.signal.stft(x, 8, 3, pad_end=True, window_fn=None)),
            x * tf.signal.hamming_window(40),
        ),
        lambda ops, x: (
            ops.matmul(_sizes(ops, ops.stft(x, 8, 4, 8, center=False)), MEL),
            _sizes(ops, ops.stft(ops.pad(x, [(0, 0), (0, 7)]), 8, 3, 8, None, False)),
            x * (0.54 - 0.46 * np.cos(2 * np.pi * np.arange(40) / 40)).astype("float32"),
        ),
        (f(N, 40),),
    ),
    "scatter": (
        lambda tf, k, v: tf.scatter_nd(k, v, [6, 3]),
        lambda ops, k, v: ops.scatter(k, v, (6, 3)),
        (i(4, 1), f(4, 3)),
    ),
    "reverse_sequence": (
        lambda tf, x, k: tf.reverse_sequence(x, k, seq_axis=1),
        lambda ops, x, k: _reversed(ops, x, k),
        (X, i(N, low=1, high=4)),
    ),
    "segment_sum": (
        lambda tf, x, k: tf.math.unsorted_segment_sum(x, k, 6),
        lambda ops, x, k: ops.segment_sum(x, k, 6),
        (f(8, 3), i(8)),
    ),
    "set_diag": (
        lambda tf, x, d: tf.linalg.set_diag(x, d),
        lambda ops, x, d: ops.where(ops.cast(ops.eye(4), "bool"), d[..., None], x),
        (f(N, 4, 4), f(N, 4)),
    ),
    "ensure and stop": (
        lambda tf, x: tf.stop_gradient(tf.ensure_shape(x, (None, 4, 5))),
        lambda ops, x: ops.stop_gradient(x),
        (X,),
    ),
}


def _merge(tf: Any, x: Any) -> Any:
    batch, rows, columns = tf.unstack(tf.shape(x))
    return tf.reshape(x, (batch, rows * columns))


def _lrn(ops: Any, x: Any) -> Any:
    squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (2, 2)))
    return x / (1.0 + 0.1 * sum(squares[..., k : k + 6] for k in range(5))) ** 0.75


def _sizes(ops: Any, x: Any) -> Any:
    """Of complex numbers as two tensors."""
    return ops.sqrt(ops.square(x[0]) + ops.square(x[1]))


def _reversed(ops: Any, x: Any, lengths: Any) -> Any:
    places = ops.arange(4)[None]
    index = ops.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    return ops.take_along_axis(x, ops.broadcast_to(index[..., None], x.shape), 1)


@pytest.mark.parametrize("name", TF)
def test_tf(name: str) -> None:
    function, reference, arrays = TF[name]
    check(
        function,
        arrays,
        path="tf",
        reference=reference,
        gradients=name not in ("complex",),
        tolerance=2e-5,
    )


K: dict[str, tuple[Any, Any, tuple[Any, ...]]] = {
    "reductions": (lambda k, x: (k.mean(x), k.sum(x, axis=-1), k.max(x, 1, keepdims=True), k.std(x, axis=1), k.var(x, axis=-1), k.prod(x, axis=1), k.min(x, axis=2)),
                   lambda ops, x: (ops.mean(x), ops.sum(x, -1), ops.max(x, 1, keepdims=True), ops.std(x, 1), ops.var(x, -1), ops.prod(x, 1), ops.min(x, 2)), (X,)),
    "argmax": (lambda k, x: (k.argmax(x), k.argmin(x, axis=1)), lambda ops, x: (ops.argmax(x, -1), ops.argmin(x, 1)), (X,)),
    "math": (lambda k, x: k.exp(x) + k.square(x) + k.abs(x) + k.sign(x) + k.pow(x, 3) + k.cos(x), lambda ops, x: ops.exp(x) + ops.square(x) + ops.abs(x) + ops.sign(x) + x**3 + ops.cos(x), (X,)),
    "sqrt": (lambda k, x: k.sqrt(x), lambda ops, x: ops.sqrt(ops.maximum(x, 0.0)), (f(N, 4, low=0.1),)),
    "log and clip": (lambda k, x: k.log(k.clip(x, 0.1, 1.0)) + k.maximum(x, 0.2) * k.minimum(x, 1.0), lambda ops, x: ops.log(ops.clip(x, 0.1, 1.0)) + ops.maximum(x, 0.2) * ops.minimum(x, 1.0), (X,)),
    "shapes": (lambda k, x: (k.flatten(x), k.batch_flatten(x), k.reshape(x, (-1, 10)), k.expand_dims(x), k.squeeze(k.expand_dims(x, 1), 1)),
               lambda ops, x: (ops.ravel(x), ops.reshape(x, (-1, 20)), ops.reshape(x, (-1, 10)), x[..., None], x), (X,)),
    "permute": (lambda k, x: (k.permute_dimensions(x, (0, 2, 1)), k.transpose(x[:, 0]), k.reverse(x, 1)), lambda ops, x: (ops.transpose(x, (0, 2, 1)), ops.transpose(x[:, 0]), ops.flip(x, 1)), (X,)),
    "repeat": (lambda k, x: (k.repeat(x, 3), k.repeat_elements(x, 2, axis=1), k.tile(x, [1, 2])), lambda ops, x: (ops.repeat(x[:, None], 3, 1), ops.repeat(x, 2, 1), ops.tile(x, (1, 2))), (f(N, 4),)),
    "concatenate": (lambda k, x: (k.concatenate([x, x]), k.concatenate([x, x], axis=1), k.stack([x, x], axis=1)), lambda ops, x: (ops.concatenate([x, x], -1), ops.concatenate([x, x], 1), ops.stack([x, x], 1)), (X,)),
    "dot": (lambda k, x, y: (k.dot(x, y), k.batch_dot(x, x, axes=2), k.batch_dot(x, x, axes=(1, 1))), lambda ops, x, y: (ops.matmul(x, y), ops.matmul(x, ops.transpose(x, (0, 2, 1))), ops.matmul(ops.transpose(x, (0, 2, 1)), x)), (M, f(4, 2))),
    "batch_dot of vectors": (lambda k, x, y: k.batch_dot(x, y, axes=1), lambda ops, x, y: ops.sum(x * y, 1, keepdims=True), (f(N, 4), f(N, 4))),
    "batch_dot of both": (lambda k, x, y: (k.batch_dot(x, y, axes=[1, 2]), k.batch_dot(y, x, axes=[2, 1])), lambda ops, x, y: (ops.einsum("bi,bji->bj", x, y), ops.einsum("bji,bi->bj", y, x)), (f(N, 4), f(N, 3, 4))),
    "batch_dot of four axes": (lambda k, x, y: (k.batch_dot(x, y, [2, 2]), k.batch_dot(y, x, axes=(2, 2))), lambda ops, x, y: (ops.einsum("bin,bjnd->bijd", x, y), ops.einsum("bjnd,bin->bjdi", y, x)), (f(N, 4, 5), f(N, 2, 5, 3))),
    "batch_dot by default": (lambda k, x, y: k.batch_dot(x, y), lambda ops, x, y: ops.matmul(x, y), (M, f(N, 4, 2))),
    "l2_normalize": (lambda k, x: k.l2_normalize(x, axis=-1), lambda ops, x: x / ops.norm(x, axis=-1, keepdims=True), (X,)),
    "activations": (lambda k, x: k.relu(x, alpha=0.1, max_value=1.5) + k.softmax(x) + k.sigmoid(x) + k.tanh(x) + k.elu(x) + k.softplus(x) + k.hard_sigmoid(x),
                    lambda ops, x: ops.where(x >= 1.5, 1.5, ops.where(x >= 0, x, 0.1 * x)) + ops.softmax(x) + ops.sigmoid(x) + ops.tanh(x) + ops.elu(x) + ops.softplus(x) + ops.clip(0.2 * x + 0.5, 0, 1), (X,)),
    "comparisons": (lambda k, x: k.cast(k.greater(x, 0), "float32") + k.cast(k.equal(k.argmax(x), 1), "float32")[..., None], lambda ops, x: ops.cast(x > 0, "float32") + ops.cast(ops.argmax(x, -1) == 1, "float32")[..., None], (X,)),
    "switch": (lambda k, x, c: k.switch(c, x, -x), lambda ops, x, c: ops.where(c[:, None], x, -x), (f(N, 4), b(N))),
    "gather and one_hot": (lambda k, w, t: k.gather(w, t) + k.dot(k.one_hot(t, 7), w), lambda ops, w, t: ops.take(w, t, 0) * 2, (f(7, 3), i(N, 4))),
    "cumsum": (lambda k, x: k.cumsum(x, axis=1) + k.cumprod(x, axis=1), lambda ops, x: ops.cumsum(x, 1) + ops.cumprod(x, 1), (X,)),
    "zeros": (lambda k, x: x + k.zeros_like(x) + k.ones_like(x) + k.ones((4, 5)) + k.eye(4)[:, :1], lambda ops, x: x + 2 + ops.eye(4)[:, :1], (X,)),
    "arange": (lambda k, x: x * k.cast(k.arange(0, k.shape(x)[1]), "float32"), lambda ops, x: x * ops.arange(x.shape[1], dtype="float32"), (f(2, N),)),
    "conv2d": (lambda k, x, w: k.conv2d(x, w, padding="same") + k.bias_add(x, w[0, 0, 0]), lambda ops, x, w: ops.conv(x, w, padding="same") + x + w[0, 0, 0], (IMAGE, f(3, 3, 3, 3))),
    "pool2d": (lambda k, x: k.pool2d(x, (2, 2), strides=(2, 2)) + k.pool2d(x, (2, 2), (2, 2), pool_mode="avg"), lambda ops, x: ops.max_pool(x, 2, 2) + ops.average_pool(x, 2, 2), (IMAGE,)),
    "resize_images": (lambda k, x: k.resize_images(x, 2, 3, "channels_last"), lambda ops, x: ops.repeat(ops.repeat(x, 2, 1), 3, 2), (IMAGE,)),
    "padding": (lambda k, x: k.spatial_2d_padding(x, ((1, 2), (0, 1))), lambda ops, x: ops.pad(x, ((0, 0), (1, 2), (0, 1), (0, 0))), (IMAGE,)),
    "temporal_padding": (lambda k, x: k.temporal_padding(x, (1, 2)), lambda ops, x: ops.pad(x, ((0, 0), (1, 2), (0, 0))), (X,)),
    "losses": (lambda k, t, x: (k.binary_crossentropy(t, k.sigmoid(x)), k.categorical_crossentropy(t, k.softmax(x))), lambda ops, t, x: (ops.binary_crossentropy(t, ops.sigmoid(x)), ops.categorical_crossentropy(t, ops.softmax(x))),
               (f(N, 5, low=0, high=1), f(N, 5))),
    "ctc_batch_cost": (lambda k, t, x, n, m: k.ctc_batch_cost(t, k.softmax(x), n * 0 + 9, m * 0 + 4),
                       lambda ops, t, x, n, m: ops.ctc_loss(t, ops.log(ops.softmax(x) + 1e-7), m[:, 0] * 0 + 4, n[:, 0] * 0 + 9, mask_index=4)[:, None], (i(N, 4, high=4), f(N, 9, 5), i(N, 1), i(N, 1))),
    "rnn": (lambda k, x: k.rnn(lambda t, s: (s[0] + t, [s[0] + t]), x, [k.zeros_like(x[:, 0])])[1], lambda ops, x: ops.cumsum(x, 1), (X,)),
    "stop_gradient": (lambda k, x: x * k.stop_gradient(x), lambda ops, x: x * ops.stop_gradient(x), (X,)),
    "truncated shapes": (lambda k, x: x * k.cast(k.shape(x)[1], "float32"), lambda ops, x: x * 4.0, (X,)),
}  # fmt: skip


@pytest.mark.parametrize("name", K)
def test_backend(name: str) -> None:
    function, reference, arrays = K[name]
    check(function, arrays, path="keras.backend", reference=reference, tolerance=2e-5)


def test_constants_act_as_tensors() -> None:
    tf = Names("tf")
    table = tf.cast(tf.range(4), "float32") / tf.math.sqrt(tf.cast(16, "float32"))
    assert isinstance(table, Constant)
    assert table.numpy().tolist() == [0.0, 0.25, 0.5, 0.75]
    assert (
        float(table[1]) == 0.25 and int(tf.constant(3)) == 3 and [float(v) for v in table][2] == 0.5
    )
    assert (
        bool(tf.reduce_all(table < 1.0))
        and len(table) == 4
        and list(range(10))[tf.constant(2)] == 2
    )
    assert np.sqrt(tf.constant(4.0)) == 2.0 and np.asarray(table).shape == (4,)
    assert f"{tf.constant(2.5):.2f}" == "2.50"


def test_number_of_axes_of_a_shape() -> None:
    tf = Names("tf")
    x = Input((4, 5))
    assert len(tf.shape(x)) == 3 and tf.rank(x) == 3 and tf.shape(x).shape == (3,)
    assert tuple(tf.shape(x))[1:] == (4, 5)


@pytest.mark.parametrize("names", OTHERS)
def test_refusals_say_why(names: str) -> None:
    from keras2torch.ops.base import parse_names

    reason, fix = OTHERS[names]
    for path, _ in parse_names(names):
        with pytest.raises(UnsupportedError) as error:
            OPS[path](Input((3,)), 1)
        assert reason in str(error.value) and fix in str(error.value)


MISTAKES = {
    "shapes": (lambda tf, x: x + tf.zeros((3,)), "do not fit"),
    "matmul": (lambda tf, x: tf.matmul(x, tf.zeros((3, 3))), "inner sizes"),
    "axis": (lambda tf, x: tf.reduce_sum(x, axis=5), "out of range"),
    "reshape": (lambda tf, x: tf.reshape(tf.zeros((4, 5)), (3, 7)), "do not fit"),
    "argument": (lambda tf, x: tf.exp(x, 3), "too many positional"),
    "value": (lambda tf, x: float(tf.reduce_sum(x)), "a number is asked"),
    "legacy area": (lambda tf, x: tf.image.resize_images(tf.reshape(x, (-1, 4, 5, 1)), (8, 8), 3), "method=3"),
    "legacy bicubic": (lambda tf, x: tf.image.resize_images(tf.reshape(x, (-1, 4, 5, 1)), (8, 8), "bicubic"), "method='bicubic'"),
    "legacy resize": (lambda tf, x: tf.image.resize_bilinear(tf.reshape(x, (-1, 4, 5, 1)), (8, 8)), "off centre"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named(name: str) -> None:
    function, message = MISTAKES[name]
    with pytest.raises(K2TError, match=message):
        function(Names("tf"), Input((4, 5)))
