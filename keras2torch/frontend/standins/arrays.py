"""Arrays of the shape and dtype of a data set that is not loaded: nearly no memory, nearly no time.

A ``SampleArray`` is a numpy array whose inner axes have stride 0: each sample holds one value throughout.
Arithmetic, casts and reshapes keep it so.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class SampleArray(np.ndarray):
    """A numpy array most of whose axes only repeat."""

    # Where a plain array would be filled.
    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        return spread(core(self).astype(dtype), self.shape)

    def copy(self, order: Any = "C") -> Any:  # type: ignore[override]
        return spread(core(self).copy(), self.shape)

    def fill(self, value: Any) -> None:
        pass

    def numpy(self) -> Any:
        """As tensors have it: batches of a data set are made-up arrays."""
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __getitem__(self, key: Any) -> Any:
        first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
        if isinstance(first, (np.ndarray, list)) and not isinstance(first, str) and not rest:
            rows = np.asarray(first)
            if rows.ndim == 1 and 0 in self.strides[1:]:
                picked = core(self)[rows]
                return spread(picked, (len(picked), *self.shape[1:]))
        return super().__getitem__(key)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        if method == "reduce" and kwargs.get("where", True) is True and "initial" not in kwargs:
            kwargs.pop("where", None)
            return _reduce(ufunc, self, kwargs)
        if method != "__call__":
            return getattr(ufunc, method)(*(plain(value) for value in inputs), **kwargs)
        result = ufunc(*(core(value) for value in inputs), **kwargs)
        if isinstance(result, tuple):
            return result
        shape = np.broadcast_shapes(*(np.shape(value) for value in inputs))
        if out is not None and core(out[0]).shape == np.shape(result):
            np.copyto(core(out[0]), result, casting="unsafe")
            return out[0]
        if not shape:
            return result
        return spread(np.asarray(result), shape)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        rule = _FUNCTIONS.get(function.__name__)
        if rule is not None:
            result = rule(*args, **kwargs)
            if result is not None:
                return result
        return super().__array_function__(function, types, args, kwargs)


def _install(name: str, ufunc: str) -> None:
    setattr(SampleArray, name, lambda self, other: getattr(np, ufunc)(self, other))


# In place means a new array here: the memory of the old one may be a single value.
for _method, _ufunc in {
    "__iadd__": "add",
    "__isub__": "subtract",
    "__imul__": "multiply",
    "__ipow__": "power",
    "__itruediv__": "true_divide",
    "__ifloordiv__": "floor_divide",
}.items():
    _install(_method, _ufunc)


def samples(shape: tuple[int, ...], dtype: str, high: int = 256) -> SampleArray:
    """An array in which sample number i holds ``i * 37 % high`` everywhere."""
    values = (np.arange(shape[0]) * 37 % high).astype(dtype)
    return spread(values.reshape(-1, *[1] * (len(shape) - 1)), shape)


def constant(shape: tuple[int, ...], value: float, dtype: str = "float32") -> SampleArray:
    """An array that holds one value, in the memory of one value."""
    return spread(np.full((1,) * len(shape), value, dtype), shape)


def core(value: Any) -> Any:
    """The part of an array that differs: axes of stride 0 cut down to length 1, as a plain array."""
    if not isinstance(value, np.ndarray):
        return value
    value = plain(value)
    cut = tuple(
        slice(None) if stride or n == 0 else slice(0, 1)
        for stride, n in zip(value.strides, value.shape)
    )
    return value[cut]


def plain(value: Any) -> Any:
    """A SampleArray as the plain numpy array that it is."""
    return value.view(np.ndarray) if isinstance(value, SampleArray) else value


def spread(values: Any, shape: tuple[int, ...]) -> SampleArray:
    """``values`` repeated along its axes of length 1 (and in front) until it has ``shape``."""
    values = np.asarray(values)
    values = values.reshape((1,) * (len(shape) - values.ndim) + values.shape)
    strides = tuple(0 if n == 1 else s for n, s in zip(values.shape, values.strides))
    wide = np.lib.stride_tricks.as_strided(values, shape, strides)
    return wide.view(SampleArray)


def _reduce(ufunc: Any, array: SampleArray, kwargs: dict[str, Any]) -> Any:
    small = core(array)
    axis = kwargs.pop("axis", 0)
    keepdims = bool(kwargs.pop("keepdims", False))
    axes = (
        tuple(range(array.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    )
    axes = tuple(a % array.ndim for a in axes)
    result = ufunc.reduce(small, axis=axes, keepdims=True, **kwargs)
    if ufunc is np.add:
        result = result * (np.prod([array.shape[a] / small.shape[a] for a in axes]) or 1)
        if array.dtype.kind in "iub" and kwargs.get("dtype") is None:
            result = result.astype("int64")
    shape = tuple(1 if a in axes else n for a, n in enumerate(array.shape))
    result = spread(result, shape)
    if not keepdims:
        result = np.ndarray.reshape(
            result, tuple(n for a, n in enumerate(array.shape) if a not in axes)
        )
    return result if result.ndim else plain(result)[()]


def _expand_dims(array: Any, axis: Any) -> Any:
    if not isinstance(axis, int):
        return None
    position = axis % (array.ndim + 1)
    return array.reshape(*array.shape[:position], 1, *array.shape[position:])


def _concatenate(arrays: Any, axis: Any = 0, out: Any = None, **kwargs: Any) -> Any:
    if axis != 0 or out is not None or not all(isinstance(a, SampleArray) for a in arrays):
        return None
    cut = [
        slice(None) if any(a.strides[i] for a in arrays) else slice(0, 1)
        for i in range(arrays[0].ndim)
    ]
    cut[0] = slice(None)
    joined = np.concatenate([plain(array)[tuple(cut)] for array in arrays])
    return spread(joined, (len(joined), *arrays[0].shape[1:]))


def _take(array: Any, indices: Any, axis: Any = None, **kwargs: Any) -> Any:
    return array[np.asarray(indices)] if axis == 0 and isinstance(array, SampleArray) else None


def _pad(array: Any, pad_width: Any, *args: Any, **kwargs: Any) -> Any:
    widths = np.broadcast_to(np.asarray(pad_width), (array.ndim, 2)).tolist()
    if widths[0] != [0, 0]:
        return None
    shape = [n + before + after for n, (before, after) in zip(array.shape, widths)]
    return spread(
        core(array)[tuple([slice(None)] + [slice(0, 1)] * (array.ndim - 1))], tuple(shape)
    )


def _repeat(array: Any, repeats: Any, axis: Any = None) -> Any:
    if (
        axis is None
        or axis % array.ndim == 0
        or array.strides[axis]
        or not isinstance(repeats, int)
    ):
        return None
    shape = list(array.shape)
    shape[axis] *= repeats
    return spread(core(array), tuple(shape))


def _stack(arrays: Any, axis: Any = 0, **kwargs: Any) -> Any:
    first = arrays[0]
    if not all(array is first for array in arrays) or axis % (first.ndim + 1) == 0:
        return None
    position = axis % (first.ndim + 1)
    small = core(first)
    small = small.reshape(*small.shape[:position], 1, *small.shape[position:])
    return spread(small, (*first.shape[:position], len(arrays), *first.shape[position:]))


# numpy functions that would fill the whole array; a rule that returns None leaves it to numpy.
_FUNCTIONS: dict[str, Any] = {
    "expand_dims": _expand_dims,
    "concatenate": _concatenate,
    "vstack": _concatenate,
    "take": _take,
    "pad": _pad,
    "repeat": _repeat,
    "stack": _stack,
    "reshape": lambda array, *shape, **kwargs: array.reshape(*shape, **kwargs),
}
