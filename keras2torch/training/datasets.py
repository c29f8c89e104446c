"""``tf.data`` chains over arrays in memory, taken apart: the arrays, the batch size, the order."""

from __future__ import annotations

import ast
from dataclasses import dataclass

_HARMLESS = {"prefetch", "cache", "with_options", "repeat"}


@dataclass(frozen=True)
class ArrayDataset:
    """``Dataset.from_tensor_slices((x, y)).shuffle(n).batch(size)``: its parts, as expressions."""

    x: ast.expr
    y: ast.expr
    batch_size: ast.expr | None
    shuffles: bool


def array_dataset(source: str, node: ast.expr | None, line: int | None) -> ArrayDataset | None:
    """What a data set given to fit() is made of, or None where it is anything but such a chain."""
    if node is None or line is None:
        return None
    tree = ast.parse(source)
    made: dict[str, list[ast.Assign]] = {}
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign) and statement.lineno < line:
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    made.setdefault(target.id, []).append(statement)
    for statements in made.values():
        statements.sort(key=lambda s: s.lineno)
    batch_size: ast.expr | None = None
    shuffles = False
    for _ in range(50):  # a chain of calls and of names that hold one
        if isinstance(node, ast.Name):
            before = [s for s in made.get(node.id, []) if s.lineno < line]
            if not before:
                return None
            node, line = before[-1].value, before[-1].lineno
            continue
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        method = node.func.attr
        if method == "from_tensor_slices":
            pair = node.args[0] if node.args else None
            if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
                return None
            if not ast.unparse(node.func).endswith("data.Dataset.from_tensor_slices"):
                return None
            return ArrayDataset(pair.elts[0], pair.elts[1], batch_size, shuffles)
        if method == "batch" and node.args and len(node.args) == 1 and not node.keywords:
            batch_size = node.args[0]
        elif method == "shuffle":
            shuffles = True
        elif method not in _HARMLESS or method == "repeat" and node.args:
            return None
        node = node.func.value
    return None


def whole_number(source: str, node: ast.expr | None) -> int | None:
    """A literal, or a name that the program binds once to a literal; None for anything else."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        found = [
            s.value
            for s in ast.walk(ast.parse(source))
            if isinstance(s, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == node.id for t in s.targets)
        ]
        if len(found) == 1 and isinstance(found[0], ast.Constant):
            return whole_number(source, found[0])
    return None
