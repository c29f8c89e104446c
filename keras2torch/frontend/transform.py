"""How a script's source is changed before it runs: so that data which is not here does not stop it.

Three things are rewritten; line numbers stay.

- ``int(x)`` and its like must not turn a stand-in into a plain number.
- A statement that fails *because of* a stand-in is passed over: ``y = f(x)`` is run as ``try: y = f(x)`` /
  ``except Exception: y = recover(...)``, where ``recover`` raises the error again unless something absent has part
  in the statement.
- What a loop over absent data would have filled is not known after it: ``for line in lines: words.append(line)``
  is followed by ``words = looped(words, ...)``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Types that are called in ways which lose a stand-in; the names are bound by ``builtins_for``.
TYPES = {"int": "__k2t_int__", "float": "__k2t_float__", "zip": "__k2t_zip__"}
RECOVER = "__k2t_recover__"
KEEP = "__k2t_keep__"
LOOP = "__k2t_loop__"
LOOPED = "__k2t_looped__"
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)
_FALLIBLE = (ast.Call, ast.Subscript, ast.BinOp, ast.Compare)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MUTATORS = {"append", "extend", "add", "update", "insert", "setdefault", "appendleft"}


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
        self.loops = 0

    def rewrite_body(self, node: Any, guarded: bool) -> None:
        """Rewrite the statements in all the bodies of ``node``."""
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                inside = guarded or (
                    isinstance(node, ast.Try) and name == "body" and bool(node.handlers)
                )
                rewritten = [new for item in statements for new in self.statement(item, inside)]
                setattr(node, name, rewritten)
        for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
            self.rewrite_body(part, guarded)

    def statement(self, statement: Any, guarded: bool) -> list[Any]:
        """The statements to run instead of one."""
        if guarded:
            lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
            self.guarded_lines.update(lines)
        if isinstance(statement, _SIMPLE):
            names = self.names(statement)
            return [statement if names is None else _shielded(statement, names, guarded)]
        filled = list(_filled(statement)) if isinstance(statement, ast.For) else []
        for part in _own_expressions(statement):
            self.names(part)
        self.rewrite_body(statement, guarded and not isinstance(statement, _SCOPES))
        return self.loop(statement, filled) if filled else [statement]

    def loop(self, statement: Any, filled: list[tuple[Any, bool]]) -> list[Any]:
        """A loop that fills containers or counts, with what is to be done where its data is absent."""
        self.loops += 1
        state = f"__k2t_loop_{self.loops}__"
        names = [part.id for part in ast.walk(statement.iter) if isinstance(part, ast.Name)]
        start = ast.Assign(
            [ast.Name(state, ast.Store())], _call(LOOP, _constant(tuple(names)), statement.iter)
        )
        statement.iter = ast.Subscript(ast.Name(state, ast.Load()), ast.Constant(0), ast.Load())
        ends = []
        for target, rebound in filled:
            value = _call(LOOPED, target, ast.Name(state, ast.Load()))
            end = ast.Assign([_stored(target)], value) if rebound else ast.Expr(value)
            ignore = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
            ends.append(ast.Try([end], [ignore], [], []))
        return [_placed(new, statement) for new in (start, statement, *ends)]

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
                part.ifs = [_placed(_call(KEEP, test), test) for test in part.ifs]
            fallible = fallible or isinstance(part, _FALLIBLE)
            suspends = suspends or isinstance(part, (ast.Yield, ast.YieldFrom, ast.Await))
        return list(dict.fromkeys(names)) if fallible and not suspends else None


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
    call = _call(RECOVER, _constant(tuple(names)), ast.Constant(guarded))
    instead: Any = ast.Expr(call)
    if isinstance(statement, ast.Return):
        instead = ast.Return(call)
    elif isinstance(statement, ast.Assign):
        targets = [target for target in statement.targets if not _can_fail(target)]
        instead = ast.Assign(targets, call) if targets else instead
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        if statement.value is not None and not _can_fail(statement.target):
            instead = ast.Assign([statement.target], call)
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [instead])
    return _placed(ast.Try([statement], [handler], [], []), statement)


def _can_fail(target: Any) -> bool:
    return any(isinstance(part, (ast.Subscript, ast.Call)) for part in ast.walk(target))


def _filled(loop: ast.For) -> Iterator[tuple[Any, bool]]:
    """The variables and attributes that a loop fills or counts up, and whether it binds them anew."""
    seen: set[str] = set()
    for part in (inner for statement in loop.body for inner in ast.walk(statement)):
        target: Any = None
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            target = part.func.value if part.func.attr in _MUTATORS else None
        elif isinstance(part, ast.AugAssign):
            target = part.target
        elif isinstance(part, ast.Assign):
            target = part.targets[0]
            if not isinstance(target, ast.Subscript) and not _reads(part.value, target):
                continue
        rebound = not isinstance(part, ast.Call) and not isinstance(target, ast.Subscript)
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, (ast.Name, ast.Attribute)) and not _can_fail(target):
            key = f"{ast.dump(_stored(target))} {rebound}"
            if key not in seen:
                seen.add(key)
                yield _loaded(target), rebound


def _reads(value: Any, target: Any) -> bool:
    """Whether an assigned value is made of what the target held: ``longest = max(longest, n)``."""
    return isinstance(target, ast.Name) and any(
        isinstance(part, ast.Name) and part.id == target.id for part in ast.walk(value)
    )


def _stored(target: Any) -> Any:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Store())
    return ast.Attribute(target.value, target.attr, ast.Store())


def _loaded(target: Any) -> Any:
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    return ast.Attribute(target.value, target.attr, ast.Load())


def _constant(value: Any) -> ast.Constant:
    """Any value that a code object can hold: a tuple of names, too."""
    return ast.Constant(value)


def _call(name: str, *arguments: Any) -> Any:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def _placed(node: Any, original: Any) -> Any:
    """``node`` with line numbers where it has none: those of the ``original`` statement."""
    for part in ast.walk(node):
        if "lineno" not in part.__dict__ and "lineno" in getattr(part, "_attributes", ()):
            ast.copy_location(part, original)
    return node
