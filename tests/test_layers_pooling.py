"""Poolings against Keras: values and gradients."""

from __future__ import annotations

from layer_tables import behind_conv, check, on, source, table  # isort: split

import keras
import pytest
from keras import layers as L

from keras2torch.errors import K2TError
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY, pooling

FIRST = "channels_first"
BOTH = (L.MaxPooling2D, L.AveragePooling2D)
# (window, strides): with overlap and gaps, odd and even
WINDOWS = [(2, None), (3, 2), (2, 1), (3, 1), (4, 3), (1, 2), ((3, 2), (1, 2))]


def windows(shape):
    """Both kinds of every geometry with both paddings."""
    layers = [
        kind(k, s, padding=p)
        for kind in BOTH
        for k, s in WINDOWS
        for p in ("same", "valid")
        if p == "same" or k != 1
    ]
    return lambda: on(shape, *layers)


GLOBAL = {
    rank: [getattr(L, f"Global{kind}Pooling{rank}D") for kind in ("Average", "Max")]
    for rank in (1, 2, 3)
}


def everywhere(rank):
    return [
        kind(data_format=form, keepdims=keep)
        for kind in GLOBAL[rank]
        for form, keep in (
            ("channels_last", False),
            ("channels_last", True),
            (FIRST, False),
            (FIRST, True),
        )
    ]


CASES = {
    "2D": windows((7, 8, 3)),
    "2D, odd": windows((9, 11, 2)),
    "2D, any size": windows((None, None, 3)),
    "2D, one size": lambda: on((None, 6, 3), *(kind(3, 2, padding="same") for kind in BOTH)),
    "2D, smaller than the window": lambda: on((2, 3, 1), *(k(5, 2, padding="same") for k in BOTH)),
    "2D, channels first": lambda: on(
        (3, 7, 8), *(kind(3, 2, padding="same", data_format=FIRST) for kind in BOTH)
    ),
    "2D, behind a convolution": lambda: behind_conv(*(kind(3, 2, padding="same") for kind in BOTH)),
    "1D": lambda: on(
        (7, 3),
        *(kind(k, s, padding=p) for kind in (L.MaxPooling1D, L.AveragePooling1D)
          for k, s, p in ((2, None, "same"), (3, 2, "same"), (2, 1, "same"), (3, 2, "valid"))),
    ),
    "1D, channels first": lambda: on((3, 7), L.MaxPooling1D(3, padding="same", data_format=FIRST)),
    "3D": lambda: on(
        (4, 5, 6, 2),
        *(kind(k, s, padding=p) for kind in (L.MaxPooling3D, L.AveragePooling3D)
          for k, s, p in ((2, None, "same"), (3, 2, "same"), (2, 1, "same"), ((1, 2, 3), None, "valid"))),
    ),
    "global, 1D": lambda: on((5, 6), *everywhere(1)),
    "global, 2D": lambda: on((4, 5, 6), *everywhere(2)),
    "global, 3D": lambda: on((3, 4, 5, 6), *everywhere(3)),
    "global, behind a convolution": lambda: behind_conv(
        L.GlobalAveragePooling2D(), L.GlobalMaxPooling2D(keepdims=True)
    ),
    "adaptive, 1D": lambda: on(
        (7, 3),
        *(kind(size) for kind in (L.AdaptiveAveragePooling1D, L.AdaptiveMaxPooling1D) for size in (1, 3, 5)),
        L.AdaptiveMaxPooling1D((2,), data_format=FIRST),
    ),
    "adaptive, 2D": lambda: on(
        (7, 8, 3),
        *(kind(size) for kind in (L.AdaptiveAveragePooling2D, L.AdaptiveMaxPooling2D)
          for size in (1, 3, (3, 4))),
        L.AdaptiveAveragePooling2D(2, data_format=FIRST),
    ),
    "adaptive, 3D": lambda: on(
        (3, 7, 5, 3), L.AdaptiveAveragePooling3D(2), L.AdaptiveMaxPooling3D((2, 3, 1))
    ),
}  # fmt: skip


@table(CASES)
def test_equals_keras(case):
    check(case)


def test_averages_of_integers():
    def case():
        x = keras.Input((4, 4, 3), dtype="int32")
        return [x], [L.GlobalAveragePooling2D()(x), L.GlobalMaxPooling2D()(x)]

    check(case, gradients=False)


def test_lopsided_padding_needs_no_pad():
    x = keras.Input((8, 8, 3))
    assert "F.max_pool2d(image, 3, 2, ceil_mode=True)" in source(
        [x], L.MaxPooling2D(3, 2, "same")(x)
    )
    x = keras.Input((9, 9, 3))
    text = source([x], L.AveragePooling2D(3, 2, "same")(x))
    assert "F.avg_pool2d(image, 3, 2, padding=1, count_include_pad=False)" in text
    x = keras.Input((None, None, 3))
    assert "F.max_pool2d(image, 2, ceil_mode=True)" in source(
        [x], L.MaxPooling2D(padding="same")(x)
    )


def test_a_wrong_window_is_noticed(monkeypatch):
    """The comparison can fail: with all padding at the end, the averages differ."""
    monkeypatch.setattr(pooling, "overhang", lambda sizes, window, strides: ((0, 0), True))
    with pytest.raises(AssertionError):
        check(lambda: on((9, 9, 2), L.AveragePooling2D(3, 2, padding="same")))


def test_old_spellings():
    layer = REGISTRY["MaxPooling1D"](pool_length=3, stride=2, border_mode="same")
    assert layer.geometry() == ((3,), (2,)) and layer.padding_name() == "same"
    assert REGISTRY["AveragePooling2D"]().geometry() == ((2, 2), (2, 2))
    assert REGISTRY["MaxPooling2D"](dim_ordering="th").channels_first


ERRORS = {
    "window": (lambda: REGISTRY["MaxPooling2D"](9), "a window of 9 is larger than the axis of 8"),
    "padding": (lambda: REGISTRY["MaxPooling2D"](2, padding="causal"), "is not known"),
    "rank": (lambda: REGISTRY["GlobalAveragePooling1D"](), "an input of 3 axes is needed"),
    "zero": (lambda: REGISTRY["AveragePooling2D"](0), "should be positive"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make()(Input((8, 8, 4)))


def test_adaptive_pooling_needs_sizes():
    with pytest.raises(K2TError, match="the spatial sizes must be known"):
        REGISTRY["AdaptiveMaxPooling2D"](2)(Input((None, 8, 4)))
