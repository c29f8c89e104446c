"""Embedding and Masking, where masks begin."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import find_absent
from keras2torch.frontend.recording import note
from keras2torch.graph import Shape, Spec
from keras2torch.layers.base import Layer


class Embedding(Layer):
    """Whole numbers to rows of a table. ``mask_zero`` masks the positions that hold 0."""

    input_dim: int
    output_dim: int
    embeddings_initializer: Any = "uniform"
    embeddings_regularizer: Any = None
    embeddings_constraint: Any = None
    mask_zero: bool = False
    lora_rank: Any = None
    lora_alpha: Any = None
    quantization_config: Any = None

    old_names = {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    }
    integer_input = True
    shape_if_none_is_given = (None, None)

    ignored = ("lora_alpha",)

    def __init__(self, *args: Any, dropout: float = 0.0, **kwargs: Any):
        if "input_length" in kwargs:
            kwargs["input_length"] = _known_length(kwargs["input_length"])
        super().__init__(*args, **kwargs)
        if dropout:
            raise self.unsupported("Keras 1's dropout of whole words has no equal", "use Dropout")

    def input_from_dim(self, input_dim: int, input_length: int | None) -> Shape:
        return (None, input_length)

    def _set_base(self, given: dict[str, Any]) -> None:
        length = given.pop("input_length", None)
        super()._set_base(given)
        if length is not None and self.input_shape_given is None:
            sizes = tuple(length) if isinstance(length, (list, tuple)) else (length,)
            self.input_shape_given = (given.get("batch_size"), *sizes)

    def build(self, input_shape: Shape) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(int(self.input_dim), int(self.output_dim)),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def output_spec(self, inputs: Any) -> Spec:
        return Spec((*inputs.shape, int(self.output_dim)), self.dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if not self.mask_zero:
            return None
        from keras2torch.ops import OPS

        return OPS["keras.ops.not_equal"](inputs, 0)

    def lower(self, b: Any, inputs: Any) -> Any:
        if inputs.dtype not in ("int32", "int64"):
            inputs = b.method("long", inputs, dtype="int64")
        table = b.submodule(
            "nn.Embedding",
            weights={"weight": b.same(self.embeddings)},
            num_embeddings=int(self.input_dim),
            embedding_dim=int(self.output_dim),
        )
        return b.call(
            table,
            inputs,
            shape=(*inputs.shape, int(self.output_dim)),
            axes=tuple(range(len(inputs.shape) + 1)),
            dtype=self.dtype,
        )


class Masking(Layer):
    """Masks the time steps whose features all equal ``mask_value``, and sets them to 0."""

    mask_value: Any = 0.0

    def call(self, inputs: Any, mask: Any = None) -> Any:
        from keras2torch.ops import OPS

        known = OPS["keras.ops.any"](OPS["keras.ops.not_equal"](inputs, self.mask_value), axis=-1)
        outputs = super().call(inputs, known=known)
        outputs.mask = known
        return outputs

    def output_spec(self, inputs: Any, known: Any) -> Spec:
        return Spec(inputs.shape, inputs.dtype)

    def lower(self, b: Any, inputs: Any, known: Any) -> Any:
        shape = (*known.shape, 1)
        kept = b.method("unsqueeze", known, -1, shape=shape, axes=tuple(range(len(shape))))
        return b.function("torch.where", kept, inputs, 0.0, dtype=inputs.dtype, shape=inputs.shape)


def _known_length(length: Any) -> Any:
    """An ``input_length``, or None where it is that of data that is not here: an Embedding takes any."""
    found = find_absent(length)
    if found is None:
        return length
    note(
        f"{trace.user_location()}: input_length comes from {found._source.what}, which is not here; "
        "inputs of any length are taken"
    )
    return None
