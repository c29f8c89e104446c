"""Functions of the user's own that are carried into the training script as they stand."""

from __future__ import annotations

import ast
import inspect
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
    text = without_frameworks(text)
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


def without_frameworks(text: str) -> str:
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
