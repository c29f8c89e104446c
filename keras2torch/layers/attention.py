"""Attention layers. Sources: keras/src/layers/attention/*.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.constructors import TrainOnly
from keras2torch.graph import Shape, Spec, Tensor
from keras2torch.layers.attention_heads import _Heads, as_bool, dropped
from keras2torch.layers.attention_masks import drop_mask, mask_at_run_time
from keras2torch.layers.base import Layer


class MultiHeadAttention(_Heads):
    """Scaled dot-product attention in several heads, each with projections of its own."""

    inner_methods = (
        "_compute_attention",
        "_compute_attention_mask",
        "_compute_causal_mask",
        "_masked_softmax",
    )

    num_heads: int
    key_dim: int
    value_dim: Any = None
    dropout: float = 0.0
    use_bias: bool = True
    output_shape: Any = None
    attention_axes: Any = None
    sliding_window: Any = None
    flash_attention: Any = None
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    use_gate: bool = False
    seed: Any = None

    # Keras 2 saves the shapes that the layer was built with.
    old_names = {"query_shape": None, "key_shape": None, "value_shape": None}
    ignored = ("flash_attention", "seed")
    class_doc = "Attention in several heads, each with its own projections of query, key and value."

    def _find_masks(self, tensors: list[Tensor], given: dict[str, Any]) -> None:
        """Keras takes the query's own mask, whatever is given, and strips all three tensors of theirs."""
        query_mask = given.pop("query_mask", None)
        own = mask_at_run_time(tensors[0])
        super()._find_masks(tensors, given)
        given["query_mask"] = None if own is None else own if query_mask is None else query_mask
        self._strip = tensors

    def call(self, *args: Any, **kwargs: Any) -> Any:
        outputs = super().call(*args, **kwargs)
        drop_mask(self._strip, outputs)
        return outputs

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Any = None) -> None:
        heads, size = int(self.num_heads), int(self.key_dim)
        shapes = (query_shape, value_shape, key_shape or value_shape)
        self._build_projections(shapes, (heads, heads), (size, int(self.value_dim or size)))

    def _output_sizes(self, query: Shape) -> tuple[int, ...]:
        given = self.output_shape
        if not given:
            return super()._output_sizes(query)
        return (int(given),) if isinstance(given, int) else tuple(given)

    def _axes(self, rank: int) -> tuple[int, ...]:
        given = self.attention_axes
        if given is None:
            return tuple(range(1, rank - 1))
        given = (given,) if isinstance(given, int) else tuple(given)
        return tuple(axis if axis >= 0 else rank + axis for axis in given)

    def output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        return_attention_scores: bool = False,
        **_: Any,
    ) -> Any:
        output = Spec((*query.shape[:-1], *self._output_sizes(query.shape)), self.dtype)
        if not return_attention_scores:
            return output
        axes = self._axes(len(query.shape))
        rest = [query.shape[axis] for axis in range(len(query.shape) - 1) if axis not in axes]
        places = [x.shape[axis] for x in (query, value) for axis in axes]
        return [output, Spec((*rest, int(self.num_heads), *places), self.dtype)]


class GroupQueryAttention(_Heads, names=("GroupedQueryAttention",)):
    """Attention in which several query heads share one key and value head."""

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int
    dropout: float = 0.0
    use_bias: bool = True
    sliding_window: Any = None
    flash_attention: Any = None
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    activity_regularizer: Any = None
    kernel_constraint: Any = None
    bias_constraint: Any = None
    use_gate: bool = False
    seed: Any = None

    ignored = ("flash_attention", "seed")
    class_doc = "Attention in which several query heads share one head of key and value."

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Any = None) -> None:
        if int(self.num_query_heads) % int(self.num_key_value_heads):
            raise ValueError("num_query_heads must be divisible by num_key_value_heads")
        heads = (int(self.num_query_heads), int(self.num_key_value_heads))
        size = int(self.head_dim)
        self._build_projections(
            (query_shape, value_shape, key_shape or value_shape), heads, (size, size)
        )

    def output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        return_attention_scores: bool = False,
        **_: Any,
    ) -> Any:
        output = Spec(query.shape, self.dtype)
        if not return_attention_scores:
            return output
        scores = (query.shape[0], int(self.num_query_heads), query.shape[1], value.shape[1])
        return [output, Spec(scores, self.dtype)]

    def _repeated(self, b: Any, q: Any, k: Any, v: Any) -> tuple[Any, Any]:
        repeats = q.shape[1] // k.shape[1]
        if repeats == 1:
            return k, v
        many = [
            b.method(
                "repeat_interleave", x, repeats, dim=1, shape=(x.shape[0], q.shape[1], *x.shape[2:])
            )
            for x in (k, v)
        ]
        return many[0], many[1]


class _DotAttention(Layer):
    """Attention without projections, on ``[query, value]`` or ``[query, value, key]``."""

    def __init__(self, *args: Any, causal: bool = False, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._causal = bool(causal)  # until TensorFlow 2.9: ``use_causal_mask`` of every call

    def call(self, inputs: Any, mask: Any = None, **kwargs: Any) -> Any:
        if self._causal:
            kwargs["use_causal_mask"] = True
        return super().call(inputs, mask=mask, **kwargs)

    def output_spec(self, inputs: Any, return_attention_scores: bool = False, **_: Any) -> Any:
        query, value = inputs[0].shape, inputs[1].shape
        output = Spec((*query[:-1], value[-1]), self.dtype)
        if not return_attention_scores:
            return output
        return [output, Spec((*query[:-1], value[-2]), self.dtype)]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return [mask[0] if mask else None, None]

    def _scores(self, b: Any, query: Any, key: Any, shape: Shape) -> Any:
        raise NotImplementedError

    def _written_out(
        self, b: Any, q: Any, v: Any, k: Any, masks: Any, scores: bool, causal: bool
    ) -> Any:
        shape = (*q.shape[:-1], k.shape[-2])
        logits = self._scores(b, q, k, shape)
        seen = self._seen(b, q, v, masks, causal)
        if seen is not None:
            lowered = b.operator("-", logits, 1e9)
            logits = b.function("torch.where", seen, logits, lowered, shape=shape, dtype=self.dtype)
        weights = b.function("F.softmax", logits, dim=-1, shape=shape)
        weights.hint = "scores"
        x = b.operator(
            "@",
            dropped(b, weights, float(self.dropout or 0.0)),
            v,
            shape=(*q.shape[:-1], v.shape[-1]),
        )
        x = self._mask_rows(b, x, masks)
        return [x, weights] if scores else x

    def _seen(self, b: Any, q: Any, v: Any, masks: Any, causal: bool) -> Any:
        """Which scores count: a boolean (N, query, value); None for all."""
        seen = None
        if masks[1] is not None:
            mask = as_bool(b, masks[1])
            seen = b.method(
                "unsqueeze", mask, -2, shape=(*mask.shape[:-1], 1, mask.shape[-1]), axes=(0, 1, 2)
            )
        if causal:
            rows = b.function(
                "causal_mask", q, v, shape=(q.shape[-2], v.shape[-2]), axes=(0, 1), dtype="bool"
            )
            seen = rows if seen is None else b.operator("&", seen, rows, dtype="bool")
        return seen

    def _mask_rows(self, b: Any, x: Any, masks: Any) -> Any:
        if masks[0] is None:
            return x
        mask = b.operator("~", as_bool(b, masks[0]), dtype="bool")
        mask = b.method("unsqueeze", mask, -1, shape=(*mask.shape, 1), axes=(0, 1, 2))
        return b.method("masked_fill", x, mask, 0.0, shape=x.shape)


class Attention(_DotAttention):
    """Dot-product attention (Luong)."""

    inner_methods = ("_calculate_scores", "_apply_scores", "_calculate_score_mask")

    use_scale: bool = False
    score_mode: str = "dot"
    dropout: float = 0.0
    seed: Any = None
    ignored = ("seed",)

    def build(self, input_shape: Any) -> None:
        self.scale = (
            self.add_weight(name="scale", shape=(), initializer="ones") if self.use_scale else None
        )
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _scores(self, b: Any, query: Any, key: Any, shape: Shape) -> Any:
        if self.concat_score_weight is not None:
            x = _tanh_of_sums(b, query, key, None if self.scale is None else b.param(self.scale))
            return b.operator(
                "*", b.reduce("sum", x, [-1]), b.param(self.concat_score_weight), shape=shape
            )
        swapped = b.method(
            "transpose", key, -2, -1, shape=(*key.shape[:-2], key.shape[-1], key.shape[-2])
        )
        x = b.operator("@", query, swapped, shape=shape)
        return x if self.scale is None else b.operator("*", x, b.param(self.scale), shape=shape)

    def lower(
        self,
        b: Any,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        q, v, *others = (b.floating(x) for x in inputs)
        k = others[0] if others else v
        masks = (*mask, None, None)[:2] if mask else (None, None)
        if return_attention_scores or self.score_mode != "dot":
            return self._written_out(b, q, v, k, masks, return_attention_scores, use_causal_mask)
        options: dict[str, Any] = {}
        if masks[1] is not None:
            seen = self._seen(b, q, v, masks, use_causal_mask)
            options["attn_mask"] = b.function(
                "torch.where", seen, 0.0, -1e9, shape=seen.shape, dtype=q.dtype
            )
        elif use_causal_mask:
            options["is_causal"] = True
        rate = float(self.dropout or 0.0)
        if rate and b.training is not False:
            options["dropout_p"] = rate if b.training else TrainOnly(rate)
        if self.scale is not None:
            q = b.operator("*", q, b.param(self.scale), shape=q.shape)
        shape = (*q.shape[:-1], v.shape[-1])
        x = b.function("F.scaled_dot_product_attention", q, k, v, **options, scale=1.0, shape=shape)
        return self._mask_rows(b, x, masks)


class AdditiveAttention(_DotAttention):
    """Additive attention (Bahdanau)."""

    inner_methods = ("_calculate_scores", "_apply_scores", "_calculate_score_mask")

    use_scale: bool = True
    dropout: float = 0.0
    base_arguments = {**Layer.base_arguments, "seed": None, "score_mode": "dot"}

    def build(self, input_shape: Any) -> None:
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform"
            )

    def _scores(self, b: Any, query: Any, key: Any, shape: Shape) -> Any:
        x = _tanh_of_sums(b, query, key, None)
        if self.scale is None:
            return b.reduce("sum", x, [-1])
        return b.operator("@", x, b.param(self.scale), shape=shape)

    def lower(
        self,
        b: Any,
        inputs: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        q, v, *others = (b.floating(x) for x in inputs)
        k = others[0] if others else v
        masks = (*mask, None, None)[:2] if mask else (None, None)
        return self._written_out(b, q, v, k, masks, return_attention_scores, use_causal_mask)


def _tanh_of_sums(b: Any, query: Any, key: Any, scale: Any) -> Any:
    """tanh(scale * (q + k)) for every pair: (N, query, key, dim)."""
    rank = len(query.shape)
    axes = tuple(range(rank + 1))
    q = b.method("unsqueeze", query, -2, shape=(*query.shape[:-1], 1, query.shape[-1]), axes=axes)
    k = b.method("unsqueeze", key, -3, shape=(*key.shape[:-2], 1, *key.shape[-2:]), axes=axes)
    total = b.operator("+", q, k)
    if scale is not None:
        total = b.operator("*", total, scale, shape=total.shape)
    return b.function("torch.tanh", total)
