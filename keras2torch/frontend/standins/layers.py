"""Names of ``keras.layers`` that are no layer classes: the functions on tensors, and what belongs to layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.graph import tensors_in
from keras2torch.inputs import Input, InputLayer
from keras2torch.layers.base import REGISTRY, Layer
from keras2torch.layers.operation import unique_name


def _merging(layer: str) -> Callable[..., Any]:
    def function(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return REGISTRY[layer](*args, **kwargs)(inputs)

    function.__name__ = layer.lower()
    return function


# Keras 1's merge modes and today's layers.
_MODES = {
    "sum": "Add",
    "add": "Add",
    "mul": "Multiply",
    "multiply": "Multiply",
    "ave": "Average",
    "average": "Average",
    "max": "Maximum",
    "maximum": "Maximum",
    "concat": "Concatenate",
    "concatenate": "Concatenate",
    "dot": "Dot",
    "cos": "Dot",
}


def merging_layer(
    mode: Any = "sum", concat_axis: int = -1, dot_axes: Any = -1, name: str | None = None
) -> Any:
    """The layer that Keras 1 means by a merge mode, or a Lambda for a function."""
    keywords = {} if name is None else {"name": name}
    if callable(mode):
        return REGISTRY["Lambda"](mode, **keywords)
    if mode not in _MODES:
        raise K2TError(f"merge() has no mode {mode!r}", where=trace.user_location())
    layer = REGISTRY[_MODES[mode]]
    if mode in ("concat", "concatenate"):
        return layer(axis=concat_axis, **keywords)
    if mode in ("dot", "cos"):
        axes = [axis[0] if isinstance(axis, (list, tuple)) else axis for axis in dot_axes] \
            if isinstance(dot_axes, (list, tuple)) else dot_axes  # fmt: skip
        return layer(axes=axes, normalize=mode == "cos", **keywords)
    return layer(**keywords)


def merge(
    inputs: Any,
    mode: Any = "sum",
    concat_axis: int = -1,
    dot_axes: Any = -1,
    output_shape: Any = None,
    output_mask: Any = None,
    arguments: Any = None,
    name: str | None = None,
) -> Any:
    """Keras 1's function on tensors."""
    return merging_layer(mode, concat_axis, dot_axes, name)(inputs)


class _Merging:
    """``keras.layers.merge``: Keras 1's function, which in Keras 2 is the module of the merging layers."""

    __call__ = staticmethod(merge)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from keras2torch.frontend.standins.finder import look_up

        return look_up("keras.layers", name)


class _Merge(Layer):
    """Keras 1's Merge: the start of a Sequential model that joins other models."""

    def __init__(self, layers: Any = None, mode: Any = "sum", **kwargs: Any):
        name = kwargs.get("name")
        self._set_base({"name": name or unique_name("merge")})
        self.options = (mode, kwargs.get("concat_axis", -1), kwargs.get("dot_axes", -1), name)
        self.branches = list(layers or ())
        if self.branches:
            self.starts_model = True
            self.inputs = [tensor for branch in self.branches for tensor in branch.inputs]
            ends = [branch.outputs[0] for branch in self.branches]
            self.outputs = tensors_in(merging_layer(*self.options)(ends))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return merging_layer(*self.options)(*args, **kwargs)


def _synchronized(*args: Any, **kwargs: Any) -> Any:
    """The experimental layer that became an argument of BatchNormalization."""
    return REGISTRY["BatchNormalization"](*args, synchronized=True, **kwargs)


class InputSpec:
    """What a layer says of its inputs; it is not checked."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.__dict__.update({"dtype": None, "shape": None, "ndim": None, "axes": None}, **kwargs)


def deserialize(config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The layer that a config describes."""
    name = config["class_name"].rpartition(">")[2]
    cls = (custom_objects or {}).get(name) or REGISTRY.get(name)
    if cls is None:
        raise K2TError(f"there is no layer {name!r}", where=trace.user_location())
    return cls.from_config(config["config"])


def serialize(layer: Any) -> dict[str, Any]:
    """The config of a layer."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


NAMES: dict[str, Any] = {
    "Input": Input,
    "InputLayer": InputLayer,
    "Layer": Layer,
    "InputSpec": InputSpec,
    "merge": _Merging(),
    "Merge": _Merge,
    "SyncBatchNormalization": _synchronized,
    "deserialize": deserialize,
    "serialize": serialize,
    **{
        name: _merging(name.capitalize())
        for name in "add subtract multiply average maximum minimum concatenate dot".split()
    },
}
