"""What is left of keras.backend and of tf: functions that are a few others in a row."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.layers.base import REGISTRY
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, function, ops
from keras2torch.ops.control import scan
from keras2torch.ops.convolution import (
    TransposedConvolution,
    channels_first,
    inner_sizes,
    padding_of,
)
from keras2torch.ops.creation import range_


# keras.backend
@function("K.temporal_padding")
def temporal_padding(x: Any, padding: Any = (1, 1)) -> Any:
    return ops.pad(x, [(0, 0), tuple(padding), (0, 0)])


@function("K.spatial_2d_padding K.spatial_3d_padding")
def spatial_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: Any = None) -> Any:
    inner = [tuple(p) if isinstance(p, (list, tuple)) else (p, p) for p in padding]
    edges = [(0, 0), (0, 0), *inner] if channels_first(data_format) else [(0, 0), *inner, (0, 0)]
    return ops.pad(x, edges)


@function("K.resize_volumes")
def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: Any = None
) -> Any:
    first = 2 if channels_first(data_format) else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), first):
        x = ops.repeat(x, factor, axis=axis)
    return x


@function("K.slice")
def backend_slice(x: Any, start: Any, size: Any) -> Any:
    return ops.slice(x, start, size)


@function("K.to_dense")
def to_dense(tensor: Any) -> Any:
    return tensor


@function("K.conv2d_transpose K.conv3d_transpose")
def backend_conv_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any = 1, padding: str = "valid", data_format: Any = None,
    dilation_rate: Any = 1,
) -> Any:  # fmt: skip
    return ops.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)


@function("K.rnn")
def rnn(
    step_function: Any, inputs: Any, initial_states: Any, go_backwards: bool = False, mask: Any = None,
    constants: Any = None, unroll: bool = False, input_length: Any = None, time_major: bool = False,
    zero_output_for_mask: bool = False, return_all_outputs: bool = True,
) -> Any:  # fmt: skip
    """(last output, outputs, states) of a step function over the second axis, written out."""
    inputs = as_operand(inputs)
    turned = inputs if time_major else ops.swapaxes(inputs, 0, 1)
    if mask is not None:
        raise UnsupportedError(
            "keras.backend.rnn with a mask has no translation", where=trace.user_location()
        )

    def step(states: Any, x: Any) -> Any:
        output, states = step_function(x, [*states, *(constants or [])])
        return list(states), output

    states, outputs = scan(step, list(initial_states), turned, reverse=go_backwards)
    last = outputs[0] if go_backwards else outputs[-1]
    outputs = ops.flip(outputs, 0) if go_backwards else outputs
    return last, outputs if time_major else ops.swapaxes(outputs, 0, 1), states


@function("K.count_params")
def count_params(x: Any) -> int:
    return int(numpy.prod(x.shape))


# tf
@function("{tf,tf.compat.v1}.sequence_mask")
def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = None) -> Any:
    """Which of ``maxlen`` places lie before each length."""
    if maxlen is None:
        maxlen = ops.max(lengths)
    made = range_(maxlen) < ops.expand_dims(lengths, -1)
    return made if dtype is None else ops.cast(made, dtype)


@function("{tf,tf.compat.v1}.clip_by_norm")
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None) -> Any:
    norm = ops.sqrt(ops.sum(ops.square(t), axes, keepdims=True))
    return ops.multiply(t, clip_norm) / ops.maximum(norm, clip_norm)


@function("tf.math.reduce_euclidean_norm(input_tensor=x)")
def reduce_euclidean_norm(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return ops.sqrt(ops.sum(ops.square(x), axis, keepdims))


@function("tf.math.cumulative_logsumexp")
def cumulative_logsumexp(
    x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False
) -> Any:
    if exclusive:
        raise UnsupportedError(
            "tf.math.cumulative_logsumexp(exclusive=True)", where=trace.user_location()
        )
    x = ops.flip(x, axis) if reverse else as_operand(x)
    peak = ops.max(x, axis, keepdims=True)
    made = ops.log(ops.cumsum(ops.exp(x - peak), axis)) + peak
    return ops.flip(made, axis) if reverse else made


class _LocalResponse(Op):
    """``F.local_response_norm``; TensorFlow's alpha is for each neighbour, torch's for all of them."""

    layout = "spatial"
    channels_first = False

    def output_spec(self, x: Any, radius: int, bias: float, alpha: float, beta: float) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, radius: int, bias: float, alpha: float, beta: float) -> Any:
        size = 2 * radius + 1
        return b.function(
            "F.local_response_norm", x, size, alpha * size, beta, bias, shape=x.shape, axes=x.axes
        )


_local_response = _LocalResponse()


@function(
    "tf.nn.{local_response_normalization,lrn}(input=x) tf.compat.v1.nn.{local_response_normalization,lrn}(input=x)"
)
def local_response_normalization(
    x: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5
) -> Any:
    return _local_response.record(x, int(depth_radius), float(bias), float(alpha), float(beta))


@function(
    "tf.nn.{conv1d_transpose,conv2d_transpose,conv3d_transpose}(input=x, value=x, filters=kernel, filter=kernel)"
)
def tf_conv_transpose(
    x: Any, kernel: Any, output_shape: Any, strides: Any, padding: Any = "SAME", data_format: Any = None,
    dilations: Any = None,
) -> Any:  # fmt: skip
    """TensorFlow's, where the output has the size that padding and strides give."""
    x = as_operand(x)
    made = TransposedConvolution(
        inner_sizes(strides, data_format), padding_of(padding), None, data_format or "NHWC", 1
    ).record(x, kernel)
    given = as_plain(output_shape)
    given = (
        given.tolist()
        if hasattr(given, "tolist")
        else list(given) if isinstance(given, (list, tuple)) else []
    )
    for size, wanted in zip(made.shape, given):
        if isinstance(wanted, int) and size is not None and size != wanted:
            raise UnsupportedError(
                f"a transposed convolution to the size {wanted}, where strides and padding give {size}",
                where=trace.user_location(),
                fix="leave the size to Conv2DTranspose",
            )
    return made


@function("tf.nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: Any) -> Any:
    return ops.conv(value, filters, 1, padding_of(padding), "channels_last", rate)


@function("{tf,tf.compat.v1}.ensure_shape")
def ensure_shape(x: Any, shape: Any) -> Any:
    return x


@function("{tf,tf.compat.v1}.Print(input=input_)")
def print_and_pass(input_: Any, data: Any = None, **kwargs: Any) -> Any:
    """The tensor itself: the generated module prints nothing."""
    return input_


@function("tf.reverse_sequence")
def reverse_sequence(
    input: Any, seq_lengths: Any, seq_axis: int = 1, batch_axis: int = 0
) -> Any:  # noqa: A002
    """The first elements of each sequence in reverse."""
    x = as_operand(input)
    if seq_axis != 1 or batch_axis != 0:
        raise UnsupportedError(
            "tf.reverse_sequence along other axes than 0 and 1", where=trace.user_location()
        )
    places = ops.expand_dims(ops.arange(ops.shape(x)[1]), 0)
    lengths = ops.expand_dims(seq_lengths, -1)
    index = ops.where(places < lengths, lengths - 1 - places, places)
    index = ops.reshape(index, (*ops.shape(index), *[1] * (len(x.shape) - 2)))
    return ops.take_along_axis(x, ops.broadcast_to(index, ops.shape(x)), 1)


@function("tf.linalg.adjoint(matrix=x)")
def adjoint(x: Any) -> Any:
    return ops.swapaxes(x, -1, -2)


@function("{tf,tf.compat.v1}.layers.dense tf.contrib.layers.fully_connected")
def dense(
    inputs: Any, units: int, activation: Any = None, use_bias: bool = True, **kwargs: Any
) -> Any:
    """TensorFlow 1's function that makes a layer of its own."""
    return REGISTRY["Dense"](units, activation=activation, use_bias=use_bias, **kwargs)(inputs)


def _checked(*args: Any, **kwargs: Any) -> None:
    """Assertions on tensors are left out of the generated module."""


for _name in ("equal", "greater", "greater_equal", "less", "less_equal", "near", "shapes", "rank", "all_finite",
              "non_negative", "positive", "type", "scalar", "integer", "none_equal", "negative"):  # fmt: skip
    function(f"tf.debugging.assert_{_name} {{tf,tf.compat.v1}}.assert_{_name}")(_checked)
function("{tf.debugging,tf,tf.compat.v1}.Assert")(_checked)


@function("tf.debugging.check_numerics tf.check_numerics(tensor=x)")
def check_numerics(x: Any, message: Any = None) -> Any:
    return x
