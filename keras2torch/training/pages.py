"""The jinja pages: in the package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def environment() -> Any:
    global _jinja
    if _jinja is None:
        import jinja2

        here = Path(__file__).resolve().parent
        places = [here.parent / "templates", here.parent.parent / "templates"]
        _jinja = jinja2.Environment(
            loader=jinja2.FileSystemLoader([str(p) for p in places if p.is_dir()]),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=jinja2.StrictUndefined,
        )
    return _jinja


_jinja: Any = None
