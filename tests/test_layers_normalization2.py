"""Group, RMS, unit and spectral normalisation, Normalization, EinsumDense and kin against Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oracle  # isort: split

import keras
import numpy as np
import pytest
from keras import layers

K2TError = oracle.keras2torch.K2TError


def on(shape: Any, *stack: Any, dtype: str = "float32") -> Any:
    """A model of layers one behind the other."""
    return keras.Sequential([keras.Input(shape, dtype=dtype), *stack])


def conv() -> Any:
    return layers.Conv2D(4, 3)


LAYERS: dict[str, Callable[[], Any]] = {
    "groups behind a convolution": lambda: on((6, 6, 3), conv(), layers.GroupNormalization(2)),
    "groups of features": lambda: on((6,), layers.GroupNormalization(3, center=False)),
    "groups of one channel": lambda: on(
        (5, 4), layers.GroupNormalization(-1, scale=False, center=False, epsilon=1e-2)
    ),
    "groups on axis 1": lambda: on((4, 5, 3), layers.GroupNormalization(2, axis=1, scale=False)),
    "groups on axis -2": lambda: on((4, 6, 3), layers.GroupNormalization(2, axis=-2)),
    "groups, any size": lambda: on((None, None, 3), conv(), layers.GroupNormalization(4)),
    "root mean square": lambda: on((4, 6), layers.RMSNormalization()),
    "root mean square of two axes": lambda: on((4, 6, 3), layers.RMSNormalization([-2, -1], 1e-3)),
    "root mean square of axis 1": lambda: on((6, 6), layers.RMSNormalization(axis=1)),
    "unit": lambda: on((4, 6), layers.UnitNormalization()),
    "unit, axis 1": lambda: on((4, 6), layers.UnitNormalization(axis=1)),
    "unit, image": lambda: on((6, 6, 3), conv(), layers.UnitNormalization(axis=-1)),
    "unit, two axes": lambda: on((6, 6, 3), conv(), layers.UnitNormalization(axis=[1, 2])),
    "spectral, eval": lambda: on((7, 7, 3), layers.SpectralNormalization(conv())),
    "given": lambda: on(
        (4, 3), layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[2.0, 3.0, 0.0])
    ),
    "given, one number": lambda: on((4,), layers.Normalization(None, 0.5, 4.0, invert=True)),
    "given, image": lambda: on(
        (6, 6, 3), layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[2.0, 3.0, 4.0]), conv()
    ),
    "given, two axes": lambda: on(
        (4, 3), layers.Normalization((1, -1), mean=[1.0, 2.0, 3.0], variance=[2.0, 1.0, 3.0])
    ),
    "einsum as linear": lambda: on((5,), layers.EinsumDense("ab,bc->ac", 7, bias_axes="c")),
    "einsum, kernel turned": lambda: on((5,), layers.EinsumDense("ab,cb->ac", 7, bias_axes="c")),
    "einsum over the last axis": lambda: on(
        (3, 4), layers.EinsumDense("abc,cd->abd", (None, 8), "relu", bias_axes="d")
    ),
    "einsum, any axes": lambda: on((3, 4), layers.EinsumDense("...x,xy->...y", 8, bias_axes="y")),
    "einsum to two axes": lambda: on(
        (3, 4), layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de")
    ),
    "einsum, bias on one of two": lambda: on(
        (3, 4), layers.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="d")
    ),
    "einsum over two axes": lambda: on(
        (3, 4, 5), layers.EinsumDense("abcd,cde->abe", (None, 7), bias_axes="e")
    ),
    "einsum over two axes, kernel turned": lambda: on(
        (3, 4, 5), layers.EinsumDense("abcd,dec->abe", (None, 7), bias_axes="e")
    ),
    "einsum over a middle axis": lambda: on(
        (3, 4), layers.EinsumDense("abc,bd->adc", (5, 4), bias_axes="d")
    ),
    "einsum, axes to the right": lambda: on(
        (3, 6), layers.EinsumDense("ab...,bc->ac...", (5,), bias_axes="c")
    ),
    "einsum with a kernel for each place": lambda: on(
        (3, 4), layers.EinsumDense("abc,bcd->abd", (3, 6), bias_axes="bd")
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_equals_keras(name: str) -> None:
    oracle.compare(LAYERS[name]())


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.SpectralNormalization(layers.Dense(5, "relu"), power_iterations=2),
        lambda: layers.SpectralNormalization(layers.Conv2D(5, 3, 2, "same")),
        lambda: layers.SpectralNormalization(layers.Conv2DTranspose(5, 3, 2, "same")),
        lambda: layers.SpectralNormalization(layers.Dense(5, kernel_initializer="zeros")),
    ],
)
def test_spectral_norm_is_taken_in_training(layer: Callable[[], Any]) -> None:
    model = on((7, 7, 3), layer())
    oracle.compare(model, training=True, gradients=False, batches=(3,))


@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
@pytest.mark.parametrize("invert", [False, True])
def test_adapted_statistics(axis: Any, invert: bool) -> None:
    layer = layers.Normalization(axis, invert=invert)
    layer.adapt(np.random.default_rng(0).normal(3, 2, (50, 4, 3)).astype("float32"))
    result = oracle.compare(on((4, 3), layer), randomised=False)
    assert set(result.weights) == {"mean", "std"}


def test_adapted_statistics_of_images() -> None:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3, 2, (5, 6, 6, 3)).astype("float32"))
    result = oracle.compare(on((6, 6, 3), layer, conv()), randomised=False)
    assert result.weights["mean"].shape == (3, 1, 1)


def test_a_reversible_embedding_shares_its_weights() -> None:
    for tied in (True, False):
        embedding = layers.ReversibleEmbedding(9, 4, tie_weights=tied, logit_soft_cap=3.0)
        words = keras.Input((5,), dtype="int32")
        model = keras.Model(words, embedding(embedding(words), reverse=True))
        oracle.compare(model)


def test_spectral_norm_of_an_embedding_is_refused() -> None:
    model = on((5,), layers.SpectralNormalization(layers.Embedding(9, 4)), dtype="int32")
    with pytest.raises(K2TError, match="has no kernel that torch could normalise"):
        oracle.keras2torch.generate(model)
