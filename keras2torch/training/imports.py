"""Import lines in isort's order, as ruff checks it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable


def sorted_imports(lines: Iterable[str], own: str) -> str:
    """Standard library, installed packages, then the module ``own``; names of one module joined."""
    plain: list[str] = []
    joined: dict[str, list[str]] = {}
    for line in lines:
        if match := re.fullmatch(r"from (\S+) import (.+)", line):
            joined.setdefault(match[1], []).extend(match[2].split(", "))
        else:
            plain.append(line)
    for module, names in joined.items():
        ordered = sorted(set(names), key=lambda name: (_kind(name), name.lower(), name))
        plain.append(f"from {module} import {', '.join(ordered)}")
    groups: dict[int, list[str]] = {}
    for line in plain:
        groups.setdefault(_group(line, own), []).append(line)
    blocks = ["\n".join(sorted(group, key=_key)) for _, group in sorted(groups.items())]
    return "\n\n".join(blocks)


def _kind(name: str) -> int:
    """Constants, then classes, then the rest."""
    name = name.partition(" ")[0]
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2


def _module(line: str) -> str:
    return line.split()[1]


def _group(line: str, own: str) -> int:
    top = _module(line).partition(".")[0]
    return 2 if top == own else 0 if top in sys.stdlib_module_names else 1


def _key(line: str) -> tuple[bool, str, str]:
    return line.startswith("from "), _module(line).lower(), line
