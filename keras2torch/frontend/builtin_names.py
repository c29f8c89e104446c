"""Python's builtins as a recorded script sees them: aware of stand-ins, and harmless."""

from __future__ import annotations

import builtins
import functools
import gc
import io
import sys
import types
from collections.abc import Callable
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import recording, sandbox, trace, transform
from keras2torch.frontend.absent import Absent, Source, find_absent, first_absent, is_absent
from keras2torch.frontend.recording import note
from keras2torch.frontend.standins import downloads
from keras2torch.graph import Tensor


class Ended(SystemExit):
    """``exit()`` and its like."""


def length(value: Any) -> Any:
    """``len``: of a stand-in, and of a container of stand-ins, it is not known."""
    if type(value) in (str, bytes) or value is None:
        return len(value)
    true_length = getattr(type(value), "true_length", None)
    if true_length is not None:
        return true_length(value)
    found = find_absent(value)
    if found is None:
        return len(value)
    known = found._shape if found is value else None
    return known[0] if known else Absent(found._source)


def _of_items(original: Callable[..., Any]) -> Callable[..., Any]:
    """``max``, ``min`` and ``sum``: not known where an item is not known."""

    def function(*args: Any, **kwargs: Any) -> Any:
        if (
            args
            and not hasattr(args[0], "__len__")
            and hasattr(args[0], "__next__")
            and not is_absent(args[0])
        ):
            args = (list(args[0]), *args[1:])
        found = first_absent(args)
        return original(*args, **kwargs) if found is None else Absent(found._source)

    return function


def _of_value(original: Callable[..., Any]) -> Callable[..., Any]:
    """``int`` and ``float``: a stand-in stays one."""

    def convert(*args: Any, **kwargs: Any) -> Any:
        value: Any = args[0] if args else None
        if isinstance(value, Tensor):
            value = value.numpy()
            args = (value, *args[1:])
        return Absent(value._source) if is_absent(value) else original(*args, **kwargs)

    return convert


def _zip(*args: Any, **kwargs: Any) -> Any:
    if len(args) == 1 and is_absent(args[0]):  # zip(*absent)
        return args[0]
    return zip(*args, **kwargs)


def open_file(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
    """``open``: reads what is there; what would be written goes nowhere."""
    if is_absent(file):
        return Absent(file._source)
    if isinstance(mode, str) and set(mode) & set("wax+"):
        return _written(str(file), mode)
    run = recording.current()
    if run is not None and str(file) in run.files:
        content = run.files[str(file)]
        return io.BytesIO(content) if isinstance(content, bytes) else io.StringIO(content)
    try:
        return open(file, mode, *args, **kwargs)
    except OSError:
        missing = sandbox.missing_file(file)
        known = downloads.opened(str(file), mode, missing._source)
        return missing if known is None else known


def _written(path: str, mode: str) -> Any:
    """A file in memory, which the script can read again once it is closed."""
    base: Any = io.BytesIO if "b" in mode else io.StringIO

    class Written(base):  # type: ignore[misc]
        name = path

        def close(self) -> None:
            run = recording.current()
            if run is not None and not self.closed:
                run.files[path] = self.getvalue()
            super().close()

    return Written()


def _input(*args: Any) -> Any:
    return Absent(
        Source("what input() asks for", trace.user_location(), "write the value into the script")
    )


def _exit(code: Any = None) -> Any:
    raise Ended(code)


def recover(names: tuple[str, ...], guarded: bool) -> Any:
    """Called in the handler of a statement that failed: a stand-in for its value, or the error again."""
    error = sys.exc_info()[1]
    frame = sys._getframe(1)
    if guarded or isinstance(error, (K2TError, StopIteration)):
        raise
    where = trace.user_location()
    values = [frame.f_locals.get(name, frame.f_globals.get(name)) for name in names]
    found = first_absent(map(_absent_part, values))
    if found is None and Absent.latest and Absent.latest[0]._source.where == where:
        found = Absent.latest[0]  # made by this very statement: json.load(open("absent"))
    if any(map(_under_construction, values)):
        if found is not None:
            raise found._source.error("a value that a model is made with") from error
        raise
    if found is None and isinstance(error, sandbox.RefusedError):
        return Absent(Source("what the script would write", where))
    if found is None and isinstance(error, (OSError, ImportError)):
        found = _of_error(error, where)
    if found is None:
        raise
    if raised_by_core(error):
        raise found._source.error("a value") from error
    if not found._source.quiet:
        note(f"statements that need {found._source.what} are passed over")
    _mark_unreliable(values, found)
    return Absent(found._source)


def _absent_part(value: Any) -> Absent | None:
    """What is absent in a value: itself, an item, an attribute, or what should have been done to it."""
    found = find_absent(value)
    if found is None and _is_plain_object(value):
        found = first_absent(list(vars(value).values())[:40])
        run = recording.current()
        if found is None and run is not None and id(value) in run.unreliable:
            found = run.unreliable[id(value)][1]
    return found


def _mark_unreliable(values: list[Any], found: Absent) -> None:
    """The statement may have been to change its objects: ``scaler.fit(absent)``."""
    run = recording.current()
    if run is not None:
        run.unreliable.update({id(v): (v, found) for v in values if _is_plain_object(v)})


def _is_plain_object(value: Any) -> bool:
    """An instance of a class of the script's or of a library's; no module, class, function or layer."""
    if isinstance(value, (type, types.ModuleType, types.FunctionType)) or not hasattr(
        value, "__dict__"
    ):
        return False
    return not type(value).__module__.startswith(("keras2torch.", "builtins", "numpy"))


def _under_construction(value: Any) -> bool:
    """Whether a model that is still being made hangs on the value."""
    from keras2torch.layers.base import Layer

    if isinstance(value, (list, tuple)) and value:
        return _under_construction(value[-1])
    if isinstance(value, Layer):
        return not getattr(value, "training_calls", None)
    return isinstance(value, Tensor) and value.call is not None


def raised_by_core(error: Any) -> bool:
    """Whether the code of the layers itself failed on a stand-in: then a model depends on it."""
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__") or ""
    ours = ("keras2torch.frontend.", "keras2torch.training.")
    return module.startswith("keras2torch.") and not module.startswith(ours)


def _of_error(error: Any, where: str | None) -> Absent:
    if isinstance(error, ImportError):
        return Absent(Source(f"the module {error.name}", where, f"pip install {error.name}"))
    if getattr(error, "filename", None) is not None:
        return sandbox.missing_file(error.filename)
    fix = "what is not at hand while recording can be written into the script"
    return Absent(Source(f"what failed with {type(error).__name__}: {error}", where, fix))


def _loop(names: tuple[str, ...], iterable: Any) -> tuple[Any, Absent | None]:
    """What a loop goes over, and what of it is absent."""
    found = find_absent(iterable)
    if found is None and isinstance(iterable, _ITERATORS):
        found = _behind(iterable)
    if found is None:
        frame = sys._getframe(1)
        values = (frame.f_locals.get(name, frame.f_globals.get(name)) for name in names)
        found = first_absent(values)
    if found is not None and type(iterable) is range and not iterable:
        iterable = range(iterable.start, iterable.start + 1)  # once: what it appends has a shape
    return iterable, found


_ITERATORS: tuple[Any, ...] = (enumerate, zip, map, filter, type(iter([])), type(iter(())))


def _behind(iterator: Any) -> Absent | None:
    """The stand-in that ``enumerate`` and its like go over."""
    for inner in gc.get_referents(iterator):
        found = _behind(inner) if isinstance(inner, _ITERATORS) else find_absent(inner)
        if found is not None:
            return found
    return None


def _looped(value: Any, loop: tuple[Any, Absent | None]) -> Any:
    """What a loop has filled, after it: of absent data, it is not known how much."""
    found = loop[1]
    if found is None or find_absent(value) is not None or _under_construction(value):
        return value
    unknown = Absent(found._source)
    if isinstance(value, list):
        value.append(unknown)
    elif isinstance(value, set):
        value.add(unknown)
    elif isinstance(value, dict):
        value[unknown] = unknown
    elif isinstance(value, (int, float, str)):
        return unknown
    return value


def builtins_for(import_function: Callable[..., Any]) -> dict[str, Any]:
    """The ``__builtins__`` of a recorded script."""
    return {
        **vars(builtins),
        "__import__": import_function,
        "len": length,
        "max": _of_items(max),
        "min": _of_items(min),
        "sum": _of_items(sum),
        "open": open_file,
        "input": _input,
        "exit": _exit,
        "quit": _exit,
        "breakpoint": lambda *args, **kwargs: None,
        "help": lambda *args, **kwargs: None,
        # Python 2's names
        "raw_input": _input,
        "xrange": range,
        "unicode": str,
        "basestring": str,
        "long": int,
        "unichr": chr,
        "reduce": functools.reduce,
        # a notebook's names
        "display": lambda *args, **kwargs: None,
        "get_ipython": lambda: Absent(Source("IPython", None)),
        # names that transform.py puts into the script
        transform.TYPES["int"]: _of_value(int),
        transform.TYPES["float"]: _of_value(float),
        transform.TYPES["zip"]: _zip,
        transform.RECOVER: recover,
        transform.KEEP: lambda test: is_absent(test) or test,
        transform.LOOP: _loop,
        transform.LOOPED: _looped,
    }
