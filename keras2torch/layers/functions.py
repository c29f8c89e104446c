"""Identity, Rescaling, and Lambda, whose function is traced."""

from __future__ import annotations

import inspect
from typing import Any

import numpy

from keras2torch import config
from keras2torch.frontend import recording as recordings
from keras2torch.frontend import trace
from keras2torch.frontend.late_binding import Read, plain_variables
from keras2torch.layers.base import Layer
from keras2torch.layers.modes import TRAINING
from keras2torch.layers.operation import map_shapes


class Identity(Layer):
    """Gives what it gets."""

    supports_masking = True
    layout = "any"
    takes_flat = True

    def lower(self, b: Any, inputs: Any) -> Any:
        return inputs


class Rescaling(Layer):
    """``inputs * scale + offset``."""

    scale: Any
    offset: Any = 0.0

    supports_masking = True

    @property
    def layout(self) -> str:  # type: ignore[override]
        """Numbers serve in any axis order; one factor a channel in Keras's."""
        return "any" if _is_number(self.scale) and _is_number(self.offset) else "last"

    def lower(self, b: Any, inputs: Any) -> Any:
        x = inputs
        if not x.dtype.startswith(("float", "bfloat")):
            x = b.method("float", x, dtype=self.dtype)
        scale = self._factor(b, self.scale, "scale")
        offset = self._factor(b, self.offset, "offset")
        divisor = 1 / scale if isinstance(scale, float) and scale else 0.0
        if 1 < divisor < 1e6 and (2 * divisor).is_integer():
            x = b.operator("/", x, _plain(divisor))  # x / 255 reads better than x * 3.92e-3
        elif not isinstance(scale, float) or scale != 1:
            x = b.operator("*", x, _plain(scale), shape=x.shape, axes=x.axes)
        if isinstance(offset, float) and offset < 0:
            x = b.operator("-", x, _plain(-offset), shape=x.shape, axes=x.axes)
        elif not isinstance(offset, float) or offset:
            x = b.operator("+", x, _plain(offset), shape=x.shape, axes=x.axes)
        return x

    def _factor(self, b: Any, value: Any, name: str) -> Any:
        array = numpy.asarray(value, "float32")
        if array.ndim == 0:
            return float(value)
        if name == "scale" and config.image_data_format == "channels_first":
            array = array.reshape(*array.shape, *(1,) * (3 - array.ndim))
        return b.constant(array, name=name)


def _plain(number: Any) -> Any:
    """A whole number without its decimal point."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _is_number(value: Any) -> bool:
    return bool(numpy.ndim(value) == 0)


# How Keras 1 and 2 store a Lambda's functions: in entries beside them.
_STORED_AS = ("function_type", "module", "output_shape_type", "output_shape_module")


class Lambda(Layer):
    """A function of the program's own as a layer: it is traced on symbolic tensors where it is called."""

    function: Any
    output_shape: Any = None
    mask: Any = None
    arguments: Any = None

    ignored = ("output_shape",)
    supports_masking = False

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Lambda:
        """The layer of a config, also of Keras 1 and 2."""
        return cls(**{key: value for key, value in config.items() if key not in _STORED_AS})

    def call(self, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        function = self.function
        if not callable(function):
            raise self.unsupported(
                "its function is stored as bytecode, which is never decoded or run",
                "generate from the program that makes the model",
            )
        read = plain_variables(function)
        given = {**(self.arguments or {}), **kwargs}
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            parameters = {}  # type: ignore[assignment]
        if "mask" in parameters and "mask" not in given:
            given["mask"] = mask
        if "training" in parameters and "training" not in given:
            given["training"] = TRAINING
        outputs = function(inputs, **given)
        recording = recordings.current()
        if read and recording is not None:
            where = trace.user_location()
            recording.reads.append(Read(self.name, function, read, outputs, where))
        return outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        given = self._fields.get("mask")
        return given(inputs, mask) if callable(given) else given

    def compute_output_shape(self, input_shape: Any) -> Any:
        given = self._fields.get("output_shape")
        if callable(given):
            return given(input_shape)
        if given is not None:
            return map_shapes(lambda shape: (shape[0], *given), input_shape)
        return super().compute_output_shape(input_shape)
