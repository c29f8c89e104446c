"""Random tensors: equal to Keras's in distribution, drawn anew in every run of the model.

Outside of any layer, as data of the script, they are arrays.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy

from keras2torch.graph import Constant, Tensor, tensors_in
from keras2torch.layers.base import Layer
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, device_of, function, ops
from keras2torch.ops.creation import place
from keras2torch.ops.dtypes import dtype_argument, is_float, is_integer
from keras2torch.ops.initial_values import drawn
from keras2torch.ops.sizes import Size, as_shape, source_of, static


class _Random(Op):
    """Samples of a shape: ``draw`` names the torch function, ``arguments`` what it takes in front."""

    tensors = ("like",)
    path = "keras.random"

    def output_spec(self, draw: str, shape: Any, like: Any, arguments: tuple[Any, ...]) -> Spec:
        return Spec(
            static(shape) if like is None else like.shape,
            "int64" if draw == "randint" else "float32",
        )

    def lower(self, b: Any, draw: str, shape: Any, like: Any, arguments: tuple[Any, ...]) -> Any:
        options: dict[str, Any] = {"shape": b.output_tensors[0].shape}
        if like is not None:
            options.update(shape=like.shape, axes=like.axes)
            if draw in ("randn", "rand"):
                return b.function(f"torch.{draw}_like", like, **options, dtype="float32")
        if draw == "trunc_normal":
            empty = b.function("torch.empty", *shape, **device(b, *shape), **options)
            return b.function("nn.init.trunc_normal_", empty, a=-2.0, b=2.0, **options)
        if draw in ("randn", "rand"):
            return b.function(f"torch.{draw}", *shape, **device(b, *shape), **options)
        return b.function(f"torch.{draw}", *arguments, tuple(shape), **device(b, *shape), **options)


def device(b: Any, *sizes: Any) -> dict[str, Any]:
    """Where to draw: on the device of the tensor that a size was read from, else of one near by."""
    found = place(b, *sizes)
    if found:
        return found
    call = b.call_record
    for node in reversed(b.nodes):
        if node.call is not None and node.call.scopes == call.scopes and node.inputs:
            near = next((v for v in node.inputs if v.shape and is_float(v.dtype)), None)
            if near is not None:
                return {"device": device_of(b, near)}
    return {}


_random = _Random()


def _like(shape: tuple[Any, ...]) -> Tensor | None:
    """The tensor whose very shape this is."""
    source = source_of(shape)
    if source is None or len(source.shape) != len(shape) or not is_float(source.dtype):
        return None
    for axis, n in enumerate(shape):
        call = n.call if isinstance(n, Tensor) else None
        own = call is not None and isinstance(call.operation, Size) and call.kwargs["x"] is source
        if not (own and call.kwargs["axis"] == axis) and not (isinstance(n, int) and n == source.shape[axis]):  # type: ignore[union-attr]
            return None
    return source


def _sample(draw: str, shape: Any, arguments: tuple[Any, ...] = ()) -> Any:
    shape = as_shape(shape)
    return _random.record(draw, shape, _like(shape), arguments)


def _is_data(shape: Any, *numbers: Any) -> bool:
    """Whether samples are drawn outside of any layer's call: they are an array of the script."""
    return not tensors_in((as_shape(shape), numbers)) and not _in_call()


def _in_call() -> bool:
    frame: Any = sys._getframe(1)
    while frame is not None:
        if isinstance(frame.f_locals.get("self"), Layer):
            if frame.f_code.co_name in ("build", "__init__"):
                return False
            if frame.f_code.co_name == "call":
                return True
        frame = frame.f_back
    return False


def _generator(seed: Any) -> Any:
    return numpy.random.default_rng(seed if isinstance(seed, int) else 0)


def _scaled(sample: Any, scale: Any, offset: Any) -> Any:
    scale, offset = as_plain(scale), as_plain(offset)
    sample = sample if _is(scale, 1) else sample * scale
    return sample if _is(offset, 0) else sample + offset


def _is(value: Any, number: float) -> bool:
    return isinstance(value, (int, float)) and value == number


def _cast(x: Any, dtype: Any) -> Any:
    name = dtype_argument(dtype)
    return x if name in (None, "float32") else ops.cast(x, name)


@function(
    "{keras.random,tf.random}.normal {tf,tf.compat.v1}.random_normal K.random_normal(std=stddev) "
    "tf.compat.v1.random.normal"
)
def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    if _is_data(shape, mean, stddev):
        mean, stddev = float(as_plain(mean)), float(as_plain(stddev))
        values = mean + stddev * _generator(seed).standard_normal(as_shape(shape), "float32")
        return _cast(
            drawn("RandomNormal", values.astype("float32"), mean=mean, stddev=stddev), dtype
        )
    return _cast(_scaled(_sample("randn", shape), stddev, mean), dtype)


@function("tf.random.stateless_normal")
def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None
) -> Any:
    return normal(shape, mean, stddev, dtype)


@function(
    "{keras.random,tf.random}.truncated_normal {tf,tf.compat.v1}.{truncated_normal,random.truncated_normal} "
    "K.truncated_normal"
)
def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normal, within two deviations."""
    if _is_data(shape, mean, stddev):
        mean, stddev = float(as_plain(mean)), float(as_plain(stddev))
        values = mean + stddev * numpy.clip(
            _generator(seed).standard_normal(as_shape(shape), "float32"), -2, 2
        )
        return _cast(
            drawn("TruncatedNormal", values.astype("float32"), mean=mean, stddev=stddev), dtype
        )
    return _cast(_scaled(_sample("trunc_normal", shape), stddev, mean), dtype)


@function("keras.random.uniform K.random_uniform")
def uniform(
    shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    if dtype is not None and is_integer(dtype_argument(dtype) or ""):
        return randint(shape, minval, maxval, dtype, seed)
    if _is_data(shape, minval, maxval):
        low, high = float(as_plain(minval)), float(as_plain(maxval))
        values = _generator(seed).uniform(low, high, as_shape(shape)).astype("float32")
        return _cast(drawn("RandomUniform", values, minval=low, maxval=high), dtype)
    return _cast(_scaled(_sample("rand", shape), maxval - minval, minval), dtype)


@function("{tf,tf.compat.v1}.{random.uniform,random_uniform}")
def tf_uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = None, seed: Any = None
) -> Any:
    return uniform(shape, minval, 1 if maxval is None else maxval, dtype, seed)


@function("keras.random.randint")
def randint(shape: Any, minval: Any, maxval: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    bounds = int(as_plain(minval)), int(as_plain(maxval))
    if _is_data(shape):
        return Constant(
            _generator(seed)
            .integers(*bounds, as_shape(shape))
            .astype(dtype_argument(dtype) or "int32")
        )
    made = _sample("randint", shape, bounds)
    return made if is_integer(dtype_argument(dtype) or "int32") else ops.cast(made, dtype)


@function("K.random_bernoulli K.random_binomial")
def bernoulli(shape: Any, p: float = 0.0, dtype: Any = None, seed: Any = None) -> Any:
    """1 with the probability p."""
    return ops.cast(_sample("rand", shape) < p, dtype_argument(dtype) or "float32")


class _Dropout(Op):
    """Dropout that is active in both modes."""

    layout = "any"

    def output_spec(self, inputs: Any, rate: float) -> Spec:
        return Spec(inputs.shape, inputs.dtype)

    tensors = ("inputs",)

    def lower(self, b: Any, inputs: Any, rate: float) -> Any:
        return b.function("F.dropout", inputs, rate)


_dropout = _Dropout()


@function("keras.random.dropout")
def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    """Zeroes a share of the inputs, in eval mode too."""
    rate = as_plain(rate)
    if isinstance(rate, Tensor):
        keep = ops.subtract(1, rate)
        kept = ops.less(_sample("rand", ops.shape(inputs)), keep)
        return ops.where(kept, ops.divide(inputs, keep), 0.0)
    if not rate:
        return as_operand(inputs)
    if noise_shape is None:
        return _dropout.record(inputs, float(rate))
    own = ops.shape(inputs)
    sizes = [own[i] if n is None else n for i, n in enumerate(as_plain(noise_shape))]
    return ops.multiply(inputs, _dropout.record(ops.ones(sizes), float(rate)))


@function("tf.nn.dropout")
def tf_dropout(
    x: Any, rate: Any = None, noise_shape: Any = None, seed: Any = None, keep_prob: Any = None
) -> Any:
    return dropout(x, 1 - keep_prob if rate is None else rate, noise_shape, seed)


@function("tf.compat.v1.nn.dropout")
def tf1_dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: Any = None, rate: Any = None
) -> Any:
    return dropout(x, 1 - keep_prob if rate is None else rate, noise_shape, seed)


@function("K.dropout")
def backend_dropout(x: Any, level: Any, noise_shape: Any = None, seed: Any = None) -> Any:
    return dropout(x, level, noise_shape, seed)


class _Categorical(Op):
    tensors = ("logits",)

    def output_spec(self, logits: Any, num_samples: int) -> Spec:
        return Spec((*logits.shape[:-1], num_samples), "int64")

    def lower(self, b: Any, logits: Any, num_samples: int) -> Any:
        shape = b.output_tensors[0].shape
        odds = b.function("F.softmax", logits, dim=-1)
        return b.function(
            "torch.multinomial", odds, num_samples, replacement=True, shape=shape, dtype="int64"
        )


_categorical = _Categorical()


@function("keras.random.categorical {tf.random,tf.compat.v1.random}.categorical tf.multinomial")
def categorical(logits: Any, num_samples: Any, dtype: Any = "int32", seed: Any = None) -> Any:
    """Indices drawn with the odds exp(logits)."""
    return _categorical.record(logits, int(as_plain(num_samples)))


class _Shuffle(Op):
    def output_spec(self, x: Any, axis: int) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any, axis: int) -> Any:
        size = b.size(x, axis)
        order = b.function(
            "torch.randperm", size, device=device_of(b, x), shape=(x.shape[axis],), dtype="int64"
        )
        return b.index(
            x, (*[slice(None)] * axis, order) if axis else order, shape=x.shape, axes=x.axes
        )


_shuffle = _Shuffle()


@function("keras.random.shuffle")
def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    return _shuffle.record(x, int(axis) % len(as_operand(x).shape))


@function("{tf.random,tf.compat.v1.random}.shuffle(value=x) tf.random_shuffle(value=x)")
def tf_shuffle(x: Any, seed: Any = None) -> Any:
    return shuffle(x, 0)


class _Distribution(Op):
    """One of torch.distributions, with parameters that broadcast to the shape."""

    lists = ("parameters",)
    tensors = ()

    def output_spec(self, name: str, shape: Any, parameters: Any) -> Spec:
        return Spec(static(shape), "float32")

    def lower(self, b: Any, name: str, shape: Any, parameters: Any) -> Any:
        made = b.output_tensors[0].shape
        axes = tuple(range(len(made)))
        wide = [b.method("expand", p, *shape, shape=made, axes=axes) for p in parameters]
        if name == "Gamma":
            wide.append(1.0)
        drawn = b.function(f"torch.distributions.{name}", *wide, shape=made, axes=axes)
        return b.method("sample", drawn, shape=made, axes=axes)


_distribution = _Distribution()


def _drawn(name: str, shape: Any, *parameters: Any) -> Any:
    values = [ops.cast(p, "float32") for p in parameters]
    return _distribution.record(name, as_shape(shape), values)


@function("keras.random.gamma")
def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Any:
    return _cast(_drawn("Gamma", shape, alpha), dtype)


@function("keras.random.beta")
def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Any:
    return _cast(_drawn("Beta", shape, alpha, beta), dtype)


@function("keras.random.binomial")
def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Any:
    return _cast(_drawn("Binomial", shape, counts, probabilities), dtype)
