"""Functions of one tensor or two, element by element: a table each, and one loop that makes the classes."""

from __future__ import annotations

import math
from typing import Any

import numpy

from keras2torch.builder import broadcast
from keras2torch.ops.base import Op, Spec, define, in_tensor, shape_of
from keras2torch.ops.core import cast_value
from keras2torch.ops.dtypes import dtype_of, float_dtype, is_float, result_dtype, strong


def same(*values: Any) -> str:
    return strong(dtype_of(values[0]))


def boolean(*values: Any) -> str:
    return "bool"


def integral(*values: Any) -> str:
    """As the inputs, where bool counts as int32."""
    dtype = result_dtype(*values)
    return "int32" if dtype == "bool" else dtype


def real(*values: Any) -> str:
    dtype = same(*values)
    return "float32" if dtype.startswith("complex") else dtype


def real_float(*values: Any) -> str:
    dtype = float_dtype(*values)
    return "float32" if dtype.startswith("complex") else dtype


class Elementwise(Op):
    """``torch`` is "torch.f" for a function, ".f" for a method, "@f" for an attribute, else an operator."""

    layout = "any"
    takes_flat = True
    takes_sizes = True
    broadcasts = True
    weak = True
    torch = ""
    result: Any = staticmethod(same)
    numpy: Any = None
    floats = False
    """Whether integers must become floats before the call."""

    def emit(self, b: Any, *values: Any) -> Any:
        dtype = b.output_tensors[0].dtype
        if self.floats:
            values = tuple(
                v if isinstance(v, (int, float)) or is_float(v.dtype) else b.method("float", v)
                for v in values
            )
        if self.torch.startswith("torch.") or self.torch.startswith("F."):
            return b.function(self.torch, *(in_tensor(b, v) for v in values), dtype=dtype)
        if self.torch.startswith("."):
            return b.method(self.torch[1:], in_tensor(b, values[0]), *values[1:], dtype=dtype)
        if self.torch.startswith("@"):
            return b.node("attribute", self.torch[1:], values, dtype=dtype)
        return b.operator(self.torch, *values, dtype=dtype)


class Unary(Elementwise):
    def output_spec(self, x: Any) -> Spec:
        return Spec(shape_of(x), self.result(x))

    def lower(self, b: Any, x: Any) -> Any:
        plain = self.torch.replace("torch.", "")
        if getattr(x, "scalar", False) and hasattr(math, plain):
            return b.function(f"math.{plain}", x, shape=(), dtype="float32", scalar=True)
        if self.torch in ("@real", "@imag", "torch.conj") and not x.dtype.startswith("complex"):
            return b.function("torch.zeros_like", x) if self.torch == "@imag" else x
        return self.emit(b, x)

    def fold(self, x: Any) -> Any:
        return type(self).numpy(x)


class Binary(Elementwise):
    tensors = ("x1", "x2")
    result: Any = staticmethod(result_dtype)

    def output_spec(self, x1: Any, x2: Any) -> Spec:
        return Spec(broadcast(shape_of(x1), shape_of(x2)), self.result(x1, x2))

    def lower(self, b: Any, x1: Any, x2: Any) -> Any:
        numbers = [isinstance(x, (int, float)) or getattr(x, "scalar", False) for x in (x1, x2)]
        if all(numbers) and self.torch in _PYTHONS:
            return b.function(_PYTHONS[self.torch], x1, x2, shape=(), scalar=True)
        if any(numbers) and self.torch in _CLAMPS:
            x, bound = (x2, x1) if numbers[0] else (x1, x2)
            return b.method(
                "clamp", x, **{_CLAMPS[self.torch]: bound}, dtype=b.output_tensors[0].dtype
            )
        if self.torch == "**" and numbers[1] and x2 == 1:
            return x1
        if self.torch in _LOGICAL and not any(numbers) and x1.dtype == x2.dtype == "bool":
            return b.operator(_LOGICAL[self.torch], x1, x2, dtype="bool")
        if self.torch == "//":  # torch has no gradient of it; it is zero
            x1, x2 = (b.method("detach", x) if _is_floating(x) else x for x in (x1, x2))
        if self.torch == "-":  # torch takes no booleans
            dtype = b.output_tensors[0].dtype
            x1, x2 = (cast_value(b, x, dtype) if _is_boolean(x) else x for x in (x1, x2))
        if self.torch == "%" and numbers[0] and _is_floating(x2):
            x1 = in_tensor(b, x1)  # torch has no gradient of `number % tensor`
        return self.emit(b, x1, x2)

    def fold(self, x1: Any, x2: Any) -> Any:
        return type(self).numpy(x1, x2)


def _is_floating(x: Any) -> bool:
    return not isinstance(x, (int, float)) and not getattr(x, "scalar", False) and is_float(x.dtype)


def _is_boolean(x: Any) -> bool:
    return not isinstance(x, (int, float)) and x.dtype == "bool"


_PYTHONS = {"torch.maximum": "max", "torch.minimum": "min"}
_CLAMPS = {"torch.maximum": "min", "torch.minimum": "max"}
_LOGICAL = {"torch.logical_and": "&", "torch.logical_or": "|", "torch.logical_xor": "^"}


def _rsqrt(x: Any) -> Any:
    return 1 / numpy.sqrt(x)


_erf = numpy.vectorize(math.erf, otypes=["float64"])
_erfc = numpy.vectorize(math.erfc, otypes=["float64"])

# name in keras.ops: (torch, dtype of the result, other names[, numpy's function])
UNARY: dict[str, tuple[Any, ...]] = {
    "abs": ("torch.abs", real, "keras.ops.absolute K.abs {tf,tf.math}.abs"),
    "fabs": ("torch.abs", real_float, "", numpy.fabs),
    "negative": ("-", same, "{tf,tf.math}.negative tf.math.neg"),
    "sign": ("torch.sign", same, "K.sign {tf,tf.math}.sign"),
    "square": (".square", integral, "K.square {tf,tf.math}.square"),
    "sqrt": ("torch.sqrt", float_dtype, "{tf,tf.math}.sqrt"),
    "rsqrt": ("torch.rsqrt", float_dtype, "{tf,tf.math}.rsqrt", _rsqrt),
    "reciprocal": (".reciprocal", float_dtype, "{tf,tf.math}.reciprocal", lambda x: 1 / x),
    "exp": ("torch.exp", float_dtype, "K.exp {tf,tf.math}.exp"),
    "exp2": ("torch.exp2", float_dtype, ""),
    "expm1": ("torch.expm1", float_dtype, "{tf,tf.math}.expm1"),
    "log": ("torch.log", float_dtype, "K.log {tf,tf.math}.log"),
    "log10": ("torch.log10", float_dtype, ""),
    "log1p": ("torch.log1p", float_dtype, "{tf,tf.math}.log1p"),
    "log2": ("torch.log2", float_dtype, ""),
    "sin": ("torch.sin", float_dtype, "K.sin {tf,tf.math}.sin"),
    "cos": ("torch.cos", float_dtype, "K.cos {tf,tf.math}.cos"),
    "tan": ("torch.tan", float_dtype, "{tf,tf.math}.tan"),
    "arcsin": ("torch.asin", float_dtype, "{tf,tf.math}.asin"),
    "arccos": ("torch.acos", float_dtype, "{tf,tf.math}.acos"),
    "arctan": ("torch.atan", float_dtype, "{tf,tf.math}.atan"),
    "sinh": ("torch.sinh", float_dtype, "{tf,tf.math}.sinh"),
    "cosh": ("torch.cosh", float_dtype, "{tf,tf.math}.cosh"),
    "arcsinh": ("torch.asinh", float_dtype, "{tf,tf.math}.asinh"),
    "arccosh": ("torch.acosh", float_dtype, "{tf,tf.math}.acosh"),
    "arctanh": ("torch.atanh", float_dtype, "{tf,tf.math}.atanh"),
    "floor": ("torch.floor", float_dtype, "{tf,tf.math}.floor"),
    "ceil": ("torch.ceil", float_dtype, "{tf,tf.math}.ceil"),
    "trunc": ("torch.trunc", same, ""),
    "deg2rad": ("torch.deg2rad", float_dtype, ""),
    "rad2deg": ("torch.rad2deg", float_dtype, ""),
    "sinc": ("torch.sinc", float_dtype, ""),
    "i0": ("torch.special.i0", float_dtype, ""),
    "erf": ("torch.erf", float_dtype, "{tf,tf.math}.erf", _erf),
    "erfc": ("torch.erfc", float_dtype, "{tf,tf.math}.erfc", _erfc),
    "erfinv": ("torch.erfinv", float_dtype, "tf.math.erfinv", None),
    "lgamma": ("torch.lgamma", float_dtype, "{tf,tf.math}.lgamma", None),
    "digamma": ("torch.digamma", float_dtype, "{tf,tf.math}.digamma", None),
    "isnan": ("torch.isnan", boolean, "{tf,tf.math}.is_nan"),
    "isinf": ("torch.isinf", boolean, "{tf,tf.math}.is_inf"),
    "isfinite": ("torch.isfinite", boolean, "{tf,tf.math}.is_finite"),
    "isposinf": ("torch.isposinf", boolean, ""),
    "isneginf": ("torch.isneginf", boolean, ""),
    "isreal": ("torch.isreal", boolean, ""),
    "signbit": ("torch.signbit", boolean, ""),
    "logical_not": ("torch.logical_not", boolean, "{tf,tf.math}.logical_not"),
    "bitwise_invert": ("~", same, "keras.ops.bitwise_not tf.bitwise.invert", numpy.invert),
    "conjugate": ("torch.conj", same, "keras.ops.conj {tf,tf.math}.conj"),
    "real": ("@real", real, "{tf,tf.math}.real(input=x)"),
    "imag": ("@imag", real, "{tf,tf.math}.imag(input=x)"),
    "angle": ("torch.angle", real_float, "{tf,tf.math}.angle(input=x)"),
}

_K = "(x=x1, y=x2)"
BINARY: dict[str, tuple[Any, ...]] = {
    "add": ("+", result_dtype, f"{{tf,tf.math}}.add{_K}"),
    "subtract": ("-", result_dtype, f"{{tf,tf.math}}.subtract{_K} tf.sub{_K}"),
    "multiply": ("*", result_dtype, f"{{tf,tf.math}}.multiply{_K} tf.mul{_K}"),
    "divide": (
        "/",
        float_dtype,
        f"keras.ops.true_divide {{tf,tf.math}}.{{divide,truediv}}{_K} tf.{{div,realdiv}}{_K}",
    ),
    "floor_divide": ("//", integral, f"{{tf,tf.math}}.{{floordiv,floor_div}}{_K}"),
    "mod": ("%", integral, f"{{tf,tf.math}}.{{mod,floormod}}{_K}"),
    "power": ("**", integral, f"K.pow(x=x1, a=x2) {{tf,tf.math}}.pow{_K}"),
    "maximum": ("torch.maximum", result_dtype, f"K.maximum{_K} {{tf,tf.math}}.maximum{_K}"),
    "minimum": ("torch.minimum", result_dtype, f"K.minimum{_K} {{tf,tf.math}}.minimum{_K}"),
    "fmax": ("torch.fmax", result_dtype, ""),
    "fmin": ("torch.fmin", result_dtype, ""),
    "fmod": ("torch.fmod", integral, ""),
    "arctan2": ("torch.atan2", float_dtype, "{tf,tf.math}.atan2(y=x1, x=x2)"),
    "hypot": ("torch.hypot", float_dtype, ""),
    "logaddexp": ("torch.logaddexp", float_dtype, ""),
    "logaddexp2": ("torch.logaddexp2", float_dtype, ""),
    "nextafter": ("torch.nextafter", float_dtype, f"tf.math.nextafter{_K}"),
    "ldexp": ("torch.ldexp", float_dtype, ""),
    "gcd": ("torch.gcd", result_dtype, ""),
    "lcm": ("torch.lcm", result_dtype, ""),
    "equal": ("==", boolean, f"K.equal{_K} {{tf,tf.math}}.equal{_K}"),
    "not_equal": ("!=", boolean, f"K.not_equal{_K} {{tf,tf.math}}.not_equal{_K}"),
    "greater": (">", boolean, f"K.greater{_K} {{tf,tf.math}}.greater{_K}"),
    "greater_equal": (">=", boolean, f"K.greater_equal{_K} {{tf,tf.math}}.greater_equal{_K}"),
    "less": ("<", boolean, f"K.less{_K} {{tf,tf.math}}.less{_K}"),
    "less_equal": ("<=", boolean, f"K.less_equal{_K} {{tf,tf.math}}.less_equal{_K}"),
    "logical_and": ("torch.logical_and", boolean, f"{{tf,tf.math}}.logical_and{_K}"),
    "logical_or": ("torch.logical_or", boolean, f"{{tf,tf.math}}.logical_or{_K}"),
    "logical_xor": ("torch.logical_xor", boolean, f"{{tf,tf.math}}.logical_xor{_K}"),
}
BITWISE = {
    "bitwise_and": ("&", "tf.bitwise.bitwise_and"),
    "bitwise_or": ("|", "tf.bitwise.bitwise_or"),
    "bitwise_xor": ("^", "tf.bitwise.bitwise_xor"),
    "left_shift": ("<<", "keras.ops.bitwise_left_shift tf.bitwise.left_shift"),
    "right_shift": (">>", "keras.ops.bitwise_right_shift tf.bitwise.right_shift"),
}
# Functions of torch that take floating tensors of one dtype only.
_FLOATS = {
    "ldexp",
    "nextafter",
    "logaddexp",
    "logaddexp2",
    "hypot",
    "floor",
    "ceil",
    "fabs",
    "rsqrt",
}


def _define(name: str, base: type[Elementwise], row: tuple[Any, ...]) -> None:
    torch, result, others, *folded = row
    members = {
        "torch": torch,
        "result": staticmethod(result),
        "numpy": staticmethod(folded[0] if folded else getattr(numpy, name)),
        "floats": name in _FLOATS,
    }
    if folded and folded[0] is None:
        members["fold"] = Op.fold
        members["takes_sizes"] = False
    prefix = "" if name in ("lgamma", "digamma") else f"keras.ops.{name} "
    define(base, name.title().replace("_", ""), prefix + others, members)


for _name, _row in UNARY.items():
    _define(_name, Unary, _row)
for _name, _row in BINARY.items():
    _define(_name, Binary, _row)


class _Bitwise(Binary):
    """As Binary, with Keras's names of the arguments."""

    tensors = ("x", "y")

    def output_spec(self, x: Any, y: Any) -> Spec:  # type: ignore[override]
        return Binary.output_spec(self, x, y)

    def lower(self, b: Any, x: Any, y: Any) -> Any:  # type: ignore[override]
        return Binary.lower(self, b, x, y)

    def fold(self, x: Any, y: Any) -> Any:  # type: ignore[override]
        return Binary.fold(self, x, y)


for _name, (_symbol, _others) in BITWISE.items():
    _define(_name, _Bitwise, (_symbol, result_dtype, _others))
