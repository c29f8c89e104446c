"""``keras.backend`` and ``keras.config``: settings, and what old programs ask of the backend."""

from __future__ import annotations

import itertools
from contextlib import nullcontext
from typing import Any

from keras2torch import config
from keras2torch.frontend.absent import Absent, Source, is_absent
from keras2torch.frontend.recording import note
from keras2torch.graph import Tensor, TensorShape, Weight, tensors_in
from keras2torch.layers.modes import TRAINING, training_around
from keras2torch.layers.operation import clear_names, dtype_name

_uids: dict[str, Any] = {}
_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def backend() -> str:
    return "tensorflow"


def image_data_format() -> str:
    return config.image_data_format


def set_image_data_format(data_format: str) -> None:
    config.image_data_format = data_format


def image_dim_ordering() -> str:
    """Keras 1's name for the data format: "tf" or "th"."""
    return next(old for old, new in _ORDERINGS.items() if new == config.image_data_format)


def set_image_dim_ordering(dim_ordering: str) -> None:
    config.image_data_format = _ORDERINGS.get(dim_ordering, dim_ordering)


def floatx() -> str:
    return config.floatx


def set_floatx(value: str) -> None:
    config.floatx = value


def epsilon() -> float:
    return config.epsilon


def set_epsilon(value: float) -> None:
    config.epsilon = value


def clear_session(free_memory: bool = True) -> None:
    clear_names()


def get_uid(prefix: str = "") -> int:
    return next(_uids.setdefault(prefix, itertools.count(1)))


def learning_phase() -> Any:
    return TRAINING


def set_learning_phase(value: Any) -> None:
    """0: layers called from here on are in inference mode, as in Keras 1 and 2."""
    training_around[0] = False if value in (0, False) else None


def int_shape(x: Any) -> Any:
    shape = getattr(x, "shape", None)
    return shape if is_absent(shape) or shape is None else tuple(shape)


get_variable_shape = int_shape


def print_tensor(x: Any, message: str = "", **kwargs: Any) -> Any:
    """The tensor: nothing is printed while recording."""
    return x


def is_placeholder(x: Any) -> bool:
    return isinstance(x, Tensor) and x.call is None


def ndim(x: Any) -> Any:
    return len(int_shape(x))


def dtype(x: Any) -> str:
    return str(x.dtype)


def is_keras_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


is_tensor = is_keras_tensor


def is_sparse(x: Any) -> bool:
    return False


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: Any = None,
) -> Tensor:
    return Tensor(shape if shape is not None else (None,) * (ndim or 0), dtype or "float32", name)


def get_value(x: Any) -> Any:
    return x.numpy() if isinstance(x, Tensor) and hasattr(x, "numpy") else x


eval = get_value


def set_value(x: Any, value: Any) -> None:
    """Values are not trained, so they are not set."""


def batch_get_value(values: Any) -> list[Any]:
    return [get_value(value) for value in values]


def batch_set_value(pairs: Any) -> None:
    """Values are not trained, so they are not set."""


def cast_to_floatx(x: Any) -> Any:
    if isinstance(x, Tensor) or is_absent(x):
        return x
    import numpy

    return numpy.asarray(x).astype(config.floatx)


def variable(value: Any, dtype: Any = None, name: Any = None, constraint: Any = None) -> Any:
    from keras2torch.frontend.standins.tensorflow import Variable

    return Variable(value, dtype=dtype, name=name, constraint=constraint)


def function(inputs: Any, outputs: Any, *args: Any, **kwargs: Any) -> Any:
    """A function that would run a part of the graph: it gives stand-ins, for nothing runs."""
    source = Source("what keras.backend.function() computes")
    many = isinstance(outputs, (list, tuple))
    count = len(tensors_in(outputs))
    return lambda *args, **kwargs: (
        [Absent(source) for _ in range(count)] if many else Absent(source)
    )


def gradients(loss: Any, variables: Any) -> Any:
    source = Source("what keras.backend.gradients() computes")
    return (
        [Absent(source) for _ in variables]
        if isinstance(variables, (list, tuple))
        else [Absent(source)]
    )


def name_scope(name: str) -> Any:
    return nullcontext()


def set_session(session: Any) -> None:
    """There is no session."""


def get_session() -> Absent:
    return Absent(Source("what a TensorFlow session computes"))


def manual_variable_initialization(value: Any) -> None:
    """Nothing is initialised while recording."""


def standardize_dtype(dtype: Any) -> str:
    return dtype_name(dtype) or config.floatx


def is_float_dtype(dtype: Any) -> bool:
    return "float" in standardize_dtype(dtype)


def is_int_dtype(dtype: Any) -> bool:
    return "int" in standardize_dtype(dtype)


def set_dtype_policy(policy: Any) -> None:
    """Precision is chosen when training: the script's --amp."""
    note("the dtype policy is left to the training script's --amp")


def dtype_policy() -> str:
    return config.floatx


def _nothing(*args: Any, **kwargs: Any) -> None:
    """Settings of the real backend that change nothing here."""


def _tensorflow() -> Any:
    from keras2torch.frontend.standins.finder import module_for

    return module_for("tensorflow")


NAMES: dict[str, Any] = {
    **{
        name: value
        for name, value in list(globals().items())
        if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
    },
    "eval": get_value,
    "tf": _tensorflow(),
    "is_tensor": is_keras_tensor,
    "TensorShape": TensorShape,
    "Weight": Weight,
    **{
        name: _nothing
        for name in "reset_uids enable_traceback_filtering disable_traceback_filtering "
        "enable_interactive_logging disable_interactive_logging enable_unsafe_deserialization "
        "enable_flash_attention disable_flash_attention set_backend set_max_epochs "
        "set_max_steps_per_epoch".split()
    },
}
