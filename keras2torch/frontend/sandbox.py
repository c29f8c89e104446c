"""What a script may not do while it is recorded: write, delete, start programs, use the network, wait.

Calls that scripts make on purpose are answered quietly (the tables below, applied when a script imports the
module). An audit hook stands behind them and refuses whatever else would change something.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, first_absent
from keras2torch.frontend.recording import note


class RefusedError(PermissionError):
    """A script tried to change something outside of itself."""


# Module -> names that do nothing and return None.
_NOTHING = {
    "os": "remove unlink rmdir removedirs mkdir makedirs rename renames replace truncate symlink link "
    "chmod chown utime mkfifo startfile kill killpg",
    "shutil": "rmtree copy copy2 copyfile copytree move make_archive unpack_archive",
    "time": "sleep",
    "numpy": "save savez savez_compressed savetxt",
    "joblib": "dump",
    "cv2": "imwrite imshow waitKey destroyAllWindows VideoWriter",
    "torch": "save",
    "imageio": "imwrite imsave mimsave",
    "skimage.io": "imsave imshow show",
    "scipy.io": "savemat",
    "scipy.misc": "imsave",
    "webbrowser": "open open_new",
    "pathlib": "Path.mkdir Path.unlink Path.rmdir Path.rename Path.replace Path.touch Path.write_text "
    "Path.write_bytes",
    "pandas": "DataFrame.to_csv DataFrame.to_excel DataFrame.to_pickle DataFrame.to_json DataFrame.to_hdf "
    "DataFrame.to_parquet DataFrame.to_feather Series.to_csv",
    "PIL.Image": "Image.save Image.show",
    "multiprocessing": "set_start_method",
}
# Module -> names that read: what is not there gives a stand-in.
_READERS = {
    "os": "listdir scandir walk stat",
    "os.path": "getsize getmtime",
    "glob": "glob iglob",
    "gzip": "open",
    "bz2": "open",
    "lzma": "open",
    "tarfile": "open",
    "zipfile": "ZipFile",
    "codecs": "open",
    "io": "open",
    "pickle": "load loads",
    "numpy": "load loadtxt genfromtxt fromfile memmap",
    "pandas": "read_csv read_table read_excel read_json read_pickle read_hdf read_parquet read_fwf",
    "PIL.Image": "open",
    "cv2": "imread VideoCapture",
    "imageio": "imread",
    "skimage.io": "imread imread_collection",
    "scipy.io": "loadmat wavfile.read",
    "h5py": "File",
    "joblib": "load",
    "librosa": "load",
    "soundfile": "read",
    "pathlib": "Path.open Path.read_text Path.read_bytes Path.iterdir Path.stat Path.glob Path.rglob",
    "sklearn.datasets": "fetch_openml fetch_california_housing fetch_20newsgroups fetch_mldata "
    "fetch_olivetti_faces fetch_lfw_people load_files fetch_covtype",
}
_TEXTS = ("io.open", "codecs.open")
# Readers of numbers in rows and columns.
_TABLES = ("numpy.loadtxt", "numpy.genfromtxt")
# Module -> functions of numbers or iterables: not known where an argument is not known.
_FUNCTIONS = {
    "math": "ceil floor log log2 log10 sqrt exp pow prod",
    "csv": "reader DictReader",
    "json": "loads",
    "statistics": "mean median",
    "random": "choice sample shuffle randint",
    "functools": "reduce",
    "numpy.random": "choice permutation shuffle randint",
    "pandas": "get_dummies concat merge merge_asof to_datetime to_numeric to_timedelta cut qcut factorize "
    "unique isnull isna notnull notna melt pivot pivot_table crosstab json_normalize",
}
# Module -> classes whose instances are not known where an argument is not known.
_CLASSES = {"pandas": "DataFrame Series"}
# Module -> names whose answer can only come from outside.
_OUTSIDE = {
    "os": "system popen",
    "subprocess": "run call check_call check_output Popen getoutput getstatusoutput",
    "urllib.request": "urlopen urlretrieve",
    "urllib": "urlopen urlretrieve",
    "requests": "get post request head Session",
    "wget": "download",
    "gdown": "download",
    "ssl": "_create_unverified_context",
}
# Module -> our module with the table REPLACED: name -> what makes the replacement.
_REPLACED = {
    "numpy": "keras2torch.frontend.standins.numpy_functions",
    "sklearn.model_selection": "keras2torch.frontend.standins.scikit_learn_data",
    "sklearn.preprocessing": "keras2torch.frontend.standins.scikit_learn_data",
    "argparse": "keras2torch.frontend.standins.arguments",
}
_AUDITED = frozenset(
    "os.remove os.rename os.rmdir os.mkdir os.link os.symlink os.truncate os.chmod os.chown shutil.rmtree "
    "shutil.move subprocess.Popen os.system os.exec os.posix_spawn os.spawn os.fork os.forkpty os.kill "
    "socket.connect socket.getaddrinfo socket.bind webbrowser.open sqlite3.connect".split()
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_state = {"active": 0, "hooked": 0, "without_bytecode": 0}
_undo: list[tuple[Any, str, Any]] = []
_patched: set[str] = set()
_finally: list[Callable[[], Any]] = []


@contextmanager
def sandbox() -> Iterator[None]:
    """Refuse changes for the time of the block; undo all replacements at its end."""
    if not _state["hooked"]:
        sys.addaudithook(_audit)
        _state["hooked"] = 1
    _state["active"] += 1
    _state["without_bytecode"], sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bool(_state["without_bytecode"])
        while _undo:
            setattr(*_undo.pop())
        while _finally:
            _finally.pop()()
        _patched.clear()
        _state["active"] -= 1


@contextmanager
def paused() -> Iterator[None]:
    """Let Python keep the byte code of modules of ours that are loaded while a script runs."""
    active, without_bytecode = _state["active"], sys.dont_write_bytecode
    if not active:
        yield
        return
    _state["active"], sys.dont_write_bytecode = 0, bool(_state["without_bytecode"])
    try:
        yield
    finally:
        _state["active"], sys.dont_write_bytecode = active, without_bytecode


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _state["active"]:
        return
    if event == "open":
        path, _, flags = arguments
        if not isinstance(flags, int) or not flags & _WRITING or path == os.devnull:
            return
        what = f"writes no files ({path})"
    elif event in _AUDITED:
        what = f"does not change its surroundings ({event})"
    else:
        return
    frame = sys._getframe(1)
    if frame.f_code.co_filename == __file__ and frame.f_back is not None:
        frame = frame.f_back  # behind one of our replacements
    if frame.f_code.co_name == "_get_default_tempdir":
        return  # Python's tempfile trying whether a folder can be written to
    raise RefusedError(f"a script that is recorded {what}")


def quieten(name: str) -> None:
    """Apply the tables to a module that the script has just imported."""
    if name in _patched or name not in sys.modules:
        return
    _patched.add(name)
    for table, make in (
        (_NOTHING, _nothing),
        (_READERS, _reader),
        (_OUTSIDE, _outside),
        (_FUNCTIONS, _function),
    ):
        for path in table.get(name, "").split():
            _replace(name, path, make)
    for path in _CLASSES.get(name, "").split():
        module: Any = sys.modules[name]
        _undo.append((module, path, getattr(module, path)))
        setattr(module, path, _class(getattr(module, path)))
    if name in _REPLACED:
        replaced = importlib.import_module(_REPLACED[name]).REPLACED
        for path, make in replaced.items():
            _replace(name, path, _made_by(make))
    if name == "numpy":
        _small_pages(sys.modules[name])
    if name == "pickle":
        for path in ("dump", "dumps"):
            _replace(name, path, _forgiving_dump)


def _small_pages(numpy: Any) -> None:
    """A script that writes a little into each row of a large ``np.zeros`` then takes little memory."""
    internal = getattr(numpy, "_core", None) or getattr(numpy, "core", None)
    switch = getattr(getattr(internal, "multiarray", None), "_set_madvise_hugepage", None)
    if switch is not None:
        before = switch(False)
        _finally.append(lambda: switch(before))


def _made_by(make: Callable[[Any], Any]) -> Callable[[str, Any], Any]:
    return lambda _, original: make(original)


def _replace(module: str, path: str, make: Callable[[str, Any], Any]) -> None:
    owner: Any = sys.modules[module]
    *owners, name = path.split(".")
    for part in owners:
        owner = getattr(owner, part, None)
    original = getattr(owner, name, None)
    if original is not None:
        _undo.append((owner, name, original))
        setattr(owner, name, _for_scripts(make(f"{module}.{path}", original), original))


def _for_scripts(
    replacement: Callable[..., Any], original: Callable[..., Any]
) -> Callable[..., Any]:
    """The replacement where the script itself calls, the original where a library does."""

    def function(*args: Any, **kwargs: Any) -> Any:
        if trace.is_user_file(sys._getframe(1).f_code.co_filename):
            return replacement(*args, **kwargs)
        return original(*args, **kwargs)

    function.__name__ = getattr(original, "__name__", "function")
    return function


def _nothing(name: str, original: Any) -> Any:
    return lambda *args, **kwargs: None


def _forgiving_dump(name: str, original: Any) -> Any:
    def dump(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except Exception:  # stand-ins and recorded models have nothing worth pickling
            return b""

    return dump


def _reader(name: str, original: Any) -> Any:
    from keras2torch.frontend.standins import downloads, scikit_learn_data

    def read(*args: Any, **kwargs: Any) -> Any:
        found = first_absent((*args, *kwargs.values()))
        if found is not None:
            return Absent(found._source)
        if name.startswith("sklearn.datasets."):
            known = scikit_learn_data.fetch(name.rpartition(".")[2], *args, **kwargs)
            if known is not None:
                return known
        mode = kwargs.get("mode", args[1] if len(args) > 1 else "r")
        if (
            isinstance(mode, str)
            and set(mode) & set("wax+")
            and name.endswith(("File", "open", "ZipFile"))
        ):
            return Absent(Source(f"the file written by {name}()", trace.user_location()))
        path: Any = args[0] if args else next(iter(kwargs.values()), None)
        if name == "os.walk" and not os.path.isdir(path):
            return missing_file(path, name)
        try:
            result = original(*args, **kwargs)
        except (OSError, ValueError, EOFError, ImportError, TypeError) as error:
            if isinstance(error, (ValueError, TypeError)) and _is_there(path, name):
                raise
            missing = missing_file(path, name)
            known = downloads.opened(str(path), mode, missing._source) if name in _TEXTS else None
            return _table(missing, name, kwargs) if known is None else known
        if name.endswith(("glob", "iterdir")):
            result = list(result) or None
        if result is None:
            return missing_file(args[0] if args else None, name)
        return result

    return read


def _is_there(path: Any, reader: str) -> bool:
    """Whether what a reader could not take is there to be read (an old option is no reason where it is not)."""
    if reader == "zipfile.ZipFile":
        return False
    return not isinstance(path, (str, os.PathLike)) or os.path.exists(path)


def _table(missing: Absent, reader: str, arguments: dict[str, Any]) -> Absent:
    """What is known of the form of a table that is not here."""
    if reader.startswith("pandas.read_") and not reader.endswith(("json", "pickle")):
        from keras2torch.frontend import frames

        return frames.read(missing._source, arguments)
    return Absent(missing._source, (missing._new(),) * 2) if reader in _TABLES else missing


def _function(name: str, original: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        found = first_absent((*args, *kwargs.values()))
        return original(*args, **kwargs) if found is None else Absent(found._source)

    return call


def _class(original: Any) -> Any:
    """A class that takes the place of ``original`` in the script: made of absent data, an object is absent."""

    class Meta(type(original)):  # type: ignore[misc]
        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, original)

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            found = first_absent((*args, *kwargs.values()))
            if found is None:
                return original(*args, **kwargs)
            return (
                Absent(found._source, args[0]._shape, "frame")
                if _is_matrix(args)
                else Absent(found._source)
            )

    return Meta(original.__name__, (original,), {})


def _is_matrix(args: tuple[Any, ...]) -> bool:
    return bool(args) and type(args[0]) is Absent and len(args[0]._shape or ()) == 2


def _outside(name: str, original: Any) -> Any:
    def ask(*args: Any, **kwargs: Any) -> Any:
        what = args[0] if args and isinstance(args[0], str) else ""
        source = Source(
            f"{name}({what[:80]!r})" if what else f"{name}()",
            trace.user_location(),
            "what a program or the network answers is not known: write the value into the script",
        )
        return Absent(source)

    return ask


def missing_file(path: Any, reader: str = "open") -> Absent:
    """The stand-in for a file that is not here; told in a note."""
    try:
        text = os.fspath(path)
    except TypeError:
        text = path if isinstance(path, str) else None
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    what = f"the file {text!r}" if text is not None else f"what {reader}() reads"
    where = trace.user_location()
    if text is None or "absent" not in text.split("/"):  # else a folder above it has been told
        note(f"{where or 'the script'}: {what} is not here; a stand-in is used")
    fix = "put the file where the script looks for it, or run k2t in the folder where it is"
    return Absent(Source(what, where, fix))
