"""``keras.initializers``: recording classes with Keras's signatures, and the names that programs use."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.errors import K2TError
from keras2torch.frontend.absent import or_note
from keras2torch.graph import Constant
from keras2torch.training.recorded import Recorded


class InitialValue(Constant):
    """What calling an initializer gives: an array to be drawn when the model is made, not now."""

    def __init__(self, initializer: Any, shape: Any, dtype: str):
        import numpy

        sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        super().__init__(numpy.broadcast_to(numpy.zeros((), dtype), sizes), dtype)
        self.initializer = initializer


class Initializer(Recorded):
    """Base of the initializers, Keras's and the user's own."""

    OLD_NAMES: ClassVar[dict[str, str | None]] = {"dtype": None, "verify_shape": None}

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> InitialValue:
        from keras2torch.layers.operation import dtype_name

        return InitialValue(self, shape, dtype_name(dtype) or "float32")


class Zeros(Initializer):
    pass


class Ones(Initializer):
    pass


def _array(given: Any) -> Any:
    """The array of a list, or of the object that a saved config holds in place of it."""
    import numpy

    value, dtype = given, None
    if isinstance(given, dict):
        config = given.get("config")
        value = config.get("value") if isinstance(config, dict) else given.get("value")
        dtype = config.get("dtype") if isinstance(config, dict) else None
    try:
        return numpy.array(
            value if isinstance(value, (list, tuple)) else [*value], dtype or "float32"
        )
    except (TypeError, ValueError):
        raise K2TError(f"{given!r} holds no values for a weight") from None


class ConstantInitializer(Initializer):
    """Keras's ``Constant``."""

    value: float = 0.0

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if isinstance(self.value, (dict, list, tuple)):
            self.value = _array(self.value)
        if or_note(self.value, "initial values of a weight") is None:
            self.value = 0.0


ConstantInitializer.__name__ = ConstantInitializer.__qualname__ = "Constant"


class Identity(Initializer):
    gain: float = 1.0


class RandomNormal(Initializer):
    mean: float = 0.0
    stddev: float = 0.05
    seed: Any = None


class TruncatedNormal(Initializer):
    mean: float = 0.0
    stddev: float = 0.05
    seed: Any = None


class RandomUniform(Initializer):
    minval: float = -0.05
    maxval: float = 0.05
    seed: Any = None


class Orthogonal(Initializer):
    gain: float = 1.0
    seed: Any = None


class VarianceScaling(Initializer):
    scale: float = 1.0
    mode: str = "fan_in"
    distribution: str = "truncated_normal"
    seed: Any = None
    input_axes: Any = None
    output_axes: Any = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if self.distribution == "normal":  # Keras 2's name
            self.distribution = "truncated_normal"


class _Scaled(Initializer):
    """One of the named cases of VarianceScaling; ``scaling`` is (scale, mode, distribution)."""

    scaling: ClassVar[tuple[float, str, str]] = (1.0, "fan_in", "truncated_normal")
    seed: Any = None
    input_axes: Any = None
    output_axes: Any = None


def _scaled(name: str, scale: float, mode: str, distribution: str) -> type[Initializer]:
    namespace = {
        "__module__": __name__,
        "__annotations__": {"seed": Any, "input_axes": Any, "output_axes": Any},
        "scaling": (scale, mode, distribution),
        "seed": None,
        "input_axes": None,
        "output_axes": None,
    }
    return type(name, (_Scaled,), namespace)


GlorotNormal = _scaled("GlorotNormal", 1.0, "fan_avg", "truncated_normal")
GlorotUniform = _scaled("GlorotUniform", 1.0, "fan_avg", "uniform")
HeNormal = _scaled("HeNormal", 2.0, "fan_in", "truncated_normal")
HeUniform = _scaled("HeUniform", 2.0, "fan_in", "uniform")
LecunNormal = _scaled("LecunNormal", 1.0, "fan_in", "truncated_normal")
LecunUniform = _scaled("LecunUniform", 1.0, "fan_in", "uniform")


class STFT(Initializer):
    side: str = "real"
    window: Any = "hann"
    scaling: Any = "density"
    periodic: bool = False


# Every name of ``keras.initializers`` (the classes also under these names in lower case).
_NAMES: dict[type, str] = {
    Zeros: "Zeros zeros zero zeros_initializer",
    Ones: "Ones ones one ones_initializer",
    ConstantInitializer: "Constant constant constant_initializer",
    Identity: "Identity IdentityInitializer identity",
    RandomNormal: "RandomNormal random_normal normal random_normal_initializer",
    TruncatedNormal: "TruncatedNormal truncated_normal truncated_normal_initializer",
    RandomUniform: "RandomUniform random_uniform uniform random_uniform_initializer",
    Orthogonal: "Orthogonal OrthogonalInitializer orthogonal orthogonal_initializer",
    VarianceScaling: "VarianceScaling variance_scaling variance_scaling_initializer",
    GlorotNormal: "GlorotNormal glorot_normal xavier_normal glorot_normal_initializer",
    GlorotUniform: "GlorotUniform glorot_uniform xavier_uniform glorot_uniform_initializer",
    HeNormal: "HeNormal he_normal",
    HeUniform: "HeUniform he_uniform",
    LecunNormal: "LecunNormal lecun_normal",
    LecunUniform: "LecunUniform lecun_uniform",
    STFT: "STFT STFTInitializer stft",
}
REGISTRY: dict[str, type] = {"Initializer": Initializer} | {
    name: cls for cls, names in _NAMES.items() for name in names.split()
}


def get(identifier: Any) -> Any:
    """The initializer meant by a name, a config, a class, an object or a function; None stays None.

    Raises K2TError for a name that Keras does not have.
    """
    if isinstance(identifier, str):
        if identifier not in REGISTRY:
            raise K2TError(f"there is no initializer {identifier!r} in Keras")
        return REGISTRY[identifier]()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if identifier is None or callable(identifier) or hasattr(identifier, "__array__"):
        return identifier
    raise K2TError(f"{identifier!r} is no initializer")


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The initializer that a saved config describes."""
    name = str(config.get("class_name", "")).rpartition(">")[2]
    if custom_objects and name in custom_objects:
        return custom_objects[name](**config.get("config", {}))
    if name not in REGISTRY:
        raise K2TError(f"there is no initializer {name!r} in Keras")
    return REGISTRY[name](**config.get("config", {}))


def serialize(initializer: Any) -> dict[str, Any]:
    """The config of an initializer."""
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}
