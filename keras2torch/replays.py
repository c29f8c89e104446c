"""A model's calls recorded once more, on other tensors."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.graph import Call, Scope, map_structure, record, tensors_in


def renew(scope: Scope, renewed: dict[int, Scope], table: dict[int, Any]) -> Scope:
    """The scope of the same block in one more run of the model."""
    if id(scope) not in renewed:
        fresh = trace.new_scope(scope.kind, scope.name, scope.owner, scope.doc)
        # A function's run made its own layers: all replays of it are runs of one block.
        owner = (
            ("run", scope.invocation)
            if scope.kind == "function" and not isinstance(scope.owner, tuple)
            else scope.owner
        )
        renewed[id(scope)] = Scope(
            scope.kind,
            scope.name,
            owner,
            fresh.invocation,
            scope.doc,
            scope.arguments,
            tuple((name, table.get(id(tensor), tensor)) for name, tensor in scope.tensors),
        )
    return renewed[id(scope)]


def replay_call(call: Call, table: dict[int, Any], scopes: tuple[Scope, ...]) -> None:
    swap = lambda tensor: table.get(id(tensor), tensor)  # noqa: E731
    args, kwargs = map_structure(swap, call.args), map_structure(swap, call.kwargs)
    operation: Any = call.operation
    if (owner := getattr(operation, "owner", None)) is not None:
        operation = type(operation)(owner)
    from keras2torch.layers.modes import training_around
    from keras2torch.layers.traced_calls import without_mask

    training = call.training if call.training is not None else training_around[-1]
    try:
        specs = operation.output_spec(*args, **without_mask(kwargs, operation.output_spec))
    except (IndexError, TypeError, ValueError) as error:
        raise K2TError(
            f"{operation} does not fit the new input: {error}", where=trace.user_location()
        ) from error
    made = record(
        operation, args, kwargs, specs, training=training, scopes=scopes, where=call.where
    )
    if owner is not None:
        owner._losses.append(made)  # a term that it adds to the loss, once more
    for old, new in zip(call.outputs, tensors_in(made)):
        table[id(old)] = new
        new.mask = table.get(id(old.mask), old.mask) if old.mask is not None else None
    if new_call := tensors_in(made)[0].call:
        new_call.assigned = call.assigned
