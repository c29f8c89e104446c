"""Merging layers against Keras: values, gradients, ranks, masks; and no permutes in channels-first nets."""

from __future__ import annotations

from layer_tables import check, source, table  # isort: split

import keras
import numpy as np
import pytest
from keras import layers as L

from keras2torch.errors import K2TError
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY


def images():
    a, b, c = (keras.Input((4, 5, 3)) for _ in range(3))
    x, y = L.Conv2D(3, 1)(a), L.Conv2D(3, 1)(b)
    return [a, b, c], [
        *(kind()([a, b, c]) for kind in (L.Add, L.Average, L.Multiply, L.Maximum, L.Minimum)),
        L.Subtract()([a, b]),
        *(L.Concatenate(axis=axis)([a, b, c]) for axis in (-1, 1, 2)),
        L.Add()([x, y]),
        L.Subtract()([x, b]),
        *(L.Concatenate(axis=axis)([x, y]) for axis in (-1, 1, 2)),
        L.Concatenate()([x]),
        L.Add()([y]),
    ]


def ranks():
    """Inputs of lower rank get axes behind the batch; axes of size 1 stretch."""
    a, s, w = keras.Input((4, 5, 3)), keras.Input((3,)), keras.Input((5, 3))
    q, h = keras.Input((1, 1, 3)), keras.Input((4, 1, 1))
    x = L.Conv2D(3, 1)(a)
    return [a, s, w, q, h], [
        L.Multiply()([x, s]),
        L.Add()([s, x]),
        L.Multiply()([a, s]),
        L.Add()([w, x]),
        L.Add()([w, a]),
        L.Multiply()([x, q]),
        L.Multiply()([x, h, q]),
        L.Maximum()([s, w]),
    ]


def dots():
    x, y, z = keras.Input((4,)), keras.Input((4,)), keras.Input((2, 3, 4))
    p, r = keras.Input((3, 4)), keras.Input((4, 3))
    return [x, y, p, r, z], [
        L.Dot(1)([x, y]),
        L.Dot(-1, normalize=True)([x, y]),
        L.Dot((2, 1))([p, r]),
        L.Dot((1, 2))([p, r]),
        L.Dot(2)([p, p]),
        L.Dot((2, 1), normalize=True)([p, r]),
        L.Dot((2, 1))([p, x]),
        L.Dot((1, 2))([x, p]),
        L.Dot((3, 2))([z, p]),
        L.Dot((3, 1))([z, x]),
        L.Dot(3)([z, z]),
    ]


def flat():
    """Flattened images stay in torch's order as long as all of them lie so."""
    a, d = keras.Input((4, 5, 3)), keras.Input((36,))
    x, y = L.Flatten()(L.Conv2D(3, 2)(a)), L.Flatten()(L.Conv2D(3, 2)(a))
    return [a, d], [
        L.Dense(2)(L.Add()([x, y])),
        L.Multiply()([x, d]),
        L.Concatenate()([x, L.ReLU()(y)]),
        L.Dense(2)(L.Dropout(0.5)(L.Average()([x, y]))),
    ]


def masked():
    i = keras.Input((5,), dtype="int32")
    mean = L.GlobalAveragePooling1D()

    def e(width=3, mask=True):
        return L.Embedding(7, width, mask_zero=mask)(i)

    kinds = (L.Add, L.Multiply, L.Maximum, L.Minimum)
    return [i], [
        *(mean(kind()([e(), e()])) for kind in kinds),
        *(mean(kind()([e(), e(mask=False)])) for kind in kinds),
        L.Minimum()([e(mask=False), e(), e()]),
        mean(L.Concatenate()([e(), e(2)])),
        mean(L.Concatenate()([e(), e(mask=False)])),
        mean(L.Concatenate(axis=1)([e(), e(mask=False), e()])),
        mean(L.Dot((2, 2))([e(), e()])),
    ]


TOKENS = [np.array([[1, 0, 3, 0, 0], [2, 3, 1, 6, 5]], "int32")]


@table({"images": images, "ranks": ranks, "dots": dots, "flat": flat})
def test_equals_keras(case):
    check(case)


def test_masks():
    check(masked, inputs=TOKENS)


def test_integers():
    def case():
        a, b = keras.Input((3,), dtype="int32"), keras.Input((3,))
        return [a, b], [L.Add()([a, a]), L.Multiply()([a, b]), L.Concatenate()([a, b])]

    check(case)


def test_convolutional_nets_are_not_permuted():
    image = keras.Input((8, 8, 3))
    x, y = L.Conv2D(4, 3, padding="same")(image), L.Conv2D(4, 1)(image)
    joined = L.Concatenate()([L.Add()([x, y]), x])
    scale = L.Reshape((1, 1, 8))(
        L.Dense(8, activation="sigmoid")(L.GlobalAveragePooling2D()(joined))
    )
    text = source([image], L.Conv2D(2, 1)(L.Multiply()([joined, scale])))
    assert "torch.cat([" in text and "dim=1" in text
    assert "[:, :, None, None]" in text
    assert "permute" not in text and "transpose" not in text


ERRORS = {
    "one tensor": (lambda x, y: REGISTRY["Add"]()(x), "a list of tensors is needed"),
    "three": (lambda x, y: REGISTRY["Subtract"]()([x, x, x]), "2 inputs are needed"),
    "sizes": (lambda x, y: REGISTRY["Add"]()([x, y]), "do not fit together"),
    "ranks": (
        lambda x, y: REGISTRY["Concatenate"]()([x, REGISTRY["Flatten"]()(y)]),
        "inputs of one rank are needed",
    ),
    "other sizes": (
        lambda x, y: REGISTRY["Concatenate"](axis=1)([x, y]),
        "the sizes of axis 2 should agree",
    ),
    "axes": (lambda x, y: REGISTRY["Dot"](2)([x, y]), "axes 2 and 2 should be of one size"),
    "batch": (lambda x, y: REGISTRY["Dot"](0)([x, y]), "the batch axis cannot be summed over"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make(Input((3, 4)), Input((3, 5)))
