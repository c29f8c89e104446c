"""Run real Keras beside the generated torch module on the same inputs, and say where they part.

The only file, beside runtime.py, that imports torch and Keras.
"""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.generate import Generated, generate
from keras2torch.graph import Call
from keras2torch.module import Submodule, walk


class KerasMissing(K2TError):
    """There is no Keras to compare with."""


@dataclass
class Row:
    """One comparison: what, on which batch, the largest difference, the scale of Keras's values."""

    what: str
    inputs: str
    difference: float
    scale: float
    passed: bool


@dataclass
class Report:
    """All comparisons, and the first layer that differs (None: none does, or it cannot be told)."""

    rows: list[Row] = field(default_factory=list)
    culprit: str | None = None

    @property
    def passed(self) -> bool:
        return bool(self.rows) and all(row.passed for row in self.rows)

    def __str__(self) -> str:
        header = f"{'output':<28}{'inputs':<28}{'max |difference|':>18}{'max |Keras|':>14}"
        lines = [header, "─" * len(header)]
        for row in self.rows:
            mark = "" if row.passed else "  ✗"
            lines.append(f"{row.what:<28}{row.inputs:<28}{row.difference:>18.3g}{row.scale:>14.3g}{mark}")
        if self.culprit:
            lines.append(f"first layer that differs: {self.culprit}")
        return "\n".join(lines)


def verify(
    source: Any,
    *,
    directory: Path | None = None,
    name: str | None = None,
    model: str | None = None,
    gradients: bool = False,
    tolerance: float = 1e-4,
    seed: int = 0,
) -> Report:
    """Compare ``source`` under real Keras with its torch module.

    With ``directory``, the files that lie there are compared (edited or not); else freshly generated
    ones. ``tolerance`` is relative to Keras's largest value. Raises KerasMissing where Keras is not
    installed, K2TError where it cannot load the source.
    """
    real = _real_model(source)
    result = generate(source, name=name, model=model)
    if not result.weights:
        result = _with_weights(result, real)
    net = _module(result, directory)
    fresh = _module(result, None) if directory is not None else net
    report = Report()
    for arrays, label in _inputs(result, seed):
        expected = _run_keras(real, arrays)
        actual = _run_torch(result, net, arrays)
        for port, left, right in zip(result.outputs, actual, expected):
            report.rows.append(_row(port.name, label, left, right, tolerance))
    if gradients:
        arrays, label = _inputs(result, seed)[0]
        report.rows += _gradient_rows(result, net, real, arrays, label, tolerance)
    if not report.passed:
        arrays, _ = _inputs(result, seed)[0]
        report.culprit = _edited_layer(result, net, fresh, arrays) or _wrong_layer(result, real, arrays, tolerance)
    return report


def _keras() -> Any:
    try:
        import keras
    except ImportError as error:
        raise KerasMissing(f"Keras cannot be imported ({error})", fix="pip install keras jax") from None
    return keras


def _real_model(source: Any) -> Any:
    if not isinstance(source, (str, os.PathLike)):
        return source
    path = Path(source)
    if path.suffix == ".py":
        raise K2TError(
            "a program holds no weights to verify", fix="verify the saved model, or pass the live model to keras2torch.verify"
        )
    if "KERAS_BACKEND" not in os.environ:
        os.environ["KERAS_BACKEND"] = _backend()
    keras = _keras()
    try:
        if path.suffix == ".json":
            return keras.models.model_from_json(path.read_text(encoding="utf-8"))
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever Keras raises: the user is told
        raise K2TError(f"the installed Keras {keras.__version__} cannot load {path.name}: {error}") from error


def _backend() -> str:
    from importlib.util import find_spec

    for backend, package in (("jax", "jax"), ("tensorflow", "tensorflow"), ("torch", "torch")):
        if find_spec(package) is not None:
            return backend
    raise KerasMissing("Keras has no backend", fix="pip install jax")


def _with_weights(result: Generated, real: Any) -> Generated:
    from keras2torch.frontend.live import attach

    attach(result.source.model, real)  # type: ignore[union-attr]
    result.__dict__.pop("weights", None)
    return result


def _module(result: Generated, directory: Path | None) -> Any:
    """The module with its weights: of the files in ``directory``, or as generated."""
    import numpy
    import torch

    source, state = result.model_source, {}
    if directory is not None:
        path = directory / f"{result.name}_model.py"
        if not path.exists():
            raise K2TError(f"there is no {path}", fix="run k2t generate first, or leave -o out")
        source = path.read_text(encoding="utf-8")
        weights = directory / f"{result.name}.safetensors"
        if weights.exists():
            from safetensors.torch import load_file

            state = load_file(weights)
    namespace: dict[str, Any] = {"__name__": result.name}
    exec(compile(source, f"<{result.name}_model.py>", "exec"), namespace)
    net = namespace[result.class_name]()
    state = state or {k: torch.from_numpy(numpy.array(v)) for k, v in result.weights.items()}
    net.load_state_dict(state)
    return net.eval()


def _inputs(result: Generated, seed: int) -> list[tuple[list[Any], str]]:
    """Seeded random arrays: two batch sizes, and two sizes of every free axis."""
    import numpy

    limits = [_integer_limit(result, index) for index in range(len(result.inputs))]
    free = any(n is None for port in result.inputs for n in port.shape[1:])
    cases = []
    for batch, size in [(2, 64), (1, 64), *([(2, 97)] if free else [])]:
        rng = numpy.random.default_rng(seed)
        arrays, labels = [], []
        for port, limit in zip(result.inputs, limits):
            shape = [port.shape[0] or batch, *(n or size for n in port.shape[1:])]
            if limit is not None or port.dtype.startswith(("int", "uint")):
                arrays.append(rng.integers(0, limit or 2, shape).astype(port.dtype))
            else:
                arrays.append(rng.normal(size=shape).astype(port.dtype))
            labels.append("x".join(map(str, shape)))
        cases.append((arrays, ", ".join(labels)))
    return cases


def _integer_limit(result: Generated, index: int) -> int | None:
    """How many classes an input that is looked up in a table may have."""
    assert result.graph is not None
    tensor = result.graph.inputs[index]
    limits = [
        int(call.operation.input_dim)
        for call in result.graph.calls
        if any(tensor is t for t in call.inputs) and hasattr(call.operation, "input_dim") and call.operation.input_dim
    ]
    return min(limits) if limits else None


def _run_keras(real: Any, arrays: list[Any]) -> list[Any]:
    import numpy

    keras = _keras()
    given = arrays[0] if len(arrays) == 1 else keras.tree.pack_sequence_as(real.input, arrays)
    return [numpy.asarray(keras.ops.convert_to_numpy(o)) for o in keras.tree.flatten(real(given, training=False))]


def _tensors(result: Generated, arrays: list[Any]) -> list[Any]:
    import numpy
    import torch

    return [
        torch.from_numpy(numpy.ascontiguousarray(a.transpose(p.permutation) if p.permutation else a))
        for a, p in zip(arrays, result.inputs)
    ]


def _run_torch(result: Generated, net: Any, arrays: list[Any]) -> list[Any]:
    import torch

    with torch.no_grad():
        outputs = net(*_tensors(result, arrays))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return [_to_keras(output, port) for output, port in zip(outputs, result.outputs)]


def _to_keras(output: Any, port: Any) -> Any:
    import numpy

    if port.activation == "softmax":
        dim = port.permutation.index(len(port.shape) - 1) if port.permutation else -1
        output = output.softmax(dim)
    elif port.activation == "sigmoid":
        output = output.sigmoid()
    array = output.detach().numpy()
    return array.transpose(numpy.argsort(port.permutation)) if port.permutation else array


def _row(what: str, label: str, actual: Any, expected: Any, tolerance: float) -> Row:
    import numpy

    if actual.shape != expected.shape:
        return Row(what, label, float("inf"), 0.0, False)
    left, right = actual.astype("float64"), expected.astype("float64")
    scale = float(numpy.abs(right).max(initial=0.0))
    difference = float(numpy.abs(left - right).max(initial=0.0))
    return Row(what, label, difference, scale, difference <= tolerance * max(scale, 1e-6))


def _gradient_rows(result: Generated, net: Any, real: Any, arrays: list[Any], label: str, tolerance: float) -> list[Row]:
    """Gradients of the sum of squares of all outputs with respect to the trainable weights."""
    import torch

    keras = _keras()
    if keras.backend.backend() != "jax":
        raise K2TError("--grads needs Keras on the JAX backend", fix="KERAS_BACKEND=jax k2t verify --grads ...")
    import jax

    outputs = net(*_tensors(result, arrays))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    total = torch.zeros(())
    for output, port in zip(outputs, result.outputs):
        if port.activation == "softmax":
            output = output.softmax(port.permutation.index(len(port.shape) - 1) if port.permutation else -1)
        elif port.activation == "sigmoid":
            output = output.sigmoid()
        total = total + output.square().sum()
    net.zero_grad()
    total.backward()
    trainable = [v.value for v in real.trainable_variables]
    fixed = [v.value for v in real.non_trainable_variables]

    def loss(weights: Any) -> Any:
        given = arrays[0] if len(arrays) == 1 else keras.tree.pack_sequence_as(real.input, arrays)
        made, _ = real.stateless_call(weights, fixed, given, training=False)
        return sum((o**2).sum() for o in keras.tree.flatten(made))

    gradients = jax.grad(loss)(trainable)
    by_path = {v.path: g for v, g in zip(real.trainable_variables, gradients)}
    own, rows = dict(net.named_parameters()), []
    import numpy

    for key, mapping in result.weight_map.items():
        paths = [_path_of(source, real) for source in mapping.sources]
        if key not in own or not paths or any(p not in by_path for p in paths) or own[key].grad is None:
            continue
        expected = numpy.asarray(mapping.function(*(numpy.asarray(by_path[p]) for p in paths)))
        rows.append(_row(f"gradient of {key}", label, own[key].grad.numpy(), expected, 10 * tolerance))
    return rows


def _path_of(source: Any, real: Any) -> str | None:
    """The path of the real variable of a recorded weight: its layer's name and its own."""
    for layer in real._flatten_layers():
        if layer.name == source.layer.name:
            for variable, weight in zip(layer.weights, source.layer.weights):
                if weight is source:
                    return str(variable.path)
    return None


# Where they part.
def _edited_layer(result: Generated, net: Any, fresh: Any, arrays: list[Any]) -> str | None:
    """The first member whose output differs between the files and what would be generated now."""
    if net is fresh:
        return None
    left, right = _leaf_outputs(result, net, arrays), _leaf_outputs(result, fresh, arrays)
    owners = _owners(result)
    for (path, mine), (_, theirs) in zip(left, right):
        if mine.shape != theirs.shape or not _near(mine, theirs):
            return owners.get(path, path)
    return None


def _near(left: Any, right: Any) -> bool:
    scale = max(float(right.abs().max()) if right.numel() else 0.0, 1e-6)
    return float((left - right).abs().max() if left.numel() else 0.0) <= 1e-5 * scale


def _leaf_outputs(result: Generated, net: Any, arrays: list[Any]) -> list[tuple[str, Any]]:
    import torch

    found: list[tuple[str, Any]] = []

    def hook(path: str) -> Any:
        def keep(module: Any, given: Any, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            if isinstance(first, torch.Tensor):
                found.append((path, first.detach().float().clone()))

        return keep

    handles = [m.register_forward_hook(hook(p)) for p, m in net.named_modules() if p and not list(m.children())]
    try:
        with torch.no_grad():
            net(*_tensors(result, arrays))
    except RuntimeError:
        pass  # shapes no longer fit: what ran before tells where
    finally:
        for handle in handles:
            handle.remove()
    return found


def _owners(result: Generated) -> dict[str, str]:
    assert result.module is not None
    return {
        path: f"{member.owner.name} ({path})"
        for path, member in walk(result.module)
        if isinstance(member, Submodule) and member.owner is not None
    }


def _wrong_layer(result: Generated, real: Any, arrays: list[Any], tolerance: float) -> str | None:
    """The first Keras layer whose output the translation does not give, whatever the text looks like."""
    from keras2torch.models import Model

    assert result.graph is not None
    keras = _keras()
    calls: list[Call] = []
    tensors = []
    for call in result.graph.calls:
        try:
            output = real.get_layer(getattr(call.operation, "name", "")).output
        except (ValueError, AttributeError, RuntimeError):
            continue
        if not call.scopes and len(keras.tree.flatten(output)) == len(call.outputs):
            calls.append(call)
            tensors.append(output)
    if not calls:
        return None
    recorded = Model(list(result.graph.inputs), list(itertools.chain(*(c.outputs for c in calls))))
    probe = generate(recorded, name="probe")
    net = _module(probe, None)
    actual = _run_torch(probe, net, arrays)
    expected = _run_keras(keras.Model(real.inputs, tensors), arrays)
    names = [call.operation.name for call in calls for _ in call.outputs]
    for layer, left, right in zip(names, actual, expected):
        if not _row("", "", left, right, tolerance).passed:
            return layer
    return None
