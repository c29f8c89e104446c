"""Functions of the user's own that are carried into the training script as they stand."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import textwrap
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote

# What a function of the rate or the epoch may call of TensorFlow, Keras and numpy.
_MATHS = {
    "exp": "math.exp",
    "pow": "math.pow",
    "sqrt": "math.sqrt",
    "cos": "math.cos",
    "sin": "math.sin",
    "log": "math.log",
    "floor": "math.floor",
    "minimum": "min",
    "maximum": "max",
}


def carried_function(function: Any, lambda_name: str = "schedule") -> tuple[str, str, int]:
    """(source, name, number of parameters) of a user's function of plain numbers.

    A lambda becomes a function called ``lambda_name``.

    Raises UnsupportedError where it has no source, or needs names that cannot come along.
    """
    name = getattr(function, "__name__", "function")
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise UnsupportedError(f"the source of {name} is not to be had") from None
    node = _definition(source, name)
    if isinstance(node, ast.Lambda):
        arguments = ast.unparse(node.args)
        text = f"def {lambda_name}({arguments}):\n    return {ast.unparse(node.body)}"
        name = lambda_name
    else:
        text = ast.get_source_segment(source, node) or ast.unparse(node)
    text = _without_frameworks(text)
    constants = _constants(function, ast.parse(text))
    if constants:
        lines = text.splitlines()
        text = "\n".join(
            [*(f"{key} = {value}" for key, value in constants.items()), "", "", *lines]
        )
    parameters = len(inspect.signature(function).parameters)
    return text, name, parameters


def _definition(source: str, name: str) -> Any:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        match = re.search(r"lambda\b.*", source, re.DOTALL)
        text = match.group(0).rstrip().rstrip(",") if match else ""
        while text:
            try:
                return ast.parse(text, mode="eval").body
            except SyntaxError:
                text = text[:-1].rstrip()
        raise UnsupportedError(f"the source of {name} cannot be cut out of its statement") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
        if isinstance(node, ast.Lambda):
            return node
    raise UnsupportedError(f"the source of {name} is not to be had")


def _without_frameworks(text: str) -> str:
    """``tf.math.exp`` and the like as Python's own."""
    pattern = r"\b(?:tf\.math|tf|keras\.ops|ops|np|numpy|K|keras\.backend)\.(\w+)\("
    return re.sub(pattern, lambda m: f"{_MATHS[m[1]]}(" if m[1] in _MATHS else m[0], text).replace(
        ".numpy()", ""
    )


def _constants(function: Any, tree: ast.AST) -> dict[str, str]:
    """The plain global values that the function reads, as source; others cannot come along."""
    import builtins

    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = {}
    closure = inspect.getclosurevars(function)
    values = {**closure.globals, **closure.nonlocals}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name) or node.id in bound or hasattr(builtins, node.id):
            continue
        if node.id in ("math", "np"):
            continue
        value = values.get(node.id)
        if type(value) not in (int, float, bool, str, list, tuple, dict):
            raise UnsupportedError(
                f"{function.__name__} reads {node.id}, which cannot come along",
                fix="pass it as a plain number",
            )
        found[node.id] = quote(value)
    return found


def carried_class(instance: Any) -> tuple[str, str]:
    """(source of the class without its base, expression that makes the instance).

    For a callback of the program's own that reads ``epoch``, ``logs`` and its own attributes, and of
    the model only ``stop_training``. Raises UnsupportedError for any other.
    """
    cls = type(instance)
    name = cls.__name__
    program = _program(next((f for f in vars(cls).values() if hasattr(f, "__code__")), None))
    tree = ast.parse(program or "")
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
    if program is None or len(found) != 1:
        raise UnsupportedError(f"the source of the callback {name} is not to be had")
    node = found[0]
    lines = program.splitlines()[node.lineno - 1 : node.end_lineno]
    source = textwrap.dedent("\n".join(lines))
    methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    foreign = sorted(
        method for method in methods if method.startswith("on_") and method not in CARRIED_HOOKS
    )
    if foreign:
        raise UnsupportedError(
            f"the callback {name} has {', '.join(foreign)}, which the script does not call",
            fix="write what it does into the generated loop",
        )
    _check_callback(node, name)
    head, _, body = source.partition(":\n")
    text = re.sub(r"\(.*\)\s*$", "", head[head.index("class ") :], flags=re.DOTALL)
    text = _without_frameworks(f"{text}:\n{body.rstrip()}")
    text = re.sub(r"\n *super\(.*?\)\.__init__\(.*?\)(?=\n|$)", "", text)
    making = [
        call
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == name
    ]
    if len(making) != 1:
        raise UnsupportedError(f"the callback {name} is made in {len(making)} places")
    for part in ast.walk(making[0]):
        if isinstance(part, ast.Name) and part.id != name:
            raise UnsupportedError(
                f"the callback {name} is made with {part.id}, which is no plain value"
            )
    return text, ast.unparse(making[0])


def _program(function: Any) -> str | None:
    """The text of the file that a function was defined in."""
    if function is None:
        return None
    return "".join(linecache.getlines(function.__code__.co_filename)) or None


CARRIED_HOOKS = ("on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end")


def _check_callback(node: ast.ClassDef, name: str) -> None:
    import builtins

    bound = {arg.arg for arg in ast.walk(node) if isinstance(arg, ast.arg)} | {"math", "np", "time"}
    bound |= {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    inside = [part for method in node.body for part in ast.walk(method)]
    for part in inside:
        if isinstance(part, ast.Name) and part.id not in bound and not hasattr(builtins, part.id):
            raise UnsupportedError(f"the callback {name} reads {part.id}, which cannot come along")
        if (
            isinstance(part, ast.Attribute)
            and isinstance(part.value, ast.Attribute)
            and part.value.attr == "model"
            and part.attr != "stop_training"
        ):
            raise UnsupportedError(
                f"the callback {name} uses self.model.{part.attr}",
                fix="write what it does into the generated loop",
            )
