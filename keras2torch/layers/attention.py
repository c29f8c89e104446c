"""Attention. Sources: keras/src/layers/attention/*.py of Keras 3.15.

Two softmaxes hide in Keras's MultiHeadAttention. Without dropout and returned scores, a row whose every
place is masked averages all values; else it gives zeros. F.scaled_dot_product_attention alone does neither.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.expressions import TrainOnly
from keras2torch.graph import Shape, Spec, Tensor
from keras2torch.layers.base import Layer, as_tensor
from keras2torch.layers.dense2 import EinsumDense, Equation, linear
from keras2torch.layers.attention_masks import drop_mask, in_traced_call, mask_at_run_time

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class _Heads(Layer):
    """What MultiHeadAttention and GroupQueryAttention share: projections, masks, the attention itself."""

    own_class = True
    supports_masking = True

    # Calling.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        names = ["query", "value", "key", "query_mask", "value_mask", "key_mask", "attention_mask"]
        if config.keras_version < 3:
            names = [name for name in names if name not in ("query_mask", "value_mask", "key_mask")]
        names += ["return_attention_scores", "training", "use_causal_mask"]
        given = {**dict(zip(names, args)), **kwargs}
        for name in ("query", "value", "key", "attention_mask"):
            if given.get(name) is not None:
                given[name] = as_tensor(given[name])
        first = [given.pop("query"), given.pop("value")]
        key = given.pop("key", None)
        if key is not None:
            first.append(key)
        self._find_masks(first, given)
        return super().__call__(*first, **given)

    def _find_masks(self, tensors: list[Tensor], given: dict[str, Any]) -> None:
        """Masks that travel with the inputs, where none are given."""
        for name, tensor in zip(("query", "value", "key"), tensors):
            if given.get(f"{name}_mask") is None:
                given[f"{name}_mask"] = (
                    mask_at_run_time(tensor) if in_traced_call() else tensor.mask
                )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return [mask, None]

    # Projections.
    def _projection(
        self, name: str, shape: Shape, sizes: tuple[int, ...], bound: int = 1
    ) -> EinsumDense:
        """Keras's EinsumDense over the last ``bound`` axes; its kernel keeps heads and sizes apart."""
        free = len(shape) - bound
        kept, used = _LETTERS[:free], _LETTERS[free : free + bound]
        made = _LETTERS[free + bound : free + bound + len(sizes)]
        dense = EinsumDense(
            f"{kept}{used},{used}{made}->{kept}{made}",
            output_shape=(*shape[1:free], *sizes),
            bias_axes=made if self.use_bias else None,
            kernel_initializer=self.kernel_initializer,
            bias_initializer=self.bias_initializer,
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            name=name,
            trainable=self.trainable,
            dtype=self.dtype,
        )
        dense.build(shape)
        dense.built = True
        return dense

    def _build_projections(
        self, shapes: tuple[Shape, Shape, Shape], heads: tuple[int, int], sizes: tuple[int, int]
    ) -> None:
        """``heads`` of query and of key and value; ``sizes`` of query and key, and of value."""
        if self.activity_regularizer is not None:
            raise self.unsupported(
                "activity_regularizer penalises every projection", "leave activity_regularizer out"
            )
        query, value, key = shapes
        if tuple(value[1:-1]) != tuple(key[1:-1]):
            raise ValueError("all axes of value and key but the last must be equal")
        self.query_dense = self._projection("query", query, (heads[0], sizes[0]))
        self.key_dense = self._projection("key", key, (heads[1], sizes[0]))
        if self.use_gate:
            self.gate_dense = self._projection("gate", query, (heads[0], sizes[1]))
        self.value_dense = self._projection("value", value, (heads[1], sizes[1]))
        out = self._output_sizes(query)
        self.output_dense = self._projection(
            "attention_output", (*query[:-1], heads[0], sizes[1]), out, bound=2
        )

    def _output_sizes(self, query: Shape) -> tuple[int, ...]:
        return (int(query[-1] or 0),)

    # Lowering.
    def _attend(
        self,
        b: Any,
        query: Any,
        value: Any,
        key: Any,
        masks: dict[str, Any],
        attention_mask: Any,
        scores: bool,
        causal: bool,
    ) -> Any:
        key = value if key is None else key
        if masks.get("key") is masks.get("value"):
            masks.pop("key", None)
        rank, axes = len(query.shape), self._axes(len(query.shape))
        rate = 0.0 if b.training is False else float(self.dropout or 0.0)
        gate = (
            b.function("torch.sigmoid", self._project(b, query, "gate")) if self.use_gate else None
        )
        lengths = (query, value)
        q, k, v = (
            self._heads(b, x, name, axes)
            for x, name in ((query, "query"), (key, "key"), (value, "value"))
        )
        fused = rank == 3 and not self.dropout and not scores
        everyone = (
            causal
            and rank == 3
            and attention_mask is None
            and not masks
            and self.sliding_window is None
        )
        mask = (
            None
            if everyone and not scores
            else self._mask(b, lengths, masks, attention_mask, causal, axes, len(q.shape))
        )
        sure = not masks and attention_mask is None  # whether each row sees something
        if scores:
            x, weights = self._with_scores(b, q, k, v, mask, sure, rate)
        elif fused and mask is not None and not sure:
            k, v = self._repeated(b, q, k, v)
            x = b.function("masked_attention", q, k, v, mask, shape=(*q.shape[:-1], v.shape[-1]))
        else:
            options = {"enable_gqa": True} if q.shape[1] != k.shape[1] and rank == 3 else {}
            if mask is not None:
                options["attn_mask"] = (
                    mask
                    if sure
                    else b.function("additive_mask", mask, q, shape=mask.shape, dtype=q.dtype)
                )
            if rate:
                options["dropout_p"] = rate if b.training else TrainOnly(rate)
            if everyone:
                options["is_causal"] = True
            x = b.function(
                "F.scaled_dot_product_attention",
                q,
                k,
                v,
                shape=(*q.shape[:-1], v.shape[-1]),
                **options,
            )
            if mask is not None and not sure:
                unseen = b.operator("~", b.reduce("any", mask, [-1], keepdims=True), dtype="bool")
                note = "zero where a row sees nothing"
                x = b.method("masked_fill", x, unseen, 0.0, shape=x.shape, note=note)
        x = self._merge(b, x, query, axes)
        if gate is not None:
            x = b.operator("*", x, b.method("flatten", gate, -2, shape=x.shape))
        x = self._linear(b, x, self.output_dense, "out", flat=True)
        if not scores:
            return x
        return [x, self._unflatten_scores(b, weights, lengths, axes)]

    def _repeated(self, b: Any, q: Any, k: Any, v: Any) -> tuple[Any, Any]:
        """Key and value with as many heads as the query."""
        return k, v

    def _axes(self, rank: int) -> tuple[int, ...]:
        """The axes that attention runs over, in a tensor of ``rank`` axes."""
        return (1,)

    def _project(self, b: Any, x: Any, name: str) -> Any:
        return self._linear(b, x, getattr(self, f"{name}_dense"), name)

    def _linear(self, b: Any, x: Any, dense: Any, role: str, flat: bool = False) -> Any:
        equation = Equation.parse(dense.equation)
        return linear(b, x, dense.kernel, dense.bias, equation, role, flat)

    def _heads(self, b: Any, x: Any, name: str, axes: tuple[int, ...]) -> Any:
        """The projection as (N, ..., heads, length, size): attention's axes are one, behind the heads."""
        x = self._project(b, x, name)
        rank = len(x.shape)
        if axes == tuple(range(rank - 2 - len(axes), rank - 2)):  # the last ones already
            if len(axes) > 1:
                length = (
                    None
                    if None in x.shape[axes[0] : rank - 2]
                    else _product(x.shape[axes[0] : rank - 2])
                )
                x = b.method(
                    "flatten",
                    x,
                    axes[0],
                    rank - 3,
                    shape=(*x.shape[: axes[0]], length, *x.shape[-2:]),
                )
            rank = len(x.shape)
            x = b.permute(x, (*range(rank - 3), rank - 2, rank - 3, rank - 1))
        else:
            rest = [axis for axis in range(rank - 2) if axis not in axes]
            x = b.permute(x, (*rest, rank - 2, *axes, rank - 1))
            if len(axes) > 1:
                start = len(rest) + 1
                length = None if None in x.shape[start:-1] else _product(x.shape[start:-1])
                x = b.method("flatten", x, start, -2, shape=(*x.shape[:start], length, x.shape[-1]))
        x.hint = name
        return x

    def _merge(self, b: Any, x: Any, query: Any, axes: tuple[int, ...]) -> Any:
        """Back to the query's axes, with all heads in the last one."""
        rank = len(query.shape)
        rest = [axis for axis in range(rank - 1) if axis not in axes]
        if len(axes) > 1:
            sizes = tuple(b.size(query, axis) for axis in axes)
            known = tuple(n if isinstance(n, int) else None for n in sizes)
            x = b.method(
                "unflatten",
                x,
                len(rest) + 1,
                sizes,
                shape=(*x.shape[: len(rest) + 1], *known, x.shape[-1]),
            )
        places = {axis: i for i, axis in enumerate(rest)} | {
            axis: len(rest) + 1 + i for i, axis in enumerate(axes)
        }
        x = b.permute(x, (*(places[axis] for axis in range(rank - 1)), len(rest), rank))
        return b.method("flatten", x, -2, shape=(*x.shape[:-2], x.shape[-2] * x.shape[-1]))

    def _mask(
        self,
        b: Any,
        lengths: Any,
        masks: dict[str, Any],
        attention_mask: Any,
        causal: bool,
        axes: tuple[int, ...],
        rank: int,
    ) -> Any:
        """All masks in one, with an axis for the heads; None if there is none."""
        parts = []
        for name, mask in masks.items():
            shape = (*mask.shape, 1) if name == "query" else (mask.shape[0], 1, *mask.shape[1:])
            mask = _as_bool(b, mask)
            parts.append(
                b.method(
                    "unsqueeze", mask, 2 if name == "query" else 1, shape=shape, axes=(0, 1, 2)
                )
            )
        rows, columns = (x.shape[1] for x in lengths)
        if causal:
            parts.append(
                b.function(
                    "causal_mask", *lengths, shape=(rows, columns), axes=(0, 1), dtype="bool"
                )
            )
        if self.sliding_window is not None:
            window = int(self.sliding_window)
            parts.append(
                b.function(
                    "window_mask",
                    *lengths,
                    window,
                    shape=(rows, columns),
                    axes=(0, 1),
                    dtype="bool",
                )
            )
        if attention_mask is not None:
            parts.insert(0, self._one_axis_each(b, _as_bool(b, attention_mask), axes))
        if not parts:
            return None
        mask = parts[0]
        for part in parts[1:]:
            mask = b.operator("&", mask, part, dtype="bool")
        if 2 < len(mask.shape) < rank:
            for _ in range(rank - len(mask.shape)):
                shape = (*mask.shape[:-2], 1, *mask.shape[-2:])
                mask = b.method("unsqueeze", mask, -3, shape=shape, axes=tuple(range(len(shape))))
        mask.hint = "mask"
        return mask

    def _one_axis_each(self, b: Any, mask: Any, axes: tuple[int, ...]) -> Any:
        """A given mask with one axis for all query places and one for all key places."""
        count = len(axes)
        if count == 1 or len(mask.shape) <= 2:
            return mask
        lead = len(mask.shape) - 2 * count
        if lead < 0 or 1 in mask.shape[lead:]:
            raise self.unsupported(
                f"an attention_mask of shape {mask.shape} over {count} attention_axes",
                "give it all its axes in full",
            )
        sizes = [
            None if None in part else _product(part)
            for part in (mask.shape[lead : lead + count], mask.shape[lead + count :])
        ]
        mask = b.method(
            "flatten", mask, lead + count, shape=(*mask.shape[: lead + count], sizes[1])
        )
        return b.method("flatten", mask, lead, -2, shape=(*mask.shape[:lead], *sizes))

    def _with_scores(
        self, b: Any, q: Any, k: Any, v: Any, mask: Any, sure: bool, rate: float
    ) -> tuple[Any, Any]:
        """The attention written out, for programs that ask for the weights."""
        k, v = self._repeated(b, q, k, v)
        shape = (*q.shape[:-1], k.shape[-2])
        swapped = b.method("transpose", k, -2, -1, shape=(*k.shape[:-2], k.shape[-1], k.shape[-2]))
        logits = b.operator("@", b.operator("*", q, q.shape[-1] ** -0.5), swapped, shape=shape)
        if mask is not None:
            hidden = b.operator("~", mask, dtype="bool")
            logits = b.method("masked_fill", logits, hidden, -1e9, shape=shape)
        weights = b.function("F.softmax", logits, dim=-1, shape=shape)
        if mask is not None and not sure:
            weights = b.method("masked_fill", weights, hidden, 0.0, shape=shape)
        weights.hint = "scores"
        used = weights
        if rate:
            used = (
                b.function("F.dropout", weights, rate)
                if b.training
                else b.call(b.submodule("nn.Dropout", p=rate), weights)
            )
        return b.operator("@", used, v, shape=(*q.shape[:-1], v.shape[-1])), weights

    def _unflatten_scores(self, b: Any, weights: Any, lengths: Any, axes: tuple[int, ...]) -> Any:
        if len(axes) == 1:
            return weights
        query, value = lengths
        for dim, x in ((-1, value), (-2 if len(axes) == 1 else -1 - len(axes), query)):
            sizes = tuple(b.size(x, axis) for axis in axes)
            known = tuple(n if isinstance(n, int) else None for n in sizes)
            place = len(weights.shape) + dim
            weights = b.method(
                "unflatten",
                weights,
                dim,
                sizes,
                shape=(*weights.shape[:place], *known, *weights.shape[place + 1 :]),
            )
        return weights


class MultiHeadAttention(_Heads):
    """Scaled dot-product attention in several heads, each with projections of its own."""

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

    def lower(
        self,
        b: Any,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        masks = _given(query=query_mask, value=value_mask, key=key_mask)
        return self._attend(
            b, query, value, key, masks, attention_mask, return_attention_scores, use_causal_mask
        )


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

    def lower(
        self,
        b: Any,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        masks = _given(query=query_mask, value=value_mask, key=key_mask)
        return self._attend(
            b, query, value, key, masks, attention_mask, return_attention_scores, use_causal_mask
        )


class _DotAttention(Layer):
    """Attention without projections, on ``[query, value]`` or ``[query, value, key]``."""

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
        used, rate = weights, float(self.dropout or 0.0)
        if rate and b.training is not False:
            used = (
                b.function("F.dropout", weights, rate)
                if b.training
                else b.call(b.submodule("nn.Dropout", p=rate), weights)
            )
        x = b.operator("@", used, v, shape=(*q.shape[:-1], v.shape[-1]))
        x = self._mask_rows(b, x, masks)
        return [x, weights] if scores else x

    def _seen(self, b: Any, q: Any, v: Any, masks: Any, causal: bool) -> Any:
        """Which scores count: a boolean (N, query, value); None for all."""
        seen = None
        if masks[1] is not None:
            mask = _as_bool(b, masks[1])
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
        mask = b.operator("~", _as_bool(b, masks[0]), dtype="bool")
        mask = b.method("unsqueeze", mask, -1, shape=(*mask.shape, 1), axes=(0, 1, 2))
        return b.method("masked_fill", x, mask, 0.0, shape=x.shape)


class Attention(_DotAttention):
    """Dot-product attention (Luong)."""

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
        q, v = inputs[0], inputs[1]
        k = inputs[2] if len(inputs) > 2 else v
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
        key = inputs[2] if len(inputs) > 2 else inputs[1]
        masks = (*mask, None, None)[:2] if mask else (None, None)
        return self._written_out(
            b, inputs[0], inputs[1], key, masks, return_attention_scores, use_causal_mask
        )


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


def _given(**masks: Any) -> dict[str, Any]:
    return {name: mask for name, mask in masks.items() if mask is not None}


def _as_bool(b: Any, mask: Any) -> Any:
    return mask if mask.dtype == "bool" else b.method("bool", mask, dtype="bool")


def _product(sizes: Any) -> int:
    total = 1
    for n in sizes:
        total *= n
    return total
