"""Input and InputLayer, as recording classes, and inputs made for shapes or data."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import refuse_absent
from keras2torch.graph import Tensor
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import dtype_name, unique_name


def Input(  # noqa: N802 - Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    batch_input_shape: Any = None,
    batch_shape_: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """A model input of ``shape`` (without the batch axis) or ``batch_shape`` (with it)."""
    if tensor is not None and isinstance(tensor, Tensor):
        return tensor
    if sparse or ragged:
        raise K2TError(
            "sparse and ragged inputs have no exact translation",
            where=trace.user_location(),
            fix="give the model dense inputs",
        )
    refuse_absent((shape, batch_size, batch_shape, batch_input_shape), "the shape of an Input")
    batch_shape = batch_input_shape if batch_shape is None else batch_shape
    if batch_shape is None:
        if shape is None:
            raise _without_shape(tensor)
        shape = tuple(shape) if hasattr(shape, "__iter__") else (shape,)
        batch_shape = (batch_size, *shape)
    result = Tensor(
        [None if n is None or n == -1 else _as_int(n) for n in batch_shape],
        dtype_name(dtype) or "float32",
        name or unique_name("input_layer"),
    )
    result.scopes = trace.user_scopes()
    result.named = name is not None  # type: ignore[attr-defined]
    result.variable = trace.assigned_name()  # type: ignore[attr-defined]
    return result


def _without_shape(tensor: Any) -> K2TError:
    where = trace.user_location()
    if tensor is None:
        return K2TError("Input needs a shape", where=where, fix="give it one: Input(shape=(...))")
    return K2TError(
        "Input(tensor=...) wraps what is read while it runs, of unknown shape",
        where=where,
        fix="give the shape of one sample as well: Input(tensor=..., shape=(...))",
    )


def _as_int(size: Any) -> int:
    try:
        return int(size)
    except (TypeError, ValueError):
        raise K2TError(
            f"{size!r} is no size for an input axis", where=trace.user_location()
        ) from None


class InputLayer(Layer):
    """Keras's layer form of Input, as the first item of a Sequential model."""

    shape: Any = None
    batch_size: int | None = None
    dtype: Any = None
    sparse: Any = None
    ragged: Any = None
    batch_shape: Any = None
    input_tensor: Any = None
    optional: bool = False
    name: str | None = None  # type: ignore[assignment]

    old_names = {"batch_input_shape": "batch_shape", "input_shape": "shape", "input_tensor": None}

    def __init__(self, *args: Any, **kwargs: Any):
        if "input_shape" in kwargs:
            kwargs["shape"] = kwargs.pop("input_shape")
        self.tensor: Any = Input(*args, **kwargs)
        self._set_base({"name": self.tensor.name})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise K2TError(f"an InputLayer ({self.name!r}) stands for an input: it takes no tensor")


class InputView:
    """What ``model.layers`` shows of an Input."""

    def __init__(self, tensor: Tensor):
        self.name, self.output, self.input = tensor.name, tensor, tensor
        self.trainable, self.weights = True, list[Any]()
        self.output_shape = self.input_shape = tensor.shape

    def get_weights(self) -> list[Any]:
        return []

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "batch_shape": self.output.shape}


class _Shaped(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return has_shape(value)


class SHAPED(metaclass=_Shaped):  # noqa: N801
    """Anything with a shape and a dtype."""


def has_shape(value: Any) -> bool:
    return hasattr(value, "shape") and isinstance(getattr(value, "shape", None), tuple)


def data_shape(value: Any) -> Any:
    return (None, *tuple(value.shape)[1:])


def inputs_of_shapes(shapes: Any, data: Any = None) -> Any:
    """Inputs for a shape or a structure of shapes; dtypes follow ``data``."""

    def dtype_of(value: Any) -> str:
        name = str(getattr(value, "dtype", "float32"))
        return name if name in ("int32", "int64", "uint8", "bool") else "float32"

    if isinstance(shapes, dict):
        return {
            k: inputs_of_shapes(v, data[k] if isinstance(data, dict) else None)
            for k, v in shapes.items()
        }
    if all(n is None or isinstance(n, int) for n in shapes):
        return Input(batch_shape=(None, *tuple(shapes)[1:]), dtype=dtype_of(data))
    items = data if isinstance(data, (list, tuple)) else [None] * len(shapes)
    return [inputs_of_shapes(shape, item) for shape, item in zip(shapes, items)]
