"""The generated module with its weights: as generated, or as it lies in a directory, perhaps edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.module import Submodule, walk
from keras2torch.pipeline import Generated, Port
from keras2torch.verify.keras_side import KerasSide
from keras2torch.verify.pairing import WeightPairs
from keras2torch.verify.report import Row, row
from keras2torch.verify.samples import Case

_GRADIENT_SLACK = 10  # gradients are sums over a batch and all positions
_GRADIENT_FLOOR = (
    1e-3  # of the largest gradient: one that cancels out, as by a key's bias, is rounding alone
)


class TorchSide:
    """A generated module in eval mode; ``path`` is that of the file to run in the place of the fresh text."""

    def __init__(self, result: Generated, path: Path | None = None):
        import torch

        self.result, self.path = result, path
        text = result.model_source if path is None else path.read_text(encoding="utf-8")
        self.net = _module(text, result, path)
        self.state = _state(result, path)
        self.mismatch = ""
        try:
            with torch.random.fork_rng(devices=[]):
                self.net.load_state_dict(self.state, strict=True)
        except RuntimeError as error:
            self.mismatch = " ".join(str(error).split())[:300]
        self.net.eval()

    @property
    def description(self) -> str:
        import torch

        name = self.result.class_name if self.path is None else str(self.path)
        return f"{name} in torch {torch.__version__.split('+')[0]}"

    # Outputs.
    def run(self, case: Case) -> list[Any]:
        """The outputs as arrays in Keras's axes, with the activations that predict() applies."""
        import torch

        with torch.no_grad():
            outputs = self._outputs(_tensors(self.result, case.arrays))
        return [
            _in_keras_axes(output.numpy(), port)
            for output, port in zip(outputs, self.result.outputs)
        ]

    def forward(self, tensors: list[Any]) -> Any:
        """What the module makes of a batch that is the first one, whatever ran before."""
        for module in self.net.modules():
            if hasattr(module, "reset_states"):
                module.reset_states()
        return self.net(*tensors)

    def _outputs(self, tensors: list[Any]) -> list[Any]:
        outputs = self.forward(tensors)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return [_activated(o, port) for o, port in zip(outputs, self.result.outputs)]

    # Weights.
    def weight_rows(self, pairs: WeightPairs) -> list[Row]:
        """The tensors beside those that Keras's variables make: one row, and one for each that differs."""
        import numpy

        if self.mismatch:
            return [Row("weights", "", None, None, failure=self.mismatch)]
        rows, largest = [], 0.0
        for key, mapping in self.result.weight_map.items():
            variables = pairs.variables(mapping)
            if variables is None or key not in self.state:
                continue
            arrays = (numpy.asarray(v.numpy()) for v in variables)
            expected = numpy.asarray(mapping.function(*arrays))
            one = row(key, "weight", self.state[key].numpy(), expected, 1e-6)
            largest = max(largest, one.scale or 0.0)
            if not one.passed:
                rows.append(one)
        return rows or [Row(f"weights ({len(self.state)} tensors)", "", largest, 0.0)]

    # Gradients.
    def gradient_rows(
        self, real: KerasSide, pairs: WeightPairs, cases: list[Case], tolerance: float
    ) -> list[Row]:
        """Gradients of random weighted sums of all outputs, by each float input and trainable weight.

        One row for each input, one for all weights with the worst of them, and one for each that differs.
        Where a unit lies within rounding of the kink of a ReLU or between two maxima of a pool, the two sides may
        take different slopes: what differs for one of the ``cases`` only is such a unit.
        """
        best: dict[str, Row] = {}
        for case in cases:
            for one in self._gradients(real, pairs, case, tolerance):
                if one.passed or one.what not in best:
                    best[one.what] = one
            if all(one.passed for one in best.values()):
                break
        by_input = [one for one in best.values() if one.what in self._by_input]
        of_weights = [one for one in best.values() if one.what not in self._by_input]
        failed = [one for one in of_weights if not one.passed]
        return by_input + (failed or _worst(of_weights, cases[0]))

    @property
    def _by_input(self) -> set[str]:
        return {f"gradient by {port.name}" for port in self.result.inputs} | {"gradients"}

    def _gradients(
        self, real: KerasSide, pairs: WeightPairs, case: Case, tolerance: float
    ) -> Iterator[Row]:
        import numpy
        import torch

        self.net.zero_grad()
        tensors = _tensors(self.result, case.arrays)
        for tensor in tensors:
            tensor.requires_grad_(tensor.is_floating_point())
        outputs = self._outputs(tensors)
        rng = numpy.random.default_rng(1)
        factors = [_factor(rng, o, port) for o, port in zip(outputs, self.result.outputs)]
        total = sum(
            (o * _in_torch_axes(f, port)).sum()
            for o, f, port in zip(outputs, factors, self.result.outputs)
            if f is not None and o.requires_grad
        )
        if not isinstance(total, torch.Tensor):
            yield Row("gradients", case.label, None, None, note="nothing can be differentiated")
            return
        total.backward()
        by_input, by_variable = real.gradients(case, factors)
        tolerance *= _GRADIENT_SLACK
        found = [*by_input.values(), *by_variable.values()]
        floor = _GRADIENT_FLOOR * float(max(numpy.abs(g).max(initial=0.0) for g in found))
        for index, expected in by_input.items():
            port, tensor = self.result.inputs[index], tensors[index]
            grad = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            actual = _in_keras_axes(grad.numpy(), port)
            yield row(f"gradient by {port.name}", case.label, actual, expected, tolerance, floor)
        yield from self._weight_gradients(pairs, by_variable, case, tolerance, floor)

    def _weight_gradients(
        self,
        pairs: WeightPairs,
        by_variable: dict[int, Any],
        case: Case,
        tolerance: float,
        floor: float,
    ) -> Iterator[Row]:
        import torch

        own = dict(self.net.named_parameters())
        for key, mapping in self.result.weight_map.items():
            variables = pairs.variables(mapping)
            parameter = own.get(key)
            if variables is None or parameter is None or not parameter.requires_grad:
                continue
            if any(id(v) not in by_variable for v in variables):
                continue
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            expected = mapping.function(*(by_variable[id(v)] for v in variables))
            yield row(f"gradient by {key}", case.label, grad.numpy(), expected, tolerance, floor)


def _worst(rows: list[Row], case: Case) -> list[Row]:
    if not rows:
        return []
    floor = _GRADIENT_FLOOR * max(one.scale or 0.0 for one in rows) or 1.0
    worst = max(rows, key=lambda one: (one.difference or 0.0) / max(one.scale or 0.0, floor))
    note = "worst: " + worst.what.removeprefix("gradient by ")
    what = f"gradients by {len(rows)} weights"
    return [Row(what, case.label, worst.scale, worst.difference, note=note)]


# Modules and their weights.
def _module(text: str, result: Generated, path: Path | None) -> Any:
    """An instance of the class in the text. Raises K2TError where an edited file does not give one."""
    name = path.name if path is not None else f"{result.name}_model.py"
    namespace: dict[str, Any] = {"__name__": name.removesuffix(".py")}
    try:
        exec(compile(text, str(path or f"<{name}>"), "exec"), namespace)
        return namespace[result.class_name]()
    except Exception as error:  # of a file that somebody edited
        if path is None:
            raise
        told = f"{type(error).__name__}: {error}"
        raise K2TError(
            f"the file does not give a {result.class_name} ({told})", where=name
        ) from error


def _state(result: Generated, path: Path | None) -> dict[str, Any]:
    """The safetensors beside the file, else the weights of the source."""
    import numpy
    import torch

    beside = path.with_name(f"{result.name}.safetensors") if path is not None else None
    if beside is not None and beside.exists():
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(beside)
        except SafetensorError as error:
            raise K2TError(f"the weights cannot be read ({error})", where=beside.name) from error
    return {key: torch.from_numpy(numpy.array(array)) for key, array in result.weights.items()}


def owners(result: Generated) -> dict[str, str]:
    """Path of a member in the torch module -> the name of its Keras layer."""
    assert result.module is not None
    return {
        path: str(member.owner.name)
        for path, member in walk(result.module)
        if isinstance(member, Submodule) and getattr(member.owner, "name", None)
    }


# Axes.
def _tensors(result: Generated, arrays: list[Any]) -> list[Any]:
    return [_in_torch_axes(a, port) for a, port in zip(arrays, result.inputs)]


def _in_torch_axes(array: Any, port: Port) -> Any:
    import numpy
    import torch

    turned = array.transpose(port.permutation) if port.permutation else array
    return torch.from_numpy(numpy.array(turned, order="C"))


def _in_keras_axes(array: Any, port: Port) -> Any:
    import numpy

    return array.transpose(numpy.argsort(port.permutation)) if port.permutation else array


def _activated(output: Any, port: Port) -> Any:
    """The output behind the activation that the module leaves to predict()."""
    if port.activation == "softmax":
        return output.softmax(
            port.permutation.index(len(port.shape) - 1) if port.permutation else -1
        )
    return output.sigmoid() if port.activation == "sigmoid" else output


def _factor(rng: Any, output: Any, port: Port) -> Any:
    """Random numbers of the output's shape in Keras's axes; None where it is no float."""
    if not output.is_floating_point():
        return None
    shape = _in_keras_axes(output.detach().numpy(), port).shape
    return rng.normal(size=shape).astype(str(output.dtype).removeprefix("torch."))
