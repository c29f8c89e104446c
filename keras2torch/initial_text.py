"""One initialiser as lines of torch.

Keras counts fans on its own kernel layout; where torch's count on the torch tensor agrees, ``nn.init`` is
used as it is, else the fan is written out. Source of the formulas:
keras/src/initializers/random_initializers.py (``compute_fans``, ``VarianceScaling``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras2torch import initializers
from keras2torch.constants import constant_text
from keras2torch.errors import UnsupportedError
from keras2torch.graph import Weight
from keras2torch.module import Mapping
from keras2torch.quoting import quote


class Lines:
    """An initialisation that a layer writes itself: ``make(target)`` gives the lines."""

    def __init__(self, key: str, make: Callable[[str], list[str]]):
        self.key, self.make = key, make

    def get_config(self) -> dict[str, Any]:
        return {"key": self.key}


def compute_fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Keras's (fan in, fan out) of a kernel."""
    if len(shape) < 1:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    if len(shape) == 2:
        return shape[0], shape[1]
    receptive = math.prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


def _torch_fans(shape: tuple[int, ...]) -> tuple[int, int] | None:
    if len(shape) < 2:
        return None
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive


def lines_for(initializer: Any, target: str, mapping: Mapping) -> list[str]:
    """The lines that fill ``target`` (an expression) as ``initializer`` would.

    Raises UnsupportedError for an initialiser that is not Keras's own.
    """
    if isinstance(initializer, Lines):
        return initializer.make(target)
    if initializer is None:
        if not mapping.sources:
            return []
        # Keras's default for add_weight: Glorot-uniform for floats.
        initializer = "glorot_uniform" if len(mapping.sources[0].shape) else "zeros"
    initializer = _resolved(initializers.get(initializer), mapping)
    config = initializer.get_config()
    name = type(initializer).__name__
    simple = _simple(name, config, target, mapping)
    if simple is not None:
        return simple
    scaling = _scaling(name, initializer, config)
    if scaling is None:
        raise UnsupportedError(
            f"the initializer {name} has no translation",
            fix="use one of keras.initializers, or set the weights after training starts",
        )
    return _scaled(target, mapping, *scaling)


def _resolved(initializer: Any, mapping: Mapping) -> Any:
    """The program's own initializer, called: what it draws from Keras's, or the array that it gives."""
    if type(initializer) in initializers.REGISTRY.values() or not mapping.sources:
        return initializer
    value = initializer
    if callable(initializer):
        from keras2torch.ops.initial_values import numpy_draws

        with numpy_draws():
            try:
                value = initializer(mapping.sources[0].shape, dtype=mapping.sources[0].dtype)
            except TypeError:
                value = initializer(mapping.sources[0].shape)
    if isinstance(value, (initializers.InitialValue, Weight)):  # K.variable(...) in Keras 2
        return value.initializer
    array = getattr(value, "value", value)
    return initializers.REGISTRY["Constant"](array) if hasattr(array, "dtype") else initializer


def _given(array: Any, target: str, mapping: Mapping) -> list[str]:
    """An array that the program gives, in torch's order."""
    if (array == array.flat[0]).all():
        value = array.flat[0].item()
        plain = {0: "zeros_", 1: "ones_"}.get(value)
        return [
            (
                f"nn.init.{plain}({target})"
                if plain
                else f"nn.init.constant_({target}, {quote(value)})"
            )
        ]
    made = mapping.function(array.astype("float32") if array.dtype == "float64" else array)
    return [f"{target}.data.copy_({constant_text(made, str(made.dtype))})"]


def _simple(name: str, config: dict[str, Any], target: str, mapping: Mapping) -> list[str] | None:
    if name == "Zeros":
        return [f"nn.init.zeros_({target})"]
    if name == "Ones":
        return [f"nn.init.ones_({target})"]
    if name == "Constant" and getattr(config["value"], "shape", ()) != ():
        return _given(config["value"], target, mapping)
    if name == "Constant":
        return [f"nn.init.constant_({target}, {quote(config['value'])})"]
    if name == "RandomNormal":
        mean = f"mean={quote(config['mean'])}, " if config["mean"] else ""
        return [f"nn.init.normal_({target}, {mean}std={quote(config['stddev'])})"]
    if name == "RandomUniform":
        return [f"nn.init.uniform_({target}, {quote(config['minval'])}, {quote(config['maxval'])})"]
    if name == "TruncatedNormal":
        mean, std = config["mean"], config["stddev"]
        low, high = mean - 2 * std, mean + 2 * std
        first = f"mean={quote(mean)}, " if mean else ""
        return [
            f"nn.init.trunc_normal_({target}, {first}std={quote(std)}, a={quote(low)}, b={quote(high)})"
        ]
    if name == "Orthogonal":
        gain = f", gain={quote(config['gain'])}" if config["gain"] != 1 else ""
        return [f"nn.init.orthogonal_({target}{gain})"]
    if name == "Identity":
        return [f"nn.init.eye_({target})"] + (
            [f"{target}.data.mul_({quote(config['gain'])})"] if config["gain"] != 1 else []
        )
    return None


def _scaling(name: str, initializer: Any, config: dict[str, Any]) -> tuple[float, str, str] | None:
    if name == "VarianceScaling":
        return config["scale"], config["mode"], config["distribution"]
    return getattr(type(initializer), "scaling", None)


def _scaled(target: str, mapping: Mapping, scale: float, mode: str, distribution: str) -> list[str]:
    source = mapping.sources[0].shape if mapping.sources else mapping.shape
    own = (
        getattr(mapping.sources[0], "fans", None) if mapping.sources else None
    )  # e.g. of an einsum's kernel
    fans = own or compute_fans(tuple(n or 1 for n in source))
    agree = _torch_fans(mapping.shape) == fans
    same_sum = sorted(_torch_fans(mapping.shape) or ()) == sorted(fans)
    if same_sum and distribution == "uniform" and (scale, mode) == (1.0, "fan_avg"):
        return [f"nn.init.xavier_uniform_({target})"]
    if agree and distribution == "uniform" and (scale, mode) == (2.0, "fan_in"):
        return [f"nn.init.kaiming_uniform_({target})"]
    fan = _fan(target, mapping, fans, agree, mode)
    helper = {
        "uniform": "scaled_uniform_",
        "truncated_normal": "scaled_truncated_normal_",
        "untruncated_normal": "scaled_normal_",
    }[distribution]
    factor = f", scale={quote(float(scale))}" if scale != 1 else ""
    return [f"{helper}({target}, {fan}{factor})"]


def _fan(target: str, mapping: Mapping, fans: tuple[int, int], agree: bool, mode: str) -> str:
    """The fan of a mode as an expression: from the tensor where that is general, else a number."""
    fan_in, fan_out = f"{target}[0].numel()", f"{target}[:, 0].numel()"
    module = target.rpartition(".")[0]
    if (
        module == "self" and len(mapping.shape) > 1
    ):  # a parameter of the module's own lies as in Keras
        agree = True
        fan_in, fan_out = f"{target}[..., 0].numel()", f"{target}[..., 0, :].numel()"
    source = mapping.sources[0].shape if mapping.sources else ()
    depthwise = (
        len(mapping.shape) > 2 and mapping.shape[1] == 1 and len(source) == len(mapping.shape)
    )
    if not agree and depthwise and module and source[-1] * source[-2] == mapping.shape[0]:  # type: ignore[operator]
        # Keras's kernel is (*S, channels, multiplier).
        area = f"{target}[0].numel()"
        fan_in = f"{area} * {module}.groups"
        fan_out = f"{area} * {source[-1]}" if source[-1] != 1 else area
    elif not agree:
        fan_in, fan_out = str(fans[0]), str(fans[1])
    if mode == "fan_in":
        return fan_in
    if mode == "fan_out":
        return fan_out
    if fan_in.isdigit() and fan_out.isdigit():
        total = int(fan_in) + int(fan_out)
        return str(total // 2 if total % 2 == 0 else total / 2)
    return f"({fan_in} + {fan_out}) / 2"
