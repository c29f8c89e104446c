"""Preprocessing of numbers: CategoryEncoding, Discretization, IntegerLookup, Pipeline.

Sources: keras/src/layers/preprocessing/*.py and utils/numerical_utils.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

import numpy

from keras2torch import config
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer


def encoded_shape(shape: Shape, mode: str, depth: int) -> Shape:
    """The shape of indices encoded as vectors of ``depth``. Raises ValueError for a batch without axes."""
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*shape[:-1], depth) if len(shape) > 1 and shape[-1] == 1 else (*shape, depth)
    if len(shape) < 2:
        raise ValueError(
            f"{mode} would put the whole batch into one vector: give the input one more axis"
        )
    return (shape[0], *shape[2:], depth)


def encode(b: Any, x: Any, mode: str, depth: int, weights: Any = None) -> Any:
    """Indices as one-hot, multi-hot or count vectors (``encode_categorical_inputs``)."""
    if mode == "int":
        return x
    if mode == "one_hot" and len(x.shape) > 1 and x.shape[-1] == 1:
        x = b.method("squeeze", x, -1, shape=x.shape[:-1])
    axes = tuple(range(len(x.shape) + 1))
    vectors = b.function("one_hot", x, depth, shape=(*x.shape, depth), axes=axes, dtype="float32")
    if mode == "one_hot":
        return vectors
    if mode == "multi_hot":
        return b.reduce("amax", vectors, [1])
    if weights is not None:
        column = b.method("unsqueeze", weights, -1, shape=(*weights.shape, 1), axes=axes)
        vectors = b.operator("*", vectors, column)
    return b.reduce("sum", vectors, [1])


def mode_name(mode: str) -> str:
    """Today's name of an ``output_mode``."""
    return {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(mode, mode)


def here(data: Any) -> Any:
    """``data`` as a plain array if it really is here, else None."""
    of_pandas = type(data).__module__.partition(".")[0] == "pandas"
    if of_pandas or (type(data) in (list, tuple) and data):
        data = numpy.asarray(data)
    if type(data) is numpy.ndarray and data.dtype.kind == "O":
        plain = all(type(item) is str for item in data.flat)
        return data.astype(str) if plain and data.size else None
    return data if type(data) is numpy.ndarray and data.dtype.kind in "iufbUSO" else None


class CategoryEncoding(Layer):
    """Integers as one-hot, multi-hot or count vectors."""

    num_tokens: Any = None
    output_mode: str = "multi_hot"
    sparse: bool = False
    old_names = {"max_tokens": "num_tokens"}

    def output_spec(self, inputs: Any, count_weights: Any = None) -> Spec:
        mode, depth = mode_name(self.output_mode), int(self.num_tokens)
        if self._keeps_column(inputs):
            return Spec((*inputs.shape, depth), "float32")
        return Spec(encoded_shape(inputs.shape, mode, depth), "float32")

    def _keeps_column(self, inputs: Any) -> bool:
        """Whether one-hot vectors of a column (N, 1) are (N, 1, depth): in Keras 3.0 to 3.3 alone."""
        is_column = len(inputs.shape) > 1 and inputs.shape[-1] == 1
        in_those = config.older_than(3, 4) and not config.older_than(3)
        return mode_name(self.output_mode) == "one_hot" and is_column and in_those

    def lower(self, b: Any, inputs: Any, count_weights: Any = None) -> Any:
        if self.sparse:
            raise self.unsupported(
                "sparse=True", "leave it out: the dense vectors hold the same numbers"
            )
        mode = mode_name(self.output_mode)
        if self._keeps_column(inputs):
            vectors = encode(b, inputs, mode, int(self.num_tokens))
            axes = tuple(range(len(inputs.shape) + 1))
            return b.method(
                "unsqueeze", vectors, -2, shape=(*inputs.shape, vectors.shape[-1]), axes=axes
            )
        if mode == "multi_hot" and inputs.dtype.startswith("float"):
            inputs = b.method("int", inputs, dtype="int32")
        return encode(b, inputs, mode, int(self.num_tokens), count_weights)


class Discretization(Layer):
    """The number of the bin that each value lies in."""

    bin_boundaries: Any = None
    num_bins: Any = None
    epsilon: float = 0.01
    output_mode: str = "int"
    sparse: bool = False
    ignored = ("num_bins", "epsilon")  # what adapt() works by

    def adapt(self, data: Any, steps: Any = None, **_: Any) -> None:
        """Find the boundaries, where the data is really here."""
        values = here(data)
        if values is not None:
            self._fields["bin_boundaries"] = quantiles(
                values.astype("float32"), int(self.num_bins), float(self.epsilon)
            )

    def _boundaries(self) -> list[float]:
        if self.bin_boundaries is None:
            raise self.unsupported(
                "the bins come from adapt() on data that is not here", "give bin_boundaries=[...]"
            )
        return [float(v) for v in self.bin_boundaries]

    def output_spec(self, inputs: Any) -> Spec:
        mode = mode_name(self.output_mode)
        shape = encoded_shape(inputs.shape, mode, len(self._boundaries()) + 1)
        return Spec(shape, "int64" if mode == "int" else "float32")

    def lower(self, b: Any, inputs: Any) -> Any:
        if self.sparse:
            raise self.unsupported(
                "sparse=True", "leave it out: the dense vectors hold the same numbers"
            )
        boundaries = self._boundaries()
        x = (
            inputs
            if inputs.dtype.startswith("float")
            else b.method("float", inputs, dtype="float32")
        )
        edges = b.constant(numpy.asarray(boundaries, "float32"), "float32", "boundaries")
        x = b.function("torch.bucketize", x, edges, right=True, shape=x.shape, dtype="int64")
        return encode(b, x, mode_name(self.output_mode), len(boundaries) + 1)


def quantiles(values: Any, bins: int, epsilon: float) -> list[float]:
    """The boundaries that Discretization.adapt finds (keras/src/layers/preprocessing/discretization.py)."""

    def compressed(summary: Any, share: float) -> Any:
        if summary.shape[1] * share < 1:
            return summary
        percents = share + numpy.arange(0.0, 1.0, share)
        total = summary[1].cumsum()
        edges = numpy.interp(percents, total / total[-1], summary[0])
        total = numpy.interp(percents, total / total[-1], total)
        return numpy.stack((edges, total - numpy.concatenate(([0], total[:-1])))).astype("float32")

    ordered = numpy.sort(values.reshape(-1))
    step = max(ordered.size * epsilon, 1)
    edges = ordered[int(step - 1) :: int(step)]
    summary = compressed(numpy.stack([edges, numpy.ones_like(edges) * step]), epsilon)
    return [float(v) for v in compressed(summary, 1.0 / bins)[0, :-1]]


class _Lookup(Layer):
    """What the lookups share: a vocabulary that is given, set, or found by adapt()."""

    base_arguments = {**Layer.base_arguments, "vocabulary_size": None, "has_input_vocabulary": None}

    def adapt(self, data: Any, batch_size: Any = None, steps: Any = None, **_: Any) -> None:
        """Find the vocabulary, where the data is really here: the most frequent tokens first."""
        values = here(data)
        if values is None:
            self._adapted_at = trace.user_location()
            return
        tokens, counts = numpy.unique(self.tokens_of(values), return_counts=True)
        order = numpy.lexsort((numpy.arange(len(tokens)), counts))[::-1]
        found = [token.item() for token in tokens[order] if token.item() != self.mask_token]
        limit = None if self.max_tokens is None else int(self.max_tokens) - self._first()
        self._fields["vocabulary"] = found[:limit]

    def tokens_of(self, values: Any) -> Any:
        """The single tokens in some data."""
        return values.reshape(-1)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        self._fields["vocabulary"] = vocabulary
        if idf_weights is not None:
            self._fields["idf_weights"] = idf_weights

    def _masked(self) -> int:
        """How many indices the mask takes."""
        return 1 if self.mask_token is not None and mode_name(self.output_mode) == "int" else 0

    def _first(self) -> int:
        """The index of the first token."""
        return self._masked() + int(self.num_oov_indices)

    def _tokens(self) -> list[Any] | None:
        """The vocabulary without mask and unknown; None if it is not known."""
        given = self.vocabulary
        if given is None or isinstance(given, (str, Absent)):
            return None
        tokens = [t.item() if hasattr(t, "item") else t for t in given]
        special = [self.mask_token] * self._masked() + [self.oov_token] * int(self.num_oov_indices)
        return tokens[len(special) :] if special and tokens[: len(special)] == special else tokens

    def _unknown(self, what: str) -> Absent:
        where = getattr(self, "_adapted_at", None) or self.where
        fix = f"give {type(self).__name__} its vocabulary=[...]"
        return Absent(Source(f"the {what} of {self.name}, from data that is not here", where, fix))

    def get_vocabulary(self, include_special_tokens: bool = True) -> Any:
        tokens = self._tokens()
        if tokens is None:
            return self._unknown("vocabulary")
        special = [self.mask_token] * self._masked() + [self.oov_token] * int(self.num_oov_indices)
        return [*special, *tokens] if include_special_tokens else tokens

    def vocabulary_size(self) -> Any:
        tokens = self._tokens()
        if tokens is None:
            return self._unknown("size of the vocabulary")
        return self._first() + len(tokens)

    vocab_size = vocabulary_size  # Keras 2

    def _depth(self) -> int | None:
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return int(self.max_tokens)
        tokens = self._tokens()
        return None if tokens is None else self._first() + len(tokens)


class IntegerLookup(_Lookup):
    """Integers of a vocabulary as consecutive indices."""

    max_tokens: Any = None
    num_oov_indices: int = 1
    mask_token: Any = None
    oov_token: Any = -1
    vocabulary: Any = None
    vocabulary_dtype: str = "int64"
    idf_weights: Any = None
    invert: bool = False
    output_mode: str = "int"
    sparse: bool = False
    pad_to_max_tokens: bool = False
    oov_method: str = "floormod"
    salt: Any = None

    ignored = ("vocabulary_dtype", "oov_token", "max_tokens", "pad_to_max_tokens")
    old_names = {"max_values": "max_tokens", "mask_value": "mask_token", "oov_value": "oov_token"}

    def output_spec(self, inputs: Any) -> Spec:
        mode = mode_name(self.output_mode)
        shape = encoded_shape(inputs.shape, "count" if mode == "tf_idf" else mode, self._depth())  # type: ignore[arg-type]
        return Spec(shape, "int64" if mode == "int" else "float32")

    def lower(self, b: Any, inputs: Any) -> Any:
        tokens, mode = self._tokens(), mode_name(self.output_mode)
        if tokens is None:
            raise self.unsupported(
                "its vocabulary comes from data that is not here", "give vocabulary=[...]"
            )
        if mode == "tf_idf" or self.sparse:
            raise self.unsupported(
                "tf_idf weights or sparse vectors", "use output_mode='count', and multiply"
            )
        if self.oov_method != "floormod" or self.salt is not None:
            raise self.unsupported(
                "unknown tokens are hashed with FarmHash", "use oov_method='floormod'"
            )
        if int(self.num_oov_indices) == 0:
            raise self.unsupported(
                "num_oov_indices=0 stops at an unknown token", "use num_oov_indices=1"
            )
        x = inputs if inputs.dtype == "int64" else b.method("long", inputs, dtype="int64")
        if self.invert:
            return self._inverted(b, x, tokens)
        order = numpy.argsort(tokens)
        sorted_tokens = b.constant(numpy.asarray(tokens, "int64")[order], "int64", "tokens")
        indices = b.constant(order.astype("int64") + self._first(), "int64", "indices")
        count, start = int(self.num_oov_indices), self._masked()
        unknown: Any = start
        if count > 1:
            unknown = b.operator("%", x, count)
            unknown = b.operator("+", unknown, start) if start else unknown
        found = b.function(
            "look_up", x, sorted_tokens, indices, unknown, shape=x.shape, dtype="int64"
        )
        if self.mask_token is not None:
            mask = b.operator("==", x, int(self.mask_token), dtype="bool")
            found = b.method("masked_fill", found, mask, 0 if mode == "int" else -1, shape=x.shape)
        return encode(b, found, mode, self._depth() or 0)

    def _inverted(self, b: Any, x: Any, tokens: list[Any]) -> Any:
        first = self._first()
        table = b.constant(numpy.asarray(tokens, "int64"), "int64", "tokens")
        places = numpy.arange(first, first + len(tokens), dtype="int64")
        found = b.function(
            "look_up",
            x,
            b.constant(places, "int64", "indices"),
            table,
            int(self.oov_token),
            shape=x.shape,
            dtype="int64",
        )
        if self.mask_token is None:
            return found
        return b.method(
            "masked_fill",
            found,
            b.operator("==", x, 0, dtype="bool"),
            int(self.mask_token),
            shape=x.shape,
        )


class Pipeline(Layer):
    """Several layers, one behind the other."""

    layers: Any

    def call(self, inputs: Any, mask: Any = None) -> Any:
        for layer in self.layers:
            inputs = layer(inputs)
        return inputs
