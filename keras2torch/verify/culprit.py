"""The first layer that differs: between edited and fresh text, else between the translation and Keras."""

from __future__ import annotations

from collections import Counter
from typing import Any

from keras2torch.graph import Call
from keras2torch.layers.base import Layer
from keras2torch.models import Model
from keras2torch.pipeline import Generated, generate
from keras2torch.verify.keras_side import KerasSide
from keras2torch.verify.report import row
from keras2torch.verify.samples import Case
from keras2torch.verify.torch_side import TorchSide, _tensors, owners


def first_difference(
    result: Generated, net: TorchSide, real: KerasSide, case: Case, tolerance: float
) -> str | None:
    """The name of the first layer whose output is not Keras's, with its path in the torch module."""
    if net.path is not None:
        found = _edited(result, net, TorchSide(result), case)
        if found is not None:
            return found
    return _mistranslated(result, real, case, tolerance)


# An edited file or other weights: beside the module as it would be generated now.
def _edited(result: Generated, net: TorchSide, fresh: TorchSide, case: Case) -> str | None:
    names = owners(result)
    given = _recorded(net, case)
    changed = None
    for key, expected in _recorded(fresh, case):
        actual = next((tensor for k, tensor in given if k == key), None)
        if actual is None:  # renamed, or never reached
            continue
        if not row("", "", actual, expected, 1e-6).passed:
            return _named(names, key[0])
        changed = key[0]
    if given and changed is not None and _recorded(fresh, case)[-1][0] not in dict(given):
        return f"what follows {_named(names, changed)}"
    return None


def _named(names: dict[str, str], path: str) -> str:
    """``conv1 (self.stem.conv)``: by the innermost member with a Keras layer."""
    inner = path
    while inner and inner not in names:
        inner = inner.rpartition(".")[0]
    return f"{names[inner]} (self.{path})" if inner else f"self.{path}"


def _recorded(side: TorchSide, case: Case) -> list[tuple[tuple[str, int], Any]]:
    """((path, how many times before), output) of every innermost module, in the order of their runs."""
    import torch

    found: list[tuple[tuple[str, int], Any]] = []
    times: Counter[str] = Counter()

    def hook(path: str) -> Any:
        def keep(module: Any, given: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, torch.Tensor):
                found.append(((path, times[path]), first.detach().clone().numpy()))
                times[path] += 1

        return keep

    leaves = [(p, m) for p, m in side.net.named_modules() if p and not list(m.children())]
    handles = [module.register_forward_hook(hook(path)) for path, module in leaves]
    try:
        with torch.no_grad():
            side.net(*_tensors(side.result, case.arrays))
    except RuntimeError:
        pass  # shapes no longer fit: what ran before tells where
    finally:
        for handle in handles:
            handle.remove()
    return found


# A fault of the translation: every layer's output beside Keras's.
def _mistranslated(result: Generated, real: KerasSide, case: Case, tolerance: float) -> str | None:
    assert result.graph is not None and result.source is not None
    paths = _paths(result.source.model)
    times: Counter[int] = Counter()
    known: list[tuple[Call, tuple[tuple[str, ...], int]]] = []
    expected = real.layer_outputs(case)
    for call in result.graph.calls:
        path = paths.get(id(call.operation))
        if path is None:
            continue
        key = (path, times[id(call.operation)])
        times[id(call.operation)] += 1
        if len(expected.get(key, ())) == len(call.outputs):
            known.append((call, key))
    if not known:
        return None
    tensors = [tensor for call, _ in known for tensor in call.outputs]
    probe = generate(Model(list(result.graph.inputs), tensors), name="probe")
    actual = iter(TorchSide(probe).run(case))
    for _, key in known:
        for right in expected[key]:
            if not row("", "", next(actual), right, tolerance).passed:
                return "/".join(key[0])
    return None


def _paths(layer: Layer, path: tuple[str, ...] = ()) -> dict[int, tuple[str, ...]]:
    """id of every layer inside -> the names of the layers around it, and its own."""
    found: dict[int, tuple[str, ...]] = {}
    for inner in layer.sublayers():
        found[id(inner)] = (*path, inner.name)
        found.update(_paths(inner, (*path, inner.name)))
    return found
