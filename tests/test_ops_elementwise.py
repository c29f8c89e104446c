"""Functions of one tensor or two, element by element, and Python's operators."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops_oracle import N, b, c, check, check_constant, f, i

from keras2torch.ops.elementwise import BINARY, BITWISE, UNARY

pytestmark = pytest.mark.thin(12)

# Where a function is not defined (or steep) on [-2, 2].
_RANGES = {
    "sqrt": (0.1, 3), "rsqrt": (0.1, 3), "log": (0.1, 3), "log10": (0.1, 3), "log2": (0.1, 3), "log1p": (-0.5, 3),
    "reciprocal": (0.3, 2), "arcsin": (-0.9, 0.9), "arccos": (-0.9, 0.9), "arctanh": (-0.9, 0.9),
    "arccosh": (1.1, 3), "erfinv": (-0.9, 0.9), "tan": (-1, 1), "floor_divide": (0.3, 3),
}  # fmt: skip
_INTEGERS_ONLY = {"bitwise_invert", "gcd", "lcm", *BITWISE}
_NO_INTEGERS = {"nextafter", "ldexp"}
_FLOATS_ONLY = {"erf", "erfc", "rsqrt"}  # as Keras on JAX takes them
_COMPLEX = {"conjugate", "real", "imag", "angle", "isreal"}
# Keras has no rule of its own for these gradients, or takes another one at isolated points.
_NO_GRADIENT = {"sinc", "nextafter", "angle", "ldexp"}


@pytest.mark.parametrize(
    "name", [n for n in UNARY if n not in ("lgamma", "digamma") and n not in _INTEGERS_ONLY]
)
def test_unary(name: str) -> None:
    low, high = _RANGES.get(name, (-2, 2))
    check(
        lambda ops, x: getattr(ops, name)(x),
        (f(N, 4, low=low, high=high),),
        gradients=name not in _NO_GRADIENT,
    )


@pytest.mark.parametrize(
    "name",
    [n for n in UNARY if n not in ("lgamma", "digamma") and n not in _COMPLEX | _FLOATS_ONLY],
)
def test_unary_of_integers(name: str) -> None:
    check(
        lambda ops, x: getattr(ops, name)(x),
        (i(N, 4, low=1, high=2 if "arc" in name or "inv" in name else 5),),
    )


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in (*BINARY, "heaviside", "divide_no_nan")
        if n not in _INTEGERS_ONLY and n != "ldexp"
    ],
)
def test_binary(name: str) -> None:
    low, high = _RANGES.get(name, (-2, 2) if name != "power" else (0.2, 2))
    arrays = (f(N, 3, 4, low=low, high=high), f(4, low=0.3, high=2))
    check(lambda ops, x, y: getattr(ops, name)(x, y), arrays, gradients=name not in _NO_GRADIENT)


@pytest.mark.parametrize("name", [n for n in (*BINARY, *BITWISE) if n not in _NO_INTEGERS])
def test_binary_of_integers(name: str) -> None:
    check(lambda ops, x, y: getattr(ops, name)(x, y), (i(N, 4, low=1), i(N, 1, low=1)))


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in (*BINARY, "heaviside", "divide_no_nan")
        if n not in _INTEGERS_ONLY and n != "ldexp"
    ],
)
@pytest.mark.parametrize("number", [2, 0.5])
def test_binary_with_a_number(name: str, number: Any) -> None:
    low, high = _RANGES.get(name, (0.2, 2))

    def case(ops: Any, x: Any) -> Any:
        return getattr(ops, name)(x, number), getattr(ops, name)(number, x)

    check(case, (f(N, 4, low=low, high=high),), gradients=name not in _NO_GRADIENT)


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "power", "maximum", "greater", "mod"]
)
@pytest.mark.parametrize("number", [2, 0.5])
def test_integers_with_a_number(name: str, number: Any) -> None:
    check(lambda ops, x: getattr(ops, name)(x, number), (i(N, 4, low=1),))


@pytest.mark.parametrize(
    "name", ["add", "multiply", "divide", "maximum", "logical_and", "equal", "power"]
)
def test_promotion(name: str) -> None:
    check(lambda ops, x, y: getattr(ops, name)(x, y), (i(N, 4), f(N, 4, low=0.5)))
    check(lambda ops, x, y: getattr(ops, name)(x, y), (b(N, 4), f(N, 4, low=0.5)))
    check(lambda ops, x, y: getattr(ops, name)(x, y), (b(N, 4), i(N, 4)))


OPERATORS = {
    "arithmetic": (
        lambda ops, x, y: (x + y) * 2 - x / y + 3 * x - 1 / y,
        (f(N, 4), f(N, 4, low=0.5)),
    ),
    "power": (lambda ops, x: x**2 + 2**x - x**0.5, (f(N, 4, low=0.2),)),
    "integers": (lambda ops, x: (x // 2) * 2 + x % 3 - 7 // x, (i(N, 4, low=1, high=20),)),
    "floats": (lambda ops, x: x // 0.7 + x % 0.7, (f(N, 4),)),
    "negative": (lambda ops, x: -x + abs(x) + (+x), (f(N, 4),)),
    "compare": (
        lambda ops, x, y: [x > y, x >= 0, x < y, x <= 0.5, x == x + 0 * y, x != y],
        (f(N, 4), f(N, 4)),
    ),
    "logic": (lambda ops, x, y: [x & y, x | y, x ^ y, ~x, (x & y) | ~y], (b(N, 4), b(N, 4))),
    "mask": (lambda ops, x: x * ops.cast((x > 0) & (x < 1), "float32"), (f(N, 4),)),
    "matmul": (lambda ops, x, y: x @ y, (f(N, 3, 4), f(N, 4, 5))),
    "array": (lambda ops, x: x + np.array([1.0, 2.0, 3.0], "float32"), (f(N, 3),)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    function, arrays = OPERATORS[name]
    check(function, arrays)


INDEXING = {
    "first": (lambda ops, x: x[:, 0], (f(N, 4, 5),)),
    "last": (lambda ops, x: x[..., -1], (f(N, 4, 5),)),
    "dots before a slice and more axes": (
        lambda ops, x: x[..., 1:3, :] + x[..., 2:4, :],
        (f(N, 2, 5, 3),),
    ),
    "both": (lambda ops, x: x[:, 1:-1, ::2], (f(N, 4, 5),)),
    "new axes": (lambda ops, x: x[:, None, :, None] + x[..., None, None][:, :, 0], (f(N, 4),)),
    "number and new axis": (lambda ops, x: x[:, None, 2], (f(N, 4, 5),)),
    "backwards": (lambda ops, x: x[:, ::-1], (f(N, 4, 5),)),
    "backwards by two": (lambda ops, x: (x[:, ::-2, 3:0:-1], x[:, 4:1:-2]), (f(N, 6, 5),)),
    "backwards and a number": (lambda ops, x: x[:, -2::-2, 1], (f(N, 6, 5),)),
    "batch backwards": (lambda ops, x: x[::-1], (f(N, 4),)),
    "unknown size": (lambda ops, x: x[:, 1:], (f(N, N, 2),)),
    "shape in a slice": (lambda ops, x, y: x[:, : ops.shape(y)[1]], (f(N, 4), f(2, N))),
    "list": (lambda ops, x: x[:, [0, 2, 2]], (f(N, 4, 5),)),
    "tensor": (lambda ops, x, k: x[:, k], (f(N, 5, 2), i(4))),
    "tensor first": (lambda ops, x, k: x[k], (f(5, 2), i(N, 4))),
    "two tensors": (lambda ops, x, k: x[:, k, k], (f(N, 5, 5), i(3))),
}


@pytest.mark.parametrize("name", INDEXING)
def test_indexing(name: str) -> None:
    function, arrays = INDEXING[name]
    check(function, arrays, specs=False)


OTHERS = {
    "ldexp": (lambda ops, x, k: ops.ldexp(x, k), (f(N, 4), i(N, 4))),
    "cbrt": (lambda ops, x: ops.cbrt(x), (f(N, 4),)),
    "complex": (lambda ops, z: [ops.real(z), ops.imag(z), ops.angle(z), ops.conj(z), ops.isreal(z), ops.abs(z)], (c(N, 4),)),
    "divide_no_nan": (lambda ops, x, k: ops.divide_no_nan(x, ops.cast(k, "float32")), (f(N, 4), i(N, 4, high=2))),
    "round": (lambda ops, x: (ops.round(x), ops.round(x, 1)), (f(N, 4),)),
    "round integers to tens": (lambda ops, x: ops.round(x, -1), (i(N, 40, low=-60, high=60),)),
    "one less a mask": (lambda ops, x, m: (1 - m, 1.5 - m, m - 1, x - m, ops.subtract(m, x)), (f(N, 4), b(N, 4))),
    "scalar input": (lambda ops, x, y: ops.where(x > 0, x * y, y), (f(), f(N, 4))),
    "clip": (lambda ops, x: (ops.clip(x, -0.5, 1), ops.clip(x, 0, 1)), (f(N, 4),)),
    "clip to tensors": (lambda ops, x, y: ops.clip(x, -y, y), (f(N, 4), f(4, low=0.1, high=1))),
    "clip integers": (lambda ops, x: (ops.clip(x, 1, 3), ops.clip(x, 0.5, 2.5)), (i(N, 4),)),
    "nan_to_num": (lambda ops, x: ops.nan_to_num(ops.log(x), nan=1.0, neginf=-5.0), (f(N, 4),)),
    "nan_to_num plain": (lambda ops, x: ops.nan_to_num(ops.log(x)), (f(N, 4),)),
    "isclose": (lambda ops, x: (ops.isclose(x, x + 1e-9), ops.isclose(x, x + 0.01, atol=0.1)), (f(N, 4),)),
    "isclose of two dtypes": (lambda ops, x, k: (ops.isclose(x, k, atol=1), ops.isclose(k, x > 0)), (f(N, 4), i(N, 4))),
    "allclose": (lambda ops, x: (ops.allclose(x, x), ops.allclose(x, x + 1)), (f(N, 4),)),
    "not finite": (lambda ops, x: (ops.isnan(ops.log(x)), ops.isinf(1 / (x * 0)), ops.isneginf(-1 / (x * 0))), (f(N, 4),)),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_others(name: str) -> None:
    function, arrays = OTHERS[name]
    check(function, arrays, gradients="nan_" not in name and "finite" not in name)


CONSTANTS = {
    "number": lambda ops: ops.sqrt(64.0),
    "numbers": lambda ops: ops.add(1, 2),
    "float of integers": lambda ops: ops.exp(2),
    "operators": lambda ops: ops.cast(ops.arange(8), "float32") / 3 ** (ops.arange(8) % 3) - 1,
    "index": lambda ops: ops.reshape(ops.arange(12), (3, 4))[:, None, 1::2],
    "erf": lambda ops: ops.erf(ops.arange(4, dtype="float32")),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_constants(name: str) -> None:
    check_constant(CONSTANTS[name])
