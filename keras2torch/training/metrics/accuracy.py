"""Shares of right answers."""

from __future__ import annotations

from typing import ClassVar

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.heads import Head
from keras2torch.training.metrics.base import Metric


class _Match(Metric):
    """Shares of right answers."""

    direction: ClassVar[str | None] = "up"

    def right(self, head: Head) -> str:
        raise NotImplementedError

    def each(self, head: Head) -> str:
        return f"({self.right(head)}).float()"


class _ByNumber(_Match):
    """Compares number by number: a sample is right as far as its numbers are."""

    def each(self, head: Head) -> str:
        return f"({self.right(head)}).float().mean({head.dim})"

    def mean(self, head: Head) -> str:
        return f"({self.right(head)}).float().mean()"


class Accuracy(_ByNumber):
    name: str | None = "accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        return f"{head.probability} == {head.target}"


class BinaryAccuracy(_ByNumber):
    name: str | None = "binary_accuracy"
    dtype: str | None = None
    threshold: float = 0.5

    def right(self, head: Head) -> str:
        if head.activation == "sigmoid" and self.threshold == 0.5:
            return f"(({head.prediction} > 0) == {head.target})"[1:-1]
        return f"({head.probability} > {quote(self.threshold)}) == {head.target}"


class CategoricalAccuracy(_Match):
    name: str | None = "categorical_accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        if head.sparse:  # Keras's argmax over the last axis of class indices
            raise UnsupportedError("categorical_accuracy on class indices", fix='use "accuracy"')
        return f"{head.prediction}.argmax({head.dim}) == {head.target}.argmax({head.dim})"


class SparseCategoricalAccuracy(_Match):
    name: str | None = "sparse_categorical_accuracy"
    dtype: str | None = None

    def right(self, head: Head) -> str:
        return f"{head.prediction}.argmax({head.dim}) == {head.indices.target}"


class TopKCategoricalAccuracy(_Match):
    k: int = 5
    name: str | None = "top_k_categorical_accuracy"
    dtype: str | None = None

    def label(self, head: Head) -> str:
        return f"{head.target}.argmax({head.dim}, keepdim=True)"

    def right(self, head: Head) -> str:
        p, dim = head.prediction, head.class_dim
        at_label = f"{p}.gather({dim}, {self.label(head)})"
        return f"({p} > {at_label}).sum({head.dim}) < {quote(self.k)}"


class SparseTopKCategoricalAccuracy(TopKCategoricalAccuracy):
    k: int = 5
    name: str | None = "sparse_top_k_categorical_accuracy"
    dtype: str | None = None
    from_sorted_ids: bool = False

    def label(self, head: Head) -> str:
        return f"{head.indices.target}.unsqueeze({head.class_dim})"

    def right(self, head: Head) -> str:
        if not self.from_sorted_ids:
            return super().right(head)
        best = f"{head.prediction}.narrow({head.class_dim}, 0, {quote(self.k)})"
        return f"({best} == {self.label(head)}).any({head.dim})"
