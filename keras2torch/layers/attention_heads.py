"""Attention in heads. Source: keras/src/layers/attention/multi_head_attention.py of Keras 3.15.

Two softmaxes hide in Keras's MultiHeadAttention. Without dropout and returned scores, a row whose every
place is masked averages all values; else it gives zeros. F.scaled_dot_product_attention alone does neither.
"""

from __future__ import annotations

from typing import Any

from keras2torch import config
from keras2torch.constructors import TrainOnly
from keras2torch.graph import Shape, Tensor
from keras2torch.layers.attention_masks import in_traced_call, mask_at_run_time
from keras2torch.layers.base import Layer
from keras2torch.layers.core import product
from keras2torch.layers.dense2 import EinsumDense, Equation, linear
from keras2torch.layers.operation import as_tensor

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
        """Masks that travel with the inputs, where none are given; they count since TensorFlow 2.10."""
        if config.older_than(2, 10):
            return
        for name, tensor in zip(("query", "value", "key"), tensors):
            if given.get(f"{name}_mask") is None:
                given[f"{name}_mask"] = (
                    mask_at_run_time(tensor) if in_traced_call() else tensor.mask
                )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return [None if config.older_than(2, 10) else mask, None]

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
        masks = {"query": query_mask, "value": value_mask}
        if key_mask is not value_mask:
            masks["key"] = key_mask
        masks = {name: mask for name, mask in masks.items() if mask is not None}
        key = value if key is None else key
        axes = self._axes(len(query.shape))
        gate = self._gate(b, query)
        q = self._heads(b, query, "query", axes)
        k = self._heads(b, key, "key", axes)
        v = self._heads(b, value, "value", axes)
        window = self.sliding_window is not None and (
            query.shape[1] is None or query.shape[1] != value.shape[1]
        )
        seeing = not masks and attention_mask is None and not window  # every row sees something
        plain = (
            len(query.shape) == 3
            and seeing
            and self.sliding_window is None
            and not return_attention_scores
        )
        if use_causal_mask and plain:
            x = self._fused(b, q, k, v, is_causal=True)
        else:
            with b.preparing():  # so that attention with any masks is of one class
                mask = self._mask(
                    b, query, value, masks, attention_mask, use_causal_mask, axes, len(q.shape)
                )
            if return_attention_scores:
                x, scores = self._with_scores(b, q, k, v, mask, seeing)
            else:
                x = self._masked(
                    b, q, k, v, mask, seeing, averages=len(query.shape) == 3 and not self.dropout
                )
        x = self._merge(b, x, query, axes)
        if gate is not None:
            x = b.operator("*", x, gate)
        x = self._linear(b, x, self.output_dense, "out_proj", flat=True)
        if not return_attention_scores:
            return x
        return [x, self._unflatten_scores(b, scores, query, value, axes)]

    def _gate(self, b: Any, query: Any) -> Any:
        """What each head's output is multiplied by, heads in the last axis; None without ``use_gate``."""
        if not self.use_gate:
            return None
        x = self._project(b, query, "gate")
        gate = b.function(
            "torch.sigmoid",
            b.method("flatten", x, -2, shape=(*x.shape[:-2], x.shape[-2] * x.shape[-1])),
        )
        gate.hint = "gate"
        return gate

    def _fused(self, b: Any, q: Any, k: Any, v: Any, **options: Any) -> Any:
        rate = 0.0 if b.training is False else float(self.dropout or 0.0)
        if rate:
            options["dropout_p"] = rate if b.training else TrainOnly(rate)
        if len(q.shape) == 4 and q.shape[1] != k.shape[1]:
            options["enable_gqa"] = True
        shape = (*q.shape[:-1], v.shape[-1])
        return b.function("F.scaled_dot_product_attention", q, k, v, **options, shape=shape)

    def _masked(
        self, b: Any, q: Any, k: Any, v: Any, mask: Any, seeing: bool, averages: bool
    ) -> Any:
        """Fused attention. ``averages``: a row that sees nothing averages all values; else it is zero."""
        if mask is None:
            return self._fused(b, q, k, v)
        if seeing:
            return self._fused(b, q, k, v, attn_mask=mask)
        if averages:
            k, v = self._repeated(b, q, k, v)
            return b.function("masked_attention", q, k, v, mask, shape=(*q.shape[:-1], v.shape[-1]))
        bias = b.function("additive_mask", mask, q, shape=mask.shape, dtype=q.dtype)
        bias.hint = "bias"
        x = self._fused(b, q, k, v, attn_mask=bias)
        unseen = b.operator("~", b.reduce("any", mask, [-1], keepdims=True), dtype="bool")
        return b.method(
            "masked_fill", x, unseen, 0.0, shape=x.shape, note="zero where a row sees nothing"
        )

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
        rest = [axis for axis in range(rank - 2) if axis not in axes]
        x = b.permute(x, (*rest, rank - 2, *axes, rank - 1))
        if len(axes) > 1:
            start = len(rest) + 1
            shape = (*x.shape[:start], product(x.shape[start:-1]), x.shape[-1])
            x = b.method("flatten", x, start, -2, shape=shape)
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
        query: Any,
        value: Any,
        masks: dict[str, Any],
        attention_mask: Any,
        causal: bool,
        axes: tuple[int, ...],
        rank: int,
    ) -> Any:
        """All masks in one, with an axis for the heads; None if there is none."""
        parts = []
        for name, mask in masks.items():
            dim = 2 if name == "query" else 1
            mask = as_bool(b, mask)
            shape = (*mask.shape, 1) if name == "query" else (mask.shape[0], 1, *mask.shape[1:])
            parts.append(b.method("unsqueeze", mask, dim, shape=shape, axes=(0, 1, 2)))
        options: dict[str, Any] = {
            "shape": (query.shape[1], value.shape[1]),
            "axes": (0, 1),
            "dtype": "bool",
        }
        if causal:
            parts.append(b.function("causal_mask", query, value, **options))
        if self.sliding_window is not None:
            parts.append(
                b.function("window_mask", query, value, int(self.sliding_window), **options)
            )
        if attention_mask is not None:
            parts.insert(0, self._one_axis_each(b, as_bool(b, attention_mask), axes))
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
        sizes = [product(mask.shape[lead : lead + count]), product(mask.shape[lead + count :])]
        mask = b.method(
            "flatten", mask, lead + count, shape=(*mask.shape[: lead + count], sizes[1])
        )
        return b.method("flatten", mask, lead, -2, shape=(*mask.shape[:lead], *sizes))

    def _with_scores(
        self, b: Any, q: Any, k: Any, v: Any, mask: Any, seeing: bool
    ) -> tuple[Any, Any]:
        """The attention written out, for programs that ask for the weights."""
        k, v = self._repeated(b, q, k, v)
        shape = (*q.shape[:-1], k.shape[-2])
        swapped = b.method("transpose", k, -2, -1, shape=(*k.shape[:-2], k.shape[-1], k.shape[-2]))
        logits = b.operator("@", b.operator("*", q, q.shape[-1] ** -0.5), swapped, shape=shape)
        if mask is not None:
            hidden = b.operator("~", mask, dtype="bool")
            logits = b.method("masked_fill", logits, hidden, -1e9, shape=shape)
        scores = b.function("F.softmax", logits, dim=-1, shape=shape)
        if mask is not None and not seeing:
            scores = b.method("masked_fill", scores, hidden, 0.0, shape=shape)
        scores.hint = "scores"
        used = dropped(b, scores, float(self.dropout or 0.0))
        return b.operator("@", used, v, shape=(*q.shape[:-1], v.shape[-1])), scores

    def _unflatten_scores(
        self, b: Any, scores: Any, query: Any, value: Any, axes: tuple[int, ...]
    ) -> Any:
        """One axis for each of attention's axes again."""
        if len(axes) == 1:
            return scores
        for dim, x in ((-1, value), (-1 - len(axes), query)):
            sizes = tuple(b.size(x, axis) for axis in axes)
            known = tuple(n if isinstance(n, int) else None for n in sizes)
            place = len(scores.shape) + dim
            shape = (*scores.shape[:place], *known, *scores.shape[place + 1 :])
            scores = b.method("unflatten", scores, dim, sizes, shape=shape)
        return scores


def dropped(b: Any, x: Any, rate: float) -> Any:
    """Dropout as the call's ``training`` has it."""
    if not rate or b.training is False:
        return x
    if b.training:
        return b.function("F.dropout", x, rate)
    return b.call(b.submodule("nn.Dropout", p=rate), x)


def as_bool(b: Any, mask: Any) -> Any:
    return mask if mask.dtype == "bool" else b.method("bool", mask, dtype="bool")
