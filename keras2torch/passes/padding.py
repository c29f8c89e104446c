"""padding: print pads late, where all instances of a class are known.

x = pad(x, 1 on all sides)             conv(..., padding=1)          all instances even
x = conv(x)                      ->    F.pad(x, (0, 1, 0, 1))        all instances equally lopsided
                                       self.pad = nn.ZeroPad2d(...)  instances differ
"""

from __future__ import annotations

from typing import Any

from keras2torch.module import Module, Node, Submodule, Value, classes_of
from keras2torch.passes.outline import count_uses


def padding(module: Module) -> Module:
    """Fold or spell out every pad node."""
    for cls in classes_of(module):
        for index in reversed(range(len(cls.body.nodes))):
            if cls.body.nodes[index].kind == "pad":
                settle_pad(cls.instances, index)
    return module


def settle_pad(instances: list[Module], index: int, as_modules: bool = False) -> None:
    """Fold the pad at ``index`` of all instances, or spell it out (``as_modules``: as nn.ZeroPad2d)."""
    nodes = [instance.nodes[index] for instance in instances]
    pads = [node.kwargs["pads"] for node in nodes]
    if all(low == high == 0 for pad in pads for low, high in pad):
        for instance, node in zip(instances, nodes):
            _bypass(instance, node)
    elif all(low == high for pad in pads for low, high in pad) and _can_fold(
        instances[0], nodes[0]
    ):
        for instance, node in zip(instances, nodes):
            consumer = _consumer(instance, node)
            assert consumer is not None
            amounts = [low for low, _ in node.kwargs["pads"]]
            value = amounts[0] if len(set(amounts)) == 1 else tuple(amounts)
            if isinstance(consumer.target, Submodule):
                consumer.target.args["padding"] = value
            else:
                consumer.kwargs["padding"] = value
            _bypass(instance, node)
    elif (earlier := _same_pad(instances, index)) is not None:
        for instance, node in zip(instances, nodes):
            _bypass(instance, node, instance.nodes[earlier].output)
    else:
        differ = len(set(pads)) > 1
        for node in nodes:
            _spell_out(node, differ or as_modules, differ)


def _same_pad(instances: list[Module], index: int) -> int | None:
    """An earlier pad that does the same to the same tensor, in all instances."""

    def form(module: Module, at: int) -> object:
        node = module.nodes[at]
        return (node.kind, id(node.args[0]), node.kwargs) if node.kind == "pad" else None

    for earlier in range(index):
        if all(
            form(instance, index) == form(instance, earlier) is not None for instance in instances
        ):
            return earlier
    return None


def _consumer(module: Module, node: Node) -> Node | None:
    users = module.users().get(id(node.output), [])
    return users[0] if len(users) == 1 and node.output not in module.outputs else None


def _can_fold(module: Module, node: Node) -> bool:
    """Whether the only reader has a ``padding`` argument that fills with the same value."""
    consumer = _consumer(module, node)
    if consumer is None or node.kwargs["mode"] != "constant":
        return False
    if consumer.folds is None:
        return _never_seen(node, consumer)
    if consumer.folds != node.kwargs["value"]:
        return False
    if isinstance(consumer.target, Submodule):
        return (
            consumer.target.args.get("padding") == 0
            and count_uses(module)[id(consumer.target)] == 1
        )
    return not consumer.kwargs.get("padding")


_NOT_NEGATIVE = ("F.relu", "F.relu6", "torch.sigmoid", "F.softmax")


def _never_seen(node: Node, pool: Node) -> bool:
    """Zeros around what is not negative: they are in no maximum, as torch's own padding of a max-pool is not."""
    maker, amounts = node.args[0].node, [low for low, _ in node.kwargs["pads"]]
    if maker is None or maker.target not in _NOT_NEGATIVE or node.kwargs["value"] != 0:
        return False
    if not str(pool.target).startswith("F.max_pool") or len(pool.args) < 2 or pool.kwargs:
        return False
    kernel = pool.args[1] if isinstance(pool.args[1], tuple) else (pool.args[1],) * len(amounts)
    return all(2 * amount <= size for amount, size in zip(amounts, kernel))


def _bypass(module: Module, node: Node, source: Value | None = None) -> None:
    """Let the readers of a node read its input instead, or ``source``."""
    source = source or node.args[0]
    table = {id(node.output): source}
    for other in module.nodes:
        other.replace_inputs(table)
    module.outputs = [source if value is node.output else value for value in module.outputs]
    module.nodes = [other for other in module.nodes if other is not node]


def torch_pads(pads: Any) -> tuple[int, ...]:
    """torch's order: the last dimension first, (before, after) each."""
    return tuple(amount for low_high in reversed(pads) for amount in low_high)


def _spell_out(node: Node, as_module: bool, differ: bool) -> None:
    pads, value, mode = (node.kwargs[k] for k in ("pads", "value", "mode"))
    rank = len(node.args[0].shape) - 2
    amounts: Any = torch_pads(pads)
    lopsided = any(low != high for low, high in pads)
    if as_module and mode == "constant" and value == 0 and len(pads) == rank and 1 <= rank <= 3:
        if not differ and len(set(amounts)) == 1:
            amounts = amounts[0]
        note = f'Keras "same": {_sides(rank)}' if node.note is None else node.note
        node.kind, node.kwargs, node.note = "call", {}, None
        node.target = Submodule(
            f"nn.ZeroPad{rank}d", {"padding": amounts}, hints=("pad",), note=note
        )
        return
    node.kind, node.target = "function", "F.pad"
    # Leading dimensions that are not padded need no mention.
    node.args, node.kwargs = (node.args[0], amounts), {}
    if mode != "constant":
        node.kwargs["mode"] = mode
    elif value:
        node.kwargs["value"] = value
    if lopsided and node.note is None:
        node.note = 'Keras "same" puts the odd pixel last'


def _sides(rank: int) -> str:
    return ("left, right", "left, right, top, bottom", "left, right, top, bottom, front, back")[
        rank - 1
    ]
