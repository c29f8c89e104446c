"""Functions on tensors (``keras.ops``, ``keras.backend``, ``tf``): one rule each, under every public name.

An op is a class like a layer, without state: its arguments are those of the call::

    class Reshape(Op, names="keras.ops.reshape K.reshape tf.reshape(tensor=x, shape=newshape)"):
        def output_spec(self, x, newshape): return Spec(...)
        def lower(self, b, x, newshape): ...         # Keras's signature, in order, with its defaults
        def fold(self, x, newshape): return ...      # the same with numpy, where no tensor is symbolic

``names`` lists public paths; ``K`` stands for ``keras.backend``, ``{tf,tf.math}.abs`` for two paths, and
``path(old=new, ...)`` renames arguments for one spelling. A function that is a few others in a row needs no
class: ``@function(names)`` makes it an op written in terms of ops.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Callable
from typing import Any

import numpy

from keras2torch.errors import K2TError, ShapeError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, find_absent, refuse_absent
from keras2torch.graph import (
    Constant,
    Shape,
    Spec,
    Tensor,
    map_structure,
    record,
    tensors_in,
)
from keras2torch.layers.operation import Operation, call_parameters
from keras2torch.lazy import LazyTable, import_all
from keras2torch.ops.initial_values import combined
from keras2torch.ops.symbolic_shape import SymbolicShape


def _fill() -> None:
    import_all("keras2torch.ops")
    from keras2torch.ops.activations import mark_activations

    mark_activations()


OPS: dict[str, Callable[..., Any]] = LazyTable(_fill)
"""Every translated function by its public path, e.g. ``keras.ops.mean``."""

Decorated = Callable[..., Any]


class _Ops:
    """``ops.mean`` is the function of keras.ops: what ops in terms of ops are written with."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        try:
            return OPS[f"keras.ops.{name}"]
        except KeyError:
            raise AttributeError(name) from None


ops = _Ops()


class Op(Operation):
    """Base of the functions on tensors. ``lower``, ``output_spec`` and ``fold`` take the call's arguments by name."""

    layout = "last"
    name = "op"
    tensors: tuple[str, ...] = ("x",)
    """Arguments that are turned into tensors where a plain number or array is given."""
    lists: tuple[str, ...] = ()
    """Arguments that are lists of tensors."""
    weak = False
    """Whether Python numbers among the tensors stay numbers (they do not decide the dtype)."""
    takes_sizes = False
    """Whether ``lower`` can do with Python numbers (``x.shape[1]``) in the place of tensors."""
    path = ""

    def __init_subclass__(cls, names: str = "", **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "lower" in cls.__dict__ and not cls.takes_sizes:
            cls.lower = _with_tensors(cls.lower)  # type: ignore[method-assign]
        paths = parse_names(names)
        if paths:
            op = cls()
            cls.path = paths[0][0]
            cls.name = cls.path.rpartition(".")[2]
        for path, renames in paths:
            OPS[path] = function_of(op, path, renames)

    def fold(self, *args: Any, **kwargs: Any) -> Any:
        """The value where nothing is symbolic; NotImplemented: record it all the same."""
        return NotImplemented

    def record(self, *args: Any, **kwargs: Any) -> Any:
        """Bind, check shapes, and put the call into the graph; or compute it where all is known."""
        signature = call_parameters(type(self).lower)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise K2TError(f"{self}: {error}", where=trace.user_location()) from None
        bound.apply_defaults()
        arguments = {name: self._argument(name, value) for name, value in bound.arguments.items()}
        try:
            specs = self.output_spec(**arguments)
        except (IndexError, TypeError, ValueError) as error:
            shapes = ", ".join(str(t.shape) for t in tensors_in(arguments))
            raise ShapeError(
                f"{self} does not fit inputs of shape {shapes}: {error}",
                where=trace.user_location(),
            ) from error
        if all(isinstance(tensor, Constant) for tensor in tensors_in(arguments)):
            made = combined(self.name, arguments)
            if made is not None:
                return made
            values = map_structure(_array, arguments, Constant)
            with numpy.errstate(all="ignore"):
                made = self.fold(**values)
            if made is not NotImplemented:
                return _named(_constants(made, specs), tensors_in(arguments))
        return record(self, (), arguments, specs)

    def _argument(self, name: str, value: Any) -> Any:
        if name in self.tensors:
            return as_operand(value, weak=self.weak)
        if name in self.lists:
            return as_operands(value)
        return as_plain(value)

    def unsupported(self, what: str, fix: str | None = None) -> UnsupportedError:
        """The error to raise where an argument has no exact translation."""
        return UnsupportedError(f"{self}: {what}", where=trace.user_location(), fix=fix)

    def __str__(self) -> str:
        return self.path or type(self).__name__


def as_operand(value: Any, weak: bool = False) -> Any:
    """Numbers and arrays as Constants (numbers stay with ``weak``); lists of tensors are stacked."""
    if value is None or isinstance(value, (Tensor, str)):
        return value
    refuse_absent(value, "a tensor")
    if isinstance(value, SymbolicShape):
        return value.as_tensor()
    if isinstance(value, numpy.generic):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return value if weak else constant(value)
    if isinstance(value, (list, tuple)) and tensors_in(value):
        return ops.stack([as_operand(item) for item in value])
    return constant(value)


def as_operands(value: Any) -> list[Any]:
    """The items of a list of tensors; of one tensor, its slices along the first axis."""
    if isinstance(value, Tensor) or hasattr(value, "shape"):
        return list(ops.unstack(value))
    return [as_operand(item) for item in value]


def constant(value: Any, dtype: str | None = None) -> Constant:
    """An array as a Constant of the dtype that Keras gives it."""
    array = numpy.asanyarray(value)
    if array.dtype == object:
        raise K2TError(f"{type(value).__name__} is no tensor", where=trace.user_location())
    narrow = {"float64": "float32", "complex128": "complex64"}
    if not hasattr(value, "dtype") and array.dtype == "int64":  # lists of Python's integers
        narrow = {"int64": "int32"}
    name = dtype or narrow.get(str(array.dtype), str(array.dtype))
    if name != str(array.dtype):
        array = array.astype(name)
    made = Constant(array, name)
    made.given = value
    return made


def as_plain(value: Any) -> Any:
    """An argument that is no tensor: constants in it become Python's numbers and arrays."""
    refuse_absent(value, "an argument")
    if isinstance(value, Constant):
        return value.value.item() if value.shape == () else value.value
    if isinstance(value, numpy.generic):
        return value.item()
    if type(value) in (list, tuple):
        return type(value)(as_plain(item) for item in value)
    return value


def _array(constant: Constant) -> Any:
    """The value in the constant's own dtype, as Keras computes with it."""
    value, dtype = constant.value, constant.dtype
    if str(value.dtype) == dtype or dtype not in numpy.sctypeDict:
        return value
    return value.astype(dtype)


def _named(made: Any, sources: list[Tensor]) -> Any:
    """Constants that remember the variable that they fill, and what they were computed from."""
    name = trace.assigned_target()
    for item in tensors_in(made):
        item.name = name if made is item else None
        item.origin = next((t for t in sources if t.shape != ()), None)  # type: ignore[attr-defined]
    return made


def _constants(made: Any, specs: Any) -> Any:
    if isinstance(specs, Spec):
        data = type(made).__name__ == "SampleArray"  # a data set stays one
        array = numpy.asanyarray(made)
        if str(array.dtype) != specs.dtype and specs.dtype in numpy.sctypeDict:
            array = array.astype(specs.dtype)
        return array if data else Constant(array, specs.dtype)
    return type(specs)(_constants(item, spec) for item, spec in zip(made, specs))


def _with_tensors(lower: Callable[..., Any]) -> Callable[..., Any]:
    """``lower``, given tensors where the values at hand are Python's numbers."""
    signature = call_parameters(lower)

    @functools.wraps(lower)
    def wrapped(self: Op, b: Any, /, *args: Any, **kwargs: Any) -> Any:
        arguments = signature.bind(*args, **kwargs).arguments
        wanted = (*self.tensors, *self.lists) if not self.weak else self.lists
        for name, value in arguments.items():
            many = name in self.lists and isinstance(value, (list, tuple))
            if many:
                arguments[name] = [in_tensor(b, item) for item in value]
            elif name in wanted or getattr(value, "scalar", False) and name in self.tensors:
                arguments[name] = in_tensor(b, value)
        return lower(self, b, **arguments)

    return wrapped


def in_tensor(b: Any, value: Any) -> Any:
    """A Python number of ``forward`` (a size, a literal) as a torch tensor; tensors as they are."""
    if getattr(value, "scalar", False):
        device = {} if value.source is None else {"device": device_of(b, value.source)}
        return b.function("torch.tensor", value, shape=(), dtype=value.dtype, **device)
    if isinstance(value, (bool, int, float)):
        dtype = (
            "bool" if isinstance(value, bool) else "int32" if isinstance(value, int) else "float32"
        )
        return b.function("torch.tensor", value, shape=(), dtype=dtype)
    return value


def device_of(b: Any, x: Any) -> Any:
    """``x.device`` as an argument."""
    return b.node("attribute", "device", (x,), shape=())


def define(base: type[Op], title: str, names: str, members: dict[str, Any]) -> None:
    """A class of a table: ``class Title(base, names=names)`` with these members."""
    kind: Any = type(base)
    kind(title, (base,), members, names=names)


def parse_names(names: str) -> list[tuple[str, dict[str, str]]]:
    """``"keras.ops.mean {tf,tf.math}.reduce_mean(input_tensor=x)"`` as paths and their renamed arguments."""
    found = []
    for path, _, inside in re.findall(r"([\w.{},]+)(\(([^)]*)\))?", names):
        renames = dict(part.strip().split("=") for part in inside.split(",") if part.strip())
        parts = [part.split(",") for part in re.split(r"[{}]", path)]
        for pieces in itertools.product(*parts):
            full = re.sub(r"\AK\.", "keras.backend.", "".join(pieces))
            found.append((full, renames))
    return found


def function_of(op: Op, path: str, renames: dict[str, str]) -> Callable[..., Any]:
    """The function that a script sees under ``path``."""
    made = public(op.record, path, renames, call_parameters(type(op).lower))
    made.op = op  # type: ignore[attr-defined]
    return made


def public(
    run: Decorated, path: str, renames: dict[str, str], signature: inspect.Signature
) -> Decorated:
    """``run`` under a public path: arguments by the names of that spelling."""

    def function(*args: Any, **kwargs: Any) -> Any:
        if "name" not in signature.parameters:
            kwargs.pop("name", None)  # tf functions take one; it names nothing in torch
        missing = find_absent((args, kwargs))
        if missing is not None and not any(is_symbolic(t) for t in tensors_in((args, kwargs))):
            return _absent(missing, path)
        return run(*args, **renamed(kwargs))

    def renamed(kwargs: dict[str, Any]) -> dict[str, Any]:
        given = {k: v for k, v in kwargs.items() if k not in renames}
        for name, value in kwargs.items():
            today = renames.get(name)
            # An old spelling that is left at None beside today's says nothing.
            if today is None or value is None and (today in optional or today in given):
                continue
            if today in given:
                raise TypeError(f"{path}() got both {name!r} and {today!r}")
            given[today] = value
        return given

    optional = {p.name for p in signature.parameters.values() if p.default is None}
    function.__name__ = path.rpartition(".")[2]
    function.__qualname__ = path
    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


def is_symbolic(tensor: Tensor) -> bool:
    """Whether the values of a tensor are not known."""
    return not isinstance(tensor, Constant)


def _absent(missing: Absent, path: str) -> Absent:
    """What a function makes of data that is not here: not here either."""
    keeps_shape = path.rpartition(".")[2] in (
        "cast",
        "convert_to_tensor",
        "constant",
        "identity",
        "array",
    )
    return missing._like(missing._shape if keeps_shape else None)


def function(names: str) -> Callable[[Decorated], Decorated]:
    """Decorator: a function written in terms of other ops, under these public names."""

    def register(run: Decorated) -> Decorated:
        for path, renames in parse_names(names):
            OPS[path] = public(run, path, renames, inspect.signature(run))
        return run

    return register


def alias(new: str, old: str) -> None:
    """More public names for a function that is there, argument for argument."""
    for path, renames in parse_names(new):
        run = OPS[old]
        OPS[path] = public(run, path, renames, inspect.signature(run))


def axis_of(axis: int, rank: int) -> int:
    """A possibly negative axis as one from 0. Raises ValueError where there is none such."""
    axis = int(axis)
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of range for {rank} axes")
    return axis % rank


def axes_of(axis: Any, rank: int) -> tuple[int, ...]:
    """One axis, several or None (all) as a tuple of axes from 0."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, (list, tuple, numpy.ndarray)) else (axis,)
    return tuple(axis_of(a, rank) for a in axes)


def product(sizes: Any) -> int | None:
    """The product of sizes; None if one is unknown."""
    total = 1
    for n in sizes:
        if n is None:
            return None
        total *= n
    return total


def dim_argument(x: Any, axis: int) -> int:
    """The torch dimension of a Keras axis, -1 for the last."""
    dim = x.dim(axis)
    return -1 if dim == len(x.axes) - 1 else dim


def shape_of(value: Any) -> Shape:
    """The shape of a tensor or a number."""
    return value.shape if isinstance(value, Tensor) else ()


__all__ = [
    "OPS",
    "Op",
    "Spec",
    "SymbolicShape",
    "alias",
    "as_operand",
    "as_plain",
    "axes_of",
    "axis_of",
    "constant",
    "define",
    "device_of",
    "dim_argument",
    "function",
    "in_tensor",
    "ops",
    "parse_names",
    "product",
    "shape_of",
]
