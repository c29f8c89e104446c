"""What every layer and every function on tensors shares: a Keras signature, a shape rule and a lowering.

To add a layer, write one class::

    class Rescaling(Layer):
        scale: Any                 # the fields are Keras's signature, in order, with its defaults
        offset: Any = 0.0
        old_names = {...}          # spellings of Keras 1 and 2 -> today's field
        ignored = ("...",)         # fields that change nothing in torch

        def build(self, input_shape): ...            # add_weight(...), as in Keras
        def output_spec(self, inputs): return Spec(...)   # shape rule; without one: like the input
        def lower(self, b, inputs): ...              # torch, through the builder b

``output_spec`` and ``lower`` take the arguments of the Keras layer's ``call`` by the same names (``mask``
only where the layer reads masks; ``training`` is recorded on the call). A field that was set and that
neither ``build``, ``output_spec`` nor ``lower`` has read makes an error: nothing is dropped silently.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from keras2torch.errors import K2TError, ShapeError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import or_note, refuse_absent
from keras2torch.graph import Shape, Spec, Tensor, map_structure, record, tensors_in
from keras2torch.layers.calling import Called
from keras2torch.layers.modes import training_around
from keras2torch.layers.operation import (
    REQUIRED,
    Field,
    call_parameters,
    map_shapes,
    pair,
    unique_name,
)
from keras2torch.layers.traced_calls import without_mask
from keras2torch.layers.variables import unquantized
from keras2torch.lazy import LazyTable, classes_in, import_all
from keras2torch.naming import snake_case

REGISTRY: dict[str, type[Layer]] = LazyTable(
    lambda: import_all("keras2torch.layers"), lambda: classes_in("keras2torch.layers")
)
"""Every translated layer by its Keras class name (and its other names)."""

# Base arguments that stay the base's where a layer lists them among its own.
_OF_EVERY_LAYER = ("name", "trainable", "dtype", "activity_regularizer", "weights")


def _marking_built(build: Callable[..., None]) -> Callable[..., None]:
    """``build``, after which the layer knows that its variables are there."""

    @wraps(build)
    def marked(self: Layer, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.built = True

    return marked


class Layer(Called):
    """Base of every layer, Keras's own and the user's."""

    abstract = False
    """Set on a class that only other layers inherit from: it is no layer of Keras's."""
    build_is_final = True
    """Whether a layer is built once build() has run, also where the program calls it by itself."""
    shape_if_none_is_given: Shape | None = None
    """The input shape (with the batch axis) of a Sequential model that starts with this layer."""
    base_arguments: dict[str, Any] = {
        "name": None,
        "trainable": True,
        "dtype": None,
        "autocast": True,
        "activity_regularizer": None,
        # how Keras 1 and 2 gave the first layer its input
        "input_shape": None,
        "batch_input_shape": None,
        "batch_shape": None,
        "batch_size": None,
        "input_dim": None,
        "input_length": None,
        "input_dtype": None,
        "weights": None,
        "dynamic": None,
    }

    def __init_subclass__(cls, names: tuple[str, ...] = (), **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if cls.build_is_final and "build" in cls.__dict__:
            cls.build = _marking_built(cls.__dict__["build"])  # type: ignore[method-assign]
        if cls.__module__.startswith("keras2torch."):
            cls.declare_fields()
            if not cls.__name__.startswith("_") and not cls.__dict__.get("abstract"):
                for name in (cls.__name__, *names):
                    REGISTRY[name] = cls

    @classmethod
    def declare_fields(cls) -> None:
        """Read the signature of a translated layer from the annotations of its class."""
        own = {
            name: Field(name, cls.__dict__.get(name, REQUIRED))
            for name in cls.__dict__.get("__annotations__", {})
            if not name.startswith("_")
        }
        # A field of the parent keeps its place, with the subclass's default.
        cls.fields = {**cls.fields, **own}
        for name, item in own.items():
            if name == "weights":  # an argument only: the attribute lists the variables
                delattr(cls, name)
            else:
                setattr(cls, name, item)

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        layer = super().__new__(cls)
        layer.__dict__.update(
            _fields={},
            _read=set(),
            _arguments={},  # as the program gave them
            _weights=[],
            _calls=[],
            _losses=[],
            built=False,
            where=trace.user_location(),
            created=trace.assignment(),
            attribute=None,  # of the user's layer that holds it
            name=None,
            named=False,  # whether the program chose the name
            _trainable=True,
            _dtype=None,
            input_shape_given=None,
            input_dtype_given=None,
            initial_weights=None,
            activity_regularizer=None,
        )
        return layer

    def __init__(self, *args: Any, **kwargs: Any):
        given = self._bind(args, kwargs)
        for name, value in given.items():
            if name != "weights":
                refuse_absent(value, f"the argument {name} of {type(self).__name__}")
        self._arguments.update(given)
        for name in list(given):
            if name in self.fields and name not in _OF_EVERY_LAYER:
                self._fields[name] = given.pop(name)
        self._set_base(given)
        for name, item in self.fields.items():
            if item.default is REQUIRED and name not in self._fields:
                raise K2TError(
                    f"{type(self).__name__} needs the argument {name!r}",
                    where=trace.user_location(),
                )

    # Signature.
    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by today's names, from positions and from the spellings of any Keras."""
        names = [name for name in self.fields if not name.startswith("*")]
        if len(args) > len(names):
            raise K2TError(
                f"{type(self).__name__} takes {len(names)} positional arguments, {len(args)} given",
                where=trace.user_location(),
            )
        given = dict(zip(names, args))
        for name, value in kwargs.items():
            target = self._new_name(name)
            if target is None:
                continue
            if target not in self.fields and target not in self.base_arguments:
                known = ", ".join(self._argument_names()) or "none"
                raise K2TError(
                    f"{type(self).__name__} has no argument {name!r} (it has: {known})",
                    where=trace.user_location(),
                )
            if target in given:
                raise K2TError(
                    f"{type(self).__name__} got {target!r} twice", where=trace.user_location()
                )
            given[target] = value
        return given

    def _argument_names(self) -> list[str]:
        """The arguments that a program may give: of a class of the user's, those of its own ``__init__``."""
        names = inspect.signature(type(self).__init__).parameters
        own = [name for name in names if name not in ("self", "args", "kwargs")]
        return [*own, *self.fields]

    def _new_name(self, name: str) -> str | None:
        for cls in type(self).__mro__:
            table = cls.__dict__.get("old_names", {})
            if name in table:
                return table[name]
        return name

    def _set_base(self, given: dict[str, Any]) -> None:
        name = given.get("name")
        self.named = name is not None
        self.name = str(name) if name is not None else unique_name(snake_case(type(self).__name__))
        self._trainable = bool(given.get("trainable", True))
        self._dtype = unquantized(given.get("dtype"), self.name)
        self.input_dtype_given = given.get("input_dtype")
        if "activity_regularizer" in given:
            self.activity_regularizer = given["activity_regularizer"]
        self.initial_weights = or_note(given.get("weights"), f"weights of {type(self).__name__}")
        batch = given.get("batch_size")
        if given.get("batch_input_shape") or given.get("batch_shape"):
            self.input_shape_given = tuple(given.get("batch_input_shape") or given["batch_shape"])
        elif given.get("input_shape") is not None:
            shape = given["input_shape"]
            shape = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
            self.input_shape_given = (batch, *shape)
        elif given.get("input_dim") is not None:
            self.input_shape_given = self.input_from_dim(
                given["input_dim"], given.get("input_length")
            )

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        """The input shape that Keras 1 and 2 mean by ``input_dim`` (and ``input_length``)."""
        return (None, input_dim)

    # State.
    @property
    def variable(self) -> str | None:
        """The variable that the program put the layer (or what it made at once) into."""
        return self.created.target if self.created else None

    @property
    def user_defined(self) -> bool:
        """Whether the user's own ``call`` decides what the layer does."""
        return not type(self).call.__module__.startswith("keras2torch.")

    @property
    def input(self) -> Any:
        return self._calls[0][0]

    @property
    def output(self) -> Any:
        return self._calls[0][1]

    @property
    def output_shape(self) -> Any:
        return map_structure(lambda tensor: tensor.shape, self.output)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "trainable": self.trainable, **self._arguments}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        return cls(**config)

    def add_loss(self, losses: Any, **kwargs: Any) -> None:
        """A term of the loss that is minimised, beside those of ``compile``."""
        from keras2torch.ops.added_loss import add_loss

        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            add_loss(self, loss)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Metrics that a layer reports are left to the training script's own."""

    # Calling.
    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Record one call of a translated layer (the user's subclasses override or extend this)."""
        kwargs.pop("training", None)
        self._refuse_overridden()
        signature = call_parameters(type(self).lower)
        if "mask" not in signature.parameters:
            kwargs.pop("mask", None)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise K2TError(
                f"{type(self).__name__} {self.name!r} cannot be called so: {error}",
                where=trace.user_location(),
            ) from None
        if "mask" in signature.parameters and bound.arguments.get("mask") is None:
            mask = map_structure(lambda t: t.mask, args[0] if args else None)
            if any(isinstance(m, Tensor) for m in (mask if isinstance(mask, list) else [mask])):
                bound.arguments["mask"] = mask
        try:
            specs = self.output_spec(**without_mask(bound.arguments, self.output_spec))
        except (IndexError, TypeError, ValueError) as error:
            shapes = [t.shape for t in tensors_in((args, kwargs))]
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} does not fit an input of shape "
                f"{', '.join(map(str, shapes))}: {error}",
                where=trace.user_location() or self.where,
            ) from error
        outputs = record(self, (), dict(bound.arguments), specs, training=training_around[-1])
        function = self._function_activation()
        return outputs if function is None else function(outputs)

    inner_methods: tuple[str, ...] = ()
    """Methods of Keras's class that its ``call`` runs, and that are not followed where a subclass has its own."""

    def _refuse_overridden(self) -> None:
        for name in self.inner_methods:
            if hasattr(type(self), name):
                raise self.unsupported(
                    f"a subclass overrides {name}(), which has no counterpart here",
                    "override call() and compute the whole there",
                )

    per_axis: tuple[str, ...] = ()
    """Arguments that are kept as one number for each of the ``rank`` spatial axes."""

    def as_kept(self, name: str, value: Any) -> Any:
        """An argument as Keras keeps it, for programs that read it: sizes for each axis, activations to call."""
        if value is not None and name in self.per_axis:
            return pair(value, self.rank)  # type: ignore[attr-defined]
        if name in ("activation", "recurrent_activation"):
            from keras2torch.layers.activations import callable_name

            return callable_name(value)
        return value

    traces_activation = False
    """Whether ``activation`` is applied to the layer's output, so that any function of it can be traced."""

    def _function_activation(self) -> Any:
        """The user's own activation (a function, a lambda, a layer), which is recorded as calls of its own."""
        if not self.traces_activation or "activation" not in self._fields:
            return None
        from keras2torch import config
        from keras2torch.layers.activations import activation_name

        given = self._fields["activation"]
        if isinstance(given, str) and (config.keras_version < 3 or activation_name(given) is None):
            given = config.custom_objects.get(
                given, given
            )  # a name for a function of the program's
        if callable(given) and activation_name(given) is None:
            if not type(given).__module__.startswith("torch."):
                self._fields["activation"] = None
                self._traced_activation = given
        return self.__dict__.get("_traced_activation")

    def output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """By default the output is like the (first) input."""
        first = tensors_in((args, kwargs))[0]
        return Spec(first.shape, self.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        tensors = map_shapes(Tensor, input_shape)
        self._ensure_built((tensors,), {})
        spec = self.output_spec(tensors)
        return [s.shape for s in spec] if isinstance(spec, list) else spec.shape

    # Errors.
    def unsupported(self, what: str, fix: str | None = None) -> UnsupportedError:
        """The error to raise where an argument has no exact translation."""
        return UnsupportedError(
            f"{type(self).__name__} {self.name!r}: {what}", where=self.where, fix=fix
        )

    def unread_fields(self) -> list[str]:
        """Arguments set away from their default that nothing has read."""
        return [
            name
            for name, value in self._fields.items()
            if name not in self._read
            and name not in self.ignored
            and not _equal(value, self.fields[name].default)
            and not self._of_absent_weight(name)
        ]

    def _of_absent_weight(self, name: str) -> bool:
        """Whether a field tells how to make a weight that the layer does not have (no bias, no scale)."""
        weight, _, aspect = name.rpartition("_")
        made = aspect in ("initializer", "regularizer", "constraint")
        return (
            made
            and self.__dict__.get(weight) is None
            and not any(w.name == weight for w in self._weights)
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def __str__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in self._fields.items())
        return f"{type(self).__name__}[{self.name}]({given})"


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # arrays and the like: not the default
        return False
