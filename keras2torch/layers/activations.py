"""Activations: by name, as functions, as layers, as torch modules; each lowers to one torch call.

Formulas: keras/src/activations/activations.py of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace

if TYPE_CHECKING:
    from keras2torch.builder import Builder
    from keras2torch.module import Value


def _softmax(b: Builder, x: Any, axis: int = -1) -> Value:
    return b.function("F.softmax", x, dim=_dim(x, axis))


def _log_softmax(b: Builder, x: Any, axis: int = -1) -> Value:
    return b.function("F.log_softmax", x, dim=_dim(x, axis))


def _dim(x: Any, axis: int) -> int:
    dim = x.dim(axis)
    return -1 if dim == len(x.axes) - 1 else dim


def _relu(
    b: Builder,
    x: Any,
    negative_slope: float = 0.0,
    max_value: Any = None,
    threshold: float = 0.0,
) -> Any:
    """keras.activations.relu: above the threshold up to the ceiling, minus the slope below it."""
    if negative_slope and max_value is None and not threshold:
        return b.function("F.leaky_relu", x, float(negative_slope))
    if threshold:
        above = b.function("F.threshold", x, float(threshold), 0.0)
        if max_value is not None:
            above = b.method("clamp", above, 0, float(max_value))
    elif max_value is None:
        above = b.function("F.relu", x)
    elif float(max_value) == 6.0:
        above = b.function("F.relu6", x)
    else:
        above = b.method("clamp", x, 0, float(max_value))
    if not negative_slope:
        return above
    below = b.operator("-", float(threshold), x) if threshold else b.operator("-", x)
    return b.operator(
        "-", above, b.operator("*", float(negative_slope), b.function("F.relu", below))
    )


def _leaky_relu(b: Builder, x: Any, negative_slope: float = 0.2) -> Value:
    return b.function("F.leaky_relu", x, float(negative_slope))


def _elu(b: Builder, x: Any, alpha: float = 1.0) -> Value:
    return b.function("F.elu", x) if alpha == 1 else b.function("F.elu", x, float(alpha))


def _gelu(b: Builder, x: Any, approximate: bool = False) -> Value:
    return b.function("F.gelu", x, approximate="tanh") if approximate else b.function("F.gelu", x)


def _hard_sigmoid(b: Builder, x: Any) -> Value:
    from keras2torch import config

    if config.keras_version < 3:
        return hard_sigmoid_keras2(b, x)
    return b.function("F.hardsigmoid", x)


def hard_sigmoid_keras2(b: Builder, x: Any) -> Value:
    """Keras 1 and 2: clip(0.2 x + 0.5, 0, 1)."""
    line = b.operator("+", b.operator("*", x, 0.2), 0.5)
    return b.method("clamp", line, 0, 1)


def _simple(name: str) -> Callable[..., Any]:
    def apply(b: Builder, x: Any) -> Any:
        return b.function(name, x)

    return apply


def _linear(b: Builder, x: Any) -> Any:
    return x


def _sparsemax(b: Builder, x: Any, axis: int = -1) -> Value:
    return b.function("sparsemax", x, _dim(x, axis))


def _squareplus(b: Builder, x: Any, b_: float = 4) -> Value:
    root = b.function("torch.sqrt", b.operator("+", b.operator("*", x, x), float(b_)))
    return b.operator("/", b.operator("+", x, root), 2)


def _sparse_plus(b: Builder, x: Any) -> Value:
    square = b.operator("/", b.operator("**", b.operator("+", x, 1), 2), 4)
    inner = b.function("torch.where", b.operator("<", x, 1, dtype="bool"), square, x, dtype=x.dtype)
    return b.function(
        "torch.where", b.operator(">", x, -1, dtype="bool"), inner, 0.0, dtype=x.dtype
    )


def _sparse_sigmoid(b: Builder, x: Any) -> Value:
    return b.method("clamp", b.operator("*", b.operator("+", x, 1), 0.5), 0, 1)


def _hard_tanh(b: Builder, x: Any) -> Value:
    return b.function("F.hardtanh", x)


def _threshold(b: Builder, x: Any, threshold: float, default_value: float) -> Value:
    return b.function("F.threshold", x, threshold, default_value)


def _glu(b: Builder, x: Any, axis: int = -1) -> Value:
    dim = _dim(x, axis)
    shape = tuple(n // 2 if i == dim % len(x.shape) and n else n for i, n in enumerate(x.shape))
    return (
        b.function("F.glu", x, shape=shape)
        if dim == -1
        else b.function("F.glu", x, dim, shape=shape)
    )


def _exponential(b: Builder, x: Any) -> Value:
    return b.function("torch.exp", x)


ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "linear": _linear,
    "relu": _relu,
    "relu6": _simple("F.relu6"),
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _simple("F.selu"),
    "celu": lambda b, x, alpha=1.0: (
        b.function("F.celu", x) if alpha == 1 else b.function("F.celu", x, float(alpha))
    ),
    "gelu": _gelu,
    "sigmoid": _simple("torch.sigmoid"),
    "tanh": _simple("torch.tanh"),
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "softplus": _simple("F.softplus"),
    "softsign": _simple("F.softsign"),
    "silu": _simple("F.silu"),
    "swish": _simple("F.silu"),
    "mish": _simple("F.mish"),
    "exponential": _exponential,
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": _simple("F.hardswish"),
    "hard_swish": _simple("F.hardswish"),
    "hard_tanh": _hard_tanh,
    "hard_shrink": lambda b, x, threshold=0.5: b.function("F.hardshrink", x, threshold),
    "soft_shrink": lambda b, x, threshold=0.5: b.function("F.softshrink", x, threshold),
    "tanh_shrink": _simple("F.tanhshrink"),
    "threshold": _threshold,
    "log_sigmoid": _simple("F.logsigmoid"),
    "glu": _glu,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "sparsemax": _sparsemax,
    "squareplus": _squareplus,
}
"""Keras activation name -> lowering. Functions that scripts pass (``keras.activations.relu``) carry
``activation_name``."""

KEEP_INTEGERS = frozenset({"relu", "linear"})
"""What leaves integers as they are; the others turn them into floats."""

# torch's own modules, as the author's API takes them: name of the class -> (Keras name, attribute -> argument).
_TORCH_MODULES: dict[str, tuple[str, dict[str, str]]] = {
    "ReLU": ("relu", {}),
    "ReLU6": ("relu6", {}),
    "LeakyReLU": ("leaky_relu", {"negative_slope": "negative_slope"}),
    "ELU": ("elu", {"alpha": "alpha"}),
    "SELU": ("selu", {}),
    "CELU": ("celu", {"alpha": "alpha"}),
    "GELU": ("gelu", {}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Softmax": ("softmax", {}),
    "LogSoftmax": ("log_softmax", {}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "SiLU": ("silu", {}),
    "Mish": ("mish", {}),
    "Hardsigmoid": ("hard_sigmoid", {}),
    "Hardswish": ("hard_silu", {}),
    "Identity": ("linear", {}),
}


def activation_name(activation: Any) -> str | None:
    """The Keras name of an activation given by name or function; None for anything else."""
    if activation is None:
        return "linear"
    if isinstance(activation, str):
        name = activation.lower() if activation.lower() in ACTIVATIONS else activation
        return name if name in ACTIVATIONS else None
    given = getattr(activation, "activation_name", None)
    return given if isinstance(given, str) else None


class ActivationName(str):
    """The name of an activation that is also the function, which a Keras layer keeps as ``activation``."""

    activation_name = property(str.__str__)
    __name__ = activation_name

    def __call__(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        from keras2torch.frontend.standins.activations import get

        return get(str(self))(x, *args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return str(self) == (other if isinstance(other, str) else activation_name(other))

    __hash__ = str.__hash__


def callable_name(activation: Any) -> Any:
    """What a program reads of a layer's activation: for a name, and for None, what can be called."""
    if activation is None or isinstance(activation, str):
        name = activation_name(activation)
        return activation if name is None else ActivationName(name)
    return activation


def apply_activation(b: Builder, x: Any, activation: Any) -> Any:
    """Emit ``activation`` on ``x``.

    Raises UnsupportedError for a function that was not traced when the layer was called.
    """
    if isinstance(activation, dict):  # a serialised function or layer
        activation = (
            activation.get("config", {}).get("name", activation.get("config"))
            if activation.get("class_name") == "function"
            else activation
        )
    name = activation_name(activation)
    if name is not None:
        return ACTIVATIONS[name](b, x if name in KEEP_INTEGERS else b.floating(x))
    lower = getattr(activation, "lower_activation", None)  # a layer object given as activation
    if callable(lower):
        return lower(b, x)
    module = _TORCH_MODULES.get(type(activation).__name__)
    if module is not None and type(activation).__module__.startswith("torch."):
        name, arguments = module
        options = {new: getattr(activation, old) for old, new in arguments.items()}
        return ACTIVATIONS[name](b, x, **options)
    raise UnsupportedError(
        f"unknown activation {activation!r}",
        where=trace.user_location(),
        fix="use one of: " + ", ".join(sorted(ACTIVATIONS)),
    )
