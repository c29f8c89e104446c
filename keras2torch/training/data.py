"""Where the arrays of fit(), evaluate() and predict() come from, as source for ``load_data``."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from keras2torch.training import datasets, slicing
from keras2torch.training.calls import OLD_NAMES, SIGNATURES, TrainingCall, is_many
from keras2torch.training.record import Training


@dataclass(frozen=True)
class DataSet:
    """One set of arrays as expressions: every input, every target, and the sample weights."""

    inputs: tuple[str, ...]
    targets: tuple[str, ...] = ()
    weight: str | None = None
    batches: str | None = None  # what gives batches, in the place of arrays
    steps: str | None = None  # how many of them make an epoch


@dataclass(frozen=True)
class Data:
    """The body of ``load_data``: what it reads or computes, and the sets that it returns.

    ``keys`` are the arrays to read from ``--data``; it is empty where the program's own ``statements``
    make them all, with ``imports`` and the ``helpers`` pages. ``reason`` tells why they could not be
    carried.
    """

    keys: tuple[str, ...]
    sets: dict[str, DataSet]
    split: float | None = None  # validation_split
    statements: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    reason: str | None = None
    batch_size: int | None = None  # of a tf.data chain
    shuffles: bool | None = None
    quoted: tuple[str, ...] = ()  # the program's own lines, where they are not carried
    weighs_classes: bool = False
    sizes: dict[str, int] = field(default_factory=dict)  # of the batches of evaluate()

    @property
    def made(self) -> list[str]:
        """The sets that ``load_data`` returns: what is a set already is not made twice."""
        return [role for role in self.sets if self.set_of(role) == role]

    def set_of(self, role: str) -> str:
        """The set that holds the arrays of a role: its own, or one before it with the same."""
        part = self.sets[role]
        for other, held in self.sets.items():
            if other == role or role in ("train", "validation"):
                break
            if other == "train" and (self.split is not None or self.weighs_classes):
                continue
            same = (held.inputs, held.batches) == (part.inputs, part.batches)
            if held == part or role.startswith("new") and same:
                return other
        return role

    @property
    def streams(self) -> bool:
        """Whether batches are made while it trains, by a generator or a data set of the program's."""
        return "train" in self.sets and self.sets["train"].batches is not None

    @property
    def text(self) -> str:
        """All of the program's that is carried."""
        sets = [x for s in self.sets.values() for x in (*s.inputs, *s.targets, s.batches or "")]
        return "\n".join([*self.statements, *sets])


@dataclass(frozen=True)
class _Nodes:
    """A DataSet as expressions of the program's syntax tree, and the call that they stand in."""

    inputs: tuple[ast.expr, ...]
    targets: tuple[ast.expr, ...]
    weight: ast.expr | None
    call: TrainingCall
    batch_size: int | None = None
    shuffles: bool | None = None
    batches: ast.expr | None = None
    steps: ast.expr | None = None

    @property
    def all(self) -> list[ast.expr]:
        more = (self.weight, self.batches, self.steps)
        return [*self.inputs, *self.targets, *(node for node in more if node is not None)]

    def texts(self, table: dict[str, str]) -> DataSet:
        """As text, each expression under its carried form."""

        def text(node: ast.expr) -> str:
            written = ast.unparse(node)
            return table.get(written, written)

        return DataSet(
            tuple(map(text, self.inputs)),
            tuple(map(text, self.targets)),
            *(text(n) if n is not None else None for n in (self.weight, self.batches, self.steps)),
        )


def plan_data(training: Training) -> Data:
    """The data of a program's training calls.

    The program's own statements are carried where they can stand alone; else the arrays are read
    from one ``.npz`` file, under the names that the program gives them.
    """
    fit = training.fit
    nodes: dict[str, _Nodes | None] = {}
    split = None
    if fit is not None:
        arguments = argument_nodes(fit)
        nodes["train"] = _nodes(training, fit, arguments)
        validation = fit.arguments.get("validation_data")
        if validation is not None:
            nodes["validation"] = _validation(training, fit, arguments.get("validation_data"))
        elif fit.arguments.get("validation_split"):
            split = float(fit.arguments["validation_split"])
    nodes |= _results(training, nodes)
    nodes = {"train": None, **nodes}  # a loop of the program's own may train it
    train = nodes.get("train")
    if train and train.batches is None and any(part and part.batches for part in nodes.values()):
        x = argument_nodes(train.call)
        if "y" not in x and "x" in x:  # a chain over arrays beside one that is none
            steps = _steps(train.call, x)
            nodes["train"] = _Nodes((), (), None, train.call, batches=x["x"], steps=steps)
    found, reason = _carry(nodes, fit is not None)
    if found is not None:
        made, kept = found
        sets = {role: part.texts(made.expressions) for role, part in kept.items()}
        train = kept["train"]
        assert train is not None
        return Data(
            (),
            sets,
            split,
            tuple(made.statements),
            tuple(made.imports),
            tuple(made.helpers),
            batch_size=train.batch_size,
            shuffles=train.shuffles,
            weighs_classes=bool(fit and fit.arguments.get("class_weight")),
            sizes={role: _batch_size(part) for role, part in kept.items()},
        )
    sets = {}
    for role, given in nodes.items():
        if role.startswith(("test_", "new")):
            continue  # an array of the file's for each would be too many
        weighted = given is not None and given.weight is not None
        if given is not None and all(_is_plain(node) for node in given.all):
            sets[role] = given.texts({})
        else:
            sets[role] = _default_set(training, role, "sample_weight" if weighted else None)
    if fit is not None and fit.arguments.get("sample_weight") is not None:
        first = sets["train"]
        sets["train"] = DataSet(first.inputs, first.targets, first.weight or "sample_weight")
    keys = tuple(dict.fromkeys(name for part in sets.values() for name in _names(part)))
    return Data(keys, sets, split, reason=reason, quoted=_quoted(fit))


def _batch_size(part: _Nodes) -> int:
    """Of evaluate(): as given, of its chain, or Keras's own."""
    return int(part.batch_size or part.call.arguments.get("batch_size") or 32)


def _results(training: Training, sets: dict[str, _Nodes | None]) -> dict[str, _Nodes | None]:
    """What is evaluated ("test", "test_2") and predicted from ("new", "new_2") behind the last fit()."""
    last = training.fits[-1].order if training.fits else -1
    found: dict[str, _Nodes | None] = {}

    def known(batches: ast.expr) -> bool:
        parts = [*sets.values(), *found.values()]
        texts = [ast.unparse(part.batches) for part in parts if part and part.batches]
        return ast.unparse(batches) in texts

    for role, calls in (("test", training.evaluations), ("new", training.predictions)):
        calls = tuple(call for call in calls if call.order > last)
        sites = [(call.filename, call.line, call.column) for call in calls]
        texts: list[str] = []
        for call in calls:
            looped = sites.count((call.filename, call.line, call.column)) > 1
            if role == "new" and looped:
                continue  # in a loop: of other arrays each time
            part = _nodes(training, call, argument_nodes(call), role == "test")
            text = "; ".join(map(ast.unparse, part.all)) if part else ""
            if text and text in texts:
                continue
            if role == "new" and (part is None or part.batches and not known(part.batches)):
                continue
            texts.append(text)
            found[f"{role}_{len(texts)}" if len(texts) > 1 else role] = part
    return found


def _quoted(fit: TrainingCall | None) -> tuple[str, ...]:
    """The program's own lines that make what fit() is given, as far as they can be told."""
    if fit is None or fit.source is None or (site := call_node(fit)) is None:
        return ()
    wanted = [node for name, node in argument_nodes(fit).items() if name in _DATA]
    return tuple(slicing.lines_for(fit.source, site, wanted))


_DATA = {"x", "y", "sample_weight", "validation_data", "steps_per_epoch"}


def _carry(
    nodes: dict[str, _Nodes | None],
    fitted: bool,
) -> tuple[tuple[slicing.Slice, dict[str, _Nodes]] | None, str | None]:
    """The slice for all sets (for fewer of the results, if need be), or why there is none."""
    reason = None
    fewer = [role for role in nodes if not role.startswith("new")]
    fewest = [role for role in fewer if not role.startswith("test")]
    for roles in (list(nodes), fewer, fewest):
        parts = {role: nodes[role] for role in roles}
        known = {role: part for role, part in parts.items() if part is not None}
        if not known or len(known) < len(parts) or "train" not in known:
            unfit = "the call of fit() is not in the program's text" if not known else None
            if "train" in parts and parts["train"] is None and not fitted:
                unfit = "it trains in a loop of its own, not by fit()"
            reason = unfit or "it is not clear what of it is input and what is target"
            continue
        last = max((part.call for part in known.values()), key=lambda call: call.order)
        site, source = call_node(last), last.source
        if site is None or source is None:
            continue
        try:
            if len({part.call.filename for part in known.values()}) > 1:
                raise slicing.CannotCarryError("its calls are in several files")
            if known["train"].batches is None and any(part.batches for part in known.values()):
                raise slicing.CannotCarryError("arrays and batches are mixed")
            expressions = [node for part in known.values() for node in part.all]
            made = slicing.carry(source, site, expressions)
            _check_unchanged(source, known, last)
            return (made, known), None
        except slicing.CannotCarryError as error:
            reason = str(error)
    return None, reason


def _check_unchanged(source: str, parts: dict[str, _Nodes], last: TrainingCall) -> None:
    """That no array of an earlier call is made anew before the last one."""
    tree = ast.parse(source)
    for part in parts.values():
        first, end = part.call.line or 0, last.line or 0
        names = {n.id for node in part.all for n in ast.walk(node) if isinstance(n, ast.Name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                if first < node.lineno < end and node.id in names:
                    raise slicing.CannotCarryError(f"{node.id} is made anew after it was used")


def argument_nodes(call: TrainingCall) -> dict[str, ast.expr]:
    """The argument expressions of a recorded call, under Keras's newest names; {} without source."""
    node = call_node(call)
    if node is None or any(isinstance(arg, ast.Starred) for arg in node.args):
        return {}
    names = list(SIGNATURES[call.method].parameters)
    found = dict(zip(names, node.args))
    for keyword in node.keywords:
        if keyword.arg is not None:
            found[OLD_NAMES.get(keyword.arg, keyword.arg)] = keyword.value
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
    if call.column is not None:
        exact = [n for n in found if (n.lineno, n.col_offset) == (call.line, call.column)]
        found = exact if len(exact) == 1 else found
    elif len({ast.unparse(node) for node in found if node.lineno == call.line}) > 1:
        return None  # several on one line: it is not known which
    return min(found, key=lambda n: (n.end_lineno or n.lineno) - n.lineno) if found else None


def _nodes(
    training: Training, call: TrainingCall, nodes: dict[str, ast.expr], compared: bool = True
) -> _Nodes | None:
    """What a call is given; ``compared``: with targets."""
    inputs = _parts(nodes.get("x"), training.input_names, call.arguments.get("x"))
    targets = _parts(nodes.get("y"), training.output_names, call.arguments.get("y"))
    whole = _steps(call, nodes) is None
    if nodes.get("y") is None and whole and (chain := _chain(training, call, nodes.get("x"))):
        return chain if compared else replace(chain, targets=())
    if nodes.get("y") is None and "x" in nodes and not _are_arrays(call.arguments.get("x")):
        steps = _steps(call, nodes)
        return _Nodes((), (), None, call, batches=nodes["x"], steps=steps)
    if training.has_no_targets or not compared:
        targets = ()
    elif not targets:
        return None
    if not inputs:
        return None
    weight = _weights(training, nodes.get("sample_weight"), call.arguments.get("sample_weight"))
    return _Nodes(inputs, targets, weight, call)


def _weights(training: Training, node: ast.expr | None, value: Any) -> ast.expr | None:
    """The sample weights; one column per output where the outputs have weights of their own."""
    if node is None or not training.weighs_outputs or not isinstance(value, (dict, list, tuple)):
        return node
    names = training.output_names
    if isinstance(value, dict):
        first = ast.unparse(_parts(node, (next(iter(value)),), value)[0])
        columns = [
            (
                ast.unparse(_parts(node, (name,), value)[0])
                if name in value
                else f"np.ones(len({first}))"
            )
            for name in names
        ]
    else:
        columns = [ast.unparse(part) for part in _parts(node, names, value)]
    return ast.parse(f"np.stack([{', '.join(columns)}], axis=1)", mode="eval").body


def _are_arrays(value: Any) -> bool:
    """Whether fit() is given arrays in memory: alone, or in a list, a tuple or a dict."""
    parts = value.values() if isinstance(value, dict) else value if is_many(value) else [value]
    return all(isinstance(getattr(part, "shape", None), tuple) for part in parts)


def _steps(call: TrainingCall, nodes: dict[str, ast.expr]) -> ast.expr | None:
    """How many batches make an epoch; Keras 1 counted samples."""
    if nodes.get("samples_per_epoch") is not None:
        text = (
            f"({ast.unparse(nodes['samples_per_epoch'])}) // ({ast.unparse(nodes['x'])}).batch_size"
        )
        return ast.parse(text, mode="eval").body
    for name in ("steps_per_epoch", "steps"):
        if nodes.get(name) is not None and call.arguments.get(name) is not None:
            return nodes[name]
    return None


def _validation(training: Training, call: TrainingCall, node: ast.expr | None) -> _Nodes | None:
    value = call.arguments.get("validation_data")
    if call.arguments.get("validation_steps") is None and (chain := _chain(training, call, node)):
        return chain
    if node is None:
        return None
    if training.has_no_targets and hasattr(value, "shape"):
        return _Nodes(_parts(node, training.input_names, value), (), None, call)
    if not isinstance(value, (list, tuple)):
        steps = argument_nodes(call).get("validation_steps")
        given = call.arguments.get("validation_steps") is not None
        return _Nodes((), (), None, call, batches=node, steps=steps if given else None)
    if len(value) not in ((1, 2, 3) if training.has_no_targets else (2, 3)):
        return None
    if isinstance(node, (ast.Tuple, ast.List)):
        parts = list(node.elts)
    else:
        parts = [_item(node, i) for i in range(len(value))]
    inputs = _parts(parts[0], training.input_names, value[0])
    targets: tuple[ast.expr, ...] = ()
    if not training.has_no_targets:
        targets = _parts(parts[1], training.output_names, value[1])
    if not inputs or not (targets or training.has_no_targets):
        return None
    weight = _weights(training, parts[2], value[2]) if len(parts) == 3 else None
    return _Nodes(inputs, targets, weight, call)


def _chain(training: Training, call: TrainingCall, node: ast.expr | None) -> _Nodes | None:
    """The arrays of a tf.data chain that is given in the place of x and y."""
    source = call.source
    if source is None or len(training.input_names) != 1 or len(training.output_names) != 1:
        return None
    found = datasets.array_dataset(source, node, call.line)
    size = datasets.whole_number(source, found.batch_size) if found else None
    if found is None or size is None:
        return None
    return _Nodes((found.x,), (found.y,), None, call, size, found.shuffles)


def _item(node: ast.expr, key: Any) -> ast.expr:
    return ast.parse(f"({ast.unparse(node)})[{key!r}]", mode="eval").body


def _default_set(training: Training, role: str, weight: str | None) -> DataSet:
    def named(prefix: str, ends: tuple[str, ...]) -> tuple[str, ...]:
        if len(ends) == 1:
            return (f"{prefix}_{role}",)
        return tuple(f"{prefix}_{role}_{i + 1}" for i in range(len(ends)))

    targets = () if training.has_no_targets else named("y", training.output_names)
    return DataSet(named("x", training.input_names), targets, weight)


def _parts(node: ast.expr | None, ends: tuple[str, ...], value: Any) -> tuple[ast.expr, ...]:
    """The expressions for every input or output, or () where they cannot be told apart."""
    if node is None:
        return ()
    if isinstance(node, ast.Dict):
        by_name = {
            key.value: item
            for key, item in zip(node.keys, node.values)
            if isinstance(key, ast.Constant)
        }
        if not set(ends) <= set(by_name):
            return ()
        return tuple(by_name[name] for name in ends)
    if isinstance(value, dict):
        return tuple(_item(node, name) for name in ends) if set(ends) <= set(value) else ()
    if isinstance(node, (ast.List, ast.Tuple)) and len(node.elts) == len(ends):
        return tuple(node.elts)
    if isinstance(value, (list, tuple)) and len(ends) > 1:
        return tuple(_item(node, i) for i in range(len(ends))) if len(value) == len(ends) else ()
    if len(ends) == 1 and (value is None or hasattr(value, "shape") or isinstance(value, list)):
        return (node,)
    return ()


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
