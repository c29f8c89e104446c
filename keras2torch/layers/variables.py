"""The variables of a layer, and the layers inside it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from keras2torch.errors import ShapeError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import Tensor, Weight
from keras2torch.layers.operation import Operation, dtype_name
from keras2torch.limits import MOST_ELEMENTS

HALVES = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "half")
"""Policies under which Keras rounds to half floats. The module's caller decides on that in torch (autocast)."""

_QUANTIZED = re.compile(r"(int4|int8|float8)(/-?\d+)?(_from_|$)")


def unquantized(dtype: Any, layer: str) -> Any:
    """The dtype or policy as it is given. Raises UnsupportedError for a policy that ``quantize()`` left."""
    config = dtype.get("config", {}) if isinstance(dtype, dict) else {}
    mode = str(dtype if isinstance(dtype, str) else config.get("mode") or config.get("name"))
    if _QUANTIZED.match(mode):
        raise UnsupportedError(
            f"the layer {layer!r} is quantized ({mode.partition('_')[0]}): float weights are translated",
            fix="save the model, or give it, before it is quantized; torch has its own quantization",
        )
    return dtype


class HoldsVariables(Operation):
    """What a layer says of its variables, as Keras's layers do."""

    _weights: list[Weight]
    _losses: list[Any]
    _dtype: Any
    _trainable: bool
    where: str | None

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.sublayers():
            layer.trainable = value

    @property
    def dtype(self) -> str:
        """The dtype that the layer computes in here, from a string, a policy or a policy's config."""
        name = dtype_name(self._dtype) or "float32"
        return name if self.low_precision is None else "float32"

    @property
    def low_precision(self) -> str | None:
        """The layer's own policy, where Keras computes in half floats by it."""
        given = self._dtype
        if isinstance(given, dict):
            given = given.get("config", {}).get("name")
        name = given if isinstance(given, str) else getattr(given, "name", None)
        return name if name in HALVES else None

    casts_floats = True  # Keras's autocast: inputs of another float dtype
    compute_dtype = variable_dtype = dtype
    dtype_policy = dtype

    def sublayers(self) -> list[Any]:
        """Layers held in attributes, lists and dicts, in the order they were set."""
        found: dict[int, Any] = {}
        for _, value in attributes(self):
            if isinstance(value, HoldsVariables) and value is not self:
                found.setdefault(id(value), value)
        return list(found.values())

    @property
    def weights(self) -> list[Weight]:
        """The variables in Keras's order: trainable, non-trainable, then those of inner layers."""
        own = [w for w in self._weights if w.trainable] + [
            w for w in self._weights if not w.trainable
        ]
        found = {id(w): w for w in own}
        for layer in self.sublayers():
            found.update((id(w), w) for w in layer.weights)
        return list(found.values())

    variables = weights

    @property
    def trainable_weights(self) -> list[Weight]:
        return (
            [w for w in self.weights if w.trainable and w.layer.trainable] if self.trainable else []
        )

    @trainable_weights.setter
    def trainable_weights(self, weights: Any) -> None:
        """Keras 1 and 2: a layer names what it learns; here variables are known from when they are made."""

    trainable_variables = trainable_weights

    @property
    def non_trainable_weights(self) -> list[Weight]:
        trainable = set(map(id, self.trainable_weights))
        return [w for w in self.weights if id(w) not in trainable]

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: Any) -> None:
        """Keras 1 and 2: what a layer holds and does not learn."""
        for weight in weights:
            weight.trainable = False

    non_trainable_variables = non_trainable_weights

    @property
    def losses(self) -> list[Any]:
        """The tensors given to ``add_loss``, here and in inner layers."""
        from keras2torch.ops.added_loss import terms

        own = terms(self) if self._losses else []
        return own + [loss for layer in self.sublayers() for loss in layer.losses]

    def get_weights(self) -> list[Any]:
        return [w.numpy() for w in self.weights]

    def set_weights(self, arrays: list[Any]) -> None:
        for weight, array in zip(self.weights, arrays):
            weight.value = array

    def count_params(self) -> int:
        total = 0
        for weight in self.weights:
            size = 1
            for n in weight.shape:
                size *= n or 1
            total += size
        return total

    def add_weight(self, *args: Any, **kwargs: Any) -> Weight:
        """A new variable. Takes the argument orders of Keras 1, 2 and 3."""
        order = ["shape", "initializer", "dtype", "trainable"]
        if args and isinstance(args[0], str):  # Keras 2: the name first
            order = ["name", "shape", "dtype", "initializer", "regularizer", "trainable"]
        given = {**dict(zip(order, args)), **kwargs}
        shape = given.get("shape")
        shape = () if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
        self._check_shape(shape)
        weight = Weight(
            shape,
            dtype_name(given.get("dtype")) or self.dtype,
            given.get("name") or "variable",
            initializer=given.get("initializer"),
            regularizer=given.get("regularizer"),
            constraint=given.get("constraint"),
            trainable=bool(given.get("trainable", True)),
        )
        weight.layer = self
        self._weights.append(weight)
        return weight

    add_variable = add_weight

    def _check_shape(self, shape: tuple[Any, ...]) -> None:
        start = f"a weight of {type(self).__name__} {self.name!r} would have the shape {shape}"
        where = trace.user_location() or self.where
        if any(n is None for n in shape):
            raise ShapeError(
                f"{start}: an axis that it needs is unknown",
                where=where,
                fix="give the Input a full shape on that axis",
            )
        if any(isinstance(n, int) and n < 0 for n in shape):
            raise ShapeError(f"{start}: a size is negative", where=where)
        if math.prod(n for n in shape if isinstance(n, int)) > MOST_ELEMENTS:
            raise ShapeError(f"{start}: more than any computer holds", where=where)


def attributes(layer: HoldsVariables) -> Iterator[tuple[str, Any]]:
    """(name, value) of the user-set attributes; items of lists and dicts as ``name_index``."""

    def walk(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
        if isinstance(value, (HoldsVariables, Tensor)):
            yield name, value
        elif isinstance(value, (list, tuple)) and depth < 4:
            for index, item in enumerate(value):
                yield from walk(f"{name}_{index}", item, depth + 1)
        elif isinstance(value, dict) and depth < 4:
            for key, item in value.items():
                yield from walk(f"{name}_{key}", item, depth + 1)

    hidden = {"_fields", "_read", "_arguments", "_weights", "_calls", "_losses", "initial_weights"}
    for name, value in [*layer.__dict__.get("_fields", {}).items(), *layer.__dict__.items()]:
        if name not in hidden:
            yield from walk(name, value, 0)
