"""Writing into tensors: scatter, slices, segments, counts."""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch.graph import Constant, Tensor
from keras2torch.module import Value
from keras2torch.ops.base import Op, Spec, as_operand, as_plain, axis_of, define, function, ops
from keras2torch.ops.dtypes import is_float, promote
from keras2torch.ops.select import as_index
from keras2torch.ops.sizes import as_shape, static


def parts(b: Any, indices: Any) -> Any:
    """``indices.unbind(-1)``: one index for each axis."""
    return b.method("unbind", as_index(b, indices), -1, shape=())


class Scatter(Op, names="keras.ops.scatter tf.scatter_nd(updates=values)"):
    tensors = ("indices", "values")

    def output_spec(self, indices: Any, values: Any, shape: Any) -> Spec:
        return Spec(static(as_shape(shape)), values.dtype)

    def lower(self, b: Any, indices: Any, values: Any, shape: Any) -> Any:
        sizes = as_shape_values(shape)
        spec = b.output_tensors[0]
        zeros = b.method(
            "new_zeros", values, *sizes, shape=spec.shape, axes=tuple(range(len(spec.shape)))
        )
        return b.method(
            "index_put", zeros, parts(b, indices), values, accumulate=True, shape=spec.shape
        )

    def fold(self, indices: Any, values: Any, shape: Any) -> Any:
        result = numpy.zeros(as_shape(shape), values.dtype)
        numpy.add.at(result, tuple(numpy.moveaxis(indices, -1, 0)), values)
        return result


def as_shape_values(shape: Any) -> tuple[Any, ...]:
    return tuple(shape.tolist() if hasattr(shape, "tolist") else shape)


_REDUCTIONS = {"max": "amax", "min": "amin", "mul": "prod"}


class ScatterUpdate(
    Op, names="keras.ops.scatter_update tf.tensor_scatter_nd_update(tensor=inputs)"
):
    tensors = ("inputs", "indices", "updates")

    def output_spec(self, inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Spec:
        return Spec(inputs.shape, inputs.dtype)

    def lower(self, b: Any, inputs: Any, indices: Any, updates: Any, reduction: Any = None) -> Any:
        options = {"shape": inputs.shape, "axes": inputs.axes, "dtype": inputs.dtype}
        if reduction in _REDUCTIONS:
            index = as_index(b, indices)
            return b.function(
                "scatter_reduce_at", inputs, index, updates, _REDUCTIONS[reduction], **options
            )
        if reduction not in (None, "add"):
            raise self.unsupported(
                f"reduction={reduction!r}", 'use None, "add", "max", "min" or "mul"'
            )
        accumulate = {"accumulate": True} if reduction else {}
        return b.method("index_put", inputs, parts(b, indices), updates, **accumulate, **options)


def _scatter_with(reduction: str) -> Any:
    def run(tensor: Any, indices: Any, updates: Any) -> Any:
        return ops.scatter_update(tensor, indices, updates, reduction)

    return run


for _name in ("add", "max", "min"):
    function(f"tf.tensor_scatter_nd_{_name}")(_scatter_with(_name))


@function("keras.ops.slice")
def slice_(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """A block of ``shape`` (-1: all that is left) from the corner ``start_indices``."""
    inputs = as_operand(inputs)
    key = []
    for axis, (start, count) in enumerate(zip(_corner(start_indices), as_shape(shape))):
        size = inputs.shape[axis]
        if isinstance(count, int) and count == -1:
            key.append(slice(start, None))
            continue
        if isinstance(start, int) and isinstance(count, int) and size is not None:
            start = max(0, min(start, size - count))  # a block that sticks out is moved in
        whole = isinstance(start, int) and start == 0 and isinstance(count, int) and count == size
        key.append(slice(None) if whole else slice(start, start + count))
    return inputs[tuple(key)]


@function("{tf,tf.compat.v1}.slice(input_=inputs, begin=start_indices, size=shape)")
def tf_slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    return slice_(inputs, start_indices, shape)


def _corner(start: Any) -> list[Any]:
    """The start of each axis: numbers, or scalar tensors."""
    if isinstance(start, Tensor) and not isinstance(start, Constant):
        return list(ops.unstack(start))
    start = as_plain(start)
    return [as_plain(n) for n in (start.tolist() if hasattr(start, "tolist") else start)]


@function("{tf,tf.compat.v1}.strided_slice(input=input_)")
def strided_slice(
    input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: int = 0, end_mask: int = 0,
    ellipsis_mask: int = 0, new_axis_mask: int = 0, shrink_axis_mask: int = 0, var: Any = None,
) -> Any:  # fmt: skip
    """TensorFlow's slice by begins, ends and bit masks."""
    begins, ends = _corner(begin), _corner(end)
    steps = [1] * len(begins) if strides is None else _corner(strides)
    key: list[Any] = []
    for i, (low, high, step) in enumerate(zip(begins, ends, steps)):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(low)
        else:
            first, last = (None if begin_mask & bit else low), (None if end_mask & bit else high)
            key.append(slice(first, last, None if step == 1 else step))
    return as_operand(input_)[tuple(key)]


class SliceUpdate(Op, names="keras.ops.slice_update"):
    tensors = ("inputs", "updates")

    def record(self, inputs: Any, start_indices: Any, updates: Any) -> Any:
        return super().record(inputs, _corner(start_indices), updates)

    def output_spec(self, inputs: Any, start_indices: Any, updates: Any) -> Spec:
        return Spec(inputs.shape, inputs.dtype)

    def lower(self, b: Any, inputs: Any, start_indices: Any, updates: Any) -> Any:
        starts = tuple(
            s if not isinstance(s, int) or None in (n, m) else max(0, min(s, n - m))
            for s, n, m in zip(start_indices, inputs.shape, updates.shape)
        )
        options = {"shape": inputs.shape, "axes": inputs.axes, "dtype": inputs.dtype}
        return b.function("slice_update", inputs, starts, updates, **options)


# Segments.
class _Segment(Op):
    tensors = ("data", "segment_ids")
    reduce = ""

    def output_spec(
        self, data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
    ) -> Spec:  # noqa: A002
        if num_segments is None:
            raise self.unsupported(
                "num_segments is None", "give num_segments, the number of segments"
            )
        return Spec((int(num_segments), *data.shape[1:]), data.dtype)

    def lower(
        self, b: Any, data: Any, segment_ids: Any, num_segments: Any = None, sorted: bool = False
    ) -> Any:  # noqa: A002
        options = {
            "shape": b.output_tensors[0].shape,
            "axes": tuple(range(len(data.shape))),
            "dtype": data.dtype,
        }
        index = as_index(b, segment_ids)
        if self.reduce == "sum":
            return b.function("segment_sum", data, index, int(num_segments), **options)
        return b.function(
            "segment_reduce",
            data,
            index,
            int(num_segments),
            self.reduce,
            _empty(self.reduce, data.dtype),
            **options,
        )


def _empty(reduce: str, dtype: str) -> Any:
    if reduce == "prod":
        return 1
    if is_float(dtype):
        return float("-inf") if reduce == "amax" else float("inf")
    limits = numpy.iinfo(dtype)
    return int(limits.min if reduce == "amax" else limits.max)


for _name, _reduce in {"sum": "sum", "max": "amax", "min": "amin", "prod": "prod"}.items():
    _paths = f"keras.ops.segment_{_name} tf.math.unsorted_segment_{_name}"
    define(_Segment, f"Segment{_name.title()}", _paths, {"reduce": _reduce})


# Counts.
class Bincount(Op, names="keras.ops.bincount {tf,tf.math}.bincount"):
    tensors = ("x", "weights")

    def output_spec(
        self, x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False
    ) -> Spec:
        dtype = (
            "int64"
            if weights is None
            else promote(weights.dtype, "float") if is_float(weights.dtype) else weights.dtype
        )
        return Spec((*x.shape[:-1], None), dtype)

    def lower(
        self, b: Any, x: Any, weights: Any = None, minlength: int = 0, sparse: bool = False
    ) -> Any:
        if sparse:
            raise self.unsupported("sparse=True", "leave sparse out")
        spec = b.output_tensors[0]
        options = {"shape": spec.shape, "axes": tuple(range(len(spec.shape))), "dtype": spec.dtype}
        given: dict[str, Any] = {} if weights is None else {"weights": weights}
        given.update({"minlength": minlength} if minlength else {})
        name = "torch.bincount" if weights is None else "weighted_bincount"
        return b.function(name if len(x.shape) == 1 else "bincount_rows", x, **given, **options)


class _Histogram(Op):
    path = "keras.ops.histogram"

    def output_spec(self, x: Any, bins: int, low: Any, high: Any) -> tuple[Spec, Spec]:
        return Spec((bins,), "float32"), Spec((bins + 1,), "float32")

    def lower(self, b: Any, x: Any, bins: int, low: Any, high: Any) -> Any:
        values = [Value((bins,), (0,), "float32"), Value((bins + 1,), (0,), "float32")]
        return b.multi("function", "histogram", (x, bins, low, high), {}, values)


_histogram = _Histogram()


@function("keras.ops.histogram")
def histogram(x: Any, bins: int = 10, range: Any = None) -> Any:  # noqa: A002
    low, high = (None, None) if range is None else (float(n) for n in range)
    return _histogram.record(x, int(bins), low, high)


class Unique(Op, names="keras.ops.unique"):
    """The different values in order; how many there are is known in the run only."""

    def output_spec(
        self, x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
        return_counts: bool = False, axis: Any = None, size: Any = None, fill_value: Any = None,
    ) -> Any:  # noqa: A002  # fmt: skip
        if return_index:
            raise self.unsupported("return_index=True has no equal in torch")
        if size is not None:
            raise self.unsupported(
                "size= (a fixed number of values) has no equal in torch", "leave size out"
            )
        if axis is None:
            specs = [Spec((None,), x.dtype)]
        else:
            axis = axis_of(axis, len(x.shape))
            specs = [Spec((*x.shape[:axis], None, *x.shape[axis + 1 :]), x.dtype)]
        if return_inverse:
            specs.append(Spec(x.shape if axis is None else (x.shape[axis],), "int64"))
        if return_counts:
            specs.append(Spec((None,), "int64"))
        return tuple(specs) if len(specs) > 1 else specs[0]

    def lower(
        self, b: Any, x: Any, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
        return_counts: bool = False, axis: Any = None, size: Any = None, fill_value: Any = None,
    ) -> Any:  # noqa: A002  # fmt: skip
        kwargs: dict[str, Any] = {} if axis is None else {"dim": axis}
        kwargs.update(
            {
                k: True
                for k, v in (("return_inverse", return_inverse), ("return_counts", return_counts))
                if v
            }
        )
        made = b.output_tensors
        values = [Value(t.shape, tuple(range(len(t.shape))), t.dtype) for t in made]
        if len(made) == 1:
            return b.function(
                "torch.unique", x, shape=made[0].shape, axes=values[0].axes, dtype=x.dtype, **kwargs
            )
        return b.multi("function", "torch.unique", (x,), kwargs, values)
