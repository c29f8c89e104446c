"""Terms that layers add to the loss (``add_loss``, ``activity_regularizer``): kept by the last forward."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import Call, Constant, Spec, Tensor, Weight, map_structure, tensors_in
from keras2torch.ops.base import Op, ops


class AddLoss(Op):
    """``self.added_loss = value``: what the training script adds to the loss after every forward.

    ``owner`` is the layer or the model that adds it: in a run of its ``call``, or once for all of them
    (``model.add_loss``). The tensor that it "makes" stands for the term; nothing reads it.
    """

    tensors = ("value",)

    def __init__(self, owner: Any = None, once_for_all: bool = False):
        self.owner, self.once_for_all = owner, once_for_all

    def output_spec(self, value: Any) -> Spec:
        return Spec(())

    def lower(self, b: Any, value: Any) -> Any:
        if value.shape:  # Keras minimises the sum of what is no scalar
            value = b.method("sum", value, shape=(), axes=())
        return b.node("keep", "added_loss", (value,), shape=(), axes=(), dtype="float32")


class Keep(Op):
    """``self.<name> = x``: what a loss of the program reads beside target and prediction.

    ``read`` is the tensor that the loss names; ``x`` is it, or its twin in the model.
    """

    def __init__(self, name: str = "", read: Any = None):
        self.attribute, self.read = name, read

    def output_spec(self, x: Any) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        note = "for the loss"
        return b.node(
            "keep", self.attribute, (x,), shape=x.shape, axes=x.axes, dtype=x.dtype, note=note
        )


class PassOn(Op):
    """The identity: tells apart what a layer was given from what it returns."""

    layout = "any"
    takes_flat = True

    def output_spec(self, x: Any) -> Spec:
        return Spec(x.shape, x.dtype)

    def lower(self, b: Any, x: Any) -> Any:
        return x


def tied(terms: list[Any], args: Any, outputs: Any) -> Any:
    """The outputs of a call that added ``terms`` to the loss: models that read them minimise these, too."""
    given = set(map(id, tensors_in(args)))
    pass_on = PassOn()

    def tie(tensor: Tensor) -> Tensor:
        mask = tensor.mask
        made = pass_on.record(tensor) if id(tensor) in given else tensor
        made.mask, made.terms = mask, made.terms + tuple(terms)
        return made

    return map_structure(tie, outputs)


def add_loss(owner: Any, value: Any) -> None:
    """Record a term that ``owner`` adds to the loss, among its losses."""
    if callable(value) and not isinstance(value, Tensor):
        value = value()
    if value is not None:
        owner._losses.append(AddLoss(owner, not trace.is_tracing()).record(value))


def terms(owner: Any) -> list[Tensor]:
    """The tensors that were given to ``add_loss``."""
    calls = [loss.call for loss in owner._losses if isinstance(loss, Tensor)]
    return [call.kwargs["value"] for call in calls if call is not None]


def add_activity_loss(layer: Any, outputs: Any) -> None:
    """Record what ``activity_regularizer`` adds: its value over the size of the batch, as in Keras.

    A regularizer without a translation is told when the training script is made.
    """
    from keras2torch import regularizers

    try:
        regularizer = regularizers.get(layer.activity_regularizer)
        for x in tensors_in(outputs):
            known = {id(x)}
            loss = regularizer(x)
            add_loss(layer, loss / ops.shape(x)[0] if x.shape else loss)
            for call in calls_behind(layer._losses[-1], known) or ():
                call.assigned = None  # the variable of the statement is the layer's output
    except K2TError as error:
        layer._losses.append(error)
    except Exception as error:  # the user's function may raise anything
        layer._losses.append(
            UnsupportedError(
                f"the activity regularizer of {layer.name!r} cannot be traced: "
                f"{type(error).__name__}: {error}",
                where=trace.user_location() or layer.where,
                fix="write it with keras.ops",
            )
        )


def calls_behind(tensor: Tensor, known: set[int]) -> list[Call] | None:
    """The calls between tensors that are known (by id), or their twins, and this one.

    None if it needs other inputs.
    """
    found: dict[int, Call] = {}
    pending = [tensor]
    while pending:
        one = twin(pending.pop(), known)
        if id(one) in known or isinstance(one, (Weight, Constant)):
            continue
        if one.call is None:
            return None
        if id(one.call) not in found:
            found[id(one.call)] = one.call
            pending += one.call.inputs
    return list(found.values())


def twin(tensor: Tensor, known: set[int]) -> Tensor:
    """The equal tensor that is known (by id), else that of the first run of the model that both are of."""
    if id(tensor) in known or not tensor.twins:
        return tensor
    alike = sorted((tensor, *tensor.twins), key=_turn)
    return next((other for other in alike if id(other) in known), alike[0])


def _turn(tensor: Tensor) -> tuple[bool, float]:
    """Runs of a model in a model come before the tensors that it was made with."""
    if tensor.call is None:
        return True, -1
    return all(scope.kind == "function" for scope in tensor.call.scopes), tensor.call.order
