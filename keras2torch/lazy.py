"""Registries that fill themselves when somebody asks: a run pays for what its program uses."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CLASS = re.compile(r"^class ([A-Za-z]\w*)\(((?:[^()]|\([^()]*\))*)\):", re.MULTILINE)
_ALSO = re.compile(r"names\s*=\s*\(([^()]*)\)")


class LazyTable(dict[str, Any]):
    """A dict that modules fill as they are imported.

    A missing key imports the module that ``where`` names for it, then all of them (``fill``).
    """

    def __init__(self, fill: Callable[[], None], where: Callable[[], dict[str, str]] | None = None):
        super().__init__()
        self._fill, self._where = fill, where
        self._index: dict[str, str] | None = None
        self._full = False

    def fill(self) -> None:
        """Import everything."""
        if not self._full:
            self._full = True
            self._fill()

    def _find(self, key: object) -> None:
        if self._full or super().__contains__(key):
            return
        if self._where is not None:
            if self._index is None:
                self._index = self._where()
            module = self._index.get(str(key))
            if module is not None:
                importlib.import_module(module)
                if super().__contains__(key):
                    return
        self.fill()

    def __missing__(self, key: str) -> Any:
        self._find(key)
        if not super().__contains__(key):
            raise KeyError(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._find(key)
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._find(key)
        return super().get(key, default)

    def __iter__(self) -> Iterator[str]:
        self.fill()
        return super().__iter__()

    def __len__(self) -> int:
        self.fill()
        return super().__len__()

    def keys(self) -> Any:
        self.fill()
        return super().keys()

    def values(self) -> Any:
        self.fill()
        return super().values()

    def items(self) -> Any:
        self.fill()
        return super().items()


def import_all(package: str) -> None:
    """Import every module of a package, by name."""
    path = importlib.import_module(package).__path__
    for name in sorted(module.name for module in pkgutil.iter_modules(path)):
        importlib.import_module(f"{package}.{name}")


def classes_in(package: str) -> dict[str, str]:
    """Class name (and the other names it registers) -> module, read from the package's text."""
    found: dict[str, str] = {}
    folder = Path(importlib.import_module(package).__path__[0])
    for path in sorted(folder.glob("*.py")):
        for name, bases in _CLASS.findall(path.read_text(encoding="utf-8")):
            others = [
                part.strip(" \"'\n") for group in _ALSO.findall(bases) for part in group.split(",")
            ]
            for word in (name, *others):
                found.setdefault(word, f"{package}.{path.stem}")
    return found
