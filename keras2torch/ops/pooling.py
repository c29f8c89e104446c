"""Pooling, pixels to channels and back, sliding blocks."""

from __future__ import annotations

from typing import Any

from keras2torch.layers.base import REGISTRY
from keras2torch.layers.conv import square
from keras2torch.layers.operation import pair
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, function, ops
from keras2torch.ops.convolution import channels_first, first_size, inner_sizes, padding_of

# Pooling: the layers know how.
_WORDS = {1: "1D", 2: "2D", 3: "3D"}


def _pool(kind: str, inputs: Any, data_format: Any, *arguments: Any) -> Any:
    inputs = as_operand(inputs)
    name = f"{kind}{_WORDS[len(inputs.shape) - 2]}"
    data_format = "channels_first" if channels_first(data_format) else "channels_last"
    layer = REGISTRY[name](*arguments, data_format=data_format, name="pool")
    layer.named = False
    return layer(inputs)


@function("keras.ops.max_pool")
def max_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: Any = None,
) -> Any:
    return _pool("MaxPooling", inputs, data_format, pool_size, strides, padding)


@function("keras.ops.average_pool")
def average_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = None,
    padding: str = "valid",
    data_format: Any = None,
) -> Any:
    return _pool("AveragePooling", inputs, data_format, pool_size, strides, padding)


@function("keras.ops.adaptive_max_pool")
def adaptive_max_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    return _pool("AdaptiveMaxPooling", inputs, data_format, output_size)


@function("keras.ops.adaptive_average_pool")
def adaptive_average_pool(inputs: Any, output_size: Any, data_format: Any = None) -> Any:
    return _pool("AdaptiveAveragePooling", inputs, data_format, output_size)


_POOL = "input=inputs, value=inputs"


@function(f"tf.nn.{{max_pool,max_pool1d,max_pool2d,max_pool3d}}({_POOL})")
def tf_max_pool(
    inputs: Any, ksize: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None
) -> Any:
    return _tf_pool(max_pool, inputs, ksize, strides, padding, data_format)


@function(f"tf.nn.{{avg_pool,avg_pool1d,avg_pool2d,avg_pool3d}}({_POOL})")
def tf_average_pool(
    inputs: Any, ksize: Any, strides: Any = None, padding: Any = "VALID", data_format: Any = None
) -> Any:
    return _tf_pool(average_pool, inputs, ksize, strides, padding, data_format)


def _tf_pool(
    run: Any, inputs: Any, ksize: Any, strides: Any, padding: Any, data_format: Any
) -> Any:
    size, step = inner_sizes(ksize, data_format), inner_sizes(
        ksize if strides is None else strides, data_format
    )
    if len(as_operand(inputs).shape) == 3:
        size, step = first_size(ksize), first_size(ksize if strides is None else strides)
    return run(inputs, size, step, padding_of(padding), data_format or "NHWC")


@function("K.{pool2d,pool3d}(x=inputs)")
def backend_pool(
    inputs: Any,
    pool_size: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: Any = None,
    pool_mode: str = "max",
) -> Any:
    run = max_pool if pool_mode == "max" else average_pool
    return run(inputs, pool_size, strides, padding, data_format)


# Pixels to channels and back. torch's pixel_shuffle counts the channels in another order.
@function("keras.ops.depth_to_space {tf,tf.nn}.depth_to_space(input=x)")
def depth_to_space(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    x, size = as_operand(x), int(as_plain(block_size))
    if channels_first(data_format):
        x = ops.moveaxis(x, 1, -1)
        # Keras's channels-first form has the block behind the channels, as torch has it.
        return _shuffled(x, size)
    n, h, w, c = ops.shape(x)
    x = ops.reshape(x, (n, h, w, size, size, c // size**2))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (n, h * size, w * size, c // size**2))


def _shuffled(x: Any, size: int) -> Any:
    n, h, w, c = ops.shape(x)
    x = ops.reshape(x, (n, h, w, c // size**2, size, size))
    x = ops.transpose(x, (0, 3, 1, 4, 2, 5))
    return ops.reshape(x, (n, c // size**2, h * size, w * size))


@function("keras.ops.space_to_depth {tf,tf.nn}.space_to_depth(input=x)")
def space_to_depth(x: Any, block_size: int, data_format: str = "channels_last") -> Any:
    x, size = as_operand(x), int(as_plain(block_size))
    if channels_first(data_format):
        n, c, h, w = ops.shape(x)
        x = ops.reshape(x, (n, c, h // size, size, w // size, size))
        x = ops.transpose(x, (0, 1, 3, 5, 2, 4))
        return ops.reshape(x, (n, c * size**2, h // size, w // size))
    n, h, w, c = ops.shape(x)
    x = ops.reshape(x, (n, h // size, size, w // size, size, c))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (n, h // size, w // size, c * size**2))


class Unfold(Op, names="keras.ops.unfold"):
    """Sliding blocks of (N, C, H, W) as columns, as torch has it."""

    def output_spec(
        self, x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> Spec:
        n, c, *sizes = x.shape
        geometry = zip(sizes, *(pair(v, 2) for v in (kernel_size, dilation, padding, stride)))
        total: int | None = 1
        for size, k, d, p, s in geometry:
            total = (
                None
                if None in (size, total)
                else total * ((size + 2 * p - d * (k - 1) - 1) // s + 1)
            )
        k = pair(kernel_size, 2)
        return Spec((n, c * k[0] * k[1], total), x.dtype)

    def lower(
        self, b: Any, x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> Any:
        given = {"dilation": (dilation, 1), "padding": (padding, 0), "stride": (stride, 1)}
        kwargs = {k: _plain(v) for k, (v, default) in given.items() if _plain(v) != default}
        return b.function(
            "F.unfold",
            x,
            _plain(kernel_size),
            shape=b.output_tensors[0].shape,
            axes=(0, 1, 2),
            **kwargs,
        )


def _plain(value: Any) -> Any:
    return square(tuple(value)) if isinstance(value, (list, tuple)) else value


class Fold(Op, names="keras.ops.fold"):
    def output_spec(
        self,
        x: Any,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> Spec:
        k, size = pair(kernel_size, 2), pair(output_size, 2)
        return Spec((x.shape[0], x.shape[1] // (k[0] * k[1]), *size), x.dtype)

    def lower(
        self,
        b: Any,
        x: Any,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> Any:
        given = {"dilation": (dilation, 1), "padding": (padding, 0), "stride": (stride, 1)}
        kwargs = {k: _plain(v) for k, (v, default) in given.items() if _plain(v) != default}
        size = pair(output_size, 2)
        shape = b.output_tensors[0].shape
        return b.function(
            "F.fold", x, size, _plain(kernel_size), shape=shape, axes=(0, 1, 2, 3), **kwargs
        )
