"""The jinja pages: in the package (a wheel), or beside it (a checkout)."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any


@cache
def environment() -> Any:
    """The jinja environment with the project's templates.

    Their compiled form is kept beside them in ``__pycache__``, as Python keeps that of modules: to
    compile them takes a tenth of a run.
    """
    import jinja2

    class BesideThem(jinja2.FileSystemBytecodeCache):
        def dump_bytecode(self, bucket: Any) -> None:
            with suppress(OSError):  # installed where this user may not write
                Path(self.directory).mkdir(exist_ok=True)
                super().dump_bytecode(bucket)

    package = Path(__file__).resolve().parent
    templates = next(p for p in (package / "templates", package.parent / "templates") if p.is_dir())
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        bytecode_cache=BesideThem(str(templates / "__pycache__")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
