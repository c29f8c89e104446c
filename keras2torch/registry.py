"""The register of users' own layers, for saved and live models that hold some.

A layer of the user's own is registered under Keras's name for it, in a module of theirs::

    @keras2torch.register("MyPkg>Scale")
    class Scale(keras.layers.Layer):
        ...

which is found through ``[tool.k2t] layers = ["path/of/module.py"]`` in pyproject.toml, or through an entry point of
an installed package in the group ``keras2torch.layers``. The module is run as programs are, with stand-ins for Keras.
"""

from __future__ import annotations

import importlib.machinery
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from keras2torch.errors import K2TError, UnsupportedError

GROUP = "keras2torch.layers"
_Class = TypeVar("_Class", bound=type)
_classes: dict[str, Any] = {}
_files: dict[str, Path] = {}  # of classes that were registered where the real Keras runs
_loaded: set[Path] = set()


class UnknownClassError(UnsupportedError):
    """A model holds a layer that is not Keras's own; ``names`` are those that it may be registered under."""

    def __init__(self, what: str, *, names: tuple[str, ...], where: str, fix: str):
        super().__init__(what, where=where, fix=fix)
        self.names = names


def register(name: str) -> Callable[[_Class], _Class]:
    """Translate the layers that saved and live models know as ``name`` ("MyPkg>MyLayer") by the decorated class.

    The class is a Keras layer, whose ``call`` is traced; or a subclass of ``keras2torch.layers.base.Layer`` with
    Keras's signature as its fields and a ``lower`` that says what torch is to do. Raises K2TError for anything else.
    """

    def remember(cls: _Class) -> _Class:
        from keras2torch.layers.base import Layer

        if issubclass(cls, Layer):
            if "lower" in cls.__dict__:
                cls.declare_fields()
            _classes[name] = cls
        elif any(base.__module__.startswith(("keras.", "tf_keras.")) for base in cls.__mro__):
            _remember_file(name, cls)
        else:
            raise K2TError(f"{cls.__name__}, registered as {name!r}, is no layer")
        return cls

    return remember


def with_registered(
    replay: Callable[[dict[str, Any]], Any], custom: dict[str, Any], near: Path
) -> Any:
    """``replay(custom)``, with the registered classes that turn out to be needed.

    ``near`` is the folder whose project may list them. Raises UnknownClassError where a class is nowhere.
    """
    custom = dict(custom)
    while True:
        try:
            return replay(custom)
        except UnknownClassError as error:
            found = {name: cls for name in error.names if (cls := _look_up(name, near)) is not None}
            if not found or set(found) <= set(custom):
                raise
            custom.update(found)


def _look_up(name: str, near: Path) -> Any:
    """The class of that name, from the modules that may register it, one after the other."""
    for path in _modules(name, near):
        if name in _classes:
            break
        if path not in _loaded:
            from keras2torch.frontend.script import run_definitions

            _loaded.add(path)
            run_definitions(path)
    return _classes.get(name)


def _modules(name: str, near: Path) -> Iterator[Path]:
    if name in _files:
        yield _files[name]
    from keras2torch.vendoring.project import find_project

    seen = set()
    for folder in (near, Path.cwd()):
        project = find_project(folder)
        if project is not None and project.path not in seen:
            seen.add(project.path)
            yield from project.layers
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        found = _source_of(entry.value.partition(":")[0])
        if found is None:
            raise K2TError(
                f"the entry point {entry.name!r} of {GROUP} names a module that is not there"
            )
        yield found


def _source_of(module: str) -> Path | None:
    """The file of a module, found without running its package, which may import the real Keras."""
    places: Any = None
    spec = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:end]), places)
        if spec is None:
            return None
        places = spec.submodule_search_locations
    return Path(spec.origin) if spec is not None and spec.origin else None


def _remember_file(name: str, cls: type) -> None:
    import inspect

    try:
        _files[name] = Path(inspect.getfile(cls))
    except (TypeError, OSError):
        raise K2TError(
            f"the source of {cls.__name__}, registered as {name!r}, is in no file",
            fix="define it in a module",
        ) from None
