"""Small pieces of torch that a generated file may need: written cells, run-time padding.

The files beside this one are real, tested torch code. They are never imported to generate: the
definitions that a page mentions are cut out of their text, with the helpers that those mention.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

# A class or function of the first level, with its decorators: up to the next line that starts at
# the margin. The files are black's, so this is the whole definition, and far cheaper than a parse.
_DEFINITION = re.compile(
    r"^(?:@.*\n)*(?:class|def) (\w+)(?:.*\n)(?:(?:[ \t)].*)?\n)*", re.MULTILINE
)


@lru_cache(maxsize=1)
def _definitions() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name != "__init__.py":
            text = path.read_text(encoding="utf-8")
            found |= {match[1]: match[0].rstrip() for match in _DEFINITION.finditer(text)}
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
