"""``k2t generate`` over one or many targets: what to do with each, and which exit code tells how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from keras2torch.errors import K2TError
from keras2torch.vendoring.project import FILE, Target, find_project
from keras2torch.vendoring.record import input_digests, options_text, proves_current

CHANGED, FAILED = 1, 2  # exit codes


@dataclass
class Report:
    """What to tell: lines for stdout and stderr, and the exit code."""

    out: Callable[[str], None]
    err: Callable[[str], None]
    code: int = 0
    told: set[str] = field(default_factory=set)

    def note(self, text: str) -> None:
        """Say a remark once."""
        if text not in self.told:
            self.told.add(text)
            self.err(f"note: {text}")

    def at_least(self, code: int) -> None:
        """Remember the worst that happened."""
        self.code = max(self.code, code)


def project_targets(start: Path) -> tuple[Target, ...]:
    """The targets of the project that ``start`` is in. Raises K2TError where there are none."""
    project = find_project(start)
    if project is None or not project.targets:
        raise K2TError(
            f"no SOURCE is given, and no {FILE} here or above lists models in [tool.k2t]",
            fix="k2t generate SOURCE, or add [[tool.k2t.models]] with source = ...",
        )
    return project.targets


def check(
    targets: Iterable[Target], report: Report, *, diff: bool = False, code: int = CHANGED
) -> None:
    """Tell which files are not what their sources give; with ``diff``, how they differ. ``code``: where any does."""
    for target in targets:
        if diff or not proves_current(target):
            with _one_of_many(report):
                _compare(target, report, diff, code)


def generate(targets: Iterable[Target], report: Report, *, force: bool = False) -> None:
    """Write the files of every target, over hand edits by merging."""
    for target in targets:
        with _one_of_many(report):
            _write(target, report, force)


@contextmanager
def _one_of_many(report: Report) -> Iterator[None]:
    """A target that cannot be translated does not stop the others."""
    try:
        yield
    except K2TError as error:
        report.err(f"k2t: {error}")
        report.at_least(FAILED)


def _compare(target: Target, report: Report, diff: bool, code: int) -> None:
    from keras2torch.pipeline import generate as translate
    from keras2torch.write import changes, diff_text, texts

    result = translate(target.source, **target.options())
    texts(result)
    for note in result.notes:
        report.note(note)
    changed = changes(result, target.output)
    if diff:
        report.out(diff_text(changed))
    for change in changed:
        report.err(f"{change.path}: {change.reason}")
        report.at_least(code)


def _write(target: Target, report: Report, force: bool) -> None:
    from keras2torch.pipeline import generate as translate
    from keras2torch.vendoring.inputs import files_used
    from keras2torch.write import MergeConflictError, Origin, drafts, write_all

    with files_used() as used:
        result = translate(target.source, **target.options())
        drafts(result)
    for note in result.notes:
        report.note(note)
    origin = Origin(options_text(target), lambda: input_digests(target, used))
    try:
        for path in write_all(result, target.output, force=force, origin=origin):
            report.out(f"wrote {path}\n")
    except MergeConflictError as conflict:
        for path in conflict.paths:
            report.out(f"wrote {path}\n")
        for path, what in conflict.troubles.items():
            report.err(f"{path}: {what}")
        report.at_least(CHANGED)
