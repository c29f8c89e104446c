"""The first layer that differs: between edited and fresh text, else between the translation and Keras."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from keras2torch.layers.base import Layer
from keras2torch.models import Model
from keras2torch.pipeline import Generated, generate
from keras2torch.verify.keras_side import KerasSide
from keras2torch.verify.report import Row, row
from keras2torch.verify.samples import Case
from keras2torch.verify.torch_side import TorchSide, _tensors, owners

_SLACK = 10  # rounding adds up on the way to a layer inside, and some layers are small differences
_EXACT = 1e-6  # two texts of one module, in one library

Pairs = Iterator[tuple[str, Any, Any]]
"""(name of a layer, what it returns, what it should return)"""


def first_difference(
    result: Generated, net: TorchSide, real: KerasSide, case: Case, tolerance: float
) -> str | None:
    """The name of the first layer whose output is not Keras's, with its path in the torch module."""
    found = None
    if net.path is not None:
        found = _first(_edited(result, net, case), _EXACT)
    return found or _first(_translated(result, real, case, tolerance), tolerance)


def first_weight(result: Generated, rows: list[Row]) -> str | None:
    """The layer of the first weight that differs: one that only meets zeros changes no output."""
    keys = (one.what for one in rows if not one.passed and one.what in result.weight_map)
    key = next(keys, None)
    if key is None:
        return None
    return _named(owners(result), key.rpartition(".")[0], []) if "." in key else f"self.{key}"


def layers_row(
    result: Generated, net: TorchSide, real: KerasSide, case: Case, tolerance: float
) -> tuple[Row, str | None]:
    """All layers inside, where the outputs agree; and the name of the first that differs.

    The outputs of a deep network may hide a fault: what its layers add comes to next to nothing, as before
    training, or a softmax makes it so. The row's numbers are those of the worst layer.
    """
    edited = list(_edited(result, net, case)) if net.path is not None else []
    tolerance *= _SLACK
    translated = list(_translated(result, real, case, tolerance))
    worst = Row("", "", 0.0, 0.0)
    for name, actual, expected in edited + translated:
        one = row("layers inside", case.label, actual, expected, tolerance)
        if one.difference is None:  # of another shape: not the same layer, for the outputs agree
            continue
        if not one.passed:
            return one, name
        if _relative(one) >= _relative(worst):
            worst, one.note = one, f"worst: {name}"
    worst.what = f"{len(translated)} layers inside"
    return worst, None


def _relative(one: Row) -> float:
    return (one.difference or 0.0) / (one.scale or 1.0)


def _first(pairs: Pairs, tolerance: float) -> str | None:
    differing = (
        name for name, *both in pairs if not row("", "", both[0], both[1], tolerance).passed
    )
    return next(differing, None)


# An edited file or other weights: beside the module as it would be generated now.
def _edited(result: Generated, net: TorchSide, case: Case) -> Pairs:
    given, names = dict(_recorded(net, case)), owners(result)
    fresh = _recorded(TorchSide(result), case)
    before = None
    for index, (key, (taken, expected)) in enumerate(fresh):
        if key in given:  # else renamed, or never reached
            following = [path for (path, _), _ in fresh[index + 1 :]]
            name = _named(names, key[0], following)
            if before and not _equal([given[key][0]], [taken], _EXACT):
                name += f", or what comes between {before} and it"
            yield name, given[key][1], expected
            before = _named(names, key[0], [])
    reached = [key[0] for key, _ in fresh if key in given]
    if reached and fresh[-1][0] not in given:
        yield f"what follows {_named(names, reached[-1], [])}", (), (0,)


def _named(names: dict[str, str], path: str, following: list[str]) -> str:
    """``conv1 (self.stem.conv)``: by the innermost member with a Keras layer; a pad by the layer behind it."""
    if owner := _owner(names, path):
        return f"{owner} (self.{path})"
    behind = next(filter(None, (_owner(names, other) for other in following)), None)
    return f"self.{path}, before {behind}" if behind else f"self.{path}"


def _owner(names: dict[str, str], path: str) -> str | None:
    while path and path not in names:
        path = path.rpartition(".")[0]
    return names.get(path)


def _recorded(side: TorchSide, case: Case) -> list[tuple[tuple[str, int], tuple[Any, Any]]]:
    """((path, how many times before), (input, output)) of every innermost module, in the order of their runs."""
    import torch

    found: list[tuple[tuple[str, int], tuple[Any, Any]]] = []

    def copied(value: Any) -> Any:
        first = value[0] if isinstance(value, tuple) and value else value
        return first.detach().clone().numpy() if isinstance(first, torch.Tensor) else None

    times: Counter[str] = Counter()

    def hook(path: str) -> Any:
        def keep(module: Any, given: Any, output: Any) -> None:
            if (made := copied(output)) is not None:
                found.append(((path, times[path]), (copied(given), made)))
                times[path] += 1

        return keep

    leaves = [(p, m) for p, m in side.net.named_modules() if p and not list(m.children())]
    handles = [module.register_forward_hook(hook(path)) for path, module in leaves]
    try:
        with torch.no_grad():
            side.forward(_tensors(side.result, case.arrays))
    except Exception:  # noqa: BLE001 - whatever an edited file raises: what ran before tells where
        pass
    finally:
        for handle in handles:
            handle.remove()
    return found


# A fault of the translation: every layer's output beside Keras's.
def _translated(result: Generated, real: KerasSide, case: Case, tolerance: float) -> Pairs:
    assert result.graph is not None and result.source is not None
    paths = _paths(result.source.model)
    expected: dict[tuple[str, ...], list[list[Any]]] = {}
    for (path, _), outputs in real.layer_outputs(case).items():
        expected.setdefault(path, []).append(outputs)
    known = []
    for call in result.graph.calls:
        path = paths.get(id(call.operation), ())
        if any(len(outputs) == len(call.outputs) for outputs in expected.get(path, ())):
            known.append((call, path))
    if not known:
        return
    tensors = [tensor for call, _ in known for tensor in call.outputs]
    probe = generate(Model(list(result.graph.inputs), tensors), name="probe")
    actual = iter(TorchSide(probe).run(case))
    for call, path in known:
        outputs = [next(actual) for _ in call.outputs]
        # Keras may run the calls of a shared layer in another order, and number a program's layers otherwise.
        by_name = _closest(outputs, expected[path])
        if not _equal(outputs, by_name, tolerance):
            by_value = _closest(outputs, [given for calls in expected.values() for given in calls])
            by_name = by_value if _equal(outputs, by_value, tolerance) else by_name
        for left, right in zip(outputs, by_name):
            yield "/".join(path), left, right


def _closest(outputs: list[Any], choices: list[list[Any]]) -> list[Any]:
    return min(choices, key=lambda other: _distance(outputs, other))


def _distance(left: list[Any], right: list[Any]) -> float:
    if [array.shape for array in left] != [array.shape for array in right]:
        return float("inf")
    return sum(row("", "", a, b, 0.0).difference or 0.0 for a, b in zip(left, right))


def _equal(left: list[Any], right: list[Any], tolerance: float) -> bool:
    pairs = [(a, b) for a, b in zip(left, right) if a is not None and b is not None]
    return all(row("", "", a, b, tolerance).passed for a, b in pairs)


def _paths(layer: Layer, path: tuple[str, ...] = ()) -> dict[int, tuple[str, ...]]:
    """id of every layer inside -> the names of the layers around it, and its own."""
    found: dict[int, tuple[str, ...]] = {}
    for inner in layer.sublayers():
        found[id(inner)] = (*path, inner.name)
        found.update(_paths(inner, (*path, inner.name)))
    return found
