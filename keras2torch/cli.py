"""The command: arguments, messages, exit codes. No logic."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

import click

from keras2torch import K2TError, __version__


class _Command(click.Command):
    """Prints a K2TError's message and exits with 2; a user sees no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except K2TError as error:
            click.echo(f"k2t: {error}", err=True)
            sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="k2t")
def main() -> None:
    """Keras programs and saved models in, plain PyTorch source out."""
    # A short run: to search for cycles, or to start the threads of BLAS, takes a tenth of it each.
    gc.set_threshold(100_000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


_SOURCE = click.argument("source", type=click.Path(path_type=Path))
_MODEL = click.option(
    "--model", metavar="VAR", help="Which model of the program: a variable or a function."
)
_CUSTOM = click.option(
    "--custom",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The program with the custom layers of a saved model.",
)
_WEIGHTS = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A weights file for the model of a program.",
)


@main.command(cls=_Command)
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write. Default: here.",
)
@click.option(
    "--name",
    metavar="NAME",
    help="Stem of the files: NAME_model.py, NAME_train.py. Default: SOURCE's.",
)
@_MODEL
@_CUSTOM
@_WEIGHTS
@click.option(
    "--check", is_flag=True, help="Write nothing; exit 1 where the files are not what SOURCE gives."
)
@click.option(
    "--diff", is_flag=True, help="Write nothing; print how the files differ from what SOURCE gives."
)
@click.option("--force", is_flag=True, help="Overwrite hand edits.")
def generate(
    source: Path | None,
    output: Path | None,
    name: str | None,
    model: str | None,
    custom: Path | None,
    weights: Path | None,
    check: bool,
    diff: bool,
    force: bool,
) -> None:
    """Write the nn.Module, the training script and the weights of SOURCE.

    SOURCE is a model.py, a notebook.ipynb, a model.keras, a model.h5 or a config.json. Without it: all that
    [tool.k2t] in pyproject.toml lists. Hand edits of the files are kept, by merging; exit 1 where one conflicts.
    """
    from keras2torch.vendoring import run
    from keras2torch.vendoring.project import Target

    targets: tuple[Target, ...]
    if source is not None:
        targets = (Target(source, output or Path("."), name, model, custom, weights),)
    elif output or name or model or custom or weights:
        raise click.UsageError("the options for one model need a SOURCE")
    else:
        targets = run.project_targets(Path.cwd())
    report = run.Report(
        out=lambda text: click.echo(text, nl=False), err=lambda text: click.echo(text, err=True)
    )
    if check or diff:
        run.check(targets, report, diff=diff, code=run.CHANGED if check else 0)
    else:
        run.generate(targets, report, force=force)
    sys.exit(report.code)


@main.command(cls=_Command)
@_SOURCE
@_MODEL
def summary(source: Path, model: str | None) -> None:
    """Print the layer table of SOURCE as Keras does; needs neither Keras nor torch."""
    from keras2torch.source import open_source
    from keras2torch.summary import summary_text

    opened = open_source(source, model=model)
    for note in opened.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(summary_text(opened.model))


@main.command(cls=_Command)
@_SOURCE
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("."),
    metavar="DIR",
    help="Compare NAME_model.py in DIR, edited or not, where it is there. Default: here.",
)
@click.option("--name", metavar="NAME", help="Stem of the files in DIR. Default: SOURCE's.")
@_MODEL
@_CUSTOM
@_WEIGHTS
@click.option("--grads", is_flag=True, help="Compare the gradients, too.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, min_open=True),
    default=1e-4,
    show_default=True,
    help="Relative to Keras's largest value.",
)
def verify(
    source: Path,
    output: Path,
    name: str | None,
    model: str | None,
    custom: Path | None,
    weights: Path | None,
    grads: bool,
    tolerance: float,
) -> None:
    """Run real Keras beside the torch module of SOURCE on the same inputs.

    Exits with 1 where they differ, having named the first layer that does, and with 3 where there is no Keras.
    """
    from keras2torch.verify import KerasMissingError
    from keras2torch.verify import verify as compare

    try:
        report = compare(
            source,
            directory=output,
            name=name,
            model=model,
            custom=custom,
            weights=weights,
            gradients=grads,
            tolerance=tolerance,
        )
    except KerasMissingError as error:
        click.echo(f"k2t: {error}", err=True)
        sys.exit(3)
    click.echo(str(report))
    sys.exit(0 if report.passed else 1)


def command() -> None:
    """What the process ``k2t`` runs: ``main``, and out.

    Python takes every module apart at its end, which lasts as long as translating a small program.
    """
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


if __name__ == "__main__":
    command()
