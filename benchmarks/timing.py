"""Whole processes, timed side by side."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence


def interleaved(commands: dict[str, Sequence[str]], runs: int = 7) -> dict[str, list[float]]:
    """Seconds of each command, the commands taking turns; the first round warms the caches and is dropped."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    return {name: values[1:] for name, values in times.items()}


def median(values: Sequence[float]) -> float:
    """The middle one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def row(name: str, values: Sequence[float], against: Sequence[float]) -> str:
    """A table row: median, minimum, and the ratio of medians."""
    return f"| {name} | {median(values):.3f} | {min(values):.3f} | {median(values) / median(against):.3f} |"
