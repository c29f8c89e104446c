"""outline: fold the nodes of one scope (a user function's run, a custom layer, a nested model) into a child module.

x = conv(x)  in residual_block#1          x = residual_block1(x)
x = bn(x)    in residual_block#1    ->    with a child module of two nodes
x = relu(x)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

from keras2torch.graph import Scope
from keras2torch.module import Module, ModuleClass, Node, Submodule, Value, members_in
from keras2torch.passes.ledger import Ledger
from keras2torch.passes.skeleton import skeleton
from keras2torch.quoting import to_class_name


def outline(module: Module, runs_of: dict[str, set[int]] | None = None) -> Module:
    """Fold every scope that makes a sound region, outermost first.

    ``runs_of``: how often each function of the program ran, in all of it.
    """
    runs_of = _runs_of(module) if runs_of is None else runs_of
    for member in module.members:
        if isinstance(member, Submodule) and member.body is not None:
            outline(member.body)
    ledger = Ledger(module)
    standing = _Standing(ledger)
    while (runs := standing.first()) is not None:
        bodies = [region(ledger, nodes) for nodes in runs]
        made = [body for body in bodies if body is not None]
        sound = len(made) == len(runs) and _worth(runs, runs_of) and _exclusive(ledger, runs)
        if sound:
            for body, nodes in zip(made, runs):
                body.scope = nodes[0].scopes[0]
                body.inputs.sort(key=_argument_order(body.scope))
        standing.leave(runs)
        # Where the runs of one layer came out different, without a common class, they stay inline.
        if sound and (len(made) == 1 or len({_identity(body) for body in made}) == 1):
            _replace(ledger, made, runs)
            outline(made[0], runs_of)
    return module


def _runs_of(module: Module) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for node in module.nodes:
        for scope in node.scopes:
            if scope.kind == "function":
                found.setdefault(scope.name, set()).add(scope.invocation)
    return found


def owner_key(scope: Scope) -> Hashable:
    """What tells instances apart: a layer is one however often it runs; each run of a function is one."""
    if scope.kind in ("function", "pattern") and not isinstance(scope.owner, tuple):
        return ("run", scope.invocation)
    return scope.owner if isinstance(scope.owner, tuple) else id(scope.owner)


class _Standing:
    """The scopes that still stand: the first one of each node, by whom it belongs to."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._nodes = list(ledger.module.nodes)
        self._next = 0
        self._by_owner: dict[Hashable, list[Node]] = {}
        for node in self._nodes:
            self._enter(node)

    def first(self) -> list[list[Node]] | None:
        """The nodes of the first scope, one list for each of its runs."""
        for node in self._nodes[self._next :]:
            if node.scopes and node in self._ledger:
                break
            self._next += 1
        else:
            return None
        nodes = [n for n in self._by_owner.pop(owner_key(node.scopes[0])) if n in self._ledger]
        runs: dict[int, list[Node]] = {}
        for node in sorted(nodes, key=self._ledger.place):
            runs.setdefault(node.scopes[0].invocation, []).append(node)
        return list(runs.values())

    def leave(self, runs: list[list[Node]]) -> None:
        """What these nodes have within their first scope is their first one from now on."""
        for nodes in runs:
            for node in nodes:
                node.scopes = node.scopes[1:]
                self._enter(node)

    def _enter(self, node: Node) -> None:
        if node.scopes:
            self._by_owner.setdefault(owner_key(node.scopes[0]), []).append(node)


def region(ledger: Ledger, nodes: list[Node]) -> Module | None:
    """The nodes as a module of their own (not yet linked); None if they cannot be one."""
    inside = {id(value) for node in nodes for value in node.outputs}
    inputs: dict[int, Value] = {}
    for node in nodes:
        for value in node.inputs:
            if id(value) not in inside:
                inputs.setdefault(id(value), value)
    members = set(map(id, nodes))
    outputs = [
        value
        for node in nodes
        for value in node.outputs
        if ledger.is_output(value) or any(id(u) not in members for u in ledger.readers(value))
    ]
    if not outputs or not inputs:
        return None
    if _anchor(ledger, nodes, set(inputs), {id(v) for v in outputs}) is None:
        return None
    return Module(list(inputs.values()), outputs, nodes)


def _anchor(ledger: Ledger, nodes: list[Node], inputs: set[int], outputs: set[int]) -> Node | None:
    """The node in whose place all of these could stand: the last of them, or the first."""
    ordered = sorted(nodes, key=ledger.place)
    members = set(map(id, nodes))
    between = [n for n in ledger.between(ordered[0], ordered[-1]) if id(n) not in members]
    if not any(id(v) in outputs for n in between for v in n.inputs):
        return ordered[-1]
    if not any(id(v) in inputs for n in between for v in n.outputs):
        return ordered[0]
    return None


def _worth(runs: list[list[Node]], runs_of: dict[str, set[int]]) -> bool:
    """Whether a class of its own makes the file better: always for the user's classes."""
    scope, nodes = runs[0][0].scopes[0], runs[0]
    if scope.kind in ("layer", "pattern"):
        return True
    if scope.kind == "wrapper":  # TimeDistributed: what it wraps may be worth one
        return False
    steps = [node for node in nodes if node.kind != "pad"]
    weighted = {
        id(m) for n in nodes for m in members_in(n) if isinstance(m, Submodule) and m.weights
    }
    if scope.kind in ("model", "sequential"):
        return bool(weighted) and len(nodes) > 1
    block = len(steps) > 2 or len(weighted) > 1  # more than a layer and its activation
    return bool(weighted) and (len(steps) > 3 or (block and len(runs_of.get(scope.name, ())) > 1))


def _exclusive(ledger: Ledger, runs: list[list[Node]]) -> bool:
    """A member may live in the region only if nothing outside uses it."""
    inside = {id(node) for nodes in runs for node in nodes}
    members = {id(m): m for nodes in runs for node in nodes for m in members_in(node)}
    return all(id(user) in inside for member in members.values() for user in ledger.users(member))


def _identity(body: Module) -> Any:
    """Equal for two runs of the same layer: same structure, same members, same literals."""
    return skeleton(body, exact=True), tuple(id(leaf) for leaf in _leaves(body))


def _leaves(body: Module) -> list[Any]:
    found: list[Any] = []
    for member in body.members:
        if isinstance(member, Submodule) and member.body is not None:
            found.extend(_leaves(member.body))
        else:
            found.append(member)
    return found


def _replace(ledger: Ledger, bodies: list[Module], runs: list[list[Node]]) -> Submodule:
    """Put one call in the place of each run; all runs call the same submodule."""
    scope = bodies[0].scope
    assert scope is not None
    name = to_class_name(scope.name)
    submodule: Submodule | None = None
    made: dict[int, Value] = {}  # outputs of earlier runs, which later ones may read
    for body, nodes in zip(bodies, runs):
        body.inputs = [made.get(id(value), value) for value in body.inputs]
        anchor = _anchor(ledger, nodes, {id(v) for v in body.inputs}, {id(v) for v in body.outputs})
        assert anchor is not None
        # The body gets values of its own at its ports, so that it stands by itself.
        table: dict[int, Any] = {}
        ports = []
        for value in body.inputs:
            port = Value(
                value.shape,
                value.axes,
                value.dtype,
                value.flat,
                hint=_port_hint(scope_of(body), value),
                tensor=value.tensor,
                scalar=value.scalar,
            )
            table[id(value)] = port
            ports.append(port)
        outer_inputs, body.inputs = body.inputs, ports
        for node in body.nodes:
            node.replace_inputs(table)
        outer = [
            Value(v.shape, v.axes, v.dtype, v.flat, hint=v.hint, tensor=v.tensor, scalar=v.scalar)
            for v in body.outputs
        ]
        made.update({id(old): new for old, new in zip(body.outputs, outer)})
        if submodule is None:
            owner = scope.owner if scope.kind not in ("function", "pattern") else None
            submodule = Submodule(
                ModuleClass(name, [body], doc=scope.doc),
                body=body,
                owner=owner,
                hints=_hints(scope),
            )
        call = Node(
            "call",
            submodule,
            tuple(outer_inputs),
            {},
            tuple(outer),
            where=nodes[0].where,
            call=nodes[-1].call,
        )
        if len(outer) > 1:
            call.pattern = tuple(outer)
        for value in outer:
            value.node = call
        ledger.replace(nodes, call, anchor)
        for old, new in zip(body.outputs, outer):
            ledger.rename(old, new)
    assert submodule is not None
    return submodule


def fold(ledger: Ledger, nodes: list[Node], scope: Scope) -> Submodule:
    """These nodes as a child module; they must make a sound region."""
    body = region(ledger, nodes)
    assert body is not None
    body.scope = scope
    return _replace(ledger, [body], [nodes])


def scope_of(body: Module) -> Scope:
    """The scope that a child module was made from."""
    assert body.scope is not None
    return body.scope


def _argument_order(scope: Scope) -> Callable[[Value], int]:
    """Tensors in the order in which the program gives them; what else is read comes last."""
    places = {id(tensor): place for place, (_, tensor) in enumerate(scope.tensors)}
    return lambda value: places.get(id(value.tensor), len(places))


def _port_hint(scope: Scope, value: Value) -> str | None:
    for name, tensor in scope.tensors:
        if tensor is value.tensor:
            return name or None
    return value.hint if value.tensor is None and scope.kind == "layer" else None


def _hints(scope: Scope) -> tuple[str, ...]:
    owner = scope.owner
    if scope.kind == "pattern":
        return (scope.name,)
    if scope.kind == "function" or owner is None or isinstance(owner, tuple):
        return ()
    named = (owner.name,) if getattr(owner, "named", False) else ()
    words = (getattr(owner, "attribute", None), getattr(owner, "variable", None))
    return named + tuple(word for word in words if word)


def count_uses(module: Module) -> Counter[int]:
    """How often each member (by id) is called."""
    return Counter(id(member) for node in module.nodes for member in members_in(node))
