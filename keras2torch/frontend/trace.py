"""What Python's own stack tells of the user's program: the functions it is in, the line, the variable it fills.

Scopes come from the interpreter's frames, so recording needs no stack of its own: a frame of a
user's function is a "function" scope, and a frame of ``scoped`` (below) carries the scope of the
custom layer or nested model that is being traced.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import CodeType, FrameType
from typing import Any

from keras2torch.graph import Scope, Tensor
from keras2torch.naming import is_generic, noun_of, without_verb

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PIPELINE = os.path.join(_PACKAGE, "pipeline.py")
_LIBRARIES = tuple(
    os.path.realpath(path)
    for path in {*sysconfig.get_paths().values(), os.path.dirname(os.__file__)}
    if path and "lib" in path
)
# Functions that are part of a class's protocol, not a block the user named.
_UNNAMED = {"call", "__call__", "build", "__init__", "forward", "compute_output_shape"}
_NAMELESS = {
    "apply",
    "f",
    "fn",
    "func",
    "inner",
    "wrapper",
    "wrapped",
    "layer",
    "block",
    "op",
    "_apply",
}
_PROGRAMS = {
    "main",
    "run",
    "train",
    "fit",
    "test",
    "evaluate",
    "start",
}  # what they hold is no one thing

_invocations = itertools.count()
_frames: dict[FrameType, Scope] = {}


@dataclass(frozen=True)
class Assignment:
    """``target = ...`` as written: the variable, and the run of the statement (frame and line)."""

    target: str
    statement: tuple[int, int]


@dataclass(frozen=True)
class Context:
    """Where in the user's program a call is made."""

    scopes: tuple[Scope, ...]
    where: str | None
    assignment: Assignment | None


@cache
def is_user_file(filename: str) -> bool:
    """Whether code of this file is the user's: not ours, not Python's, not an installed library's."""
    if filename.startswith("<"):
        return filename.startswith("<cell") or filename.startswith("<notebook")
    if filename.endswith((".pyx", ".pxd")):  # compiled into a library
        return False
    path = os.path.realpath(filename)
    if path.startswith(_PACKAGE + os.sep) or "site-packages" in path or "dist-packages" in path:
        return False
    return not path.startswith(_LIBRARIES)


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    """The frames from here out, up to the call of ``generate``: its caller's program is not the source."""
    while frame is not None and frame.f_code.co_filename != _PIPELINE:
        yield frame
        frame = frame.f_back


def scoped(scope: Scope, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run ``function`` so that every call recorded meanwhile lies in ``scope``."""
    return function(*args, **kwargs)


def is_tracing() -> bool:
    """Whether a layer's own ``call`` is being run, or a nested model replayed."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is scoped.__code__:
            return True
        frame = frame.f_back
    return False


def new_scope(kind: str, name: str, owner: Any, doc: str | None = None) -> Scope:
    """A scope for one more run of ``owner``."""
    return Scope(kind, name, owner, next(_invocations), doc)


def user_context() -> Context:
    """Scopes (outermost first), ``file:line`` and assignment of the innermost user statement."""
    scopes: list[Scope] = []
    where: str | None = None
    assignment: Assignment | None = None
    innermost = True
    for frame in _outward(sys._getframe(1)):
        code = frame.f_code
        if code is scoped.__code__:
            scopes.append(frame.f_locals["scope"])
            innermost = False  # deeper frames belong to the traced layer, not to its caller
        elif is_user_file(code.co_filename):
            if where is None:
                where = f"{os.path.basename(code.co_filename)}:{frame.f_lineno}"
            if innermost:
                assignment = _assignment(frame)
                innermost = False
            if code.co_name not in _UNNAMED and not code.co_name.startswith("<"):
                scopes.append(_function_scope(frame))
    return Context(tuple(reversed(scopes)), where, assignment)


def user_scopes() -> tuple[Scope, ...]:
    """The scopes of ``user_context``."""
    return user_context().scopes


def user_location() -> str | None:
    """``file.py:line`` of the innermost user frame, or None outside a user's program."""
    for frame in _outward(sys._getframe(1)):
        if is_user_file(frame.f_code.co_filename):
            return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"
    return None


def forget_frames() -> None:
    """Let go of the frames kept alive (they keep a freed frame's address from being taken again)."""
    _frames.clear()


def assignment() -> Assignment | None:
    """The simple assignment that the running user statement is, or None."""
    frames = (
        frame for frame in _outward(sys._getframe(1)) if is_user_file(frame.f_code.co_filename)
    )
    frame = next(frames, None)
    return _assignment(frame) if frame is not None else None


def assigned_name() -> str | None:
    """The variable that the running user statement fills, or None."""
    found = assignment()
    return found.target if found else None


def assigned_target() -> str | None:
    """The variable or attribute that the running user statement fills, whatever it is filled with."""
    for frame in _outward(sys._getframe(1)):
        if is_user_file(frame.f_code.co_filename):
            return _targets(frame.f_code.co_filename).get(frame.f_lineno)
    return None


def noun() -> str | None:
    """What the program calls what it is making: a variable or function that says something, inside out."""
    for frame in _outward(sys._getframe(1)):
        code = frame.f_code
        if is_user_file(code.co_filename):
            assigned = _assignment(frame)
            hidden = code.co_name.startswith("<") or code.co_name in _UNNAMED
            names = (assigned.target if assigned else "", "" if hidden else code.co_name)
            for name in filter(None, map(without_verb, names)):
                if not is_generic(name.lower()) and name not in _PROGRAMS:
                    return name
    return None


def _function_scope(frame: FrameType) -> Scope:
    scope = _frames.get(frame)
    if scope is None:
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        values = frame.f_locals
        arguments = tuple(
            (name, values[name])
            for name in names
            if isinstance(values.get(name), (bool, int, float, str, tuple))
        )
        doc = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else None
        tensors = tuple((n, values[n]) for n in names if isinstance(values.get(n), Tensor))
        scope = Scope(
            "function",
            noun_of(_function_name(code)),
            code,
            next(_invocations),
            doc,
            arguments,
            tensors,
        )
        _frames[frame] = scope
    return scope


def _function_name(code: CodeType) -> str:
    """The function's name; of one that a function makes and that has no name of its own, its maker's."""
    makers = _makers(code.co_filename) if code.co_name in _NAMELESS else {}
    return makers.get(code.co_firstlineno, code.co_name)


@cache
def _makers(filename: str) -> dict[int, str]:
    """For the first line of each function that stands in another: the name of the outer one."""
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {
        min([inner.lineno, *(d.lineno for d in inner.decorator_list)]): outer.name
        for outer in functions
        for inner in outer.body
        if isinstance(inner, ast.FunctionDef)
    }


def _assignment(frame: FrameType) -> Assignment | None:
    statement = _statements(frame.f_code.co_filename).get(frame.f_lineno)
    if statement is None:
        return None
    target, line = statement
    return Assignment(target, (id(frame), line))


@cache
def _targets(filename: str) -> dict[int, str]:
    """For each source line inside an assignment to one name or attribute: that name."""
    lines: dict[int, str] = {}
    try:
        tree = ast.parse("".join(linecache.getlines(filename)))
    except (SyntaxError, ValueError, RecursionError):
        return lines
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            name = getattr(target, "attr", None) or getattr(target, "id", None)
            if name:
                lines.update(
                    dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), name)
                )
    return lines


@cache
def _statements(filename: str) -> dict[int, tuple[str, int]]:
    """For each source line inside a simple assignment to one name: (that name, its first line)."""
    source = "".join(linecache.getlines(filename))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return {}
    lines: dict[int, tuple[str, int]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target: ast.expr = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(node.value, ast.Call):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[line] = (target.id, node.lineno)
    return lines
