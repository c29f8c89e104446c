"""How a recorded script imports: stand-ins for what is missing or would draw, its own modules as scripts."""

from __future__ import annotations

import builtins
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from keras2torch.frontend import sandbox, trace, transform
from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.builtin_names import builtins_for
from keras2torch.frontend.recording import note

# Modules that draw, show or wait: never the real ones, and no word about it.
_NEVER = set(
    "matplotlib pylab mpl_toolkits seaborn plotly bokeh altair IPython ipywidgets tensorboard wandb mlflow "
    "comet_ml pydot pydotplus graphviz tkinter turtle pygame visdom visualkeras livelossplot google "
    "tensorboardX neptune keras_vis eli5 shap lime".split()
)
_ALSO = {"PIL": ("PIL.Image",)}
# Small modules with a stand-in that works.
_WORKING = {
    "tqdm": lambda: _namespace(tqdm=_each, trange=lambda *args, **kwargs: range(*args)),
    "absl": lambda: _absl(),
    "six": lambda: _namespace(
        moves=_namespace(range=range, xrange=range, zip=zip, map=map, input=input)
    ),
    "past": lambda: _namespace(builtins=_namespace(xrange=range)),
    "fire": lambda: _namespace(Fire=_run),
    "typer": lambda: _namespace(run=_run),
    "plac": lambda: _namespace(call=_run),
    "gym": lambda: _gym(),
    "gymnasium": lambda: _gym(),
    "scikeras": lambda: _namespace(wrappers=_scikit_learn_wrappers()),
}


class _Namespace(types.ModuleType):
    """A module made of a few names; all others are stand-ins."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(Source(f"{self.__name__}.{name}", dotted=True))


def _namespace(**names: Any) -> _Namespace:
    module = _Namespace("module")
    module.__dict__.update(names)
    return module


def _each(iterable: Any = None, *args: Any, **kwargs: Any) -> Any:
    """tqdm(...): the iterable itself, or a bar that shows nothing."""
    return Absent(Source("a progress bar")) if iterable is None else iterable


def _run(function: Any = None, *args: Any, **kwargs: Any) -> Any:
    """fire.Fire(main) and the like: the function with its defaults, for a command line without arguments."""
    return function() if callable(function) else None


def _absl() -> Any:
    from keras2torch.frontend.standins import tensorflow

    app = tensorflow.NAMES["app"]
    return _namespace(app=app, flags=app.flags)


def _gym() -> Any:
    from keras2torch.frontend.standins import environments

    return _namespace(make=environments.make)


def _scikit_learn_wrappers() -> Any:
    from keras2torch.frontend.standins import scikit_learn

    return _namespace(
        KerasClassifier=scikit_learn.KerasClassifier, KerasRegressor=scikit_learn.KerasRegressor
    )


class _WithMissingNames:
    """A real module of which the script imports names that this version does not have."""

    def __init__(self, module: Any):
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._module, name)
        except AttributeError:
            what = f"{self._module.__name__}.{name}"
            note(f"{what} is not in the installed {self._module.__name__}; a stand-in is used")
            return Absent(Source(what, trace.user_location(), dotted=True))


class Importer:
    """The ``__import__`` of a script, and the loader of the modules that lie beside it."""

    def __init__(self) -> None:
        self.builtins = builtins_for(self.import_module)
        self.facts: dict[str, transform.Facts] = {}

    def import_module(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        """``import name`` as the script wrote it."""
        root = name.partition(".")[0]
        if not level:
            if root in _NEVER:
                return self._stand_in(name, root, fromlist, None)
            if root in _WORKING and root not in sys.modules and not _installed(root):
                return self._working(name, root, fromlist)
        try:
            module = builtins.__import__(name, globals, locals, fromlist, level)
        except ImportError as error:
            if self._guarded():
                raise
            return self._stand_in(name, root, fromlist, error)
        for part in _ALSO.get(name, ()):  # parts that other packages usually load
            builtins.__import__(part)
        for path in (name, *_ALSO.get(name, ()), *(f"{name}.{item}" for item in fromlist or ())):
            sandbox.quieten(path)
        if fromlist and not isinstance(module, Absent):
            missing = [
                item
                for item in fromlist
                if item != "*"
                and not hasattr(module, item)
                and f"{module.__name__}.{item}" not in sys.modules  # a part that is being imported
            ]
            if missing and not self._guarded():
                return _WithMissingNames(module)
        return module

    def _guarded(self) -> bool:
        """Whether the import stands in a ``try`` whose handler deals with it."""
        frame: Any = sys._getframe(2)
        facts = self.facts.get(frame.f_code.co_filename)
        return facts is not None and frame.f_lineno in facts.guarded_lines

    def _working(self, name: str, root: str, fromlist: Any) -> Any:
        module = _WORKING[root]()
        if not fromlist:
            return module
        for part in name.split(".")[1:]:
            module = getattr(module, part, module)
        return module

    def _stand_in(self, name: str, root: str, fromlist: Any, error: ImportError | None) -> Any:
        where = trace.user_location()
        if error is not None:
            known = isinstance(error, ModuleNotFoundError)
            reason = "is not installed" if known else f"cannot be imported ({error})"
            note(f"{name} {reason}; a stand-in is used")
        name = name if fromlist else root
        source = Source(name, where, f"pip install {root}", dotted=True, quiet=error is None)
        module = Absent(source)
        if fromlist and "*" in fromlist:
            self._bind_star(name, module)
        return module

    def _bind_star(self, name: str, module: Absent) -> None:
        """``from missing import *``: every name that the script binds nowhere may be one of its."""
        frame: Any = sys._getframe(3)
        facts = self.facts.get(frame.f_code.co_filename)
        names = facts.star_imports.get(name, set()) if facts is not None else set()
        for item in names:
            if item not in frame.f_globals and item not in self.builtins:
                frame.f_globals[item] = getattr(module, item)
        module.__all__ = []

    # Modules beside the script.
    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        """A finder for ``sys.meta_path``: the user's own modules are run as the script is."""
        if path is not None and not any(trace.is_user_file(os.path.join(p, "x.py")) for p in path):
            return None  # a part of an installed package
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        origin = spec.origin if spec is not None else None
        if (
            spec is None
            or not origin
            or not origin.endswith(".py")
            or not trace.is_user_file(origin)
        ):
            return None
        spec.loader = _Loader(self, fullname, origin)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module of the user's with the script's builtins."""

    def __init__(self, importer: Importer, fullname: str, path: str):
        super().__init__(fullname, path)
        self.importer = importer

    def get_code(self, fullname: str) -> Any:
        source = importlib.util.decode_source(self.get_data(self.path))
        code, self.importer.facts[self.path] = transform.transform(source, self.path)
        return code

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.importer.builtins
        exec(self.get_code(module.__name__), module.__dict__)


def _installed(name: str) -> bool:
    return importlib.machinery.PathFinder.find_spec(name) is not None


@contextmanager
def importing() -> Iterator[Importer]:
    """Let the script import; forget the modules of the user's that it imported."""
    importer = Importer()
    before = set(sys.modules)
    sys.meta_path.insert(0, importer)  # type: ignore[arg-type]
    try:
        yield importer
    finally:
        sys.meta_path.remove(importer)  # type: ignore[arg-type]
        for name in set(sys.modules) - before:
            spec = getattr(sys.modules[name], "__spec__", None)
            if isinstance(getattr(spec, "loader", None), _Loader):
                del sys.modules[name]
