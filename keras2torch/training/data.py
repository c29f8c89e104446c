"""Where the arrays of fit(), evaluate() and predict() come from, as source for ``load_data``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from keras2torch.training.record import _OLD_NAMES, SIGNATURES, Training, TrainingCall


@dataclass(frozen=True)
class DataSet:
    """One set of arrays as expressions: every input, every target, and the sample weights."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...] = ()
    weight: str | None = None


@dataclass(frozen=True)
class Data:
    """The body of ``load_data``: what it reads or computes, and the sets that it returns.

    ``keys`` are the arrays to read from ``--data``; where ``statements`` make them all, it is empty.
    """

    keys: tuple[str, ...]
    sets: dict[str, DataSet]
    statements: tuple[str, ...] = ()
    split: float | None = None  # validation_split
    imports: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    original: tuple[str, ...] = ()  # statements that could not be carried, quoted in a comment


def plan_data(training: Training) -> Data:
    """The data of a program's training calls.

    The arrays are named as the program names them, and read from one ``.npz`` file.
    """
    fit = training.fit
    sets: dict[str, DataSet] = {}
    split = None
    if fit is not None:
        arguments = argument_nodes(fit)
        sets["train"] = _data_set(training, fit, arguments, "train")
        validation = fit.arguments.get("validation_data")
        if validation is not None:
            sets["validation"] = _validation_set(
                training, arguments.get("validation_data"), validation
            )
        elif fit.arguments.get("validation_split"):
            split = float(fit.arguments["validation_split"])
    if training.evaluations:
        call = training.evaluations[-1]
        sets["test"] = _data_set(training, call, argument_nodes(call), "test")
    if not sets:
        sets["train"] = _default_set(training, "train", None)
    keys = tuple(dict.fromkeys(name for part in sets.values() for name in _names(part)))
    return Data(keys, sets, split=split)


def argument_nodes(call: TrainingCall) -> dict[str, ast.expr]:
    """The argument expressions of a recorded call, under Keras's newest names; {} without source."""
    node = call_node(call)
    if node is None or any(isinstance(arg, ast.Starred) for arg in node.args):
        return {}
    names = list(SIGNATURES[call.method].parameters)
    found = dict(zip(names, node.args))
    for keyword in node.keywords:
        if keyword.arg is not None:
            found[_OLD_NAMES.get(keyword.arg, keyword.arg)] = keyword.value
    return found


def call_node(call: TrainingCall) -> ast.Call | None:
    """The call expression in the program's source."""
    source = call.source
    if source is None or call.line is None:
        return None
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == call.method
        and node.lineno <= call.line <= (node.end_lineno or node.lineno)
    ]
    return min(found, key=lambda n: (n.end_lineno or n.lineno) - n.lineno) if found else None


def _data_set(
    training: Training, call: TrainingCall, nodes: dict[str, ast.expr], role: str
) -> DataSet:
    inputs = _parts(nodes.get("x"), training.input_names, call.arguments.get("x"))
    targets = _parts(nodes.get("y"), training.output_names, call.arguments.get("y"))
    weights = call.arguments.get("sample_weight")
    weight = None
    if weights is not None:
        found = _parts(nodes.get("sample_weight"), ("sample_weight",), weights)
        weight = found[0] if found else "sample_weight"
    default = _default_set(training, role, weight)
    return DataSet(inputs or default.inputs, targets or default.targets, weight)


def _validation_set(training: Training, node: ast.expr | None, value: Any) -> DataSet:
    if isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) in (2, 3):
        parts = [node.elts[0], node.elts[1], *node.elts[2:]]
        values = list(value) if isinstance(value, (list, tuple)) else [None] * len(parts)
        inputs = _parts(parts[0], training.input_names, values[0])
        targets = _parts(parts[1], training.output_names, values[1])
        weight = _parts(parts[2], ("sample_weight",), values[2]) if len(parts) == 3 else None
        if inputs and targets:
            return DataSet(inputs, targets, weight[0] if weight else None)
    return _default_set(training, "val", None)


def _default_set(training: Training, role: str, weight: str | None) -> DataSet:
    def named(prefix: str, ends: tuple[str, ...]) -> tuple[str, ...]:
        if len(ends) == 1:
            return (f"{prefix}_{role}",)
        return tuple(f"{prefix}_{role}_{i + 1}" for i in range(len(ends)))

    return DataSet(named("x", training.input_names), named("y", training.output_names), weight)


def _parts(node: ast.expr | None, ends: tuple[str, ...], value: Any) -> tuple[str, ...]:
    """The expressions for every input or output, or () where they cannot be told apart."""
    if node is None:
        return ()
    if isinstance(node, ast.Dict):
        by_name = {
            key.value: item
            for key, item in zip(node.keys, node.values)
            if isinstance(key, ast.Constant)
        }
        parts = [by_name.get(name) for name in ends]
    elif isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == len(ends):
        parts = list(node.elts)
    elif len(ends) == 1 and not isinstance(value, (list, tuple, dict)):
        parts = [node]
    else:
        return ()
    if any(part is None or not _is_plain(part) for part in parts):
        return ()
    return tuple(ast.unparse(part) for part in parts if part is not None)


def _is_plain(node: ast.expr) -> bool:
    """Whether an expression is a variable, or arithmetic and slices of variables."""
    allowed = (
        ast.Name,
        ast.Constant,
        ast.BinOp,
        ast.UnaryOp,
        ast.Subscript,
        ast.Slice,
        ast.Tuple,
        ast.operator,
        ast.unaryop,
        ast.expr_context,
    )
    return any(isinstance(n, ast.Name) for n in ast.walk(node)) and all(
        isinstance(n, allowed) for n in ast.walk(node)
    )


def _names(part: DataSet) -> list[str]:
    found = []
    for expression in (*part.inputs, *part.targets, *([part.weight] if part.weight else [])):
        for node in ast.walk(ast.parse(expression, mode="eval")):
            if isinstance(node, ast.Name):
                found.append(node.id)
    return found
