"""What the field calls a block, told from its structure; for blocks that the program did not name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from keras2torch.module import Module, Node, Submodule, Value, parts_of
from keras2torch.passes.regions import branches

DOCUMENTATION = {
    "Bottleneck": "1x1, 3x3 and 1x1 convolutions beside a shortcut.",
    "ConvNeXtBlock": "A depthwise convolution, then two dense layers on the channels; beside a shortcut.",
    "DenseLayer": "Appends its own features to those that it is given.",
    "Inception": "Parallel branches, joined along the channels.",
    "InceptionResidual": "Parallel branches, joined and added to the input.",
    "InvertedResidual": "Widen, convolve each channel by itself, narrow; beside a shortcut.",
    "MBConv": "Widen, convolve each channel by itself, weigh the channels, narrow.",
    "NormalCell": "Sums of pairs of operations, joined along the channels.",
    "ReductionCell": "Sums of pairs of operations, joined along the channels; the image gets smaller.",
    "ResidualBlock": "Convolutions beside a shortcut.",
    "SeparableResidual": "Separable convolutions beside a shortcut.",
    "Transition": "A convolution and pooling between two stages.",
}


def block_name(body: Module) -> str | None:
    """``Bottleneck``, ``InvertedResidual``, ``DenseLayer`` ...; None for a structure without a name."""
    facts = _Facts(body)
    last = _before_activation(body.outputs[0])
    if last is None:
        return None
    if facts.attention:
        return "TransformerBlock" if facts.linears else "AttentionBlock"
    if last.kind in ("operator", "optional") and last.target == "+":
        return _residual(facts)
    if last.target == "torch.cat":
        if len(body.inputs) == 1 and any(value is body.inputs[0] for value in last.inputs):
            return "DenseLayer"
        if len(body.inputs) > 1 and facts.upsamples:
            return "DecoderBlock"
        sums = sum(_is_sum(value) for value in last.inputs)
        if len(last.inputs) > 2 and 2 * sums >= len(last.inputs):  # of pairs, as in NASNet
            return "ReductionCell" if reduces(body) else "NormalCell"
        return "Inception" if len(last.inputs) > 2 else None
    if facts.merges and facts.upsamples:
        return "DecoderBlock"
    if len(facts.convolutions) == 1 and facts.pools and facts.starts_with_norm:
        return "Transition"
    if facts.convolutions and facts.linears == 0 and not facts.merges:
        return _chain(facts)
    return None


def _is_sum(value: Value) -> bool:
    return value.node is not None and value.node.kind == "operator" and value.node.target == "+"


def reduces(body: Module) -> bool:
    """Whether an image comes out smaller than it went in."""
    before, after = body.inputs[0].shape, body.outputs[0].shape
    if len(before) != len(after) or len(after) < 3:
        return False
    pairs = list(zip(before[2:], after[2:]))
    return all(a is not None and b is not None and b < a for a, b in pairs)


def _residual(facts: _Facts) -> str:
    if facts.depthwise:
        if facts.depthwise[0] == 0 and facts.layer_norm:
            return "ConvNeXtBlock"
        if len(facts.convolutions) > 2 and facts.kernels[0] == 1 and len(facts.depthwise) == 1:
            return "MBConv" if facts.gated else "InvertedResidual"
        return "SeparableResidual"
    if facts.concatenates:
        return "InceptionResidual"
    if facts.main_kernels == [1, 3, 1]:
        return "Bottleneck"
    return "ResidualBlock"


def _chain(facts: _Facts) -> str:
    count = len(facts.convolutions)
    if count == 1:
        return f"Conv{'Norm' if facts.norms else ''}{'Act' if facts.activations else ''}"
    if facts.depthwise:
        return "MBConv" if facts.gated else "SeparableConv" if count == 2 else "SeparableBlock"
    return "ConvBlock"


def branch_names(body: Module) -> dict[int, str]:
    """Names for the members (by id) of several concatenated branches.

    ``branch2`` for a member that alone makes the second; where that branch forks, also ``branch2a`` and ``branch2b``.
    """
    users = body.users()
    found: dict[int, str] = {}
    for node in body.nodes:
        if node.target != "torch.cat" or not _from_one_tensor(node, users):
            continue
        for index, value in enumerate(node.inputs):
            name = f"branch{index + 1}"
            chain, fork = _chain_before(value, users)
            if fork is not None and not chain:
                tips = [_chain_before(tip, users)[0] for tip in fork.inputs]
                trunk = _trunk(fork, users)
                if all(len(tip) == 1 for tip in tips) and len(trunk) == 1:
                    found[id(trunk[0])] = name
                    found.update((id(tip[0]), f"{name}{chr(97 + i)}") for i, tip in enumerate(tips))
            elif len(chain) == 1 and "Norm" not in str(chain[0].cls):
                found[id(chain[0])] = name
    return found


def shortcut_names(body: Module) -> dict[int, str]:
    """``shortcut`` and ``shortcut_bn`` for the members (by id) of a projection that is added to the main branch."""
    users = body.users()
    last = _before_activation(body.outputs[0])
    if last is None or last.kind != "operator" or last.target != "+" or len(last.inputs) != 2:
        return {}
    chains = [_chain_before(value, users)[0] for value in last.inputs]
    chains.sort(key=len)
    weights = [
        sum(m.body is not None or (bool(m.weights) and "Norm" not in str(m.cls)) for m in chain)
        for chain in chains
    ]
    if weights[0] != 1 or weights[1] < 2 or any(m.items or m.body for m in chains[0]):
        return {}
    return {
        id(m): "shortcut_bn" if "Norm" in str(m.cls) else "shortcut" for m in chains[0] if m.weights
    }


def _from_one_tensor(node: Node, users: dict[int, list[Node]]) -> bool:
    """Whether what is concatenated are branches: two at least made of one tensor; of two, none the tensor itself."""
    origins = [_origin(value, users) for value in node.inputs]
    if len(origins) > 2:
        return max(Counter(map(id, origins)).values()) > 1
    return origins[0] is origins[-1] and all(value is not origins[0] for value in node.inputs)


def _origin(value: Value, users: dict[int, list[Node]]) -> Value:
    """What a chain begins with that others read too, or that is made of several."""
    while value.node is not None and len(users.get(id(value), [])) == 1:
        if len(value.node.inputs) != 1:
            break
        value = value.node.inputs[0]
    return value


def _chain_before(
    value: Value, users: dict[int, list[Node]]
) -> tuple[list[Submodule], Node | None]:
    """The members that make a value, up to what others read too; and the concatenation that they end at, if any."""
    members: list[Submodule] = []
    while value.node is not None and len(users.get(id(value), [])) == 1:
        maker = value.node
        if maker.kind == "loop":
            break
        if maker.target == "torch.cat":
            return members, maker
        if isinstance(maker.target, Submodule):
            members.append(maker.target)
        if len(maker.inputs) != 1:
            break
        value = maker.inputs[0]
    return members, None


def _trunk(fork: Node, users: dict[int, list[Node]]) -> list[Submodule]:
    """The members before the tensor that all tips of a fork begin with."""
    start: set[int] = set()
    source: Value | None = None
    for source in fork.inputs:
        while source.node is not None and len(users.get(id(source), [])) == 1:
            source = source.node.inputs[0]
        start.add(id(source))
    if source is None or source.node is None or len(start) != 1:
        return []
    maker = source.node
    rest = _chain_before(maker.inputs[0], users)[0] if len(maker.inputs) == 1 else []
    return [*([maker.target] if isinstance(maker.target, Submodule) else []), *rest]


class _Facts:
    def __init__(self, body: Module):
        parts = list(_all_parts(body))
        self.convolutions = [p for p in parts if str(p.cls).startswith("nn.Conv")]
        self.kernels = [_kernel(p) for p in self.convolutions]
        optional = {
            id(p)
            for m in body.members
            if getattr(m, "present", None) is not None
            for p in parts_of(m)
        }
        self.main_kernels = [_kernel(p) for p in self.convolutions if id(p) not in optional]
        if len(self.main_kernels) > 3 and self.main_kernels[0] == 1:
            self.main_kernels = self.main_kernels[1:]  # the shortcut's
        self.depthwise = [
            i for i, p in enumerate(self.convolutions) if p.args.get("groups", 1) != 1
        ]
        self.linears = sum(str(p.cls) == "nn.Linear" for p in parts)
        self.norms = [p for p in parts if "Norm" in str(p.cls)]
        self.layer_norm = any("LayerNorm" in str(p.cls) for p in parts)
        self.attention = any("Attention" in str(getattr(p.cls, "name", p.cls)) for p in parts)
        targets = [str(n.target) for n in body.nodes if isinstance(n.target, str)]
        self.activations = any(
            node.kind == "function"
            and len(node.inputs) == 1
            and node.output.shape == node.inputs[0].shape
            for node in body.nodes
        )
        self.concatenates = "torch.cat" in targets
        self.pools = any("pool" in name for name in targets)
        self.upsamples = any("interpolate" in n for n in targets) or any(
            "Transpose" in str(p.cls) or "Upsample" in str(p.cls) for p in parts
        )
        self.merges = any(len(set(map(id, node.inputs))) > 1 for node in body.nodes)
        self.gated = any(
            node.kind == "operator" and node.target == "*" and len(node.inputs) == 2
            for node in body.nodes
        )
        first = body.nodes[0].target
        self.starts_with_norm = isinstance(first, Submodule) and "Norm" in str(first.cls)


def _all_parts(body: Module) -> Iterator[Submodule]:
    """The parts of a block, and those of the small chains in it."""
    for member in body.members:
        for part in parts_of(member):
            chain = part.body is not None and not branches(part.body.nodes)
            if part.body is not None and chain:
                yield from _all_parts(part.body)
            else:
                yield part


def _kernel(sub: Submodule) -> Any:
    kernel = sub.args.get("kernel_size")
    return kernel[0] if isinstance(kernel, tuple) and len(set(kernel)) == 1 else kernel


def _before_activation(value: Value) -> Node | None:
    node = value.node
    while node is not None and len(node.inputs) == 1 and node.inputs[0].node is not None:
        if isinstance(node.target, Submodule) and (node.target.weights or node.target.body):
            break
        if node.kind not in ("function", "call") or node.target == "torch.cat":
            break
        node = node.inputs[0].node
    return node
