"""Attention layers against Keras: values and gradients, with every argument, mask and axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oracle  # isort: split

import keras
import pytest
from keras.layers import AdditiveAttention, Attention, GroupQueryAttention, MultiHeadAttention

pytestmark = pytest.mark.thin(14)

Built = Callable[[], Any]


def inputs(*shapes: tuple[int | None, ...]) -> list[Any]:
    return [keras.Input(shape) for shape in shapes]


def boolean(*shape: int | None) -> Any:
    return keras.Input(shape, dtype="bool")


def heads(layer: Any, *tensors: Any, mask: Any = None, **options: Any) -> Any:
    """A model of one attention in heads; ``mask`` is one more input."""
    if mask is not None:
        options["attention_mask"] = mask
    given = list({id(t): t for t in tensors}.values()) + ([mask] if mask is not None else [])
    outputs = layer(*tensors, **options)
    return keras.Model(given, list(outputs) if isinstance(outputs, tuple) else outputs)


def same(shape: tuple[int | None, ...]) -> list[Any]:
    x = keras.Input(shape)
    return [x, x]


MHA, GQA = MultiHeadAttention, GroupQueryAttention
HEADS: dict[str, Built] = {
    "self": lambda: heads(MHA(3, 4), *same((7, 6))),
    "any length": lambda: heads(MHA(2, 4, output_shape=8, use_bias=False), *same((None, 6))),
    "output of two axes": lambda: heads(MHA(2, 4, output_shape=(3, 2)), *same((7, 6))),
    "value_dim": lambda: heads(MHA(2, 4, value_dim=5, dropout=0.1), *same((7, 6))),
    "three inputs": lambda: heads(MHA(2, 4, dropout=0.1), *inputs((7, 6), (5, 3), (5, 4))),
    "causal": lambda: heads(MHA(2, 4), *same((None, 6)), use_causal_mask=True),
    "causal, more keys": lambda: heads(
        MHA(2, 4, dropout=0.2), *inputs((5, 6), (8, 6)), use_causal_mask=True
    ),
    "causal, fewer keys": lambda: heads(MHA(2, 4), *inputs((8, 6), (5, 6)), use_causal_mask=True),
    "scores": lambda: heads(MHA(2, 4), *inputs((6, 6), (6, 6)), return_attention_scores=True),
    "causal scores": lambda: heads(
        MHA(2, 4, dropout=0.2), *same((6, 6)), return_attention_scores=True, use_causal_mask=True
    ),
    "gate": lambda: heads(MHA(2, 4, use_gate=True), *same((6, 6))),
    "window": lambda: heads(MHA(2, 4, sliding_window=2), *same((6, 6))),
    "causal window": lambda: heads(
        MHA(2, 4, sliding_window=3), *same((6, 6)), use_causal_mask=True
    ),
    "window past the keys": lambda: heads(MHA(2, 4, sliding_window=2), *inputs((8, 6), (4, 6))),
    "mask": lambda: heads(MHA(2, 4), *same((6, 6)), mask=boolean(6, 6)),
    "mask, causal": lambda: heads(
        MHA(2, 4, dropout=0.1), *same((6, 6)), mask=boolean(6, 6), use_causal_mask=True
    ),
    "mask of integers, scores": lambda: heads(
        MHA(2, 4),
        *same((6, 6)),
        mask=keras.Input((6, 6), dtype="int32"),
        return_attention_scores=True,
    ),
    "mask for each head": lambda: heads(MHA(2, 4), *same((6, 6)), mask=boolean(2, 6, 6)),
    "mask for all heads": lambda: heads(MHA(2, 4), *same((6, 6)), mask=boolean(1, 6, 6)),
    "axes 1 and 2": lambda: heads(MHA(2, 4), *same((3, 4, 6))),
    "axis 2": lambda: heads(MHA(2, 4, attention_axes=2), *same((3, 4, 6))),
    "axis -2, mask": lambda: heads(
        MHA(2, 4, attention_axes=-2), *same((3, 4, 6)), mask=boolean(4, 4)
    ),
    "axis 1, scores": lambda: heads(
        MHA(2, 4, attention_axes=(1,)), *same((3, 4, 6)), return_attention_scores=True
    ),
    "axis 1, causal": lambda: heads(
        MHA(2, 4, attention_axes=1), *same((3, 4, 6)), use_causal_mask=True
    ),
    "axes 2 and 3, scores": lambda: heads(
        MHA(2, 4, attention_axes=(2, 3)), *same((3, 4, 2, 6)), return_attention_scores=True
    ),
    "axes 1 and 3": lambda: heads(MHA(2, 4, attention_axes=(1, 3)), *same((3, 4, 2, 6))),
    "groups": lambda: heads(GQA(4, 6, 2), *same((7, 6))),
    "groups, causal": lambda: heads(
        GQA(4, 6, 2, dropout=0.1, use_bias=False), *same((7, 6)), use_causal_mask=True
    ),
    "groups, scores": lambda: heads(
        GQA(4, 6, 3), *inputs((7, 6), (5, 6)), return_attention_scores=True
    ),
    "groups, mask": lambda: heads(
        GQA(4, 4, 2, use_gate=True, sliding_window=3), *same((6, 6)), mask=boolean(6, 6)
    ),
    "groups, mask, dropout": lambda: heads(
        GQA(4, 4, 2, dropout=0.3), *same((6, 6)), mask=boolean(6, 6)
    ),
    "groups of one": lambda: heads(GQA(4, 2, 2), *same((6, 6)), mask=boolean(6, 6)),
}


def dot(
    layer: Any,
    *shapes: tuple[int | None, ...],
    masks: tuple[int, int] | None = None,
    **options: Any,
) -> Any:
    """A model of one Attention; ``masks`` are the lengths of two boolean inputs."""
    tensors = inputs(*shapes)
    given = [boolean(n) for n in masks or ()]
    if given:
        options["mask"] = given
    outputs = layer(tensors if len(tensors) > 1 else tensors * 2, **options)
    return keras.Model(tensors + given, list(outputs) if isinstance(outputs, tuple) else outputs)


DOT: dict[str, Built] = {
    "dot": lambda: dot(Attention(), (5, 4), (7, 4)),
    "dot, key, scale": lambda: dot(Attention(use_scale=True), (5, 4), (7, 6), (7, 4)),
    "dot, self, causal": lambda: dot(Attention(dropout=0.3), (None, 4), use_causal_mask=True),
    "dot, masks": lambda: dot(Attention(use_scale=True), (5, 4), (7, 4), masks=(5, 7)),
    "dot, masks, causal": lambda: dot(
        Attention(), (5, 4), (7, 4), masks=(5, 7), use_causal_mask=True
    ),
    "dot, masks, scores": lambda: dot(
        Attention(dropout=0.1), (5, 4), (7, 4), masks=(5, 7), return_attention_scores=True
    ),
    "concat": lambda: dot(Attention(score_mode="concat"), (5, 4), (7, 4), use_causal_mask=True),
    "concat, scale": lambda: dot(
        Attention(use_scale=True, score_mode="concat", dropout=0.1), (5, 4), (7, 4), masks=(5, 7)
    ),
    "additive": lambda: dot(AdditiveAttention(), (5, 4), (7, 4)),
    "additive, no scale": lambda: dot(
        AdditiveAttention(use_scale=False, dropout=0.1),
        (5, 4),
        (7, 6),
        (7, 4),
        return_attention_scores=True,
    ),
    "additive, masks": lambda: dot(
        AdditiveAttention(), (5, 4), (7, 4), masks=(5, 7), use_causal_mask=True
    ),
}


@pytest.mark.parametrize("name", [*HEADS, *DOT])
def test_equals_keras(name: str) -> None:
    oracle.compare((HEADS | DOT)[name]())


def test_self_attention_reads_well() -> None:
    source = oracle.compare(HEADS["self"]()).model_source
    assert "x = F.scaled_dot_product_attention(query, key, value)" in source
    assert "query = self.query(x).unflatten(-1, (3, 4)).transpose(1, 2)" in source
    assert "dropout" not in source and "mask" not in source


def test_activity_regularizer_is_refused() -> None:
    model = heads(MHA(2, 4, activity_regularizer="l2"), *same((6, 6)))
    with pytest.raises(
        oracle.keras2torch.K2TError, match="activity_regularizer penalises every projection"
    ):
        oracle.keras2torch.generate(model)
