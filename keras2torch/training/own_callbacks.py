"""Callbacks of the program's own: classes and functions, carried as they stand and called where Keras calls them."""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import re
import textwrap
from dataclasses import dataclass
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.carry import without_frameworks

EPOCH_HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")
BATCH_HOOKS = {
    "on_train_batch_begin": "on_train_batch_begin",
    "on_train_batch_end": "on_train_batch_end",
    "on_batch_begin": "on_train_batch_begin",  # Keras's old names
    "on_batch_end": "on_train_batch_end",
}
_MODULES = {"json", "math", "os", "random", "time", "np", "numpy"}
_RATE = r"self\.model\.optimizer\.(?:learning_rate|lr)\b"
_READ = 'self.optimizer.param_groups[0]["lr"]'
_BACKEND = r"(?:(?:tf\.)?keras\.backend|backend|K)"


@dataclass(frozen=True)
class OwnCallback:
    """Source of the class without its base, the expression that makes the instance, its hooks."""

    source: str
    making: str
    hooks: tuple[str, ...]
    sets_rate: bool

    @property
    def stops(self) -> bool:
        return "stop_training" in self.source

    @property
    def reads_optimizer(self) -> bool:
        return "self.optimizer." in self.source


def own_callback(instance: Any) -> OwnCallback:
    """A callback of the program's own, on its feet without Keras.

    It may read ``epoch``, ``batch``, ``logs``, its own attributes, plain constants of the program, and
    of the model ``stop_training`` and the learning rate. Raises UnsupportedError for any other.
    """
    cls = type(instance)
    name = cls.__name__
    functions = [value for value in vars(cls).values() if inspect.isfunction(value)]
    program = _program(functions)
    tree = ast.parse(program)
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
    if len(found) != 1:
        raise UnsupportedError(f"the source of the callback {name} is not to be had")
    hooks = tuple(n.name for n in found[0].body if isinstance(n, ast.FunctionDef))
    hooks = tuple(hook for hook in hooks if hook.startswith("on_"))
    foreign = sorted(hook for hook in hooks if hook not in (*EPOCH_HOOKS, *BATCH_HOOKS))
    if foreign:
        raise UnsupportedError(
            f"the callback {name} has {', '.join(foreign)}, which the script does not call",
            fix="write what it does into the generated loop",
        )
    lines = program.splitlines()[found[0].lineno - 1 : found[0].end_lineno]
    text = _without_base(textwrap.dedent("\n".join(lines)))
    source = _with_rate(text)
    making = _making(tree, name)
    known = {**functions[0].__globals__, **inspect.getclosurevars(functions[0]).nonlocals}
    constants = _constants(ast.parse(source), ast.parse(making), name, known)
    head = "".join(f"{key} = {quote(value)}\n" for key, value in sorted(constants.items()))
    source = f"{head}\n\n{source}" if head else source
    return OwnCallback(source, making, hooks, "for group in self.optimizer" in source)


def class_lines(instance: Any) -> list[str]:
    """The program's own lines of the class; [] where there are none."""
    functions = [value for value in vars(type(instance)).values() if inspect.isfunction(value)]
    program = _program(functions)
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ClassDef) and node.name == type(instance).__name__:
            lines = program.splitlines()[node.lineno - 1 : node.end_lineno]
            return textwrap.dedent("\n".join(lines)).splitlines()
    return []


def _program(functions: list[Any]) -> str:
    """The text of the file that the class was defined in."""
    filename = functions[0].__code__.co_filename if functions else ""
    return "".join(linecache.getlines(filename))


def _without_base(source: str) -> str:
    head, _, body = source.partition(":\n")
    text = re.sub(r"\(.*\)\s*$", "", head[head.index("class ") :], flags=re.DOTALL)
    text = without_frameworks(f"{text}:\n{body.rstrip()}")
    return re.sub(r"\n *super\(.*?\)\.__init__\(.*?\)(?=\n|$)", "", text)


def _with_rate(text: str) -> str:
    """The learning rate of the model's optimizer as torch's: read, and set in every group of weights."""
    each = r'\1for group in self.optimizer.param_groups:\n\1    group["lr"] = \2'
    for pattern in (
        rf"^( *){_RATE} = (.+)$",
        rf"^( *){_RATE}\.assign\((.+)\)$",
        rf"^( *){_BACKEND}\.set_value\({_RATE}, *(.+)\)$",
    ):
        text = re.sub(pattern, each, text, flags=re.MULTILINE)
    text = re.sub(rf"{_BACKEND}\.get_value\({_RATE}\)", _READ, text)
    return re.sub(rf"{_RATE}(?:\.numpy\(\)|\.value\b)?", _READ, text)


def _making(tree: ast.Module, name: str) -> str:
    """The only expression of the program that makes an instance."""
    calls = [
        call
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
    ]
    if len(calls) != 1:
        raise UnsupportedError(f"the callback {name} is made in {len(calls)} places")
    return ast.unparse(calls[0])


def _constants(
    source: ast.Module, making: ast.Module, name: str, known: dict[str, Any]
) -> dict[str, Any]:
    """The plain values of the program that the class and the call of it read."""
    node = next(part for part in source.body if isinstance(part, ast.ClassDef))
    _check_model(node, name)
    bound = {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)} | {name, *_MODULES}
    bound |= {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    found = {}
    for part in [*ast.walk(node), *ast.walk(making)]:
        if not isinstance(part, ast.Name) or part.id in bound or hasattr(builtins, part.id):
            continue
        if part.id not in known or not _is_plain(known[part.id]):
            raise UnsupportedError(
                f"the callback {name} reads {part.id}, which cannot come along",
                fix="write what it does into the generated loop",
            )
        found[part.id] = known[part.id]
    return found


def _is_plain(value: Any) -> bool:
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(_is_plain(part) for item in value.items() for part in item)
    return type(value) in (int, float, bool, str, type(None))


def _check_model(node: ast.ClassDef, name: str) -> None:
    for part in ast.walk(node):
        if not isinstance(part, ast.Attribute) or not isinstance(part.value, ast.Attribute):
            continue
        if part.value.attr == "model" and part.attr != "stop_training":
            raise UnsupportedError(
                f"the callback {name} uses self.model.{part.attr}",
                fix="write what it does into the generated loop",
            )
