"""What a comparison found, as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    """One comparison: what, on which inputs, Keras's largest value, the largest difference.

    ``failure`` says why the two differ; None: they do not. ``note`` is told beside the numbers.
    """

    what: str
    inputs: str
    scale: float | None
    difference: float | None
    failure: str | None = None
    note: str = ""

    @property
    def passed(self) -> bool:
        return self.failure is None

    def cells(self) -> tuple[str, ...]:
        scale, difference = (
            "-" if value is None else f"{value:.3g}" for value in (self.scale, self.difference)
        )
        return self.what, self.inputs, scale, difference, self.failure or self.note


@dataclass
class Report:
    """All comparisons, and the first layer that differs (None: none does, or it cannot be told)."""

    title: str
    tolerance: float
    rows: list[Row] = field(default_factory=list)
    culprit: str | None = None

    @property
    def passed(self) -> bool:
        return bool(self.rows) and all(row.passed for row in self.rows)

    def __str__(self) -> str:
        header = ("compared", "inputs", "max |Keras|", "max |difference|", "")
        table = [header, *(row.cells() for row in self.rows)]
        widths = [max(len(cells[i]) for cells in table) for i in range(4)]
        lines = []
        for cells in table:
            left = "  ".join(cells[i].ljust(widths[i]) for i in (0, 1))
            right = "  ".join(cells[i].rjust(widths[i]) for i in (2, 3))
            lines.append(f"{left}  {right}  {cells[4]}".rstrip())
        lines.insert(1, "-" * (sum(widths) + 6))
        return "\n".join([self.title, "", *lines, "", self._verdict()])

    def _verdict(self) -> str:
        if self.passed:
            return f"equal: no difference past {self.tolerance:g} of Keras's largest value"
        failed = sum(not row.passed for row in self.rows)
        told = f"DIFFERENT in {failed} of {len(self.rows)} comparisons"
        return f"{told}\nfirst layer that differs: {self.culprit}" if self.culprit else told


def row(
    what: str, inputs: str, actual: Any, expected: Any, tolerance: float, floor: float = 1e-6
) -> Row:
    """Compare two arrays: equal to ``tolerance`` relative to the largest expected value; NaN equals NaN.

    ``floor`` is the least value to be relative to.
    """
    import numpy

    actual, expected = numpy.asarray(actual), numpy.asarray(expected)
    if actual.shape != expected.shape:
        told = f"shape {actual.shape}, Keras has {expected.shape}"
        return Row(what, inputs, None, None, failure=told)
    left, right = actual.astype("float64"), expected.astype("float64")
    unequal = ~((left == right) | (numpy.isnan(left) & numpy.isnan(right)))
    finite = numpy.abs(right[numpy.isfinite(right)])
    scale = float(finite.max(initial=0.0))
    difference = float(numpy.abs(left - right)[unequal].max(initial=0.0))
    equal = difference <= tolerance * max(scale, floor)  # False for NaN
    return Row(what, inputs, scale, difference, failure=None if equal else "differs")
