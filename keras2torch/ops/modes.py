"""What depends on train or eval mode: ``if training:`` in a traced call is followed both ways.

The call runs twice, with the flag true and with it false. What both runs record alike is one; where they
differ, the outputs are chosen in ``forward`` by ``self.training``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import (
    Call,
    Constant,
    Spec,
    Tensor,
    Weight,
    map_structure,
    record,
    tensors_in,
)
from keras2torch.layers.base import Layer
from keras2torch.layers.modes import answering, training_around
from keras2torch.ops.base import Op, as_operand


class ByMode(Op):
    """One tensor in train mode, another in eval mode."""

    layout = "any"
    tensors = ("train", "other")

    def output_spec(self, train: Any, other: Any) -> Spec:
        shape = tuple(m if m == n else None for m, n in zip(train.shape, other.shape))
        return Spec(shape, train.dtype)

    def lower(self, b: Any, train: Any, other: Any) -> Any:
        if b.training is not None:
            return train if b.training else other
        spec = b.output_tensors[0]
        shape = tuple(spec.shape[axis] for axis in train.axes)
        return b.node("mode", "", (train, other), shape=shape, axes=train.axes, dtype=spec.dtype)


_by_mode = ByMode()


def by_mode(train: Any, other: Any) -> Any:
    """Two structures of one form, leaf by leaf, chosen by the module's mode."""
    if training_around[-1] is not None:
        return train if training_around[-1] else other

    def choose(left: Any, right: Any) -> Any:
        if left is right:
            return left
        left, right = as_operand(left), as_operand(right)
        if len(left.shape) != len(right.shape):
            raise UnsupportedError(
                f"train mode gives a tensor of shape {left.shape}, eval mode one of {right.shape}",
                where=trace.user_location(),
                fix="return tensors with the same axes in both modes",
            )
        spec = _by_mode.output_spec(left, right)
        return record(_by_mode, (), {"train": left, "other": right}, spec)

    return zipped(choose, train, other)


def zipped(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """``function`` on the leaves of two structures of one form."""
    if (
        isinstance(left, (list, tuple))
        and isinstance(right, (list, tuple))
        and len(left) == len(right)
    ):
        return type(left)(zipped(function, m, n) for m, n in zip(left, right))
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        return {k: zipped(function, v, right[k]) for k, v in left.items()}
    if left is None and right is None:
        return None
    return function(left, right)


def both_modes(
    layer: Any, call: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """``call(*args, **kwargs)``; once more, for eval mode, if it asks a ``training`` flag."""
    before = _noted(layer)
    with answering(True) as question:
        train = call(*args, **kwargs)
    if not question.asked:
        return train
    kept = _noted(layer)
    with answering(False):
        other = call(*args, **kwargs)
    terms = {}
    for owner, (calls, losses) in kept.items():
        first = before.get(owner, (0, 0))[1]
        terms[owner] = _by_line(owner._losses[first:losses]), _by_line(owner._losses[losses:])
        del owner._calls[calls:], owner._losses[losses:]
    added = [[both[i] for both in terms.values()] for i in (0, 1)]
    merged, merged_terms = _checked(
        _merged((train, added[0]), (other, added[1])), (train, added[0])
    )
    for (owner, (ours, _)), theirs in zip(terms.items(), merged_terms):
        _choose_terms(owner, ours, theirs)
    return zipped(_outcome, train, merged)


def _by_line(terms: list[Any]) -> dict[Any, Tensor]:
    """What a run added to the loss, by the line of the program and its turn there."""
    found: dict[Any, Tensor] = {}
    for term in terms:
        if isinstance(term, Tensor) and term.call is not None:
            turn = sum(line == term.call.where for line, _ in found)
            found[term.call.where, turn] = _term_of(term)
    return found


def _term_of(loss: Any) -> Any:
    return loss.call.kwargs["value"] if isinstance(loss, Tensor) and loss.call else loss


def _choose_terms(owner: Any, train: dict[Any, Tensor], other: dict[Any, Tensor]) -> None:
    """Let every term be what the mode chooses of the two runs; nothing where a run does not add it."""
    from keras2torch.ops.added_loss import add_loss

    for line in {**train, **other}:
        ours, theirs = train.get(line), other.get(line)
        if ours is theirs:
            continue
        owner._losses[:] = [term for term in owner._losses if _term_of(term) is not ours]
        add_loss(owner, _outcome(0.0 if ours is None else ours, 0.0 if theirs is None else theirs))


def _outcome(train: Any, other: Any) -> Any:
    if isinstance(train, Tensor) and isinstance(other, Tensor):
        return train if train is other else _chosen(train, other)
    return by_mode(train, other)


def _noted(layer: Any) -> dict[Any, tuple[int, int]]:
    """How many calls and losses every layer inside has, so that the second run leaves none."""
    found: dict[Any, tuple[int, int]] = {}
    pending = [layer]
    while pending:
        item = pending.pop()
        if item not in found:
            found[item] = (len(item._calls), len(item._losses))
            pending.extend(item.sublayers())
    return found


def _merged(train: Any, other: Any) -> Any:
    """``other`` on the calls of ``train`` wherever the two runs did the same.

    A call that both runs make on different tensors is one call, on what the mode chooses of the two.
    """
    merge = _Merge(_calls(train))
    for call in _calls(other):
        merge.add(call)
    return map_structure(merge.swap, other)


class _Merge:
    """Finds for each call of the second run the call of the first that stands for it."""

    def __init__(self, calls: list[Call]):
        self.same = {_key(call): call for call in calls}
        self.left = calls  # of the first run, not yet met
        self.alone: list[Call] = []  # of the second run, since the last one that was met
        self.table: dict[int, Tensor] = {}

    def swap(self, tensor: Tensor) -> Tensor:
        return self.table.get(id(tensor), tensor)

    def add(self, call: Call) -> None:
        call.args, call.kwargs = map_structure(self.swap, call.args), map_structure(
            self.swap, call.kwargs
        )
        found = self.same.get(_key(call))
        if found is None:
            found = next(
                (c for c in self.left if _key(c, blind=True) == _key(call, blind=True)), None
            )
            if found is None:
                self.alone.append(call)
                return
            self._join(found, call)
        self.left = [c for c in self.left if c.order > found.order]
        self.table.update((id(old), new) for old, new in zip(call.outputs, found.outputs))

    def _join(self, found: Call, call: Call) -> None:
        """Let ``found`` read, for every input in which the two differ, the one that the mode chooses."""
        pairs = list(zip(found.inputs, call.inputs))
        chosen: dict[int, Tensor] = {}
        for left, right in pairs:
            if left is not right and id(left) not in chosen:
                chosen[id(left)] = _chosen(left, right)
        # What only eval mode computes comes before its first reader.
        moved = [*self.alone, *(t.call for t in chosen.values() if _is_choice(t))]
        inside = {id(t) for c in moved if c is not None for t in c.outputs}
        before = [
            t.call.order
            for c in moved
            if c is not None
            for t in c.inputs
            if t.call and id(t) not in inside
        ]
        low = max(before, default=found.order - 1)
        for place, item in enumerate(moved, 1):
            assert item is not None
            item.order = low + (found.order - low) * place / (len(moved) + 1)  # type: ignore[assignment]
        self.alone = []
        pick = lambda tensor: chosen.get(id(tensor), tensor)  # noqa: E731
        found.args, found.kwargs = map_structure(pick, found.args), map_structure(
            pick, found.kwargs
        )


def _is_choice(tensor: Tensor) -> bool:
    return tensor.call is not None and tensor.call.operation is _by_mode


def _chosen(train: Tensor, other: Tensor) -> Tensor:
    """``train if self.training else other``; of a dropout and its input, the dropout: it is the same."""
    call = train.call
    if call is not None and call.training is None and type(call.operation).__name__ in _IDENTITIES:
        if len(call.inputs) == 1 and call.inputs[0] is other:
            return train
    return by_mode(train, other)


# Layers that do nothing in eval mode.
_IDENTITIES = {
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianNoise", "GaussianDropout",
    "AlphaDropout", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness",
}  # fmt: skip


def _checked(structure: Any, train: Any) -> Any:
    """Refuses statistics that eval mode alone would change."""
    ours = {id(call) for call in _calls(train)}
    for call in _calls(structure):
        if id(call) in ours or not isinstance(call.operation, Layer):
            continue
        if any(not weight.trainable for weight in call.operation.weights):
            raise UnsupportedError(
                f"{call.operation} is called in eval mode only, and would change its statistics in train mode",
                where=call.where,
                fix="call it in both modes, with training=training",
            )
    return structure


def _calls(structure: Any) -> list[Call]:
    """The calls that tensors depend on, in order."""
    found: dict[int, Call] = {}
    pending = tensors_in(structure)
    while pending:
        tensor = pending.pop()
        if (
            isinstance(tensor, (Constant, Weight))
            or tensor.call is None
            or id(tensor.call) in found
        ):
            continue
        found[id(tensor.call)] = tensor.call
        pending.extend(tensor.call.inputs)
    return sorted(found.values(), key=lambda call: call.order)


def _key(call: Call, blind: bool = False) -> Hashable:
    """Equal for two calls that compute the same; ``blind``: on whatever tensors."""

    def show(item: Any) -> Hashable:
        if isinstance(item, Constant):
            return ("constant", item.dtype, item.shape, item.value.tobytes())
        if isinstance(item, Tensor):
            return (
                ("tensor", item.shape, item.dtype)
                if blind and not isinstance(item, Weight)
                else ("tensor", id(item))
            )
        if isinstance(item, (list, tuple)):
            return (type(item).__name__, *(show(i) for i in item))
        if isinstance(item, dict):
            return tuple((k, show(v)) for k, v in item.items())
        if isinstance(item, slice):
            return ("slice", show(item.start), show(item.stop), show(item.step))
        return (type(item).__name__, repr(item))

    operation = call.operation
    own: Hashable = id(operation)
    if isinstance(operation, Op):
        own = (type(operation), show(vars(operation)))
    return (own, show(call.args), show(call.kwargs), call.training)
