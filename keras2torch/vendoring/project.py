"""``[tool.k2t]`` of pyproject.toml: which sources a project keeps generated, and where.

    [tool.k2t]
    output = "src/nets"                  # for models that name none; default: beside pyproject.toml
    layers = ["tools/keras_layers.py"]   # programs that register layers, see keras2torch.register

    [[tool.k2t.models]]
    source = "keras/classifier.py"
    name = "classifier"                  # optional, and so are the settings of the command line below
    output = "src/classifier"
    model = "build_model"
    custom = "keras/layers.py"
    weights = "keras/classifier.weights.h5"

A model that needs nothing but its source may be the bare string: ``models = ["a.py", "b.keras"]``.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError

FILE = "pyproject.toml"


@dataclass(frozen=True)
class Target:
    """One thing to generate: what the command line's arguments say for one SOURCE."""

    source: Path
    output: Path
    name: str | None = None
    model: str | None = None
    custom: Path | None = None
    weights: Path | None = None

    def options(self) -> dict[str, Any]:
        """The arguments of ``keras2torch.generate`` besides the source."""
        return {
            "name": self.name,
            "model": self.model,
            "custom": self.custom,
            "weights": self.weights,
        }

    @property
    def stem(self) -> str:
        """Of the generated files' names."""
        from keras2torch.quoting import to_identifier

        return to_identifier(self.name or self.source.name.split(".")[0], "model")


@dataclass(frozen=True)
class Project:
    """The settings of one pyproject.toml."""

    path: Path
    targets: tuple[Target, ...] = ()
    layers: tuple[Path, ...] = ()


def find_project(start: Path) -> Project | None:
    """The project of ``start`` or of the nearest folder above it whose pyproject.toml has a [tool.k2t].

    Raises K2TError where the settings are not as documented.
    """
    folder = start.resolve()
    for place in (folder, *folder.parents):
        path = place / FILE
        if path.is_file():
            settings = _read(path).get("tool", {}).get("k2t")
            if settings is not None:
                return _project(path, settings)
    return None


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise K2TError(f"{path} cannot be read: {error}") from None


def _project(path: Path, settings: Any) -> Project:
    _known(path, "[tool.k2t]", settings, {"output", "layers", "models"})
    folder = path.parent
    models, layers = settings.get("models", []), settings.get("layers", [])
    if not isinstance(models, list) or not isinstance(layers, list):
        raise K2TError(f"{path}: models and layers of [tool.k2t] are lists")
    default = _path(path, folder, "output", settings.get("output", "."))
    return Project(
        path,
        tuple(_target(path, folder, default, item) for item in models),
        tuple(_path(path, folder, "layers", item) for item in layers),
    )


def _target(path: Path, folder: Path, output: Path, item: Any) -> Target:
    if isinstance(item, str):
        item = {"source": item}
    _known(path, "[[tool.k2t.models]]", item, {field.name for field in fields(Target)})
    if "source" not in item:
        raise K2TError(f"{path}: an entry of [[tool.k2t.models]] has no source")
    given: dict[str, Any] = {"output": output}
    for key, value in item.items():
        if key in ("name", "model"):
            given[key] = _text(path, key, value)
        else:
            given[key] = _path(path, folder, key, value)
    return Target(**given)


def _known(path: Path, table: str, settings: Any, known: set[str]) -> None:
    if not isinstance(settings, dict):
        raise K2TError(f"{path}: {table} is no table")
    for key in settings:
        if key not in known:
            raise K2TError(
                f"{path}: {table} has no setting {key!r} (it has: {', '.join(sorted(known))})"
            )


def _text(path: Path, key: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise K2TError(f"{path}: the setting {key!r} of [tool.k2t] should be a text, not {value!r}")
    return value


def _path(path: Path, folder: Path, key: str, value: Any) -> Path:
    return folder / _text(path, key, value)
