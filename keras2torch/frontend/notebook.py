"""The code cells of a notebook, without what only IPython understands."""

from __future__ import annotations

import json
import linecache
import re
from pathlib import Path

from keras2torch.errors import ScriptError
from keras2torch.regular_files import read_program

# Cell magics whose cell is still Python.
_PYTHON_MAGICS = {"%%time", "%%timeit", "%%capture", "%%prun"}
_ASSIGNED = re.compile(r"^(\s*[\w,\s]+=\s*)[!%].*$")


def code_cells(path: Path) -> list[tuple[str, str]]:
    """(file name for messages, source) of every code cell, in order. Raises ScriptError."""
    try:
        notebook = json.loads(read_program(path, ScriptError).decode("utf-8"))
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        sources = [
            cell.get("source", cell.get("input", ""))
            for cell in cells
            if cell["cell_type"] == "code"
        ]
        texts = ["".join(source) for source in sources]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise ScriptError(
            f"{path.name} is not a notebook ({error})", fix="give a .ipynb file"
        ) from None
    except RecursionError:
        raise ScriptError(f"{path.name} is nested too deeply for a notebook") from None
    found = []
    for number, text in enumerate(texts, 1):
        name = f"<cell {number}>"
        source = without_magics(text)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        found.append((name, source))
    return found


def without_magics(text: str) -> str:
    """A cell as plain Python, line for line."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%") and first.split()[0] not in _PYTHON_MAGICS:
        return ""
    return "\n".join(_plain_line(line) for line in lines) + "\n"


def _plain_line(line: str) -> str:
    stripped = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if stripped.startswith(("%", "!", "?")) or (
        stripped.endswith("?") and not stripped.startswith("#")
    ):
        return f"{indent}pass"
    assigned = _ASSIGNED.match(line)
    return f"{assigned.group(1)}get_ipython()" if assigned else line
