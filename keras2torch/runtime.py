"""The author's models at work: the generated module, trained and used in place. The only file that imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn


class Runtime:
    """A recorded model's generated module on its device, with fit, evaluate and predict."""

    def __init__(self, model: Any):
        from keras2torch.pipeline import generate

        self.model = model
        generated = generate(model)
        namespace: dict[str, Any] = {"__name__": f"keras2torch.generated.{generated.name}"}
        exec(compile(generated.model_source, f"<{generated.name}_model.py>", "exec"), namespace)
        self.device = torch.device(model.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.net: nn.Module = namespace[generated.class_name]().to(self.device)
        self.inputs, self.outputs = generated.inputs, generated.outputs

    def summary(self) -> None:
        """torchsummary's table."""
        from torchsummary import summary

        shapes = [tuple(n or 1 for n in port.shape) for port in self.inputs]
        sizes = [
            tuple(shape[a] for a in (port.permutation or range(len(shape))))[1:]
            for shape, port in zip(shapes, self.inputs)
        ]
        summary(self.net, sizes[0] if len(sizes) == 1 else sizes, device=self.device.type)

    # Training.
    def fit(
        self,
        x: Any,
        y: Any = None,
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        validation_data: Any = None,
        verbose: int = 1,
    ) -> dict[str, list[float]]:
        """Train on arrays; returns the history of sample-weighted means."""
        inputs, targets = self._tensors(x), _tensor(y)

        def held_out() -> Any:
            return _slices(
                self._tensors(validation_data[0]), _tensor(validation_data[1]), batch_size
            )

        validation = None if validation_data is None else held_out
        steps = -(-len(targets) // batch_size)
        return self._train(
            lambda: _slices(inputs, targets, batch_size, shuffle),
            steps,
            epochs,
            verbose,
            validation,
        )

    def fit_generator(
        self, loader: Any, epochs: int = 1, validation_data: Any = None, verbose: int = 1
    ) -> dict[str, list[float]]:
        """Train on a loader of (inputs, targets), whose images are as the model's Input says."""
        validation = (
            (lambda: self._batches(validation_data)) if validation_data is not None else None
        )
        return self._train(lambda: self._batches(loader), len(loader), epochs, verbose, validation)

    def _train(
        self, batches: Any, steps: int, epochs: int, verbose: int, validation: Any
    ) -> dict[str, list[float]]:
        import pkbar

        optimizer, loss_function = self.model._torch
        history: dict[str, list[float]] = {}
        for epoch in range(epochs):
            self.net.train()
            bar = (
                pkbar.Kbar(steps, epoch, epochs, width=8, always_stateful=True) if verbose else None
            )
            sums = _Sums()
            for step, (inputs, targets) in enumerate(batches()):
                outputs = self.net(*(t.to(self.device) for t in inputs))
                targets = targets.to(self.device)
                loss = loss_function(outputs, targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                sums.add(loss.detach(), outputs.detach(), targets)
                if bar is not None:
                    bar.update(step, sums.values())
            results = sums.values()
            if validation is not None:
                results += [(f"val_{name}", value) for name, value in self._measure(validation())]
            if bar is not None:
                bar.update(steps, results)
            for name, value in results:
                history.setdefault(name, []).append(value)
        return history

    # Use.
    def evaluate(self, x: Any, y: Any, batch_size: int = 32) -> list[float]:
        """[loss, accuracy] over samples, in eval mode."""
        return [v for _, v in self._measure(_slices(self._tensors(x), _tensor(y), batch_size))]

    def evaluate_generator(self, loader: Iterable[Any]) -> list[float]:
        """[loss, accuracy] over the samples of a loader, in eval mode."""
        return [v for _, v in self._measure(self._batches(loader))]

    def predict(self, x: Any, batch_size: int = 32) -> Any:
        """The outputs for arrays, in eval mode, as a numpy array in the Input's notation."""
        return self._predict(inputs for inputs, _ in _slices(self._tensors(x), None, batch_size))

    def predict_generator(self, loader: Iterable[Any]) -> Any:
        """The outputs for a loader of inputs, or of (inputs, targets), in eval mode."""
        return self._predict(inputs for inputs, _ in self._batches(loader))

    @torch.no_grad()
    def _predict(self, batches: Iterable[list[Tensor]]) -> Any:
        self.net.eval()
        port = self.outputs[0]
        parts = [self.net(*(t.to(self.device) for t in inputs)).cpu() for inputs in batches]
        result = torch.cat(parts)
        if port.permutation is not None:
            result = result.permute(tuple(torch.tensor(port.permutation).argsort().tolist()))
        return result.numpy()

    @torch.no_grad()
    def _measure(self, batches: Iterable[tuple[list[Tensor], Tensor]]) -> list[tuple[str, float]]:
        self.net.eval()
        loss_function, sums = self.model._torch[1], _Sums()
        for inputs, targets in batches:
            targets = targets.to(self.device)
            outputs = self.net(*(t.to(self.device) for t in inputs))
            sums.add(loss_function(outputs, targets), outputs, targets)
        return sums.values()

    # Data.
    def _tensors(self, x: Any) -> list[Tensor]:
        arrays = list(x) if isinstance(x, (list, tuple)) else [x]
        return [self._to_torch_axes(_tensor(a), port) for a, port in zip(arrays, self.inputs)]

    def _to_torch_axes(self, tensor: Tensor, port: Any) -> Tensor:
        return tensor if port.permutation is None else tensor.permute(port.permutation)

    def _batches(self, loader: Iterable[Any]) -> Iterator[tuple[list[Tensor], Tensor]]:
        for batch in loader:
            inputs, targets = (
                batch if isinstance(batch, (list, tuple)) and len(batch) == 2 else (batch, None)
            )
            yield self._tensors(inputs), _tensor(targets)


class _Sums:
    """Sample-weighted means of the loss and, for class targets, the accuracy."""

    def __init__(self) -> None:
        self.count, self.loss, self.correct, self.classifies = 0, 0.0, 0.0, False

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        size = len(targets)
        self.count += size
        self.loss += loss.item() * size
        if outputs.ndim > 1 and not targets.is_floating_point():
            self.classifies = True
            self.correct += (outputs.argmax(1) == targets).float().mean().item() * size

    def values(self) -> list[tuple[str, float]]:
        """("loss", mean), and ("accuracy", share of samples)."""
        found = [("loss", self.loss / max(1, self.count))]
        return found + ([("accuracy", self.correct / self.count)] if self.classifies else [])


def _tensor(value: Any) -> Any:
    if value is None or isinstance(value, Tensor):
        return value
    tensor = torch.as_tensor(value)
    return (
        tensor.float()
        if tensor.dtype == torch.float64
        else tensor.long() if tensor.dtype == torch.int32 else tensor
    )


def _slices(
    inputs: list[Tensor], targets: Any, size: int, shuffle: bool = False
) -> Iterator[tuple[list[Tensor], Any]]:
    count = len(inputs[0])
    order = torch.randperm(count) if shuffle else torch.arange(count)
    for start in range(0, count, size):
        index = order[start : start + size]
        yield [t[index] for t in inputs], None if targets is None else targets[index]
