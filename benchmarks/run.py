"""Ratios measured in one run on one machine, written to benchmarks/RESULTS.md.

python benchmarks/run.py [NAME ...]     all of them, or the named ones
"""

from __future__ import annotations

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = ("startup", "check", "convert", "training", "seeds")


def main() -> None:
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("KERAS_BACKEND", "jax")
    sections = []
    for name in sys.argv[1:] or NAMES:
        if not (HERE / f"bench_{name}.py").exists():
            continue
        print(f"== {name}", flush=True)
        text = importlib.import_module(f"bench_{name}").run()
        print(text, flush=True)
        sections.append(f"## {name}\n\n{text}\n")
    title = (
        f"# Benchmarks\n\nBy `make bench`, last on {datetime.date.today()}: {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}. The ratios of a section were taken in one run.\n"
    )
    results = HERE / "RESULTS.md"
    kept = _sections(results) if sys.argv[1:] and results.exists() else {}
    kept.update((section.split()[1], section) for section in sections)
    ordered = [kept[name] for name in NAMES if name in kept]
    results.write_text("\n".join([title, *ordered]), encoding="utf-8")


def _sections(results: Path) -> dict[str, str]:
    """The text of every section that was written before, by name."""
    parts = results.read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.split()[0]: f"## {part.rstrip()}\n" for part in parts}


if __name__ == "__main__":
    main()
