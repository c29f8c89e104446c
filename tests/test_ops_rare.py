"""Arguments of functions that Keras's own tests give, and programs seldom do; from live models."""

from __future__ import annotations

import oracle  # isort: split

import operator

import keras
import numpy as np
import pytest
from keras import ops

import keras2torch
from keras2torch.errors import UnsupportedError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5)).astype("float32")
IMAGES = RNG.random((2, 10, 12, 3)).astype("float32")
BYTES = RNG.integers(0, 255, (1, 8, 8, 3)).astype("uint8")
SEGMENTS = np.array([0, 3, -1, 9])


def model_of(function, *arrays):
    inputs = [keras.Input(batch_shape=array.shape, dtype=str(array.dtype)) for array in arrays]
    return keras.Model(inputs, function(*inputs))


def check(function, *arrays):
    model = model_of(function, *arrays)
    result = keras2torch.generate(model)
    made = oracle.run_torch(result, oracle.build(result), list(arrays))
    expected = oracle.flatten(model(list(arrays) if len(arrays) > 1 else arrays[0]))
    for one, other in zip(made, expected, strict=True):
        assert one.dtype == np.asarray(other).dtype
        oracle.assert_close(one, other, 1e-5, "output")


CASES = {
    "softmax over all": (lambda x: ops.softmax(x, axis=None), X),
    "log_softmax over all": (lambda x: ops.log_softmax(x, axis=None), X),
    "resize integers": (lambda x: ops.image.resize(x, (5, 5)), BYTES),
    "resize integers, bicubic": (
        lambda x: ops.image.resize(x, (13, 5), interpolation="bicubic"),
        BYTES,
    ),
    "resize int32": (lambda x: ops.image.resize(x, (5, 13)), BYTES.astype("int32")),
    "rows of no segment, sum": (lambda x, s: ops.segment_sum(x, s, 4), X, SEGMENTS),
    "rows of no segment, max": (
        lambda x, s: ops.segment_max(x, s, 4) * 0.5,
        X,
        np.array([0, 1, 2, 3]),
    ),
    "blur without a data format": (lambda x: ops.image.gaussian_blur(x), IMAGES),
    "blur of one image": (lambda x: ops.image.gaussian_blur(x), IMAGES[0]),
}


@pytest.mark.parametrize("name", CASES)
def test_equal(name):
    check(*CASES[name])


def test_segment_extremes_leave_out_rows_of_no_segment():
    model = model_of(lambda x, s: ops.segment_max(x, s, 2), X, np.array([1, -1, 5, 1]))
    result = keras2torch.generate(model)
    arrays = [X, np.array([1, -1, 5, 1])]
    made = oracle.run_torch(result, oracle.build(result), arrays)[0]
    np.testing.assert_array_equal(made, np.asarray(model(arrays)))  # -inf where a segment has none


def test_live_functions_follow_keras_s_image_data_format():
    images = np.ascontiguousarray(IMAGES.transpose(0, 3, 1, 2))
    keras.config.set_image_data_format("channels_first")
    try:
        check(lambda x: ops.image.resize(x, (5, 5), crop_to_aspect_ratio=True), images)
        check(lambda x: ops.image.gaussian_blur(x), images)
    finally:
        keras.config.set_image_data_format("channels_last")


REFUSED = {
    "a function": (
        lambda x: ops.associative_scan(f=operator.add, elems=x),
        "'add', which only its program holds",
    ),
    "a quantile that is computed": (lambda x: ops.quantile(x, ops.mean(x)), "the model computes"),
    "no axes": (lambda x: ops.var(x, axis=()), "axis=()"),
    "no axes to count": (lambda x: ops.count_nonzero(x, axis=()), "axis=()"),
    "a lambda": (
        lambda x: ops.associative_scan(lambda a, c: a + c, x),
        "held as bytecode, which is never decoded",
    ),
    "what backends see differently": (
        lambda x: ops.image.affine_transform(x[..., None], np.float32([1, 0, 0, 0, 1, 0, 0.1, 0])),
        "c0 and c1 other than 0",
    ),
    "a refused function": (lambda x: ops.argpartition(x, 2), "is not translated"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    function, message = REFUSED[name]
    with pytest.raises(UnsupportedError) as caught:
        keras2torch.generate(model_of(function, X))
    assert message in str(caught.value)
