"""The statements of a program that make given variables, cut out of its source as they stand.

A backward slice at the level of statements: from the variables that a call needs, to the statements
before it that bind or change them, to the variables those read, and so on. Text and comments stay;
what comes from Keras or TensorFlow is replaced by an equivalent from ``data_helpers``.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from keras2torch.training.data_helpers import EQUIVALENTS, FRAMEWORKS, LITERALS
from keras2torch.training.syntax import (
    CannotCarryError,
    aliases,
    all_bound_names,
    bodies,
    bound_names,
    is_main_guard,
    normal_path,
    path_to,
    place_of_numpy,
    replaced_lines,
    root_name,
    span,
    used_names,
    walk_scope,
)


@dataclass
class Slice:
    """Source that makes the variables: imports for the top of the file, helper pages, statements."""

    imports: list[str] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    expressions: dict[str, str] = field(default_factory=dict)  # as written -> as carried


# Calls for their output only.
_SILENT = {
    "print",
    "display",
    "head",
    "info",
    "describe",
    "summary",
    "hist",
    "show",
    "imshow",
    "plot",
    "take",
    "cardinality",
    "as_numpy_iterator",
}


_STATEFUL = {"default_rng", "RandomState", "Random", "Generator", "iter", "open", "reader"}


_FORBIDDEN = {
    "sys.argv": "it reads the command line",
    "input": "it asks the user",
    "globals": "it looks into the program's variables",
    "locals": "it looks into the program's variables",
    "exec": "it runs text",
    "eval": "it runs text",
}


def carry(source: str, call: ast.Call, expressions: list[ast.expr]) -> Slice:
    """The slice for ``expressions`` as they stand at ``call``. Raises CannotCarryError, with the reason."""
    tree = ast.parse(source)
    return _Slicer(source, tree).carry(call, expressions)


def _reads_command_line(node: ast.AST) -> bool:
    """``parser.parse_args()``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("parse_args", "parse_known_args")
        and not node.args
        and not node.keywords
    )


def _only_binds(target: ast.expr) -> bool:
    """Whether an assignment's target is a name, or names: what they held before is gone."""
    parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return all(
        isinstance(part, ast.Name) or isinstance(part, (ast.Tuple, ast.List)) and _only_binds(part)
        for part in parts
    )


def lines_for(source: str, call: ast.Call, expressions: list[ast.expr]) -> list[str]:
    """The program's lines for these expressions as they stand, Keras's names and all; [] if none."""
    slicer = _Slicer(source, ast.parse(source))
    try:
        visible = slicer._visible(call)
        needed = set().union(*(used_names(node) for node in expressions))
        kept = slicer._backward(visible, needed)
    except CannotCarryError:
        kept = []
    texts = [ast.get_source_segment(source, s) or "" for s in kept if hasattr(s, "lineno")]
    texts.append(ast.get_source_segment(source, call) or "")
    return [line for text in texts for line in textwrap.dedent(text).splitlines()]


class _Slicer:
    def __init__(self, source: str, tree: ast.Module):
        self.source, self.lines, self.tree = source, source.splitlines(), tree
        self.aliases = dict(aliases(tree))  # local name -> dotted path of what is imported
        self.renamed = set(self._framework_names())
        self.imports = {
            name: node
            for node in ast.walk(tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in bound_names(node)
        }
        self.functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        self.stateful = set(self._stateful_names())
        self.rounds: list[ast.stmt] = []  # statements in loops around the call
        self.result = Slice()

    def _stateful_names(self) -> Iterator[str]:
        """Variables whose every use moves them on: random generators, iterators, open files."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name = (self._path(node.value.func) or "").rpartition(".")[2]
                made = self.functions.get(root_name(node.value.func) or "")
                yields = made is not None and any(
                    isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(made)
                )
                if name in _STATEFUL or yields:
                    yield from (t.id for t in node.targets if isinstance(t, ast.Name))

    def _framework_names(self) -> Iterator[str]:
        """Variables that only rename a part of Keras: ``mnist = tf.keras.datasets.mnist``."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
                path, target = self._path(node.value), node.targets[0]
                if path and path.partition(".")[0] in FRAMEWORKS and isinstance(target, ast.Name):
                    self.aliases[target.id] = path
                    yield target.id

    def carry(self, call: ast.Call, expressions: list[ast.expr]) -> Slice:
        visible = self._visible(call)
        needed = set().union(*(used_names(node) for node in expressions))
        kept = self._backward(visible, needed)
        drawn = self._random_statements(visible, kept)
        if drawn:
            kept = self._backward(visible, needed, drawn)
        self._check_rounds(kept, expressions)
        self._check(kept, expressions)
        for statement in kept:
            if not isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.result.statements += self._text(statement)
        for node in expressions:
            written = ast.unparse(node)
            self.result.expressions[written] = self._rewritten(node)
        self._collect_imports(kept, expressions)
        return self.result

    # What can be seen from the call.
    def _visible(self, call: ast.Call) -> list[ast.stmt]:
        """The statements that run before the call, outermost scope first."""
        path = path_to(self.tree, call)
        if path is None:
            raise CannotCarryError("the call is not found in the source")
        visible: list[ast.stmt] = []
        functions = [n for n in path if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        if any(isinstance(node, ast.ClassDef) for node in path):
            raise CannotCarryError("the call is inside a class")
        if len(functions) > 1:
            raise CannotCarryError("the call is inside a nested function")
        for node, inner in zip(path, path[1:]):
            for body in bodies(node):
                if inner in body:
                    before = body[: body.index(inner)]
                    if node is self.tree and functions:
                        before = [s for s in body if s is not functions[0]]
                        before = [s for s in before if not is_main_guard(s)]
                    visible += before
            if isinstance(node, ast.While) and inner in node.body:
                visible = [s for s in visible if not any(s is item for item in node.body)]
            if isinstance(node, ast.For) and inner in node.body:
                visible = self._with_last_round(node, visible)
            if isinstance(node, ast.FunctionDef) and (
                node.args.args or node.args.kwonlyargs or node.args.vararg
            ):
                visible = self._with_arguments(node, visible)
        return visible

    def _with_last_round(self, loop: ast.For, visible: list[ast.stmt]) -> list[ast.stmt]:
        """In a loop the call stands for its last round: bind the target to the last item."""
        inside = [s for s in visible if any(s is item for item in loop.body)]
        outside = [s for s in visible if not any(s is item for item in loop.body)]
        text = f"*_, {ast.unparse(loop.target)} = {ast.unparse(loop.iter)}"
        if isinstance(loop.target, ast.Tuple):
            text = f"*_, ({ast.unparse(loop.target)}) = {ast.unparse(loop.iter)}"
        self.rounds += loop.body
        return [*outside, *ast.parse(text).body, *inside]

    def _check_rounds(self, kept: list[ast.stmt], expressions: list[ast.expr]) -> None:
        """That a round of a loop does not depend on those before it."""
        inside = [s for s in kept if any(s is item for item in self.rounds)]
        bound = set().union(*map(bound_names, self.rounds)) if self.rounds else set()
        made: set[str] = set()
        for statement in inside:
            draws = any(self._draws(statement, module) for module in ("numpy.random", "random"))
            changes = isinstance(statement, ast.Expr) or self.stateful & used_names(statement)
            if draws or changes or used_names(statement) & (bound - made):
                raise CannotCarryError("it changes from round to round of a loop")
            made |= bound_names(statement)
        if any(used_names(node) & (bound - made) for node in expressions):
            raise CannotCarryError("it changes from round to round of a loop")

    def _with_arguments(self, function: ast.FunctionDef, visible: list[ast.stmt]) -> list[ast.stmt]:
        """Bind the parameters as the program's only call of the function does."""
        calls = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == function.name
        ]
        if len(calls) != 1 or any(isinstance(a, ast.Starred) for a in calls[0].args):
            raise CannotCarryError(f"the parameters of {function.name}() have no single value")
        parameters = [*function.args.args, *function.args.kwonlyargs]
        names = [parameter.arg for parameter in parameters]
        values: dict[str, ast.expr] = {}
        defaults = function.args.defaults
        values |= dict(zip(names[len(function.args.args) - len(defaults) :], defaults))
        for name, default in zip(
            (p.arg for p in function.args.kwonlyargs), function.args.kw_defaults
        ):
            if default is not None:
                values[name] = default
        values |= dict(zip(names, calls[0].args))
        values |= {k.arg: k.value for k in calls[0].keywords if k.arg is not None}
        at_call = self._visible(calls[0]) if calls[0] is not None else visible
        bound: list[ast.stmt] = []
        for name in names:
            if name not in values:
                raise CannotCarryError(f"the parameter {name} of {function.name}() has no value")
            if isinstance(values[name], ast.Name) and values[name].id == name:  # type: ignore[attr-defined]
                continue
            bound += ast.parse(f"{name} = {ast.unparse(values[name])}").body
        inside = [s for s in visible if any(s is item for item in function.body)]
        return [*at_call, *bound, *inside]

    # The slice.
    def _backward(
        self, visible: list[ast.stmt], needed: set[str], wanted: list[ast.stmt] | None = None
    ) -> list[ast.stmt]:
        """The statements that concern the needed names, and the wanted ones, in order."""
        kept: list[ast.stmt] = []
        needed = set(needed)
        chosen = {id(statement) for statement in wanted or []}
        for statement in reversed(self._folded(visible)):
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            made = bound_names(statement)
            if isinstance(statement, ast.Assign) and made and made <= self.renamed:
                continue
            if id(statement) not in chosen and not self._concerns(statement, needed):
                continue
            kept.append(statement)
            if isinstance(statement, ast.Assign) and all(map(_only_binds, statement.targets)):
                needed -= bound_names(statement)
            needed |= used_names(statement)
        return list(reversed(kept))

    def _folded(self, statements: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Branches that are decided by Keras's settings, taken; main guards opened."""
        found: list[ast.stmt] = []
        for statement in statements:
            if isinstance(statement, ast.If):
                if is_main_guard(statement):
                    continue
                decided = self._decide(statement.test)
                if decided is not None:
                    found += self._folded(statement.body if decided else statement.orelse)
                    continue
            found.append(statement)
        return found

    def _decide(self, test: ast.expr) -> bool | None:
        """``K.image_data_format() == "channels_first"``: False."""
        if not isinstance(test, ast.Compare) or len(test.ops) != 1:
            return None
        sides = [test.left, test.comparators[0]]
        values = []
        for side in sides:
            if isinstance(side, ast.Constant):
                values.append(side.value)
            elif isinstance(side, ast.Call) and (path := self._path(side.func)) in LITERALS:
                values.append(ast.literal_eval(LITERALS[path]))
            else:
                return None
        equal = values[0] == values[1]
        if isinstance(test.ops[0], ast.Eq):
            return equal
        return not equal if isinstance(test.ops[0], ast.NotEq) else None

    def _concerns(self, statement: ast.stmt, needed: set[str]) -> bool:
        if bound_names(statement) & needed:
            return True
        if self.stateful & needed & used_names(statement) and not isinstance(
            statement, ast.FunctionDef
        ):
            return True  # it draws from a generator, or reads on in a file
        for node in walk_scope(statement):
            stored = isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del))
            if isinstance(node, (ast.Subscript, ast.Attribute)) and stored:
                if root_name(node) in needed:
                    return True
            if isinstance(node, ast.Call) and self._may_change(node, statement, needed):
                return True
        return False

    def _may_change(self, node: ast.Call, statement: ast.stmt, needed: set[str]) -> bool:
        """A call for its effect: ``items.append(x)``, ``scaler.fit(x)``, ``np.random.shuffle(x)``."""
        if not isinstance(statement, (ast.Expr, ast.For, ast.While, ast.With, ast.If, ast.Try)):
            return False
        name = node.func.attr if isinstance(node.func, ast.Attribute) else root_name(node.func)
        if name in _SILENT or root_name(node.func) in ("plt", "pyplot", "sns"):
            return False
        root = root_name(node.func)
        if isinstance(node.func, ast.Attribute) and root in needed and root not in self.aliases:
            return True
        arguments = {n for argument in node.args for n in used_names(argument)}
        return name == "shuffle" and bool(arguments & needed)

    def _random_statements(self, visible: list[ast.stmt], kept: list[ast.stmt]) -> list[ast.stmt]:
        """Where the slice draws from a seeded global generator: the seed, and all draws after it.

        Every draw moves the generator on, so one that is left out would change those that follow.
        """
        found: list[ast.stmt] = []
        for module in ("numpy.random", "random"):
            if not any(self._draws(statement, module) for statement in kept):
                continue
            statements = list(self._folded(visible))
            seeds = [s for s in statements if self._draws(s, module, seeds=True)]
            if not seeds:
                continue
            last = max(i for i, s in enumerate(statements) if any(s is k for k in kept))
            between = statements[statements.index(seeds[0]) : last + 1]
            found += [s for s in between if self._draws(s, module)]
        return found

    def _draws(self, statement: ast.stmt, module: str, seeds: bool = False) -> bool:
        """Whether a statement uses a random module, or calls a function of the program that does."""
        if isinstance(statement, (ast.FunctionDef, ast.Import, ast.ImportFrom)) and seeds:
            return False
        for node in walk_scope(statement):
            if not isinstance(node, ast.Call):
                continue
            path = self._path(node.func) or ""
            if path.startswith(f"{module}."):
                if path.endswith(("default_rng", "RandomState", "Random")):
                    continue
                if not seeds or path.endswith(".seed"):
                    return True
            if not seeds and isinstance(node.func, ast.Name):
                body = self.functions.get(node.func.id)
                if body is not None and any(
                    (self._path(inner.func) or "").startswith(f"{module}.")
                    for inner in ast.walk(body)
                    if isinstance(inner, ast.Call)
                ):
                    return True
        return False

    # Whether it can stand alone.
    def _check(self, kept: list[ast.stmt], expressions: list[ast.expr]) -> None:
        bound = set().union(*(all_bound_names(s) for s in kept)) | set(self.imports) | self.renamed
        for node in [*kept, *expressions]:
            for name in used_names(node):
                if name not in bound and not hasattr(builtins, name) and name != "__file__":
                    raise CannotCarryError(f"{name} has no value here")
            for inner in ast.walk(node):
                if not isinstance(inner, (ast.Name, ast.Attribute)):
                    continue
                path = self._path(inner) or ""
                for word, why in _FORBIDDEN.items():
                    if path == word or path.startswith(f"{word}."):
                        raise CannotCarryError(why)

    def _path(self, node: ast.expr) -> str | None:
        """Dotted path of a name or attribute through the imports; ``tensorflow.keras`` is ``keras``."""
        if isinstance(node, ast.Name):
            path = self.aliases.get(node.id, node.id if hasattr(builtins, node.id) else None)
        elif isinstance(node, ast.Attribute):
            base = self._path(node.value)
            path = f"{base}.{node.attr}" if base else None
        else:
            return None
        return path and normal_path(path)

    # Text.
    def _text(self, statement: ast.stmt) -> list[str]:
        if statement.lineno > len(self.lines) or not self._is_of_source(statement):
            return self._unparsed(statement)  # a parameter, bound by us
        first = min(
            [statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))]
        )
        last = statement.end_lineno or statement.lineno
        start = len(self.lines[first - 1]) - len(self.lines[first - 1].lstrip())
        if (
            self.lines[first - 1][:start].strip()
            or start != statement.col_offset
            and not getattr(statement, "decorator_list", [])
            or self._is_followed(statement)
        ):
            return self._unparsed(statement)  # several statements on one line
        lines = replaced_lines(self.lines, self._replacements(statement))[first - 1 : last]
        comments: list[str] = []
        above = first - 2
        while above >= 0 and self.lines[above].strip().startswith("#"):
            if self.lines[above].strip().startswith("#!") or "coding" in self.lines[above][:20]:
                break
            comments.insert(0, self.lines[above])
            above -= 1
        return textwrap.dedent("\n".join([*comments, *lines])).splitlines()

    def _unparsed(self, statement: ast.stmt) -> list[str]:
        """A statement that has no lines of its own in the source."""
        text = ast.unparse(statement)
        node = ast.parse(text).body[0]
        text = "\n".join(replaced_lines(text.splitlines(), self._replacements(node)))
        if text.startswith("*_, "):
            text += "  # the last round of the program's loop"
        return text.splitlines()

    def _is_followed(self, statement: ast.stmt) -> bool:
        """Whether another statement stands behind it on its line."""
        line = self.lines[(statement.end_lineno or statement.lineno) - 1].encode()
        return line[statement.end_col_offset or 0 :].lstrip().startswith(b";")

    def _is_of_source(self, node: ast.AST) -> bool:
        """Whether a node stands in the source at its place, and is not made up by us."""
        place = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        text = ast.unparse(node)
        return any(
            type(other) is type(node)
            and (getattr(other, "lineno", 0), getattr(other, "col_offset", 0)) == place
            and (other is node or ast.unparse(other) == text)
            for other in ast.walk(self.tree)
        )

    def _rewritten(self, node: ast.expr) -> str:
        text = ast.get_source_segment(self.source, node) if self._is_of_source(node) else None
        if text is None or "\n" in text:
            text = ast.unparse(node)
            node = ast.parse(text, mode="eval").body
        else:
            node = ast.parse(text.strip(), mode="eval").body
        lines = replaced_lines(text.splitlines(), self._replacements(node))
        return "\n".join(lines)

    def _replacements(self, root: ast.AST) -> list[tuple[int, int, int, str]]:
        """(line, start, end, text) for everything of Keras's: its equivalent."""
        found: list[tuple[int, int, int, str]] = []
        handled: set[int] = set()
        for node in ast.walk(root):
            if id(node) in handled or not isinstance(node, (ast.Call, ast.Name, ast.Attribute)):
                continue
            target = node.func if isinstance(node, ast.Call) else node
            if _reads_command_line(node) and "argparse" in self.aliases.values():
                found.append((*span(node), f"{ast.unparse(target)}([])"))  # the defaults
                continue
            if "torch" not in self.aliases.values() and (place := place_of_numpy(node)):
                found.append((*place, ""))  # what is carried computes with arrays already
                continue
            if not isinstance(target, (ast.Name, ast.Attribute)):
                continue
            path, whole = self._path(target), target
            if path is None or path.partition(".")[0] not in FRAMEWORKS:
                continue
            handled |= {id(inner) for inner in ast.walk(target)}
            if isinstance(node, ast.Call) and path in LITERALS:
                found.append((*span(node), LITERALS[path]))
                continue
            while path not in EQUIVALENTS and isinstance(target, ast.Attribute):
                target, path = target.value, path.rpartition(".")[0]  # Dataset of Dataset.range
            if path not in EQUIVALENTS:
                raise CannotCarryError(f"{self._path(whole)} has no equivalent")
            name, pages = EQUIVALENTS[path]
            self.result.helpers += [page for page in pages if page not in self.result.helpers]
            found.append((*span(target), name))
        return found

    def _collect_imports(self, kept: list[ast.stmt], expressions: list[ast.expr]) -> None:
        wanted = set().union(*(used_names(n) for n in [*kept, *expressions]))
        for name in sorted(wanted & set(self.imports)):
            if normal_path(self.aliases[name]).partition(".")[0] in FRAMEWORKS:
                continue
            node = self.imports[name]
            for alias in node.names:
                local = alias.asname or alias.name.partition(".")[0]
                if local != name:
                    continue
                written = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                if isinstance(node, ast.Import):
                    text = f"import {written}"
                elif node.level or alias.name == "*":
                    raise CannotCarryError("it imports from a module beside the program")
                else:
                    text = f"from {node.module} import {written}"
                if text not in self.result.imports:
                    self.result.imports.append(text)
