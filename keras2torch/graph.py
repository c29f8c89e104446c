"""The Keras-level IR: symbolic tensors, the calls that make them, and the graph between inputs and outputs.

A ``Call`` is one use of one operation (a layer or a function) on tensors. A layer used twice is one
operation in two calls. Custom layers and nested models leave no call of their own: their inner calls
carry the ``Scope`` they were made in, and a pass groups them again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keras2torch.errors import K2TError, ScriptError
from keras2torch.limits import check_dimensions, count_call

if TYPE_CHECKING:
    from keras2torch.layers.operation import Operation

Shape = tuple["int | None", ...]

_order = itertools.count()

# Filled by keras2torch.ops: Python's operator methods on symbolic tensors, by method name.
OPERATORS: dict[str, Callable[..., Any]] = {}


@dataclass(frozen=True)
class Spec:
    """Shape (batch first, None where unknown) and dtype name of a tensor that a rule announces."""

    shape: Shape
    dtype: str = "float32"


@dataclass(frozen=True, eq=False)
class Scope:
    """One level of the program's own structure: a user function's run, a custom layer, a nested model.

    ``owner`` is the layer object (kinds "layer" and "model") or the code object ("function");
    ``invocation`` tells two runs of the same owner apart.
    """

    kind: str  # "function", "layer", "model", "sequential" (a model that is a plain chain) or "wrapper"
    name: str
    owner: Any
    invocation: int
    doc: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()  # plain values that the function was given
    tensors: tuple[tuple[str, Any], ...] = ()  # tensors among its arguments, by name

    def __str__(self) -> str:
        return f"{self.name}#{self.invocation}"


class Tensor:
    """A symbolic Keras tensor. ``shape`` counts the batch axis and has None where unknown."""

    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    def __init__(
        self, shape: Iterable[int | None], dtype: str = "float32", name: str | None = None
    ):
        self.shape: Shape = TensorShape(None if n is None else int(n) for n in shape)
        check_dimensions(self.shape)
        self.dtype = dtype
        self.name = name
        self.call: Call | None = None
        self.index = 0
        self.producer: str | None = (
            None  # the outermost layer that gave it: Keras's name of an output
        )
        self.mask: Tensor | None = None  # the implicit Keras mask that travels with it
        self.scopes: tuple[Scope, ...] = ()  # of an Input: where it was made
        self.terms: tuple[Any, ...] = ()  # what the layers that gave it added to the loss
        self.twins: tuple[Tensor, ...] = ()  # the same in other runs of a model on the same inputs
        self.same: Tensor | None = None  # the first of them

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``ndarray + tensor`` comes here; numpy's functions on tensors are refused, as in Keras."""
        symbol = _UFUNCS.get(ufunc.__name__)
        if method == "__call__" and symbol and not kwargs and len(inputs) == 2:
            left, right = inputs
            if isinstance(left, Tensor):
                return getattr(left, f"__{symbol}__")(right)
            reflected = _REFLECTED.get(symbol, f"r{symbol}")
            return getattr(right, f"__{reflected}__")(left)
        raise ScriptError(
            f"numpy.{ufunc.__name__} is called on a symbolic tensor, whose values are not known yet",
            where=_where(),
            fix=f"use keras.ops.{ufunc.__name__}, or another function of keras.ops",
        )

    # What scripts ask of a tensor.
    @property
    def _keras_mask(self) -> Tensor | None:
        return self.mask

    @_keras_mask.setter
    def _keras_mask(self, value: Tensor | None) -> None:
        self.mask = value

    @property
    def ndim(self) -> int:
        return len(self.shape)

    rank = ndim

    @property
    def _keras_shape(self) -> Shape:  # Keras 1 and 2
        return self.shape

    def get_shape(self) -> Shape:
        return self.shape

    def set_shape(self, shape: Iterable[int | None]) -> None:
        self.shape = TensorShape(shape)

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape} dtype={self.dtype} name={self.name}>"

    def numpy(self) -> Any:
        """The value of an eager tensor, for scripts; ScriptError for a symbolic one."""
        from keras2torch.frontend.eager import value

        return value(self)

    def __bool__(self) -> bool:
        from keras2torch.frontend.eager import truth
        from keras2torch.frontend.trace import user_location

        known = truth(self)
        if known is not None:
            return known
        raise ScriptError(
            "a Python `if`, `while` or `assert` asks for the truth of a symbolic tensor, "
            "whose values are not known when the model is built",
            where=user_location(),
            fix="branch on shapes or arguments, or use keras.ops.where / keras.ops.cond",
        )

    def __len__(self) -> int:
        if self.shape and self.shape[0] is not None:
            return self.shape[0]
        raise TypeError("the first axis of this symbolic tensor has no known length")

    def __iter__(self) -> Iterator[Tensor]:
        whole: Any = self  # may be indexed
        if not self.shape or self.shape[0] is None:
            raise ScriptError(
                "iterating over a symbolic tensor whose first axis has no known length",
                where=_where(),
                fix="iterate over an axis of known length, e.g. with keras.ops.unstack(x, axis=1)",
            )
        return (whole[i] for i in range(self.shape[0]))

    def __float__(self) -> float:
        raise ScriptError(
            "a number is asked of a symbolic tensor, whose values are not known yet", where=_where()
        )

    __int__ = __float__  # type: ignore[assignment]

    def __index__(self) -> int:
        raise TypeError("a symbolic tensor is no Python integer")


_UFUNCS = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "divide": "truediv",
    "true_divide": "truediv",
    "floor_divide": "floordiv",
    "remainder": "mod",
    "power": "pow",
    "matmul": "matmul",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}
_REFLECTED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _where() -> str | None:
    from keras2torch.frontend.trace import user_location

    return user_location()


class TensorShape(tuple):
    """tf.TensorShape as old programs use it: a tuple with ``as_list()`` and friends."""

    def as_list(self) -> list[int | None]:
        return list(self)

    @property
    def rank(self) -> int:
        return len(self)

    ndims = rank
    dims = property(lambda self: [*self])

    def __getitem__(self, index: Any) -> Any:
        item = super().__getitem__(index)
        return TensorShape(item) if isinstance(index, slice) else item

    def num_elements(self) -> int | None:
        total = 1
        for n in self:
            if n is None:
                return None
            total *= n
        return total


def _install(name: str) -> None:
    def method(self: Tensor, *args: Any) -> Any:
        if not OPERATORS:
            from keras2torch.ops import OPS

            OPS.fill()  # type: ignore[attr-defined]
        return OPERATORS[name](self, *args)

    method.__name__ = name
    setattr(Tensor, name, method)


for _symbol in (
    "add sub mul truediv floordiv mod pow matmul radd rsub rmul rtruediv rfloordiv rmod rpow rmatmul "
    "neg pos abs invert and or xor rand ror rxor eq ne lt le gt ge getitem"
).split():
    _install(f"__{_symbol}__")


class Constant(Tensor):
    """A tensor whose value is known: a number or an array that the program brought along.

    What is computed from constants alone is constant, so it acts as an array where a script asks for values.
    """

    def __init__(self, value: Any, dtype: str | None = None):
        import numpy

        self.value = numpy.asanyarray(value)
        name = dtype or str(self.value.dtype)
        super().__init__(self.value.shape, {"float64": "float32"}.get(name, name))
        self.given = value  # what the program holds
        self.origin: Constant | None = None  # the constant that it was computed from

    def hint(self, owner: Any) -> str | None:
        """What the program calls it, or what it was computed from: a variable, or an attribute of ``owner``."""
        held = {id(value): name for name, value in getattr(owner, "__dict__", {}).items()}
        constant: Constant | None = self
        while constant is not None:
            name = constant.name or held.get(id(constant)) or held.get(id(constant.given))
            if name:
                return name
            constant = constant.origin
        return None

    def numpy(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.value if dtype is None else self.value.astype(dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(value, Tensor) and not isinstance(value, Constant) for value in inputs):
            return NotImplemented
        values = (value.value if isinstance(value, Constant) else value for value in inputs)
        return getattr(ufunc, method)(*values, **kwargs)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __index__(self) -> int:
        return self.value.__index__()

    def __format__(self, specification: str) -> str:
        return format(self.value.item() if self.shape == () else self.value, specification)

    def item(self) -> Any:
        return self.value.item()

    def tolist(self) -> Any:
        return self.value.tolist()


class Weight(Tensor):
    """A variable of a layer. ``value`` is None, an array, or a callable that reads one."""

    def __init__(
        self,
        shape: Iterable[int | None],
        dtype: str,
        name: str,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
        trainable: bool = True,
    ):
        super().__init__(shape, dtype, name)
        self.initializer = initializer
        self.regularizer = regularizer
        self.constraint = constraint
        self.trainable = trainable
        self.layer: Any = None
        self.attribute: str | None = None  # of a user's layer, where it is kept
        self.value: Any = None
        self.stored_dtype = dtype  # half floats stay half floats, whatever is computed in
        self.fans: tuple[int, int] | None = None  # in and out, where the shape does not tell them
        self.assigned_values: list[Any] = []

    def read(self) -> Any:
        """The stored array, or None where the source holds no weights."""
        return self.value() if callable(self.value) else self.value

    @property
    def path(self) -> str:
        return f"{self.layer.name}/{self.name}" if self.layer is not None else str(self.name)

    def numpy(self) -> Any:
        import numpy

        value = self.read()
        return numpy.zeros([n or 1 for n in self.shape], self.dtype) if value is None else value


@dataclass(eq=False)
class Call:
    """One use of an operation: arguments with tensors in them, the tensors it makes, and where from."""

    operation: Operation
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Tensor, ...]
    structure: Any  # the outputs as the program sees them: a tensor, a list, a tuple
    scopes: tuple[Scope, ...] = ()
    where: str | None = None
    training: bool | None = None
    assigned: Any = None  # trace.Assignment: the variable that the statement fills
    order: int = field(default_factory=lambda: next(_order))

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        return tuple(tensors_in((self.args, self.kwargs)))


def record(
    operation: Operation,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    specs: Any,
    *,
    training: bool | None = None,
    scopes: tuple[Scope, ...] | None = None,
    where: str | None = None,
) -> Any:
    """Make the output tensors of a call and bind them to it; returns them in the form of ``specs``."""
    from keras2torch.frontend.trace import user_context

    count_call()
    context = user_context()

    def new(spec: Spec) -> Tensor:
        return Tensor(spec.shape, spec.dtype)

    structure = map_structure(new, specs, Spec)
    outputs = tuple(tensors_in(structure))
    call = Call(
        operation,
        args,
        kwargs,
        outputs,
        structure,
        scopes=context.scopes if scopes is None else scopes,
        where=context.where if where is None else where,
        training=training,
        assigned=context.assignment if scopes is None else None,
    )
    for index, tensor in enumerate(outputs):
        tensor.call, tensor.index = call, index
        tensor.name = f"{getattr(operation, 'name', 'tensor')}_{index}"
    return structure


def map_structure(
    function: Callable[[Any], Any], structure: Any, leaf: type | tuple = Tensor
) -> Any:
    """Apply ``function`` to every ``leaf`` inside lists, tuples, dicts and slices; keep the rest."""
    if isinstance(structure, leaf):
        return function(structure)
    if type(structure) in (list, tuple) or isinstance(structure, TensorShape):
        return type(structure)(map_structure(function, item, leaf) for item in structure)
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(map_structure(function, item, leaf) for item in structure))
    if isinstance(structure, dict):
        return {k: map_structure(function, v, leaf) for k, v in structure.items()}
    if isinstance(structure, slice):
        parts = (structure.start, structure.stop, structure.step)
        return slice(*(map_structure(function, part, leaf) for part in parts))
    return structure


def by_sorted_keys(structure: Any) -> Any:
    """The structure with its dicts in the order in which Keras flattens them: by sorted key."""
    if type(structure) is dict:
        keys = sorted(structure) if all(isinstance(key, str) for key in structure) else structure
        return {key: by_sorted_keys(structure[key]) for key in keys}
    if type(structure) in (list, tuple):
        return type(structure)(by_sorted_keys(item) for item in structure)
    return structure


def tensors_in(structure: Any) -> list[Tensor]:
    """All tensors inside a nested structure, in order."""
    found: list[Tensor] = []
    map_structure(found.append, structure)
    return found


@dataclass
class Graph:
    """What lies between inputs and outputs: the calls needed, in the order the program made them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    calls: tuple[Call, ...]
    name: str = "model"

    @staticmethod
    def between(inputs: Iterable[Tensor], outputs: Iterable[Tensor], name: str = "model") -> Graph:
        """Collect the calls between ``inputs`` and ``outputs``.

        Raises K2TError where an output depends on an input that is not listed.
        """
        inputs, outputs = tuple(inputs), tuple(outputs)
        known = set(map(id, inputs))
        calls: dict[int, Call] = {}
        pending = [tensor for tensor in outputs if id(tensor) not in known]
        while pending:
            tensor = pending.pop()
            if id(tensor) in known or isinstance(tensor, (Weight, Constant)):
                continue
            call = tensor.call
            if call is None:
                raise K2TError(
                    f"the model's outputs depend on the input {tensor.name!r} of shape "
                    f"{tensor.shape}, which is not among the model's inputs",
                    where=_where(),
                    fix="list it in Model(inputs=[...], outputs=...)",
                )
            if id(call) not in calls:
                calls[id(call)] = call
                pending.extend(call.inputs)
        ordered = tuple(sorted(calls.values(), key=lambda call: call.order))
        return Graph(inputs, outputs, ordered, name)

    @property
    def tensors(self) -> list[Tensor]:
        """Its inputs, and all that its calls make."""
        return [*self.inputs, *(tensor for call in self.calls for tensor in call.outputs)]

    def check(self) -> None:
        """Every tensor is made before it is used, by exactly one call."""
        known = set(map(id, self.inputs))
        for call in self.calls:
            for tensor in call.inputs:
                if id(tensor) not in known and not isinstance(tensor, (Weight, Constant)):
                    raise AssertionError(f"{call.operation} uses {tensor} before it is made")
            for tensor in call.outputs:
                if id(tensor) in known:
                    raise AssertionError(f"{tensor} is made twice")
                known.add(id(tensor))
        for tensor in self.outputs:
            if id(tensor) not in known and not isinstance(tensor, (Weight, Constant)):
                raise AssertionError(f"output {tensor} is never made")

    def __str__(self) -> str:
        names: dict[int, str] = {}

        def name(tensor: Tensor) -> str:
            if isinstance(tensor, Weight):
                return f"@{tensor.path}"
            if isinstance(tensor, Constant):
                return f"constant{tensor.shape}"
            return names.setdefault(id(tensor), f"%{len(names)}")

        lines = [f"graph {self.name}"]
        lines += [f"  input {name(t)}: {t.dtype}{list(t.shape)}" for t in self.inputs]
        for call in self.calls:
            made = ", ".join(f"{name(t)}: {t.dtype}{list(t.shape)}" for t in call.outputs)
            used = ", ".join(name(t) for t in call.inputs)
            scopes = "".join(f" in {scope}" for scope in call.scopes)
            lines.append(f"  {made} = {call.operation}({used}){scopes}")
        lines.append("  output " + ", ".join(name(t) for t in self.outputs))
        return "\n".join(lines)


def relative_scopes(graph: Graph) -> Callable[[Call], tuple[Scope, ...]]:
    """A function: the scopes of a call as seen from inside the graph.

    Left out are the functions in which the inputs were made (``build_model``), and what lies around
    every call (the traced ``call`` of the model itself).
    """
    outside = {scope for tensor in graph.inputs for scope in tensor.scopes}
    if len(graph.calls) > 1:
        outside |= set.intersection(*(set(call.scopes) for call in graph.calls))
    return lambda call: tuple(scope for scope in call.scopes if scope not in outside)
