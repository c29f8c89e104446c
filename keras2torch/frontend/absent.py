"""Stand-ins for what is not here: missing modules, files and downloads, and all that is computed from them.

An ``Absent`` goes along with everything a script does to it, so that the recording reaches models that do
not depend on it. It remembers which data it stands for: where a size or a value of it reaches a model, the
error says which data that is.
"""

from __future__ import annotations

import linecache
import opcode
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from keras2torch.errors import K2TError, ScriptError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.recording import note
from keras2torch.graph import Tensor


@dataclass(frozen=True)
class Source:
    """What is missing (``what``), where the script asks for it, and how to give it.

    ``known`` is False for a function that exists but that keras2torch does not know. ``dotted`` marks a module
    and its attributes, whose names grow: ``pandas``, ``pandas.read_csv``.
    """

    what: str
    where: str | None = None
    fix: str | None = None
    known: bool = True
    dotted: bool = False
    quiet: bool = False  # nothing of it is told: plots and the like

    def attribute(self, name: str) -> Source:
        return replace(self, what=f"{self.what}.{name}") if self.dotted else self

    def called(self, args: tuple[Any, ...]) -> Source:
        if not self.dotted:
            return self
        first = (
            repr(args[0])[:80]
            if args and isinstance(args[0], (str, int, float))
            else "..." if args else ""
        )
        return replace(
            self, what=f"{self.what}({first})", where=trace.user_location(), dotted=False
        )

    def error(self, use: str) -> K2TError:
        """The error to raise where a model truly needs it."""
        asked = f" (at {self.where})" if self.where else ""
        here = trace.user_location()
        if not self.known:
            return UnsupportedError(
                f"{use} comes from {self.what}{asked}, which keras2torch does not translate",
                where=here,
                fix=self.fix
                or "write it with the functions of keras.ops, or with numpy on plain numbers",
            )
        return ScriptError(
            f"{use} comes from {self.what}{asked}, which is not here", where=here, fix=self.fix
        )


def is_absent(value: Any) -> bool:
    """Whether ``value`` stands for something that is not here (looked at, not asked)."""
    return type(value) is Absent


def refuse_absent(value: Any, use: str) -> None:
    """Raise the error that names the missing data, where ``value`` is or holds something absent."""
    found = find_absent(value)
    if found is not None:
        raise found._source.error(use)


def or_note(value: Any, use: str) -> Any:
    """``value``, or None and a note where it is or holds something absent that no model depends on."""
    found = find_absent(value)
    if found is None:
        return value
    note(f"{trace.user_location()}: the {use} are those of {found._source.what}, which is not here")
    return None


_PLAIN = frozenset({int, float, bool, str, bytes, type(None)})


def find_absent(value: Any, depth: int = 3) -> Absent | None:
    """An Absent that is ``value`` or lies in it: its first and last items, and those of inner containers."""
    if type(value) is Absent:
        return value
    if not depth or type(value) in _PLAIN:
        return None
    items: tuple[Any, ...] = ()
    if isinstance(value, (list, tuple)) and value:
        items = (value[0], value[-1])
    elif isinstance(value, dict) and value:
        key = next(iter(value))
        items = (key, value[key])
    elif isinstance(value, (set, frozenset)) and value:
        items = (next(iter(value)),)
    elif type(value).__name__ in ("ndarray", "SampleArray"):
        items = (value.flat[0],) if value.dtype == object and value.size else ()
    return first_absent(items, depth - 1)


def first_absent(values: Iterable[Any], depth: int = 3) -> Absent | None:
    """The first Absent that one of ``values`` is or holds."""
    for value in values:
        found = find_absent(value, depth)
        if found is not None:
            return found
    return None


class AbsentBase:
    """What a class of the script inherits from where its base is absent."""

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(Source(f"the base class of {type(self).__name__}", trace.user_location()))


class Absent:
    """Data or code that is not here. ``shape`` is known where the script itself has fixed it.

    ``kind`` tells a data "frame" (``[...]`` chooses columns) and its "rows" (``.iloc``) from arrays.
    """

    __slots__ = ("_attributes", "_kind", "_shape", "_source")
    __array_priority__ = 2000.0

    latest: ClassVar[list[Absent]] = []  # the one that was made last

    def __init__(
        self,
        source: Source,
        shape: tuple[Any, ...] | None = None,
        kind: str | None = None,
        **attributes: Any,
    ):
        Absent.latest[:] = [self]
        self._source = source
        self._shape = shape
        self._kind = kind
        self._attributes = attributes

    # What the script reads.
    def __getattr__(self, name: str) -> Any:
        if name in self._attributes:
            return self._attributes[name]
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # a protocol that we have not got
        if not self._source.dotted:
            from keras2torch.frontend import frames

            known = frames.attribute(self, name)
            if known is not None:
                return known
        return Absent(self._source.attribute(name))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in Absent.__slots__:
            object.__setattr__(self, name, value)
        else:
            self._attributes[name] = value

    @property
    def shape(self) -> Any:
        return Absent(self._source) if self._shape is None else self._shape

    @property
    def ndim(self) -> Any:
        return Absent(self._source) if self._shape is None else len(self._shape)

    def reshape(self, *shape: Any, **kwargs: Any) -> Absent:
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return self._like(tuple(self._new() if _is(n, -1) else n for n in sizes))

    def astype(self, *args: Any, **kwargs: Any) -> Absent:
        return Absent(self._source, self._shape, self._kind)

    copy = astype

    def _new(self) -> Absent:
        return Absent(self._source)

    def _like(self, shape: tuple[Any, ...] | None) -> Absent:
        return Absent(self._source, shape)

    def __getitem__(self, key: Any) -> Any:
        from keras2torch.frontend import frames

        if self._shape and self._kind is None and hasattr(key, "__array__") and key is not self:
            return self._like((self._new(), *self._shape[1:]))
        return frames.item(self, key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and not kwargs and callable(args[0]) and _on_decorator_line():
            return args[0]
        return Absent(self._source.called(args))

    # What the script writes.
    def __setitem__(self, key: Any, value: Any) -> None:
        if self._kind == "frame":  # perhaps a new column
            self._shape = (self._new(), self._new())

    def __delitem__(self, key: Any) -> None:
        self[key] = None

    def __delattr__(self, name: str) -> None:
        pass

    # As a container.
    def __iter__(self) -> Iterator[Any]:
        self._refuse_core("what a model is made of")
        count = _unpacked(sys._getframe(1))
        if self._shape is not None and count == 1 and self._shape and _is_size(self._shape[0]):
            count = min(int(self._shape[0]), 4)
        return iter([self[index] for index in range(count)])

    def __next__(self) -> Any:
        return self._new()

    def __len__(self) -> int:
        self._refuse_core("a size")
        return 1

    def __contains__(self, item: Any) -> bool:
        return False

    # As a value.
    def __bool__(self) -> bool:
        self._refuse_core("a choice")
        return _asserted(sys._getframe(1))

    def __int__(self) -> int:
        self._refuse_core("a size", training=True)
        return 1

    __index__ = __int__

    def __float__(self) -> float:
        self._refuse_core("a number", training=True)
        return 1.0

    def __complex__(self) -> complex:
        return 1 + 0j

    def __str__(self) -> str:
        return "absent"

    __fspath__ = __str__

    def __repr__(self) -> str:
        return f"<stand-in for {self._source.what}>"

    def __format__(self, specification: str) -> str:
        return "absent"

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        import numpy

        self._refuse_core("an array")
        shape = [n if _is_size(n) else 1 for n in self._shape or ()]
        return numpy.zeros(shape, dtype or "float64")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        elementwise = method == "__call__" and ufunc.signature is None
        return self._combined(inputs) if elementwise else self._new()

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = function.__name__
        if name == "reshape":
            return self.reshape(*args[1:], **kwargs)
        if name == "expand_dims" and self._shape is not None:
            axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
            position = axis if axis >= 0 else len(self._shape) + 1 + axis
            return self._like((*self._shape[:position], 1, *self._shape[position:]))
        if name in ("concatenate", "vstack", "hstack"):
            from keras2torch.frontend import frames

            axis = args[1] if len(args) > 1 else kwargs.get("axis", 0)
            return self._like(frames.joined(self, args[0], 1 if name == "hstack" else axis))
        return self._new()

    def _combined(self, values: tuple[Any, ...]) -> Absent:
        """The result of arithmetic: its shape is known where only scalars join in."""
        _refuse_tensors(self, values)
        if all(value is self or isinstance(value, (int, float)) for value in values):
            return Absent(self._source, self._shape, self._kind)
        from keras2torch.frontend import frames

        return self._like(frames.combined(self, (self, *values)))

    # As a context, a class, a thing to copy.
    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        return None

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (AbsentBase,) if not any(isinstance(base, type) for base in bases) else ()

    def __instancecheck__(self, value: Any) -> bool:
        return False

    __subclasscheck__ = __instancecheck__

    def __copy__(self) -> Absent:
        return self

    def __deepcopy__(self, memo: Any) -> Absent:
        return self

    def __reduce__(self) -> Any:
        return (str, ("absent",))

    def _refuse_core(self, use: str, training: bool = False) -> None:
        """A model's own code must not take a made-up value; the script may."""
        module = sys._getframe(2).f_globals.get("__name__") or ""
        if not module.startswith("keras2torch.") or module.startswith("keras2torch.frontend."):
            return
        if training or not module.startswith("keras2torch.training."):
            raise self._source.error(use)


def _install(name: str) -> None:
    def method(self: Absent, *others: Any) -> Absent:
        return self._new() if "matmul" in name else self._combined(others)

    method.__name__ = name
    setattr(Absent, name, method)


for _symbol in (
    "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift "
    "radd rsub rmul rtruediv rfloordiv rmod rdivmod rpow rmatmul rand ror rxor rlshift rrshift "
    "neg pos abs invert round trunc floor ceil eq ne lt le gt ge"
).split():
    _install(f"__{_symbol}__")
Absent.__hash__ = lambda self: id(self)  # type: ignore[method-assign]  # __eq__ is no test of identity


def _refuse_tensors(absent: Absent, values: tuple[Any, ...]) -> None:
    for value in values:
        if isinstance(value, Tensor):
            raise absent._source.error("what meets a symbolic tensor")


def _is(value: Any, number: int) -> bool:
    return isinstance(value, int) and value == number


def _is_size(value: Any) -> bool:
    return isinstance(value, int) or type(value).__module__ == "numpy"


_UNPACK = {opcode.opmap[name] for name in ("UNPACK_SEQUENCE", "UNPACK_EX") if name in opcode.opmap}


def _unpacked(frame: Any) -> int:
    """How many items ``a, b = absent`` wants; 1 for loops and all else."""
    code, at = frame.f_code.co_code, frame.f_lasti
    if at < 0 or code[at] not in _UNPACK:
        return 1
    return code[at + 1] if code[at] == opcode.opmap["UNPACK_SEQUENCE"] else (code[at + 1] & 0xFF)


def _line(frame: Any) -> str:
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip()


def _on_decorator_line() -> bool:
    return _line(sys._getframe(2)).startswith("@")


def _asserted(frame: Any) -> bool:
    """Truth of what is not known: no, except where the script insists on it."""
    return _line(frame).startswith("assert")
