"""Reshaping layers against Keras: values and gradients, in both layouts and with unknown sizes."""

from __future__ import annotations

from layer_tables import behind_conv, check, on, source, table  # isort: split

import keras
import pytest
from keras import layers as L

from keras2torch.errors import K2TError
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY

FIRST = "channels_first"


def reshapes():
    a, d, t = keras.Input((4, 5, 3)), keras.Input((12,)), keras.Input((6, 4))
    n, u = keras.Input((None, 4)), keras.Input((None, None, 3))
    x, to = L.Conv2D(3, 2)(a), L.Reshape
    return [a, d, t, n, u], [
        to((60,))(a),
        to((-1,))(x),
        L.Dense(2)(to((-1,))(x)),
        to((-1, 3))(x),
        L.Dense(2)(to((-1, 3))(x)),
        to((12, 3))(x),
        to((4, 3, -1))(x),
        to((3, 4))(d),
        L.Conv2D(2, 2)(to((2, 2, 3))(d)),
        to((24,))(t),
        to((4, 3, 2))(t),
        L.Conv2D(2, 1)(to((6, 4, 1))(t)),
        to((-1, 2))(n),
        to((-1, 3))(u),
        to((-1, 3))(L.Conv2D(3, 1)(u)),
        to((1, 1, 12))(d),
        to((6, 4))(t),
    ]


def permutes():
    a, t, n = keras.Input((4, 5, 3)), keras.Input((6, 4)), keras.Input((None, 4))
    x, to = L.Conv2D(3, 2)(a), L.Permute
    return [a, t, n], [
        to((2, 1))(t),
        to((2, 1))(n),
        *(to(dims)(x) for dims in ((3, 1, 2), (2, 1, 3), (2, 3, 1), (1, 2, 3))),
        to((1, 3, 2))(a),
        L.Dense(2)(to((2, 1))(t)),
        L.Conv2D(2, 1)(to((2, 1, 3))(x)),
        L.Conv2D(2, 1, data_format=FIRST)(to((3, 1, 2))(L.Conv2D(3, 1)(a))),
        to((3, 1, 2))(L.Conv2D(3, 1)(a)),
    ]


def flattens():
    a, t, one = keras.Input((4, 5, 3)), keras.Input((5, 3)), keras.Input((5,))
    x, y = L.Conv2D(3, 2)(a), L.Conv2D(2, 1, data_format=FIRST)(a)
    flat, first = L.Flatten, L.Flatten(data_format=FIRST)
    return [a, t, one], [
        flat()(a),
        first(a),
        flat()(t),
        first(t),
        flat()(one),
        L.Dense(2)(flat()(x)),
        L.Dense(2)(first(x)),
        L.Dense(2)(flat()(y)),
        L.Dense(2)(first(y)),
        flat()(x),
        L.Reshape((2, 18))(L.ReLU()(flat()(x))),
    ]


CASES = {
    "reshape": reshapes,
    "permute": permutes,
    "flatten": flattens,
    "repeat": lambda: on((5,), L.RepeatVector(3)),
    "crop, 1D": lambda: on((6, 4), L.Cropping1D(), L.Cropping1D((0, 2)), L.Cropping1D(2)),
    "crop, 2D": lambda: on(
        (4, 5, 6),
        L.Cropping2D(1),
        L.Cropping2D(((1, 0), (0, 2))),
        L.Cropping2D(((0, 0), (0, 1)), data_format=FIRST),
        L.Cropping2D(),
    ),
    "crop, 3D": lambda: on(
        (4, 5, 6, 2),
        L.Cropping3D(1),
        L.Cropping3D(((0, 1), (1, 0), (0, 0))),
        L.Cropping3D((1, 0, 2)),
    ),
    "pad, 1D": lambda: on((6, 4), L.ZeroPadding1D(), L.ZeroPadding1D((0, 2))),
    "pad, 2D": lambda: on(
        (4, 5, 3),
        L.ZeroPadding2D(),
        L.ZeroPadding2D(((1, 0), (0, 2))),
        L.ZeroPadding2D((1, 2), data_format=FIRST),
    ),
    "pad, 3D": lambda: on(
        (4, 5, 6, 2), L.ZeroPadding3D(1), L.ZeroPadding3D(((0, 1), (1, 0), (0, 0)))
    ),
    "behind a convolution": lambda: behind_conv(
        L.Cropping2D((1, 0)),
        L.ZeroPadding2D((1, 2)),
        lambda x: L.Conv2D(2, 3)(L.ZeroPadding2D(1)(x)),
        lambda x: L.Conv2D(2, 3, padding="same")(L.ZeroPadding2D(((0, 1), (0, 1)))(x)),
        lambda x: L.MaxPooling2D(2)(L.ZeroPadding2D(1)(x)),
        lambda x: L.AveragePooling2D(3, 2)(L.ZeroPadding2D(1)(x)),
        L.UpSampling2D((2, 5)),
        L.UpSampling2D((3, 2), interpolation="bilinear"),
        L.UpSampling2D(2, interpolation="bicubic"),
    ),
    "up, 1D": lambda: on((6, 4), L.UpSampling1D(2), L.UpSampling1D(5)),
    "up, 2D": lambda: on(
        (4, 5, 3),
        L.UpSampling2D(3),
        L.UpSampling2D(7),
        L.UpSampling2D(interpolation="bilinear"),
        L.UpSampling2D((3, 4), interpolation="bicubic"),
        L.UpSampling2D(3, data_format=FIRST, interpolation="bilinear"),
    ),
    "up, any size": lambda: on(
        (None, None, 3), L.UpSampling2D(2), L.UpSampling2D(2, interpolation="bilinear")
    ),
    "up, 3D": lambda: on(
        (2, 3, 4, 2),
        L.UpSampling3D(),
        L.UpSampling3D((1, 2, 3)),
        L.UpSampling3D(2, data_format=FIRST),
    ),
}


@table(CASES)
def test_equals_keras(case):
    check(case)


def test_text():
    image = keras.Input((8, 8, 3))
    x = L.Conv2D(6, 4, strides=4)(image)
    assert "x.flatten(2).transpose(1, 2)" in source(
        [image], L.Dense(2)(L.Reshape((-1, 6))(x))
    ).replace("self.conv(image)", "x")
    digits = keras.Input((28, 28))
    assert "x.unsqueeze(1)" in source([digits], L.Conv2D(2, 3)(L.Reshape((28, 28, 1))(digits)))
    text = source([image], L.Conv2D(2, 7, strides=2)(L.ZeroPadding2D(3)(image)))
    assert "stride=2, padding=3)" in text and "F.pad" not in text
    text = source([image], L.Dense(2)(L.Dropout(0.5)(L.Flatten()(x))))
    assert "permute" not in text and "torch.flatten(self.conv(image), 1)" in text


def test_old_spellings():
    pad = REGISTRY["ZeroPadding2D"]
    assert pad(padding={"top_pad": 1, "left_pad": 2}).amounts(((1, 0), (2, 0))) == ((1, 0), (2, 0))
    assert pad({"top_pad": 1, "left_pad": 2}).padding == ((1, 0), (2, 0))
    assert pad((1, 2, 3, 4)).padding == ((1, 2), (3, 4))
    assert REGISTRY["UpSampling1D"](length=3).factors() == (3,)
    assert REGISTRY["Reshape"](dims=(2, 6)).target_shape == (2, 6)


ERRORS = {
    "reshape": (lambda: REGISTRY["Reshape"]((5, 5)), "96 elements do not fill"),
    "two unknown": (lambda: REGISTRY["Reshape"]((-1, -1)), "only one size may be -1"),
    "permute": (lambda: REGISTRY["Permute"]((1, 2)), "is no order of the axes 1 to 3"),
    "crop": (lambda: REGISTRY["Cropping2D"](2), "nothing would be left"),
    "negative": (lambda: REGISTRY["ZeroPadding2D"](-1), "should not be negative"),
    "amounts": (lambda: REGISTRY["ZeroPadding2D"]((1, 2, 3)), "should be an integer or 2 amounts"),
    "repeat": (lambda: REGISTRY["RepeatVector"](2), "an input of 2 axes is needed"),
}


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make()(Input((4, 4, 6)))


def test_lanczos_is_refused():
    with pytest.raises(K2TError, match="torch has no interpolation='lanczos3'"):
        check(lambda: on((4, 4, 3), L.UpSampling2D(2, interpolation="lanczos3")))
