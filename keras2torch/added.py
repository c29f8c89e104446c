"""What the program adds to the loss beside compile()'s: which terms belong to a graph, where the module keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Call, Graph, Tensor, map_structure
from keras2torch.module import Module, Submodule, walk
from keras2torch.ops.added_loss import Keep, calls_behind, twin
from keras2torch.passes.outline import count_uses
from keras2torch.quoting import to_identifier
from keras2torch.training.own_step import own_step

KEPT = "added_loss"
"""The attribute in which a module keeps what its last forward adds to the loss."""


def with_added_losses(graph: Graph, model: Any) -> Graph:
    """The graph of ``model``, and the calls that compute what is added to its loss."""
    known = set(map(id, graph.tensors))
    more: dict[int, Call] = {}
    for term in _terms(graph, model):
        for call in calls_behind(term, known) or ():
            more[id(call)] = call
    if not more:
        return graph
    # What the terms are made of may add to the loss, too.
    return with_added_losses(_extended(graph, list(more.values()), known), model)


def _extended(graph: Graph, more: list[Call], known: set[int]) -> Graph:
    """The graph with calls that no output needs, every call behind what it reads."""
    made = known | {id(tensor) for call in more for tensor in call.outputs}
    around = [s for s in graph.calls[0].scopes if all(s in call.scopes for call in graph.calls)]
    for call in more:
        call.scopes = (*around, *(scope for scope in call.scopes if scope not in around))
        swap = lambda tensor: twin(tensor, made)  # noqa: E731
        call.args, call.kwargs = map_structure(swap, call.args), map_structure(swap, call.kwargs)
    waiting = {id(call): call for call in sorted((*graph.calls, *more), key=lambda c: c.order)}
    ordered: list[Call] = []

    def place(call: Call) -> None:
        if waiting.pop(id(call), None) is not None:
            for tensor in call.inputs:
                if tensor.call is not None:
                    place(tensor.call)
            ordered.append(call)

    for call in list(waiting.values()):
        place(call)
    return Graph(graph.inputs, graph.outputs, tuple(ordered), graph.name)


def with_kept_tensors(graph: Graph, model: Any) -> Graph:
    """The graph, keeping what a loss of the program reads of it beside target and prediction."""
    from keras2torch.training.record import record
    from keras2torch.training.traced import tensors_read

    try:
        step = own_step(model)
    except K2TError:
        return graph  # told when the training script is made
    known = set(map(id, graph.tensors))
    ends = graph.inputs if step is None else (*graph.inputs, *graph.outputs)
    given, names = set(map(id, ends)), {KEPT}
    calls: dict[int, Call] = {}
    for read in tensors_read(record(model), step, known):
        tensor = twin(read, known)
        behind = calls_behind(tensor, known)
        if id(tensor) in given or behind is None:
            continue
        made = Keep(_attribute(read, names), read).record(tensor)
        made.call.scopes = ()
        calls.update((id(call), call) for call in (*behind, made.call))
    return _extended(graph, list(calls.values()), known) if calls else graph


def _attribute(tensor: Tensor, taken: set[str]) -> str:
    """``last_z_mean``: the program's variable, or its layer's name."""
    call = tensor.call
    given = call.assigned.target if call is not None and call.assigned else tensor.producer
    base = name = f"last_{to_identifier(given or 'value')}"
    number = 2
    while name in taken:
        name, number = f"{base}{number}", number + 1
    taken.add(name)
    return name


def kept_tensors(module: Module) -> tuple[tuple[Tensor, str], ...]:
    """What a loss of the program reads of the last forward: the tensor that it names, and the attribute."""
    nodes = [node for node in module.nodes if node.kind == "keep" and node.target != KEPT]
    return tuple((node.call.operation.read, node.target) for node in nodes)


def _terms(graph: Graph, model: Any) -> list[Tensor]:
    """What the layers that gave the graph's tensors added to the loss, and the model itself."""
    found = [term for term in model._losses if isinstance(term, Tensor) and _stands(term)]
    found += [term for tensor in graph.tensors for term in tensor.terms]
    return [term for term in found if isinstance(term, Tensor)]


def _stands(term: Tensor) -> bool:
    return term.call is not None and term.call.operation.once_for_all  # type: ignore[attr-defined]


def refuse_lost_terms(graph: Graph) -> None:
    """UnsupportedError where a term of the loss cannot be computed beside the outputs."""
    for tensor in graph.tensors:
        for term in tensor.terms:
            if isinstance(term, K2TError):
                raise term
    _refuse_inner(graph)


def _refuse_inner(graph: Graph) -> None:
    """Layers that a wrapper calls, step by step or from both ends, add terms that the module does not see."""
    for call in graph.calls:
        wrapper: Any = call.operation
        if not hasattr(wrapper, "sublayers") or wrapper.user_defined:
            continue
        steps = (
            type(wrapper).__name__ == "TimeDistributed"
        )  # calls what it wraps without its regularizer
        for layer in wrapper.sublayers():
            if layer._losses or (layer.activity_regularizer is not None and not steps):
                raise UnsupportedError(
                    f"{layer.name!r} inside {wrapper.name!r} adds a term of its own to the loss "
                    "(add_loss, or an activity regularizer), which is not carried",
                    where=layer.where or call.where,
                    fix="leave it out, or regularise the output of the wrapper",
                )


def kept_terms(module: Module) -> list[str]:
    """What the last forward added to the loss, as terms over ``net``.

    Raises UnsupportedError where a block that keeps one runs more than once in a forward.
    """
    _refuse_repeated(module)
    paths = [path for path, body in _bodies(module) if _keeps(body)]
    if len(paths) <= FEW:
        return [f"net.{path}{KEPT}" for path in paths]
    return [f'sum(m.{KEPT} for m in net.modules() if hasattr(m, "{KEPT}"))']


FEW = 3  # terms that are written one by one


def _keeps(body: Module) -> bool:
    return any(node.kind == "keep" and node.target == KEPT for node in body.nodes)


def _bodies(module: Module) -> Iterator[tuple[str, Module]]:
    """Every instance of a class with its path, which ends in a dot."""
    from keras2torch.penalties import attribute_path

    yield "", module
    for path, member in walk(module):
        if isinstance(member, Submodule) and member.body is not None:
            yield f"{attribute_path(path)}.", member.body


def _refuse_repeated(module: Module) -> None:
    for _, body in _bodies(module):
        for member, uses in count_uses(body).items():
            block = next((m for m in body.members if id(m) == member), None)
            inner = block.body if isinstance(block, Submodule) else None
            if uses > 1 and inner is not None and any(_keeps(b) for _, b in _bodies(inner)):
                raise UnsupportedError(
                    f"{type(block.owner).__name__} is called {uses} times, "  # type: ignore[union-attr]
                    "and adds to the loss each time, which is not carried",
                    where=getattr(block.owner, "where", None),  # type: ignore[union-attr]
                    fix="make one layer for each call, or add the loss outside of it",
                )
