"""Running a script, with stand-ins for Keras and TensorFlow, to the point where its model is known."""

from __future__ import annotations

import io
import linecache
import os
import sys
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError, ScriptError
from keras2torch.frontend import recording as recordings
from keras2torch.frontend import trace, transform, watch
from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.builtin_names import raised_by_core
from keras2torch.frontend.choose import Failure, choose
from keras2torch.frontend.imports import Importer, importing
from keras2torch.frontend.late_binding import refuse_changed
from keras2torch.frontend.recording import Recording
from keras2torch.frontend.sandbox import quieten, sandbox
from keras2torch.frontend.standins.finder import stand_ins
from keras2torch.frontend.watch import Stopped, Watch
from keras2torch.layers.modes import training_around
from keras2torch.layers.operation import clear_names
from keras2torch.models import MODELS, Model, clear_models
from keras2torch.regular_files import read_program


def run_script(
    path: str | Path, *, model: str | None = None, notes: list[str] | None = None
) -> Model:
    """Run a .py file or the code cells of an .ipynb file as ``__main__`` and return the model it is about.

    ``model`` picks one of several: a variable, ``object.attribute``, a function or class that is called, or a
    call as it would be written in the script. What the user should know is appended to ``notes``. Raises
    K2TError where the script cannot be run to its model.
    """
    path = Path(path)
    cells = read_cells(path)
    recording = Recording(notes if notes is not None else [])
    with _fresh_state(), surroundings(path), ExitStack() as stack:
        recordings.begin(recording)
        stack.callback(recordings.end)
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        stack.enter_context(stand_ins())
        importer = stack.enter_context(importing())
        stack.enter_context(sandbox())
        for name in ("os", "time", "io", "numpy"):
            quieten(name)
        recording.namespace = main.__dict__
        main.__dict__.update(__file__=os.path.abspath(path), __builtins__=importer.builtins)
        failure = _execute(cells, importer, recording)
        return _chosen(recording, model, failure)


def run_definitions(path: str | Path) -> dict[str, Any]:
    """The classes and the functions that a file defines, for a saved model that needs them.

    Raises K2TError where the file cannot be run.
    """
    recording = Recording([])
    cells = read_cells(Path(path))
    with _fresh_state(), surroundings(Path(path)), ExitStack() as stack:
        recordings.begin(recording)
        stack.callback(recordings.end)
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        stack.enter_context(stand_ins())
        importer = stack.enter_context(importing())
        stack.enter_context(sandbox())
        recording.namespace = main.__dict__
        main.__dict__.update(__file__=os.path.abspath(path), __builtins__=importer.builtins)
        failure = _execute(cells, importer, recording)
        if failure is not None:
            raise failure.error
        return {value.__name__: value for value in main.__dict__.values() if _is_own(value)}


def _is_own(value: Any) -> bool:
    """Whether it is a class (layer, initializer, metric, ...) or a function of the user's."""
    if isinstance(value, types.FunctionType):
        return trace.is_user_file(value.__code__.co_filename)
    if not isinstance(value, type) or value.__module__.startswith("keras2torch."):
        return False
    return any(base.__module__.startswith("keras2torch.") for base in value.__mro__)


def read_cells(path: Path) -> list[tuple[str, str]]:
    """(file name, source) of the parts to run. Raises ScriptError where the file cannot be read."""
    if path.is_dir():
        raise ScriptError(f"{str(path)!r} is a directory", fix="give the program's file")
    if not path.exists():
        raise ScriptError(f"there is no file {str(path)!r}", fix="check the path")
    try:
        if path.suffix == ".ipynb":
            from keras2torch.frontend.notebook import code_cells

            return code_cells(path)
        from importlib.util import decode_source

        filename = os.path.abspath(path)
        linecache.checkcache(filename)
        content = read_program(path, ScriptError)
        if b"\0" in content:
            raise ScriptError(f"{path.name} is not a program: it holds null bytes")
        return [(filename, decode_source(content))]
    except OSError as error:
        raise ScriptError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, SyntaxError) as error:
        raise ScriptError(
            f"{path.name} is not text in the encoding that it names ({error})",
            fix="save it as UTF-8",
        ) from None


def _execute(
    cells: list[tuple[str, str]], importer: Importer, recording: Recording
) -> Failure | None:
    """Run the parts; the error that ended them early, or None."""
    filename = ""
    try:
        codes = []
        for filename, source in cells:
            code, importer.facts[filename] = transform.transform(source, filename)
            codes.append(code)
        with Watch():
            for code in codes:
                exec(code, recording.namespace)
    except Stopped as stop:
        where, _ = location(stop)
        if not MODELS:
            seconds = round(watch.WITHOUT_MODEL)
            slow = ScriptError(
                f"the script has run for {seconds} seconds without making a model",
                where=where,
                fix="make what comes before the model shorter, or name a function with --model NAME",
            )
            return Failure(slow, own=True)
        recording.note(f"{where}: the script was stopped here: no new model came for some time")
    except SystemExit as leave:
        return _left(leave)
    except K2TError as error:
        error.where = error.where or location(error)[0]
        return Failure(error, own=False)
    except SyntaxError as error:
        return Failure(_syntax_error(error, filename), own=True)
    except Exception as error:  # whatever the script raises
        where, line = location(error)
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        told = ScriptError(f"{text}\n    {line}" if line else text, where=where)
        return Failure(told, own=not raised_by_core(error))
    return None


def _chosen(recording: Recording, wanted: str | None, failure: Failure | None) -> Model:
    try:
        with Watch():
            model = choose(recording, wanted, failure)
        refuse_changed(model, recording.reads)
    except Stopped:
        raise ScriptError(f"making the model {wanted or ''} takes too long") from None
    except K2TError as error:
        error.where = error.where or location(error)[0]
        raise
    except Exception as error:  # a function of the script that --model names
        where, line = location(error)
        raise ScriptError(f"{type(error).__name__}: {error}\n    {line}", where=where) from error
    if failure is not None:
        told = failure.error
        what = f"{told.where}: {told.what}" if told.where else told.what
        recording.note(f"the script stopped after the model was recorded: {what}")
    return model


def location(error: BaseException) -> tuple[str | None, str]:
    """``file.py:line`` of the innermost frame of the user's in a traceback, and that line."""
    where, line = None, ""
    traceback = error.__traceback__
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if trace.is_user_file(filename):
            where = f"{os.path.basename(filename)}:{traceback.tb_lineno}"
            line = linecache.getline(filename, traceback.tb_lineno).strip()
        traceback = traceback.tb_next
    return where, line


def _left(leave: SystemExit) -> Failure | None:
    if leave.code in (None, 0):
        return None
    where, _ = location(leave)
    told = sys.stderr.getvalue().strip().splitlines() if isinstance(sys.stderr, io.StringIO) else []
    reason = (
        leave.code if isinstance(leave.code, str) else told[-1] if told else f"code {leave.code}"
    )
    fix = "give the script what it asks for as defaults: it is run without arguments"
    return Failure(ScriptError(f"the script ends itself: {reason}", where=where, fix=fix), own=True)


def _syntax_error(error: SyntaxError, filename: str) -> ScriptError:
    line = (error.text or "").strip()
    old = line.startswith("print ") or "Missing parentheses" in str(error.msg) or "exec " in line
    return ScriptError(
        f"syntax error: {error.msg}" + (f"\n    {line}" if line else ""),
        where=f"{os.path.basename(error.filename or filename)}:{error.lineno or 1}",
        fix="this looks like Python 2: convert it with 2to3" if old else None,
    )


@contextmanager
def _fresh_state() -> Iterator[None]:
    """Forget what an earlier script has left behind."""
    config.reset()
    clear_models()
    clear_names()
    training_around[:] = [None]
    trace.forget_frames()
    Absent.latest.clear()
    trace._statements.cache_clear()
    try:
        yield
    finally:
        training_around[:] = [None]


@contextmanager
def surroundings(path: Path) -> Iterator[None]:
    """What Python sets up for ``python script.py``, and quiet streams; put back at the end."""
    import warnings

    kept = {name: getattr(sys, name) for name in ("argv", "path", "stdin", "stdout", "stderr")}
    main, folder, environment = sys.modules.get("__main__"), os.getcwd(), dict(os.environ)
    limit, hook = sys.getrecursionlimit(), sys.excepthook
    sys.argv = _Arguments([str(path)])
    sys.path = [os.path.dirname(os.path.abspath(path)), *sys.path]
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), _Quiet(), io.StringIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in kept.items():
            setattr(sys, name, value)
        sys.setrecursionlimit(limit)
        sys.excepthook = hook
        if main is not None:
            sys.modules["__main__"] = main
        os.chdir(folder)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)


class _Arguments(list):
    """``sys.argv``: an argument that the script reads all the same is a stand-in."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and index >= len(self):
            fix = "give it a default in the script: it is run without arguments"
            return Absent(Source(f"the command-line argument {index}", trace.user_location(), fix))
        return super().__getitem__(index)


class _Quiet(io.TextIOBase):
    """A stream that takes everything and keeps nothing."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def writable(self) -> bool:
        return True
