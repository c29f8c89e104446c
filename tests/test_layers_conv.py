"""Convolutions against Keras: values and gradients."""

from __future__ import annotations

from itertools import product

from layer_tables import check, on, source, table  # isort: split

import keras
import pytest
from keras import layers as L

import keras2torch
from keras2torch.errors import K2TError
from keras2torch.layers import REGISTRY, conv_transpose

pytestmark = pytest.mark.thin(20)

FIRST = "channels_first"
# (kernel size, stride): shorter and longer than the stride, odd and even
GEOMETRIES = {
    None: [(1, 2), (2, 3), (3, 1), (3, 2), (4, 2), (5, 2), (5, 3)],
    0: [(3, 2), (4, 2)],
    1: [(3, 2), (4, 3)],
}
TRANSPOSED = {
    f"{padding}, output_padding={extra}": [
        L.Conv2DTranspose(2, k, strides=s, padding=padding, output_padding=extra)
        for k, s in GEOMETRIES[extra]
    ]
    for padding, extra in product(("same", "valid"), (None, 0, 1))
}

CASES = {
    "1D": lambda: on(
        (9, 4),
        L.Conv1D(3, 3, strides=2, padding="same", activation="relu"),
        L.Conv1D(3, 2, padding="same", use_bias=False),
        L.Conv1D(4, 3, dilation_rate=2, groups=2),
        L.Conv1D(3, 3, padding="causal", dilation_rate=2),
        L.Conv1D(3, 3, padding="causal", strides=2),
        L.Conv1D(3, 1, padding="causal"),
    ),
    "1D, channels first": lambda: on(
        (4, 9),
        L.Conv1D(3, 3, padding="causal", data_format=FIRST),
        L.Conv1D(3, 2, data_format=FIRST),
    ),
    "1D, any length": lambda: on(
        (None, 4),
        L.Conv1D(3, 3, strides=2, padding="same"),
        L.Conv1D(3, 4, padding="same", dilation_rate=2),
        L.Conv1D(3, 3, padding="causal"),
    ),
    "2D": lambda: on(
        (7, 8, 4),
        L.Conv2D(3, 3),
        L.Conv2D(3, (3, 2), strides=(2, 1), padding="SAME", activation="tanh"),
        L.Conv2D(3, 4, padding="same", dilation_rate=(1, 2)),
        L.Conv2D(4, 3, strides=3, padding="same", groups=2, use_bias=False),
        L.Conv2D(4, 5, strides=2, padding="same", groups=4),
        L.Conv2D(3, 1, strides=2, padding="same"),
    ),
    "2D, channels first": lambda: on(
        (4, 7, 8),
        L.Conv2D(3, 3, strides=2, padding="same", data_format=FIRST),
        L.Conv2D(3, (1, 3), data_format=FIRST, activation="softmax"),
    ),
    "2D, any size": lambda: on(
        (None, None, 3), L.Conv2D(2, 3, padding="same"), L.Conv2D(2, 2, strides=2, padding="same")
    ),
    "2D, one size": lambda: on((None, 6, 3), L.Conv2D(2, (3, 4), strides=2, padding="same")),
    "3D": lambda: on(
        (5, 4, 6, 2),
        L.Conv3D(3, 3, strides=2, padding="same"),
        L.Conv3D(4, (1, 2, 3), dilation_rate=(2, 1, 1), groups=2),
    ),
    "3D, channels first": lambda: on((2, 5, 4, 6), L.Conv3D(3, 2, data_format=FIRST)),
    **{
        f"transposed, {name}": lambda layers=layers: on((4, 5, 3), *layers)
        for name, layers in TRANSPOSED.items()
    },
    "transposed, two strides": lambda: on(
        (4, 5, 3),
        L.Conv2DTranspose(2, (2, 5), strides=(3, 2), padding="same", activation="relu"),
        L.Conv2DTranspose(2, (4, 1), strides=(1, 3), padding="same", use_bias=False),
    ),
    "transposed, dilated": lambda: on(
        (4, 5, 3),
        *(
            L.Conv2DTranspose(2, k, dilation_rate=2, padding=p)
            for k in (2, 3)
            for p in ("same", "valid")
        ),
    ),
    "transposed, channels first": lambda: on(
        (3, 4, 5), L.Conv2DTranspose(2, 3, strides=2, padding="same", data_format=FIRST)
    ),
    "transposed, 1D": lambda: on(
        (None, 3),
        L.Conv1DTranspose(2, 3, strides=2, padding="same"),
        L.Conv1DTranspose(2, 4, strides=2, padding="same"),
        L.Conv1DTranspose(2, 2, strides=3),
    ),
    "transposed, 3D": lambda: on(
        (2, 3, 2, 3),
        L.Conv3DTranspose(2, 3, strides=2, padding="same"),
        L.Conv3DTranspose(2, 2, strides=2),
    ),
    "depthwise": lambda: on(
        (7, 8, 4),
        L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, activation="relu"),
        L.DepthwiseConv2D((3, 2), dilation_rate=2, padding="same", use_bias=False),
        L.DepthwiseConv2D(2, strides=2, dilation_rate=2),
    ),
    "depthwise, any size": lambda: on(
        (None, None, 4), L.DepthwiseConv2D(3, strides=2, padding="same")
    ),
    "depthwise, channels first": lambda: on(
        (4, 7, 8), L.DepthwiseConv2D(3, depth_multiplier=2, data_format=FIRST)
    ),
    "depthwise, 1D": lambda: on(
        (9, 4), L.DepthwiseConv1D(3, strides=2, padding="same", depth_multiplier=2)
    ),
    "separable": lambda: on(
        (7, 8, 4),
        L.SeparableConv2D(6, 3, strides=2, padding="same", depth_multiplier=2),
        L.SeparableConv2D(3, 3, dilation_rate=2, use_bias=False, activation="tanh"),
    ),
    "separable, channels first": lambda: on((4, 7, 8), L.SeparableConv2D(3, 2, data_format=FIRST)),
    "separable, 1D": lambda: on((9, 4), L.SeparableConv1D(6, 3, strides=2, padding="same")),
}


@table(CASES)
def test_equals_keras(case):
    check(case)


def test_integers_become_floats():
    check(lambda: integer_image(L.Conv2D(2, 3)), gradients=False)


def integer_image(layer):
    x = keras.Input((5, 5, 3), dtype="uint8")
    return [x], [layer(x)]


def test_a_wrong_crop_is_noticed(monkeypatch):
    """The comparison can fail: with the odd pixel cut off in front, the output differs."""
    monkeypatch.setattr(conv_transpose, "crops", lambda *a, f=conv_transpose.crops: f(*a)[::-1])
    with pytest.raises(AssertionError):
        check(lambda: on((4, 5, 3), L.Conv2DTranspose(2, 3, strides=2, padding="same")))


def test_even_padding_is_an_argument():
    x = keras.Input((8, 8, 3))
    y = L.Conv2D(4, 3, padding="same")(L.ZeroPadding2D(1)(L.DepthwiseConv2D(3, padding="same")(x)))
    text = source([x], L.Conv2DTranspose(2, 4, strides=2, padding="same")(y))
    assert "nn.Conv2d(3, 3, 3, padding=1, groups=3)" in text
    assert "nn.ConvTranspose2d(4, 2, 4, stride=2, padding=1)" in text
    assert "permute" not in text


# Keras 1's spellings: a layer of old, and what it means today.
SPELLINGS = {
    "by position": (
        lambda: REGISTRY["Convolution2D"](8, 3, 2, "he_normal", "relu"),
        lambda: REGISTRY["Conv2D"](8, (3, 2), kernel_initializer="he_normal", activation="relu"),
    ),
    "by name": (
        lambda: REGISTRY["Convolution2D"](
            nb_filter=8, nb_row=3, nb_col=2, border_mode="same", subsample=(2, 2), dim_ordering="tf",
            init="he_normal", bias=False, W_regularizer="l2", b_regularizer="l1",
        ),
        lambda: REGISTRY["Conv2D"](
            8, (3, 2), (2, 2), "same", "channels_last", use_bias=False,
            kernel_initializer="he_normal", kernel_regularizer="l2", bias_regularizer="l1",
        ),
    ),
    "today's class": (
        lambda: REGISTRY["Conv2D"](8, 3, 2, border_mode="same"),
        lambda: REGISTRY["Conv2D"](8, (3, 2), padding="same"),
    ),
    "today's arguments": (
        lambda: REGISTRY["Convolution2D"](8, (3, 2), 2, padding="same"),
        lambda: REGISTRY["Conv2D"](8, (3, 2), 2, padding="same"),
    ),
    "today's arguments, 1D": (
        lambda: REGISTRY["Convolution1D"](8, 3, 2),
        lambda: REGISTRY["Conv1D"](8, 3, 2),
    ),
    "1D": (
        lambda: REGISTRY["Convolution1D"](8, 3, "he_normal", subsample_length=2),
        lambda: REGISTRY["Conv1D"](8, 3, 2, kernel_initializer="he_normal"),
    ),
    "1D by name": (
        lambda: REGISTRY["Convolution1D"](nb_filter=8, filter_length=3, border_mode="valid"),
        lambda: REGISTRY["Conv1D"](8, 3),
    ),
    "3D": (
        lambda: REGISTRY["Convolution3D"](8, 1, 2, 3, dim_ordering="th"),
        lambda: REGISTRY["Conv3D"](8, (1, 2, 3), data_format="channels_first"),
    ),
    "atrous": (
        lambda: REGISTRY["AtrousConvolution2D"](8, 3, 3, atrous_rate=(2, 2)),
        lambda: REGISTRY["Conv2D"](8, (3, 3), dilation_rate=(2, 2)),
    ),
    "separable": (
        lambda: REGISTRY["SeparableConvolution2D"](8, 3, 3, init="he_normal", depth_multiplier=2),
        lambda: REGISTRY["SeparableConv2D"](
            8, (3, 3), depth_multiplier=2,
            depthwise_initializer="he_normal", pointwise_initializer="he_normal",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(SPELLINGS))
def test_keras1_spelling(name):
    old, new = (make() for make in SPELLINGS[name])
    assert isinstance(old, type(new))
    for field in new.fields:
        given, meant = getattr(old, field), getattr(new, field)
        if field == "data_format":
            given, meant = old.channels_first, new.channels_first
        if field in ("kernel_size", "strides", "dilation_rate"):
            continue
        assert given == meant, field
    assert old.geometry() == new.geometry()


DECONVOLUTION = """
from keras.models import Sequential
from keras.layers import Deconvolution2D
model = Sequential()
model.add(Deconvolution2D(2, {side}, {side}, output_shape=(None, {size}, {size}, 2), subsample=(2, 2),
                          border_mode='{mode}', input_shape=(4, 4, 3)))
"""


@pytest.mark.parametrize(
    ("side", "mode", "size", "expected"),
    [
        (3, "same", 8, "[:, :, :-1, :-1]"),
        (3, "same", 7, "stride=2, padding=1)"),
        (3, "valid", 9, "stride=2)"),
        (3, "valid", 10, "stride=2, output_padding=1)"),
    ],
)
def test_deconvolution_of_a_given_size(tmp_path, side, mode, size, expected):
    path = tmp_path / "old.py"
    path.write_text(DECONVOLUTION.format(side=side, mode=mode, size=size))
    result = keras2torch.generate(path)
    assert expected in result.model_source
    assert result.outputs[0].shape == (None, size, size, 2)


ERRORS = {
    "groups": (lambda: on2(REGISTRY["Conv2D"](4, 3, groups=3)), "do not go into 3 groups"),
    "channels": (
        lambda: on2(REGISTRY["Conv2D"](4, 9)),
        "a window of 9 is larger than the axis of 8",
    ),
    "padding": (
        lambda: on2(REGISTRY["Conv2D"](4, 3, padding="full")),
        "padding='full' is not known",
    ),
    "causal": (lambda: on2(REGISTRY["Conv2D"](4, 3, padding="causal")), "padding='causal'"),
    "rank": (lambda: on2(REGISTRY["Conv1D"](4, 3)), "an input of 3 axes is needed"),
    "dilated strides": (
        lambda: on2(REGISTRY["Conv2D"](4, 3, strides=2, dilation_rate=2)),
        "do not go together",
    ),
    "output_padding": (
        lambda: on2(REGISTRY["Conv2DTranspose"](4, 3, strides=2, output_padding=2)),
        "output_padding should be less than strides",
    ),
    "zero": (lambda: on2(REGISTRY["Conv2D"](4, 0)), "should be positive"),
    "kernel": (lambda: on2(REGISTRY["Conv2D"](4, (3, 3, 3))), "should be an integer or 2 integers"),
}


def on2(layer):
    from keras2torch.inputs import Input

    return layer(Input((8, 8, 4)))


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make()
