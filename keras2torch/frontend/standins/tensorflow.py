"""Names of ``tensorflow`` that are no functions on tensors: dtypes, variables, sessions, contexts."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, find_absent, is_absent
from keras2torch.frontend.standins import data, random, tree
from keras2torch.graph import Constant, Tensor, TensorShape, Weight
from keras2torch.initializers import REGISTRY as INITIALIZERS
from keras2torch.initializers import InitialValue
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import dtype_name
from keras2torch.training import own_step


class DType(str):
    """tf.float32 and its like: the dtype's name, with TensorFlow's attributes."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return str(self)

    @property
    def as_numpy_dtype(self) -> Any:
        import numpy

        return numpy.dtype(str(self)).type

    @property
    def is_floating(self) -> bool:
        return "float" in self

    @property
    def is_integer(self) -> bool:
        return "int" in self

    @property
    def max(self) -> Any:
        import numpy

        return numpy.finfo(self).max if self.is_floating else numpy.iinfo(self).max

    @property
    def min(self) -> Any:
        import numpy

        return numpy.finfo(self).min if self.is_floating else numpy.iinfo(self).min


def constant(value: Any, dtype: Any = None, shape: Any = None, name: Any = None) -> Any:
    """A known value."""
    found = find_absent(value)
    if found is not None:
        return found
    import numpy

    array = numpy.asarray(value)
    if shape is not None:
        array = numpy.broadcast_to(array, tuple(shape)) if array.size == 1 else array.reshape(shape)
    return Constant(array, dtype_name(dtype))


def convert_to_tensor(value: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
    return value if isinstance(value, Tensor) or is_absent(value) else constant(value, dtype)


class Variable(Weight):
    """tf.Variable and keras.Variable: in a layer's method, a weight of that layer."""

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        validate_shape: Any = None,
        caching_device: Any = None,
        name: Any = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        shape: Any = None,
        initializer: Any = None,
        **kwargs: Any,
    ):
        import numpy

        value = initializer if initial_value is None else initial_value
        if callable(value) and not isinstance(value, Tensor) and not is_absent(value):
            value = value(tuple(shape)) if shape is not None else value()
        if not isinstance(value, Tensor):
            value = Constant(numpy.asarray(value))
        drawn = value.initializer if isinstance(value, InitialValue) else None
        super().__init__(
            value.shape,
            dtype_name(dtype) or value.dtype,
            name or trace.assigned_name() or "variable",
            initializer=drawn,
            constraint=constraint,
            trainable=bool(trainable) if trainable is not None else True,
        )
        if isinstance(value, Constant) and drawn is None:
            self.initializer = INITIALIZERS["Constant"](value.value)
        owner = _owner()
        if owner is not None:
            self.layer = owner
            owner._weights.append(self)

    def assign(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return self

    assign_add = assign_sub = assign

    def read_value(self) -> Any:
        return self

    value_ = read_value


def _owner() -> Any:
    """The layer whose method is being run."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if trace.is_user_file(frame.f_code.co_filename):
            owner = frame.f_locals.get("self")
            return owner if isinstance(owner, Layer) else None
        frame = frame.f_back
    return None


class GradientTape:
    """tf.GradientTape: gradients are not computed while recording."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __enter__(self) -> GradientTape:
        return self

    def __exit__(self, *error: Any) -> None:
        pass

    def watch(self, tensor: Any) -> None:
        pass

    def reset(self) -> None:
        pass

    def gradient(self, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        found = own_step.gradients(target, sources)
        if found is not None:
            return found
        unknown = Absent(Source("a gradient", trace.user_location()))
        return [unknown for _ in sources] if isinstance(sources, (list, tuple)) else unknown

    jacobian = batch_jacobian = gradient


def function(func: Any = None, *args: Any, **kwargs: Any) -> Any:
    """tf.function: the function itself."""
    return func if callable(func) else (lambda inner: inner)


class TensorSpec:
    """tf.TensorSpec and tf.io.FixedLenFeature."""

    def __init__(self, shape: Any = None, dtype: Any = "float32", name: Any = None, **kwargs: Any):
        self.shape = TensorShape(shape if shape is not None else ())
        self.dtype, self.name = str(dtype), name


class Module:
    """tf.Module: a plain object."""

    def __init__(self, name: Any = None):
        self._name = name

    @property
    def trainable_variables(self) -> list[Any]:
        return [v for v in vars(self).values() if isinstance(v, Weight)]

    variables = trainable_variables


class _Flags:
    """tf.app.flags and absl.flags: every flag has its default."""

    def __init__(self) -> None:
        self.FLAGS = Absent(Source("a command-line flag", None, "give the flag a default"))
        self.values: dict[str, Any] = self.FLAGS._attributes

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("DEFINE_", "mark_")):
            raise AttributeError(name)

        def define(flag: Any, default: Any = None, *args: Any, **kwargs: Any) -> None:
            if name.startswith("DEFINE_"):
                self.values[flag] = default

        return define


class _App:
    """tf.app and absl.app."""

    flags = _Flags()

    @staticmethod
    def run(main: Any = None, argv: Any = None) -> None:
        main = main or getattr(sys.modules["__main__"], "main", None)
        if main is not None:
            main(sys.argv)


def _context(*args: Any, **kwargs: Any) -> Any:
    return nullcontext(Absent(Source("a TensorFlow context")))


def _nothing(*args: Any, **kwargs: Any) -> None:
    """A setting of TensorFlow that changes nothing here."""


_DTYPES = (
    "float16 float32 float64 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 "
    "complex128 string"
).split()
_SESSION = Absent(Source("what a TensorFlow session computes"))

NAMES: dict[str, Any] = {
    "__version__": "2.20.0",
    **{name: DType(name) for name in _DTYPES},
    "newaxis": None,
    "DType": DType,
    "as_dtype": DType,
    "Tensor": Tensor,
    "Variable": Variable,
    "TensorShape": TensorShape,
    "TensorSpec": TensorSpec,
    "Module": Module,
    "constant": constant,
    "convert_to_tensor": convert_to_tensor,
    "function": function,
    "GradientTape": GradientTape,
    "set_random_seed": random.set_seed,
    "nest": tree,
    "AUTOTUNE": data.AUTOTUNE,
    "app": _App,
    "flags": _App.flags,
    "executing_eagerly": lambda: True,
    "is_tensor": lambda value: isinstance(value, Tensor),
    "Session": lambda *args, **kwargs: _SESSION,
    "InteractiveSession": lambda *args, **kwargs: _SESSION,
    **{name: INITIALIZERS[name] for name in INITIALIZERS if name.endswith("_initializer")},
    **dict.fromkeys(
        "name_scope variable_scope device control_dependencies init_scope".split(), _context
    ),
    **dict.fromkeys(
        "enable_eager_execution disable_eager_execution disable_v2_behavior enable_v2_behavior print "
        "disable_v2_tensorshape reset_default_graph enable_resource_variables no_op group".split(),
        _nothing,
    ),
}
