"""Encodings, bins, look-ups and spectrograms against Keras; strings recorded and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oracle  # isort: split

import keras
import numpy as np
import pytest
import torch
from keras import layers

import keras2torch
from keras2torch.frontend.absent import is_absent
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY
from keras2torch.models import Model

K2TError = keras2torch.K2TError
RNG = np.random.default_rng(0)


def on(layer: Any, *shape: int | None, dtype: str = "float32") -> Any:
    return keras.Sequential([keras.Input(shape, dtype=dtype), layer])


def of_integers(layer: Any, *shape: int | None) -> Any:
    return on(layer, *shape, dtype="int32")


def weighted() -> Any:
    words, weights = keras.Input((3,), dtype="int32"), keras.Input((3,))
    encoded = layers.CategoryEncoding(4, "count")(words, count_weights=weights)
    return keras.Model([words, weights], encoded)


BINS = [-0.5, 0.0, 0.7]
LAYERS: dict[str, Callable[[], Any]] = {
    "several of few": lambda: of_integers(layers.CategoryEncoding(4), 3),
    "one of few": lambda: of_integers(layers.CategoryEncoding(4, "one_hot"), 3),
    "one in a column": lambda: of_integers(layers.CategoryEncoding(4, "one_hot"), 1),
    "one a sample": lambda: of_integers(layers.CategoryEncoding(9, "one_hot")),
    "counts": lambda: of_integers(layers.CategoryEncoding(4, "count"), 3),
    "weighted counts": weighted,
    "bins": lambda: on(layers.Discretization(BINS), 5),
    "bins of integers": lambda: of_integers(layers.Discretization([0.0, 1.0, 3.0]), 5),
    "one bin": lambda: on(layers.Discretization(BINS, output_mode="one_hot"), 5),
    "several bins": lambda: on(layers.Discretization(BINS, output_mode="multi_hot"), 5),
    "counted bins": lambda: on(layers.Discretization(BINS, output_mode="count"), 5),
    "mel": lambda: on(layers.MelSpectrogram(64, 16, num_mel_bins=10), 200),
    "mel, power": lambda: on(
        layers.MelSpectrogram(
            64, 20, 40, "hamming", 14000, 6, max_freq=6000.0, power_to_db=False, mag_exp=1.0
        ),
        301,
    ),
    "pipeline": lambda: on(
        layers.Pipeline([layers.Rescaling(0.5), layers.CenterCrop(3, 3)]), 6, 6, 3
    ),
}
SPECTRA: dict[str, Callable[[], Any]] = {
    **{
        mode: (lambda mode=mode: on(layers.STFTSpectrogram(mode, 32), 100, 1))
        for mode in ("log", "magnitude", "psd", "real", "imag", "stft")
    },
    "same": lambda: on(layers.STFTSpectrogram("magnitude", 32, 10, padding="same"), 100, 3),
    "one more axis": lambda: on(layers.STFTSpectrogram("log", 30, expand_dims=True), 90, 3),
    "channels first": lambda: on(
        layers.STFTSpectrogram("log", 30, data_format="channels_first"), 2, 90
    ),
    "channels first, one more axis": lambda: on(
        layers.STFTSpectrogram("psd", 30, expand_dims=True, data_format="channels_first"), 2, 90
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_equals_keras(name: str) -> None:
    oracle.compare(LAYERS[name](), tolerance=3e-5 if "mel" in name else 1e-5)


@pytest.mark.parametrize("name", SPECTRA)
def test_spectrum_equals_keras(name: str) -> None:
    model = SPECTRA[name]()
    result = oracle.compare(model, randomised=False, tolerance=3e-5)
    fresh = getattr(oracle.load_source(result.model_source), result.class_name)()
    for key, weight in fresh.state_dict().items():
        np.testing.assert_allclose(weight.numpy(), result.weights[key], atol=1e-5)


def test_the_angle_equals_keras() -> None:
    oracle.compare(
        on(layers.STFTSpectrogram("angle", 32), 100, 1), randomised=False, gradients=False
    )


@pytest.mark.parametrize("bins", [3, 10])
def test_bins_adapted_in_a_script_are_those_of_keras(bins: int) -> None:
    data = RNG.normal(size=(500, 2)).astype("float32")
    theirs = layers.Discretization(num_bins=bins)
    theirs.update_state(data)  # as adapt() does
    theirs.finalize_state()
    ours = REGISTRY["Discretization"](num_bins=bins)
    ours.adapt(data)
    np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
    oracle.compare(on(theirs, 2))


def look_up(data: Any, **options: Any) -> Any:
    """What the generated module of one IntegerLookup gives."""
    inputs = Input(np.shape(data)[1:], dtype="int64")
    model = Model(inputs, REGISTRY["IntegerLookup"](**options)(inputs))
    return oracle.build(keras2torch.generate(model))(torch.tensor(data)).tolist()


VOCABULARY = [12, 36, 1138, 42]


@pytest.mark.parametrize(
    ("options", "data", "expected"),
    [  # the examples of Keras's documentation
        ({}, [[12, 1138, 42], [42, 1000, 36]], [[1, 3, 4], [4, 0, 2]]),
        ({"num_oov_indices": 2}, [[12, 1138, 42], [37, 1000, 36]], [[2, 4, 5], [1, 0, 3]]),
        ({"invert": True}, [[1, 3, 4], [4, 0, 2]], [[12, 1138, 42], [42, -1, 36]]),
        ({"mask_token": 0}, [[12, 0, 7], [42, 36, 0]], [[2, 0, 1], [5, 3, 0]]),
        ({"output_mode": "one_hot"}, [12, 7], [[0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]),
        (
            {"output_mode": "multi_hot"},
            [[12, 1138, 42, 42], [42, 7, 36, 7]],
            [[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]],
        ),
        (
            {"output_mode": "count"},
            [[12, 1138, 42, 42], [42, 7, 36, 7]],
            [[0, 1, 0, 1, 2], [2, 0, 1, 0, 1]],
        ),
        (
            {"output_mode": "count", "max_tokens": 6, "pad_to_max_tokens": True, "mask_token": 7},
            [[12, 7]],
            [[0, 1, 0, 0, 0, 0]],
        ),
    ],
)
def test_integer_lookup(options: dict[str, Any], data: Any, expected: Any) -> None:
    assert look_up(data, vocabulary=VOCABULARY, **options) == expected
    assert (
        look_up(data, vocabulary=[-1, *VOCABULARY] if not options else VOCABULARY, **options)
        == expected
    )


def test_an_adapted_vocabulary_has_the_most_frequent_first() -> None:
    layer = REGISTRY["IntegerLookup"](max_tokens=3)
    layer.adapt(np.array([[12, 1138, 42], [42, 1000, 36], [42, 12, 12]]))
    assert layer.get_vocabulary() == [-1, 42, 12]
    assert layer.vocabulary_size() == 3


def test_texts_that_are_here_have_a_vocabulary() -> None:
    layer = REGISTRY["TextVectorization"](output_sequence_length=4)
    layer.adapt(["The cat sat.", "the dog; the end", "a cat"])
    assert layer.get_vocabulary()[:4] == ["", "[UNK]", "the", "cat"]
    assert layer.vocabulary_size() == 8


def test_texts_elsewhere_block_only_the_model_that_reads_them() -> None:
    vectorize = REGISTRY["TextVectorization"](max_tokens=1000, output_sequence_length=9)
    vectorize.adapt(object())
    assert is_absent(vectorize(np.array(["some text"])))
    assert is_absent(vectorize.get_vocabulary())
    texts = Input((), dtype="string")
    model = Model(texts, vectorize(texts))
    assert model.outputs[0].shape == (None, 9)
    with pytest.raises(K2TError, match="no tensors of strings") as caught:
        keras2torch.generate(model)
    assert "dataset.map" in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: REGISTRY["Hashing"](3, salt=133), "SipHash"),
        (lambda: REGISTRY["IntegerLookup"](), "data that is not here"),
        (lambda: REGISTRY["IntegerLookup"](vocabulary=[1, 2], oov_method="farmhash"), "FarmHash"),
        (
            lambda: REGISTRY["IntegerLookup"](vocabulary=[1], num_oov_indices=0),
            "stops at an unknown",
        ),
        (lambda: REGISTRY["CategoryEncoding"](3, sparse=True), "sparse=True"),
    ],
)
def test_what_cannot_be_exact_is_refused(layer: Callable[[], Any], message: str) -> None:
    inputs = Input((2,), dtype="int64")
    with pytest.raises(K2TError, match=message):
        keras2torch.generate(Model(inputs, layer()(inputs)))


# Fingerprint64 of decimal texts by pyfarmhash 0.4, which holds Google's own code; TensorFlow's to_hash_bucket_fast
# takes them modulo the bins.
FINGERPRINTS = {
    0: 0xD2ED96073B81823F,
    7: 0x8831601F30043498,
    -3: 0x03686F56EE858A33,
    42: 0x08A893485641F708,
    123: 0xD3471144C3EAC34B,
    -99: 0xD8239DD0C84F5390,
    1234: 0x0C3FA0B46E8ADCAE,
    -4567: 0x50EBADE5EFC5D8B6,
    65535: 0x0E001EEFAB90AD7D,
    1000000: 0x90B25EAB05B03584,
    -1234567: 0x3F4C19F46DE01459,
    12345678: 0x2F99D2664A0FB6EA,
    -12345678: 0x65C7293455A79B65,
    2147483647: 0x8F12A9DDB13A9935,
    1000000000000000: 0x0F69F89C822FCF82,
    1234567890123456: 0xEF3D9AFD22778424,
    -1234567890123456: 0x2F8163087351140B,
    1000000000000000000: 0xA5ACEED49476F747,
    9223372036854775807: 0xB0CCFB1982E491AF,
    -9223372036854775808: 0x14B9BC6F6D2837E0,
}


def hashed(values: list[Any], dtype: str = "int64", **options: Any) -> Any:
    inputs = Input((len(values[0]),), dtype=dtype)
    result = keras2torch.generate(Model(inputs, REGISTRY["Hashing"](**options)(inputs)))
    return oracle.build(result)(torch.tensor(values)).tolist()


@pytest.mark.parametrize("bins", [1, 3, 1000, 2**40])
def test_hashes_of_numbers(bins: int) -> None:
    values = list(FINGERPRINTS)
    assert hashed([values], num_bins=bins) == [[FINGERPRINTS[v] % bins for v in values]]


def test_hashes_of_numbers_as_keras_encodes_them() -> None:
    bins = [FINGERPRINTS[v] % 4 for v in (7, 42, 123)]
    assert hashed([[7, 42, 123]], num_bins=5, mask_value=42) == [[bins[0] + 1, 0, bins[2] + 1]]
    assert hashed([[7.0, 42.9, 123.5]], dtype="float32", num_bins=4) == [bins]
    assert hashed([[7, 42, 123]], num_bins=4, output_mode="count") == [
        [float(bins.count(i)) for i in range(4)]
    ]
    assert hashed([[7], [42]], num_bins=4, output_mode="one_hot") == np.eye(4)[bins[:2]].tolist()


def test_hashes_of_strings_are_refused() -> None:
    inputs = Input((2,), dtype="string")
    with pytest.raises(K2TError, match="no tensors of strings"):
        keras2torch.generate(Model(inputs, REGISTRY["Hashing"](3)(inputs)))


def test_bins_of_absent_data_are_refused() -> None:
    layer = REGISTRY["Discretization"](num_bins=4)
    layer.adapt(object())
    with pytest.raises(K2TError, match="data that is not here"):
        layer(Input((2,)))
