"""The import hook: ``keras``, ``tensorflow`` and their kin resolve to stand-in modules, under every old path."""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from keras2torch import config
from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.sandbox import paused
from keras2torch.frontend.standins import paths

_modules: dict[str, StandInModule] = {}
_MISSING = object()


class StandInModule(types.ModuleType):
    """A module whose names are looked up when they are asked for."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return public_names(self.__dict__["_canonical"])
        if name.startswith("__") and name not in ("__version__",):
            raise AttributeError(name)
        value = look_up(self.__dict__["_canonical"], name)
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        return public_names(self.__dict__["_canonical"])


class Unknown:
    """A name of a known module that keras2torch does not have: harmless until it is used."""

    def __init__(self, path: str, kind: str):
        self.path, self.kind = path, kind

    def error(self) -> UnsupportedError:
        import difflib

        module, _, name = self.path.rpartition(".")
        near = difflib.get_close_matches(name, public_names(module), 1)
        return UnsupportedError(
            f"{self.path} is a {self.kind} that keras2torch does not know",
            where=trace.user_location(),
            fix=(
                f"did you mean {near[0]}?"
                if near
                else "write it with layers and functions that it knows"
            ),
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self.error()

    def __mro_entries__(self, bases: Any) -> Any:
        raise self.error()

    def __instancecheck__(self, value: Any) -> bool:
        return False

    __subclasscheck__ = __instancecheck__

    def __repr__(self) -> str:
        return f"<unknown {self.kind} {self.path}>"


def module_for(canonical: str) -> StandInModule:
    """The stand-in module of a canonical path, e.g. ``keras.layers``."""
    module = _modules.get(canonical)
    if module is None:
        module = _modules[canonical] = StandInModule(canonical)
        module.__dict__["_canonical"] = canonical
    return module


def canonical_path(path: str) -> str:
    """Where a module of any Keras or TensorFlow version is found today.

    ``tensorflow.python.keras.layers.core`` is ``keras.layers``.
    """
    for prefix, instead in paths.PREFIXES.items():
        if path == prefix or path.startswith(prefix + "."):
            path = instead + path[len(prefix) :]
            break
    parts = path.split(".")
    if parts[0] == "keras":
        for end in range(len(parts), 1, -1):
            target = paths.MOVED.get(".".join(parts[1:end]))
            if target is not None:
                return ".".join(["keras", *filter(None, [target])])
    while ".".join(parts) not in paths.NAMESPACES and len(parts) > 2:
        parts.pop()
    return path if ".".join(parts) not in paths.NAMESPACES else ".".join(parts)


def look_up(canonical: str, name: str) -> Any:
    """What ``name`` means in a stand-in module."""
    child = f"{canonical}.{name}"
    namespace = paths.NAMESPACES.get(canonical)
    if child in paths.NAMESPACES or child in paths.CHILDREN:
        return module_for(canonical_path(child))
    for source in namespace.sources if namespace else ():
        value = _from_source(source, name)
        if value is not _MISSING:
            return value
    moved = child.partition(".")[2] in paths.MOVED or name in paths.WITHIN
    if canonical.startswith("keras.") and moved:
        return module_for(canonical_path(child))
    if namespace is not None and namespace.kind is not None and _looks_like(namespace.kind, name):
        return Unknown(child, namespace.kind)
    return Absent(Source(child, known=False, dotted=True))


def _looks_like(kind: str, name: str) -> bool:
    return kind != "layer" or name[:1].isupper()


def _from_source(source: str, name: str) -> Any:
    module, _, attribute = source.partition(":")
    if source.startswith("@"):  # functions on tensors
        from keras2torch.ops import OPS

        return OPS.get(f"{source[1:]}.{name}", _MISSING)
    loaded = _load(module)
    if attribute:
        return getattr(loaded, attribute).get(name, _MISSING)
    return _MISSING if name.startswith("_") else _own(loaded).get(name, _MISSING)


def _load(module: str) -> Any:
    with paused():
        return importlib.import_module(module)


def _own(module: Any) -> dict[str, Any]:
    """The names a module means to give: its ``NAMES`` table, else what it defines itself."""
    table = getattr(module, "NAMES", None)
    if table is not None:
        return table
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", module.__name__) == module.__name__
    }


def public_names(canonical: str) -> list[str]:
    """All the names of a stand-in module, for ``import *`` and for suggestions."""
    names: set[str] = set()
    namespace = paths.NAMESPACES.get(canonical)
    for source in namespace.sources if namespace else ():
        module, _, attribute = source.partition(":")
        if source.startswith("@"):
            from keras2torch.ops import OPS

            prefix = source[1:] + "."
            names.update(
                n[len(prefix) :]
                for n in OPS
                if n.startswith(prefix) and "." not in n[len(prefix) :]
            )
        elif attribute:
            names.update(getattr(_load(module), attribute))
        else:
            names.update(_own(_load(module)))
    names.update(
        c.rpartition(".")[2] for c in paths.NAMESPACES if c.rpartition(".")[0] == canonical
    )
    return sorted(name for name in names if not name.startswith("_") and name.isidentifier())


class Finder:
    """Finds the stand-ins for every path below the roots; a Keras 1 or 2 path tells the script's age."""

    @staticmethod
    def find_spec(fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname.partition(".")[0] not in paths.ROOTS:
            return None
        return importlib.machinery.ModuleSpec(fullname, Finder, is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: Any) -> types.ModuleType:
        if paths.is_old(spec.name):
            config.keras_version = 2
            config.before_tensorflow_2 |= spec.name.startswith("keras.")
        return module_for(canonical_path(spec.name))

    @staticmethod
    def exec_module(module: types.ModuleType) -> None:
        """Nothing runs: names are looked up when they are asked for."""


@contextmanager
def stand_ins() -> Iterator[None]:
    """Let imports find the stand-ins, whatever is installed or loaded; put all back at the end."""
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in paths.ROOTS
    }
    for name in hidden:
        del sys.modules[name]
    _modules.clear()
    sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.meta_path.remove(Finder)  # type: ignore[arg-type]
        for name in [n for n in sys.modules if n.partition(".")[0] in paths.ROOTS]:
            del sys.modules[name]
        sys.modules.update(hidden)


@contextmanager
def importing_stand_ins() -> Iterator[None]:
    """``stand_ins`` for a function of the program that is run after it, where they are not there still."""
    with nullcontext() if Finder in sys.meta_path else stand_ins():
        yield
