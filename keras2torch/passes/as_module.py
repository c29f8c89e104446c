"""Nodes as modules: what may stand in an nn.Sequential."""

from __future__ import annotations

from keras2torch.errors import K2TError
from keras2torch.module import Node, Submodule
from keras2torch.torch_signatures import signature_of

_POOL = ("kernel_size", "stride", "padding")

# Functions of one tensor as modules: (class, names of the further arguments).
_MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "F.relu": ("nn.ReLU", ()),
    "F.relu6": ("nn.ReLU6", ()),
    "F.elu": ("nn.ELU", ("alpha",)),
    "F.gelu": ("nn.GELU", ()),
    "F.silu": ("nn.SiLU", ()),
    "F.leaky_relu": ("nn.LeakyReLU", ("negative_slope",)),
    "F.softmax": ("nn.Softmax", ()),
    "torch.sigmoid": ("nn.Sigmoid", ()),
    "torch.tanh": ("nn.Tanh", ()),
    "torch.flatten": ("nn.Flatten", ("start_dim",)),
    **{f"F.max_pool{n}d": (f"nn.MaxPool{n}d", _POOL) for n in (1, 2, 3)},
    **{f"F.avg_pool{n}d": (f"nn.AvgPool{n}d", _POOL) for n in (1, 2, 3)},
}


def as_module(node: Node) -> Submodule | None:
    """The module that does what a node does to its only input; None if there is none."""
    if not node.args or len(node.inputs) != 1 or len(node.outputs) != 1:
        return None
    if node.args[0] is not node.inputs[0]:
        return None
    if node.kind == "call" and len(node.args) == 1 and not node.kwargs:
        return node.target
    if node.kind == "method" and node.target == "flatten":
        return Submodule(
            "nn.Flatten", signature_of("nn.Flatten").complete({"start_dim": node.args[1]})
        )
    if node.kind != "function" or node.target not in _MODULES:
        return None
    cls, names = _MODULES[node.target]
    if len(node.args) - 1 > len(names):
        return None
    given = {**dict(zip(names, node.args[1:])), **node.kwargs}
    try:
        return Submodule(cls, signature_of(cls).complete(given))
    except K2TError:
        return None
