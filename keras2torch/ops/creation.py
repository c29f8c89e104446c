"""Functions that make tensors: zeros, ranges, grids, windows."""

# ruff: noqa: N803 - Keras names the sizes of eye and tri N and M

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.constructors import Dtype
from keras2torch.graph import Constant, Tensor, tensors_in
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, device_of, function, ops
from keras2torch.ops.dtypes import dtype_argument, dtype_of, is_float, promote, strong
from keras2torch.ops.sizes import as_shape, static


def place(b: Any, *values: Any) -> dict[str, Any]:
    """``device=x.device`` of the tensor that the sizes were read from."""
    source = next((v.source for v in values if getattr(v, "source", None) is not None), None)
    return {} if source is None else {"device": device_of(b, source)}


def kind(dtype: str) -> dict[str, Any]:
    """``dtype=torch.int32``, where it is not torch's default."""
    return {} if dtype == "float32" else {"dtype": dtype}


def torch_dtype(dtype: str) -> dict[str, Any]:
    return {} if dtype == "float32" else {"dtype": Dtype(dtype)}


def make(b: Any, name: str, sizes: Any, *args: Any, **kwargs: Any) -> Any:
    """``torch.zeros(n, 3, device=x.device)``."""
    shape, dtype = b.output_tensors[0].shape, b.output_tensors[0].dtype
    options = {**kwargs, **place(b, *sizes)}
    value = b.function(f"torch.{name}", *args, **options, shape=shape)
    if dtype != "float32":
        value.node.kwargs["dtype"] = Dtype(dtype)
    value.dtype = dtype
    return value


class _Filled(Op):
    tensors = ()
    number: float = 0

    def output_spec(self, shape: Any, dtype: Any = None) -> Spec:
        return Spec(static(as_shape(shape)), dtype_argument(dtype) or "float32")

    def lower(self, b: Any, shape: Any, dtype: Any = None) -> Any:
        return make(b, self.name, shape, *shape)

    def fold(self, shape: Any, dtype: Any = None) -> Any:
        return numpy.full(as_shape(shape), self.number, "float32")

    def record(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (as_shape(args[0]), *args[1:])
        elif "shape" in kwargs:
            kwargs["shape"] = as_shape(kwargs["shape"])
        return super().record(*args, **kwargs)


class Zeros(_Filled, names="keras.ops.zeros K.zeros {tf,tf.compat.v1}.zeros"):
    pass


class Ones(_Filled, names="keras.ops.ones K.ones {tf,tf.compat.v1}.ones"):
    number = 1


@function("keras.ops.empty tf.experimental.numpy.empty")
def empty(shape: Any, dtype: Any = None) -> Any:
    """Zeros: what an empty tensor holds is undefined."""
    return ops.zeros(shape, dtype)


@function("keras.ops.full")
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return ops.broadcast_to(
        ops.cast(fill_value, dtype_argument(dtype) or "float32"), as_shape(shape)
    )


@function("{tf,tf.compat.v1}.fill(dims=shape, value=fill_value)")
def fill(shape: Any, fill_value: Any) -> Any:
    """TensorFlow's, of the value's own dtype."""
    return full(shape, fill_value, strong(dtype_of(as_operand(fill_value, weak=True))))


class _Like(Op):
    layout = "any"
    number: float = 0

    def output_spec(self, x: Any, dtype: Any = None) -> Spec:
        return Spec(x.shape, dtype_argument(dtype) or x.dtype)

    def lower(self, b: Any, x: Any, dtype: Any = None) -> Any:
        name = dtype_argument(dtype)
        value = b.function(f"torch.{self.name}", x)
        if name not in (None, x.dtype):
            value.node.kwargs["dtype"] = Dtype(name)
            value.dtype = name
        return value

    def fold(self, x: Any, dtype: Any = None) -> Any:
        return numpy.full(x.shape, self.number, x.dtype)


class ZerosLike(
    _Like, names="keras.ops.zeros_like K.zeros_like {tf,tf.compat.v1}.zeros_like(input=x, tensor=x)"
):
    pass


class OnesLike(
    _Like, names="keras.ops.ones_like K.ones_like {tf,tf.compat.v1}.ones_like(input=x, tensor=x)"
):
    number = 1


@function("keras.ops.empty_like")
def empty_like(x: Any, dtype: Any = None) -> Any:
    return ops.zeros_like(x, dtype)


@function("keras.ops.full_like")
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    x = as_operand(x)
    value = ops.cast(fill_value, dtype_argument(dtype) or x.dtype)
    if value.shape == () and isinstance(value, Constant):
        return _full_like.record(x, value.value.item(), dtype)
    return ops.broadcast_to(value, ops.shape(x))


class _FullLike(Op):
    layout = "any"

    def output_spec(self, x: Any, number: Any, dtype: Any = None) -> Spec:
        return Spec(x.shape, dtype_argument(dtype) or x.dtype)

    def lower(self, b: Any, x: Any, number: Any, dtype: Any = None) -> Any:
        name = dtype_argument(dtype)
        value = b.function("torch.full_like", x, number)
        if name not in (None, x.dtype):
            value.node.kwargs["dtype"] = Dtype(name)
            value.dtype = name
        return value

    def fold(self, x: Any, number: Any, dtype: Any = None) -> Any:
        return numpy.full(x.shape, number)


_full_like = _FullLike()


class Arange(Op, names="keras.ops.arange"):
    tensors = ()

    def output_spec(
        self, start: Any, stop: Any = None, step: Any = None, dtype: Any = None
    ) -> Spec:
        low, high, stride = (0, start, step) if stop is None else (start, stop, step)
        stride = 1 if stride is None else stride
        bounds = (low, high, stride)
        found = dtype_argument(dtype) or strong(promote(*map(dtype_of, bounds)))
        if tensors_in(bounds):
            return Spec((None,), "int64" if found == "int32" and dtype is None else found)
        return Spec((len(numpy.arange(*bounds)),), found)

    def lower(
        self, b: Any, start: Any, stop: Any = None, step: Any = None, dtype: Any = None
    ) -> Any:
        bounds = [start] if stop is None else [start, stop]
        if isinstance(bounds[0], int) and bounds[0] == 0 and len(bounds) == 2 and step in (None, 1):
            bounds = bounds[1:]
        if step not in (None, 1):
            bounds = [*([0] if len(bounds) == 1 else []), *bounds, step]
        found = b.output_tensors[0].dtype
        value = b.function("torch.arange", *bounds, shape=(None,), dtype=found, **place(b, *bounds))
        if found != "int64":
            value.node.kwargs["dtype"] = Dtype(found)
        return value

    def fold(self, start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
        step = 1 if step is None else step
        return numpy.arange(start, step=step) if stop is None else numpy.arange(start, stop, step)


@function("{tf,tf.compat.v1}.range K.arange(stop=limit, step=delta)")
def range_(start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None) -> Any:
    return ops.arange(start, limit, delta, dtype)


class Eye(Op, names="keras.ops.eye K.eye(size=N)"):
    tensors = ()

    def output_spec(self, N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Spec:
        sizes = static([N, N if M is None else M])
        return Spec(sizes, dtype_argument(dtype) or "float32")

    def lower(self, b: Any, N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
        if k:
            raise self.unsupported("k with a size that is not known", "give the Input a full shape")
        sizes = [N] if M is None else [N, M]
        return make(b, "eye", sizes, *sizes)

    def fold(self, N: Any, M: Any = None, k: Any = 0, dtype: Any = None) -> Any:
        return numpy.eye(N, M, k, dtype="float32")


@function("tf.eye")
def tf_eye(
    num_rows: Any, num_columns: Any = None, batch_shape: Any = None, dtype: Any = None, **_: Any
) -> Any:
    """As many as ``batch_shape`` says."""
    columns = num_rows if num_columns is None else num_columns
    matrix = ops.eye(num_rows, columns, dtype=dtype)
    if batch_shape is None:
        return matrix
    return ops.broadcast_to(matrix, [*batch_shape, num_rows, columns])


@function("keras.ops.identity")
def identity(n: Any, dtype: Any = None) -> Any:
    return ops.eye(n, dtype=dtype)


@function("keras.ops.tri")
def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = None) -> Any:
    return ops.tril(ops.ones((N, N if M is None else M), dtype), k)


def _steps(num: int, endpoint: bool) -> Any:
    """num numbers from 0 to 1."""
    return numpy.linspace(0, 1, num, endpoint).astype("float32")


def _spaced(
    start: Any, stop: Any, between: Any, num: int, endpoint: bool, dtype: Any, axis: int
) -> Any:
    start, stop = as_operand(start), as_operand(stop)
    rank = max(len(start.shape), len(stop.shape))
    steps = _steps(num, endpoint).reshape((num,) + (1,) * rank)
    result = between(start, stop, steps)
    if axis not in (0, -rank - 1):
        result = ops.moveaxis(result, 0, axis)
    found = dtype_argument(dtype) or promote(start.dtype, stop.dtype, "float")
    return ops.cast(result, found)


@function("keras.ops.linspace tf.linspace")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    num = as_plain(num)
    if not tensors_in((start, stop)) or all(
        isinstance(t, Constant) for t in tensors_in((start, stop))
    ):
        low, high = (as_plain(v) if not hasattr(v, "value") else v.value for v in (start, stop))
        array = numpy.linspace(low, high, num, endpoint, axis=axis)
        result = ops.cast(array.astype("float32"), dtype_argument(dtype) or "float32")
    else:
        result = _spaced(start, stop, lambda a, z, t: a + (z - a) * t, num, endpoint, dtype, axis)
    if not retstep:
        return result
    return result, ops.divide(ops.subtract(stop, start), num - 1 if endpoint else num)


@function("keras.ops.logspace")
def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    exponents = linspace(start, stop, num, endpoint, False, None, axis)
    result = ops.power(float(base) if isinstance(base, int) else base, exponents)
    return result if dtype is None else ops.cast(result, dtype)


@function("keras.ops.geomspace")
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = ops.cast(start, "float32"), ops.cast(stop, "float32")
    return _spaced(start, stop, lambda a, z, t: a * ops.power(z / a, t), num, endpoint, dtype, axis)


class _Meshgrid(Op):
    tensors = ()
    lists = ("x",)

    def output_spec(self, x: Any, indexing: str = "xy") -> list[Spec]:
        sizes = [item.shape[0] if item.shape else 1 for item in x]
        if indexing == "xy" and len(sizes) > 1:
            sizes[0], sizes[1] = sizes[1], sizes[0]
        return [Spec(tuple(sizes), item.dtype) for item in x]

    def lower(self, b: Any, x: Any, indexing: str = "xy") -> Any:
        from keras2torch.module import Value

        values = [Value(t.shape, tuple(range(len(t.shape))), t.dtype) for t in b.output_tensors]
        return b.items("function", "torch.meshgrid", tuple(x), {"indexing": indexing}, *values)

    def fold(self, x: Any, indexing: str = "xy") -> Any:
        return list(numpy.meshgrid(*x, indexing=indexing))  # type: ignore[call-overload]


_meshgrid = _Meshgrid()


@function("keras.ops.meshgrid tf.meshgrid")
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    return _meshgrid.record(list(x), indexing)


def _window(name: str) -> None:
    @function(f"keras.ops.{name}")
    def window(x: Any) -> Any:
        return _constant_window(name, x)


def _constant_window(name: str, x: Any, *args: Any) -> Any:
    length = as_plain(x)
    if isinstance(length, Tensor):
        from keras2torch.errors import UnsupportedError

        raise UnsupportedError(
            f"keras.ops.{name} of a length that is computed by the model",
            fix="give the length as a number",
        )
    return ops.convert_to_tensor(getattr(numpy, name)(int(length), *args).astype("float32"))


for _name in ("bartlett", "blackman", "hamming", "hanning"):
    _window(_name)


@function("keras.ops.kaiser")
def kaiser(x: Any, beta: Any) -> Any:
    return _constant_window("kaiser", x, float(as_plain(beta)))


__all__ = ["is_float", "kind", "make", "place", "torch_dtype"]
