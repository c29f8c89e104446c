"""Keras's dtype promotion: the lattice of keras/src/backend/common/dtypes.py (that of JAX), numbers being weak.

int32 tensor + 1.5    -> float32          bool tensor + 1      -> int32
int32 + float16       -> float16          uint8 + int8         -> int16
"""

from __future__ import annotations

from functools import cache
from typing import Any

from keras2torch.graph import Tensor
from keras2torch.layers.operation import dtype_name

# Each dtype with those just above it; "int" and "float" are Python's numbers.
_ABOVE = {
    "bool": "int",
    "uint8": "int16 uint16",
    "uint16": "int32 uint32",
    "uint32": "int64 uint64",
    "uint64": "float",
    "int": "uint8 int8",
    "int8": "int16",
    "int16": "int32",
    "int32": "int64",
    "int64": "float",
    "float": "bfloat16 float16",
    "bfloat16": "float32",
    "float16": "float32",
    "float32": "complex64",
    "complex64": "",
}


@cache
def _bounds(dtype: str) -> frozenset[str]:
    return frozenset({dtype}).union(*(_bounds(name) for name in _ABOVE[dtype].split()))


@cache
def promote(*dtypes: str) -> str:
    """The least dtype that holds all of these. Raises ValueError for a dtype that does no arithmetic."""
    names = {_standard(dtype) for dtype in dtypes}
    unknown = names - set(_ABOVE)
    if unknown:
        raise ValueError(f"a {unknown.pop()} tensor takes no part in arithmetic")
    common = frozenset.intersection(*map(_bounds, names))
    least = (common & names) or {name for name in common if common <= _bounds(name)}
    result = next(iter(least))
    return {"int": "int32", "float": "float32"}.get(result, result)


def _standard(dtype: str) -> str:
    return {"float64": "float32", "complex128": "complex64", "half": "float16"}.get(dtype, dtype)


def dtype_of(value: Any) -> str:
    """The dtype of a tensor, or the weak one of a Python number."""
    if isinstance(value, Tensor):
        return value.dtype
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, complex):
        return "complex64"
    return "int" if isinstance(value, int) else "float"


def result_dtype(*values: Any) -> str:
    """The dtype of an elementwise result over tensors and numbers."""
    return promote(*map(dtype_of, values))


def float_dtype(*values: Any) -> str:
    """The dtype of a result that is never an integer: division, means, exponentials."""
    return promote("float", *map(dtype_of, values)) if values else "float32"


def strong(dtype: str) -> str:
    """The dtype that a number of a weak dtype gets when it becomes a tensor."""
    return {"int": "int32", "float": "float32"}.get(dtype, dtype)


def is_float(dtype: str) -> bool:
    """Whether the dtype is a floating one (not a complex one)."""
    return dtype.startswith(("float", "bfloat"))


def is_integer(dtype: str) -> bool:
    return dtype.startswith(("int", "uint"))


def dtype_argument(dtype: Any) -> str | None:
    """The name of a dtype argument, None where it is left out; float64 is Keras's float32 on JAX."""
    name = dtype_name(dtype)
    return None if name is None else {"int": "int32", "float": "float32"}.get(name, _standard(name))
