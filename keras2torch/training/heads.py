"""One output of the model, as the losses and metrics of the training script see it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Head:
    """The names and the shape of one output in the generated script.

    ``prediction`` and ``target`` are variable names; ``shape`` is Keras's (None: unknown) and
    ``permutation`` takes Keras's axes to torch's. ``activation`` is what ``forward`` leaves out
    ("softmax", "sigmoid" or None), and ``target_shape`` the shape of the targets where known;
    ``sparse`` targets are class indices.
    """

    name: str
    prediction: str
    target: str
    shape: tuple[int | None, ...]
    permutation: tuple[int, ...] | None = None
    activation: str | None = None
    target_shape: tuple[int | None, ...] | None = None
    weight: str | None = None
    sparse: bool = False
    counted: str | None = None  # what the steps of a masked output weigh in metrics
    kept: tuple[tuple[Any, str], ...] = ()  # tensors of the model that a loss may read, and where

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def class_dim(self) -> int:
        """Where Keras's last axis lies in torch."""
        last = self.rank - 1
        return self.permutation.index(last) if self.permutation else last

    def classes_second(self, name: str) -> str:
        """``name`` with the class axis at 1, where torch's cross_entropy looks for it."""
        return name if self.class_dim == 1 else f"{name}.movedim({self.class_dim}, 1)"

    @property
    def dim(self) -> str:
        """Keras's last axis as a ``dim=`` argument."""
        return f"dim={1 if self.class_dim == 1 else -1 if self._last else self.class_dim}"

    @property
    def _last(self) -> bool:
        return self.class_dim == self.rank - 1

    @property
    def probability(self) -> str:
        """The expression of what Keras's model returns."""
        if self.activation == "softmax":
            return f"{self.prediction}.softmax({self.dim})"
        if self.activation == "sigmoid":
            return f"{self.prediction}.sigmoid()"
        return self.prediction

    def of_class(self, expression: str, index: int) -> str:
        """One class out of Keras's last axis."""
        if self.class_dim == 1:
            return f"{expression}[:, {index}]"
        return (
            f"{expression}[..., {index}]"
            if self._last
            else f"{expression}.select({self.class_dim}, {index})"
        )

    @property
    def weight_of_each(self) -> str | None:
        """The weights in a form that multiplies every number of the prediction."""
        return None if self.weight is None else f"{self.weight}.unsqueeze({self.class_dim})"

    @property
    def indices(self) -> Head:
        """The head as a metric of class indices sees it, where the loss compares floats."""
        if self.sparse:
            return self
        target = self.target
        if self.rank == 2:
            target += ".flatten()"
        elif self.target_shape is not None and len(self.target_shape) == self.rank:
            target += f".squeeze({self.class_dim})"
        return replace(self, target=f"{target}.long()", sparse=True)

    @property
    def classes(self) -> int | None:
        """The length of Keras's last axis."""
        return self.shape[-1]
