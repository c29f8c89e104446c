"""Activations as functions on tensors: one lowering each (layers/activations.py), under every name and signature."""

from __future__ import annotations

import inspect
from typing import Any

import numpy

from keras2torch.layers.activations import ACTIVATIONS, KEEP_INTEGERS
from keras2torch.ops.base import OPS, Op, Spec, as_operand, define, function, ops
from keras2torch.ops.dtypes import float_dtype, is_float


class _Activation(Op):
    layout = "any"
    takes_flat = True
    activation = ""

    def output_spec(self, x: Any, **arguments: Any) -> Spec:
        shape = x.shape
        if self.activation == "glu":
            axis = int(arguments.get("axis", -1)) % len(shape)
            if shape[axis] is not None and shape[axis] % 2:
                raise ValueError(f"axis {axis} of size {shape[axis]} cannot be halved")
            shape = tuple(n // 2 if i == axis and n is not None else n for i, n in enumerate(shape))
        return Spec(shape, x.dtype if self.activation in KEEP_INTEGERS else float_dtype(x))

    def fold(self, x: Any, **arguments: Any) -> Any:
        rule = _NUMPY.get(self.activation)
        return NotImplemented if rule is None or any(arguments.values()) else rule(x)


_NUMPY: dict[str, Any] = {
    "relu": lambda x: numpy.maximum(x, 0),
    "linear": lambda x: x,
    "tanh": numpy.tanh,
    "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
    "exponential": numpy.exp,
    "softplus": lambda x: numpy.logaddexp(x, 0),
}


def _lowering(activation: str, signature: inspect.Signature) -> Any:
    def lower(self: Any, b: Any, /, **arguments: Any) -> Any:
        x = arguments.pop("x")
        if activation not in KEEP_INTEGERS and not is_float(x.dtype):
            x = b.method("float", x, dtype="float32")
        if activation == "squareplus":
            arguments = {"b_": arguments["b"]}
        return ACTIVATIONS[activation](b, x, **arguments)

    lead = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("self", "b")]
    # Keras's squareplus has an argument `b`, the builder's name here.
    lead[1] = lead[1].replace(name="builder")
    lower.__signature__ = inspect.Signature(lead + list(signature.parameters.values()))  # type: ignore[attr-defined]
    return lower


def _define(activation: str, call: Any, names: str) -> None:
    lower = _lowering(activation, inspect.signature(call))
    title = activation.title().replace("_", "")
    define(_Activation, title, names, {"activation": activation, "lower": lower})


# activation: rows of (signature, public names). The first row of each is that of keras.ops.
_TABLE: dict[str, list[tuple[Any, str]]] = {
    "linear": [(lambda x: ..., "keras.activations.linear")],
    "relu": [
        (lambda x: ..., "keras.ops.relu tf.nn.relu(features=x)"),
        (lambda x, negative_slope=0.0, max_value=None, threshold=0.0: ...,
         "keras.activations.relu(alpha=negative_slope) K.relu(alpha=negative_slope)"),
    ],
    "relu6": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn}.relu6(features=x)")],
    "leaky_relu": [
        (lambda x, negative_slope=0.2: ...,
         "{keras.ops,keras.activations}.leaky_relu tf.nn.leaky_relu(features=x, alpha=negative_slope)")
    ],
    "elu": [
        (lambda x, alpha=1.0: ..., "{keras.ops,keras.activations,K}.elu"),
        (lambda x: ..., "tf.nn.elu(features=x)"),
    ],
    "selu": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn,K}.selu(features=x)")],
    "celu": [(lambda x, alpha=1.0: ..., "{keras.ops,keras.activations}.celu")],
    "gelu": [
        (lambda x, approximate=True: ..., "keras.ops.gelu"),
        (lambda x, approximate=False: ..., "keras.activations.gelu tf.nn.gelu(features=x)"),
    ],
    "sigmoid": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn,tf,tf.math,K}.sigmoid")],
    "tanh": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn,tf,tf.math,K}.tanh")],
    "softplus": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn,tf.math,K}.softplus(features=x)")],
    "softsign": [(lambda x: ..., "{keras.ops,keras.activations,tf.nn,tf.math,K}.softsign(features=x)")],
    "silu": [
        (lambda x: ..., "{keras.ops,keras.activations}.{silu,swish} K.silu"),
    ],
    "mish": [(lambda x: ..., "keras.activations.mish")],
    "exponential": [(lambda x: ..., "keras.activations.exponential")],
    "hard_sigmoid": [(lambda x: ..., "{keras.ops,keras.activations}.hard_sigmoid")],
    "hard_silu": [(lambda x: ..., "{keras.ops,keras.activations}.{hard_silu,hard_swish}")],
    "hard_tanh": [(lambda x: ..., "{keras.ops,keras.activations}.hard_tanh")],
    "hard_shrink": [(lambda x, threshold=0.5: ..., "{keras.ops,keras.activations}.hard_shrink")],
    "soft_shrink": [(lambda x, threshold=0.5: ..., "{keras.ops,keras.activations}.soft_shrink")],
    "tanh_shrink": [(lambda x: ..., "{keras.ops,keras.activations}.tanh_shrink")],
    "threshold": [(lambda x, threshold, default_value: ..., "{keras.ops,keras.activations}.threshold")],
    "log_sigmoid": [(lambda x: ..., "{keras.ops,keras.activations,tf.math,tf}.log_sigmoid")],
    "glu": [(lambda x, axis=-1: ..., "{keras.ops,keras.activations}.glu")],
    "sparse_plus": [(lambda x: ..., "{keras.ops,keras.activations}.sparse_plus")],
    "sparse_sigmoid": [(lambda x: ..., "{keras.ops,keras.activations}.sparse_sigmoid")],
    "sparsemax": [(lambda x, axis=-1: ..., "{keras.ops,keras.activations}.sparsemax")],
    "squareplus": [(lambda x, b=4: ..., "{keras.ops,keras.activations}.squareplus")],
}  # fmt: skip

for _name, _rows in _TABLE.items():
    for _call, _names in _rows:
        _define(_name, _call, _names)


class _Softmax(Op):
    layout = "any"

    def output_spec(self, x: Any, axis: int = -1) -> Spec:
        if not -len(x.shape) <= axis < len(x.shape):
            raise ValueError(f"axis {axis} is out of range")
        return Spec(x.shape, float_dtype(x))

    def lower(self, b: Any, x: Any, axis: int = -1) -> Any:
        x = x if is_float(x.dtype) else b.method("float", x, dtype="float32")
        return ACTIVATIONS[self.name](b, x, axis)

    def fold(self, x: Any, axis: int = -1) -> Any:
        shifted = x - x.max(axis=axis, keepdims=True)
        logs = shifted - numpy.log(numpy.exp(shifted).sum(axis=axis, keepdims=True))
        return numpy.exp(logs) if self.name == "softmax" else logs


class _Plain(_Softmax):
    name = "softmax"


class _Log(_Softmax):
    name = "log_softmax"


_softmax, _log_softmax = _Plain(), _Log()


@function("{keras.ops,keras.activations,K}.softmax")
def softmax(x: Any, axis: Any = -1) -> Any:
    """Over one axis, over several together, or over all with None."""
    if axis is None or isinstance(axis, (tuple, list)):
        return ops.exp(log_softmax(x, axis))
    return _softmax.record(x, axis)


@function("{keras.ops,keras.activations}.log_softmax")
def log_softmax(x: Any, axis: Any = -1) -> Any:
    if axis is None or isinstance(axis, (tuple, list)):
        x = as_operand(x)
        return x - ops.logsumexp(x, axis=axis if axis is None else tuple(axis), keepdims=True)
    return _log_softmax.record(x, axis)


@function("{tf.nn,tf.math,tf}.softmax(dim=axis)")
def tf_softmax(logits: Any, axis: Any = None) -> Any:
    """TensorFlow's None is the last axis."""
    return softmax(logits, -1 if axis is None else axis)


@function("{tf.nn,tf.math}.log_softmax(dim=axis)")
def tf_log_softmax(logits: Any, axis: Any = None) -> Any:
    return log_softmax(logits, -1 if axis is None else axis)


@function("K.hard_sigmoid")
def hard_sigmoid(x: Any) -> Any:
    """Keras 2's: clip(0.2 x + 0.5, 0, 1)."""
    return ops.clip(0.2 * as_operand(x) + 0.5, 0.0, 1.0)


@function("tf.nn.{silu,swish}(features=x)")
def silu(x: Any, beta: Any = 1.0) -> Any:
    x = as_operand(x)
    return ops.silu(x) if beta == 1 else x * ops.sigmoid(beta * x)


def mark_activations() -> None:
    """Functions that a layer may be given as ``activation=`` know their Keras name."""
    same = {name for name in ACTIVATIONS if name != "gelu"}
    for path, run in OPS.items():
        place, _, name = path.rpartition(".")
        if place in ("keras.ops", "keras.activations", "keras.backend", "tf.nn", "tf.math", "tf"):
            if name in same or (name == "gelu" and place != "keras.ops"):
                run.activation_name = name  # type: ignore[attr-defined]
    for name, keras_name in {"exp": "exponential", "identity": "linear"}.items():
        for place in ("keras.ops", "tf", "tf.math", "keras.backend"):
            if f"{place}.{name}" in OPS and (name, place) != ("identity", "keras.ops"):
                OPS[f"{place}.{name}"].activation_name = keras_name  # type: ignore[attr-defined]
    OPS["keras.backend.hard_sigmoid"].__dict__.pop("activation_name", None)
