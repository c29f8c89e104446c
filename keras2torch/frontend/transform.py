"""How a script's source is changed before it runs: so that data which is not here does not stop it.

``int(x)`` and its like must not turn a stand-in into a plain number, and a statement that fails *because of*
a stand-in is passed over: ``y = f(x)`` is run as ``try: y = f(x)`` / ``except Exception: y = recover(...)``,
where ``recover`` raises the error again unless something absent has part in the statement. Line numbers stay.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# Types that are called in ways which lose a stand-in; the names are bound by ``builtins_for``.
TYPES = {"int": "__k2t_int__", "float": "__k2t_float__", "zip": "__k2t_zip__"}
RECOVER = "__k2t_recover__"
KEEP = "__k2t_keep__"
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)
_FALLIBLE = (ast.Call, ast.Subscript, ast.BinOp, ast.Compare)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass
class Facts:
    """What later steps need to know of a script's source."""

    guarded_lines: set[int] = field(
        default_factory=set
    )  # inside a try with handlers of the script's
    star_imports: dict[str, set[str]] = field(
        default_factory=dict
    )  # module -> names bound nowhere else


def transform(source: str, filename: str) -> tuple[Any, Facts]:
    """The code object to run for ``source``, and the facts about it. Raises SyntaxError."""
    tree = ast.parse(source, filename)
    bound, loaded = set[str](), set[str]()
    stars: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and node.module:
            stars.append(node.module)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update((item.asname or item.name).partition(".")[0] for item in node.names)
    facts = Facts(star_imports={module: loaded - bound for module in stars})
    replaced = {name: new for name, new in TYPES.items() if name not in bound}
    _Rewriter(replaced, facts.guarded_lines).rewrite_body(tree, guarded=False)
    return compile(tree, filename, "exec", dont_inherit=True), facts


class _Rewriter:
    def __init__(self, replaced: dict[str, str], guarded_lines: set[int]):
        self.replaced = replaced
        self.guarded_lines = guarded_lines

    def rewrite_body(self, node: Any, guarded: bool) -> None:
        """Rewrite the statements in all the bodies of ``node``."""
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                inside = guarded or (
                    isinstance(node, ast.Try) and name == "body" and bool(node.handlers)
                )
                setattr(node, name, [self.statement(item, inside) for item in statements])
        for handler in getattr(node, "handlers", ()):
            self.rewrite_body(handler, guarded)
        for case in getattr(node, "cases", ()):
            self.rewrite_body(case, guarded)

    def statement(self, statement: Any, guarded: bool) -> Any:
        if guarded:
            self.guarded_lines.update(range(statement.lineno, (statement.end_lineno or 0) + 1))
        if isinstance(statement, _SIMPLE):
            names = self.names(statement)
            return _shielded(statement, names, guarded) if names is not None else statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            guarded = False
        for part in _own_expressions(statement):
            self.names(part)
        self.rewrite_body(statement, guarded)
        return statement

    def names(self, node: Any) -> list[str] | None:
        """Rename the calls in an expression; the names it reads, or None where nothing can fail."""
        names: list[str] = []
        fallible, suspends = False, False
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                part.func.id = self.replaced.get(part.func.id, part.func.id)
            if isinstance(part, ast.Name):
                names.append(part.id)
            if isinstance(part, ast.comprehension):  # [f for f in absent if f.endswith(".jpg")]
                part.ifs = [_kept(test) for test in part.ifs]
            fallible = fallible or isinstance(part, _FALLIBLE)
            suspends = suspends or isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await))
        return list(dict.fromkeys(names)) if fallible and not suspends else None


def _kept(test: Any) -> Any:
    call = ast.Call(ast.Name(KEEP, ast.Load()), [test], [])
    ast.copy_location(call, test)
    return ast.fix_missing_locations(call)


def _own_expressions(statement: Any) -> Iterable[Any]:
    """The expressions that belong to a compound statement itself: ``if test``, ``for target in iter``."""
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                yield item


def _shielded(statement: Any, names: list[str], guarded: bool) -> Any:
    """``statement`` inside a try, whose handler gives what it binds the value of ``recover``."""
    call: Any = ast.Call(
        ast.Name(RECOVER, ast.Load()), [ast.Constant(tuple(names)), ast.Constant(guarded)], []
    )
    instead: Any
    if isinstance(statement, ast.Assign):
        instead = ast.Assign(statement.targets, call)
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        instead = ast.Assign([statement.target], call) if statement.value else ast.Expr(call)
    elif isinstance(statement, ast.Return):
        instead = ast.Return(call)
    else:
        instead = ast.Expr(call)
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [instead])
    shielded = ast.Try([statement], [handler], [], [])
    for part in ast.walk(shielded):
        if "lineno" not in part.__dict__ and "lineno" in getattr(part, "_attributes", ()):
            ast.copy_location(part, statement)
    return shielded
