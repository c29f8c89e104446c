"""Small pieces of torch that a generated file may need: written cells, run-time padding.

The files beside this one are real, tested torch code. They are never imported to generate: the
definitions that a page mentions are cut out of their text, with the helpers that those mention.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _definitions() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name == "__init__.py":
            continue
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                found[node.name] = "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return found


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """The names of all helpers."""
    return frozenset(_definitions())


def helper_sources(text: str) -> list[str]:
    """The sources of the helpers that ``text`` mentions, those they need first."""
    chosen: list[str] = []

    def visit(source: str, around: tuple[str, ...] = ()) -> None:
        for word in dict.fromkeys(re.findall(r"(?<![\w.\"'])([A-Za-z_]\w*)\b", source)):
            if word in names() and word not in chosen and word not in around:
                visit(_definitions()[word], (*around, word))
                if word not in chosen:
                    chosen.append(word)

    visit(text)
    return [_definitions()[name] for name in chosen]
