"""Layers on strings, and hashing. They record (scripts use them on datasets); in a model, strings are refused."""

from __future__ import annotations

import re
import string
from typing import Any

import numpy

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.graph import Constant, Spec, Tensor, tensors_in
from keras2torch.layers.base import Layer
from keras2torch.layers.preprocessing import _Lookup, encode, encoded_shape, here, mode_name
from keras2torch.layers.refusals import REFUSALS


class _Refused(Layer):
    """Of data it gives data that is not here; on a model's tensor it is an error when that model is generated."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tensors = tensors_in((args, kwargs))
        if not tensors or all(isinstance(tensor, Constant) for tensor in tensors):
            source = Source(f"what {self.name} makes of data", trace.user_location())
            return Absent(source, self._shape_of_data(args[0], source) if args else None)
        return super().__call__(*args, **kwargs)

    def _shape_of_data(self, data: Any, source: Source) -> tuple[Any, ...] | None:
        """The shape of what the layer makes of data that is here; None where it is not."""
        values = here(data)
        if values is None or not values.ndim:
            return None
        try:
            made = self.output_spec(Tensor(values.shape, "string")).shape
        except (K2TError, TypeError):
            return None
        return tuple(Absent(source) if size is None else size for size in made)

    def lower(self, b: Any, inputs: Any) -> Any:
        reason, fix = REFUSALS[type(self).__name__]
        raise self.unsupported(reason, fix)


class StringLookup(_Refused, _Lookup):
    """Strings of a vocabulary as indices."""

    max_tokens: Any = None
    num_oov_indices: int = 1
    mask_token: Any = None
    oov_token: Any = "[UNK]"
    vocabulary: Any = None
    idf_weights: Any = None
    invert: bool = False
    output_mode: str = "int"
    pad_to_max_tokens: bool = False
    sparse: bool = False
    encoding: str = "utf-8"
    salt: Any = None

    def output_spec(self, inputs: Any) -> Spec:
        mode = mode_name(self.output_mode)
        mode = "count" if mode == "tf_idf" else mode
        dtype = "string" if self.invert else "int64" if mode == "int" else "float32"
        return Spec(encoded_shape(inputs.shape, mode, self._depth()), dtype)  # type: ignore[arg-type]


class TextVectorization(_Refused, _Lookup):
    """Texts as sequences of indices, or as vectors."""

    max_tokens: Any = None
    standardize: Any = "lower_and_strip_punctuation"
    split: Any = "whitespace"
    ngrams: Any = None
    output_mode: str = "int"
    output_sequence_length: Any = None
    pad_to_max_tokens: bool = False
    vocabulary: Any = None
    idf_weights: Any = None
    sparse: bool = False
    ragged: bool = False
    encoding: str = "utf-8"

    num_oov_indices, oov_token = 1, "[UNK]"

    @property
    def mask_token(self) -> str | None:
        return "" if mode_name(self.output_mode) == "int" else None

    def adapt(self, data: Any, batch_size: Any = None, steps: Any = None, **_: Any) -> None:
        plain = self.standardize in (
            "lower_and_strip_punctuation",
            "lower",
            "strip_punctuation",
            None,
        )
        known = plain and self.split in ("whitespace", None) and self.ngrams is None
        super().adapt(data if known else None)

    def tokens_of(self, values: Any) -> Any:
        texts = [str(text) for text in values.reshape(-1)]
        if "lower" in str(self.standardize):
            texts = [text.lower() for text in texts]
        if "strip_punctuation" in str(self.standardize):
            texts = [re.sub(f"[{re.escape(string.punctuation)}]", "", text) for text in texts]
        words = texts if self.split is None else [word for text in texts for word in text.split()]
        return numpy.asarray(words)

    def output_spec(self, inputs: Any) -> Spec:
        batch = inputs.shape[0]
        if mode_name(self.output_mode) == "int":
            return Spec((batch, self.output_sequence_length), "int64")
        return Spec((batch, self._depth()), "float32")


class Hashing(_Refused):
    """Numbers in bins by the hash of their decimal text (strings are refused)."""

    num_bins: int
    mask_value: Any = None
    salt: Any = None
    output_mode: str = "int"
    sparse: bool = False

    layout = "any"

    def output_spec(self, inputs: Any) -> Spec:
        shape = encoded_shape(inputs.shape, mode_name(self.output_mode), int(self.num_bins))
        return Spec(shape, "int64" if self.output_mode == "int" else "float32")

    def lower(self, b: Any, inputs: Any) -> Any:
        if inputs.dtype == "string":
            raise self.unsupported(
                "torch has no tensors of strings",
                "hash the strings in the data pipeline, and give the model the numbers",
            )
        if self.salt is not None or self.sparse:
            raise self.unsupported(
                "salt (another hash function, SipHash) or sparse vectors", "leave them out"
            )
        bins = int(self.num_bins)
        masks = self.mask_value is not None and bins > 1
        found = b.function(
            "hash_bins", inputs, bins - masks, shape=inputs.shape, axes=inputs.axes, dtype="int64"
        )
        if masks:  # bin 0 is the mask's
            mask = b.operator("==", inputs, self.mask_value, dtype="bool")
            found = b.operator("+", found, 1)
            found = b.method("masked_fill", found, mask, 0, shape=found.shape)
        return encode(b, found, mode_name(self.output_mode), bins)


class HashedCrossing(_Refused):
    """Pairs of values in bins by a hash."""

    num_bins: int
    output_mode: str = "int"
    sparse: bool = False

    def output_spec(self, inputs: Any) -> Spec:
        first: Tensor = inputs[0]
        shape = encoded_shape(first.shape, mode_name(self.output_mode), int(self.num_bins))
        return Spec(shape, "int64" if self.output_mode == "int" else "float32")
