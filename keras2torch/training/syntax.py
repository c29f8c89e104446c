"""What a syntax tree tells of names: bound, read, imported, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator


class CannotCarryError(Exception):
    """Why the statements cannot stand alone; ``str`` is one line for a comment."""


def normal_path(path: str) -> str:
    """Keras's many import paths as one: ``tensorflow.python.keras.x``, ``tf_keras.x`` -> ``keras.x``."""
    for prefix in (
        "tensorflow.python.keras",
        "tensorflow.keras",
        "tf_keras",
        "keras.api",
        "keras._tf_keras.keras",
    ):
        if path == prefix or path.startswith(f"{prefix}."):
            path = "keras" + path[len(prefix) :]
    for old, new in (
        ("keras.utils.np_utils.", "keras.utils."),
        ("keras.preprocessing.sequence.", "keras.utils."),
        ("keras.src.legacy.", "keras."),
        ("tensorflow.compat.v2.", "tensorflow."),
    ):
        path = path.replace(old, new)
    return path


def aliases(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    yield alias.asname, alias.name
                else:
                    top = alias.name.partition(".")[0]
                    yield top, top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"


def path_to(tree: ast.Module, target: ast.AST) -> list[ast.AST] | None:
    """Statements from the module down to the one that holds a node at the target's place."""
    place = (target.lineno, target.col_offset, target.end_lineno)  # type: ignore[attr-defined]

    def search(node: ast.AST, path: list[ast.AST]) -> list[ast.AST] | None:
        for child in ast.iter_child_nodes(node):
            here = (
                getattr(child, "lineno", None),
                getattr(child, "col_offset", None),
                getattr(child, "end_lineno", None),
            )
            if isinstance(child, ast.Call) and here == place:
                return path
            deeper = search(child, [*path, child] if isinstance(child, ast.stmt) else path)
            if deeper is not None:
                return deeper
        return None

    return search(tree, [tree])


def bodies(node: ast.AST) -> list[list[ast.stmt]]:
    bodies = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    bodies += [handler.body for handler in getattr(node, "handlers", [])]
    return [body for body in bodies if isinstance(body, list)]


def is_main_guard(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
    )


def walk_scope(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes, without the bodies of functions and classes in it."""
    yield node
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        yield from walk_scope(child)


def bound_names(statement: ast.AST) -> set[str]:
    """Names that a statement binds in its own scope."""
    names: set[str] = set()
    for node in walk_scope(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names


def all_bound_names(statement: ast.AST) -> set[str]:
    """Names bound anywhere in a statement: in comprehensions, functions and their parameters too."""
    names = bound_names(statement)
    for node in ast.walk(statement):
        names |= bound_names(node) if isinstance(node, ast.stmt) else set()
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def used_names(node: ast.AST) -> set[str]:
    """Names that a node reads, but for those that it binds within (comprehensions, parameters)."""
    inner: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.arg):
            inner.add(part.arg)
        elif isinstance(part, ast.comprehension):
            inner |= {n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner |= set().union(*(bound_names(s) for s in part.body)) - declared_global(part)
    read = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        read.add(node.target.id)
    return read - inner if not isinstance(node, ast.For) else read - (inner - bound_names(node))


def declared_global(function: ast.AST) -> set[str]:
    return {n for node in ast.walk(function) if isinstance(node, ast.Global) for n in node.names}


def root_name(node: ast.AST) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def span(node: ast.expr) -> tuple[int, int, int]:
    if node.lineno != node.end_lineno:
        raise CannotCarryError("a name of Keras's goes over several lines")
    return node.lineno, node.col_offset, node.end_col_offset or node.col_offset


def place_of_numpy(node: ast.AST) -> tuple[int, int, int] | None:
    """Where ``.numpy()`` stands in ``tensor.numpy()``: line, start, end."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return None
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "numpy":
        return None
    value = node.func.value
    if value.end_lineno != node.end_lineno or value.end_lineno is None:
        return None
    return value.end_lineno, value.end_col_offset or 0, node.end_col_offset or 0


def replaced_lines(lines: list[str], replaced: list[tuple[int, int, int, str]]) -> list[str]:
    result = list(lines)
    for line, start, end, text in sorted(replaced, reverse=True):
        raw = result[line - 1].encode()  # ast counts bytes
        result[line - 1] = (raw[:start] + text.encode() + raw[end:]).decode()
    return result
