"""The table of layers that a script prints with ``--summary``."""

from __future__ import annotations

from keras2torch.quoting import quote
from keras2torch.training.module_info import ModuleInfo


def summary_package(module: ModuleInfo) -> str:
    """torchsummary where it is right, else torchinfo."""
    return "torchinfo" if _torchinfo(module) else "torchsummary"


def _torchinfo(module: ModuleInfo) -> bool:
    port = module.inputs[0]
    known = all(isinstance(n, int) for n in port.shape[1:])
    return module.needs_torchinfo or len(module.inputs) > 1 or port.dtype != "float32" or not known


def summary_lines(module: ModuleInfo) -> list[str]:
    """What ``--summary`` runs."""
    sizes = []
    for port in module.inputs:
        order = port.permutation or tuple(range(len(port.shape)))
        shape = [port.shape[axis] or 8 for axis in order][1:]
        sizes.append(tuple(shape))
    if not _torchinfo(module):
        return [
            "import torchsummary  # type: ignore",
            "",
            f'torchsummary.summary(model.cpu(), {quote(sizes[0])}, device="cpu")',
        ]
    data = [
        f"torch.zeros({', '.join(map(str, (1, *size)))}"
        + ("" if port.dtype.startswith("float") else ", dtype=torch.int64")
        + ")"
        for size, port in zip(sizes, module.inputs)
    ]
    return [
        "import torchinfo",
        f'torchinfo.summary(model, input_data=[{", ".join(data)}], device="cpu")',
    ]
