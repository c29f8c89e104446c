"""The bytes of weights: large tensors turned piece by piece, and the digests of files."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from keras2torch.digests import file_digest, sums_digest
from keras2torch.weights import _blocks


@pytest.mark.parametrize("dtype", ["u1", "f2", "f4", "f8"])
@pytest.mark.parametrize("offset", [0, 1, 5])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3, 3, 257, 300), (3, 2, 0, 1)),  # a convolution
        ((2, 3, 50, 1400), (3, 2, 0, 1)),  # a dense layer after Flatten
        ((1003, 1001), (1, 0)),
        ((5, 300_000), (1, 0)),
        ((300_000, 5), (1, 0)),
        ((70, 80, 100), (0, 2, 1)),
        ((70, 80, 100), (1, 0, 2)),
    ],
)
def test_turned_arrays_come_in_c_order(shape, axes, dtype, offset):
    size = int(np.prod(shape))
    values = np.arange(offset + 8 * size, dtype="u4").view("u1")[
        : (offset + size) * np.dtype(dtype).itemsize
    ]
    array = values.view(dtype)[offset:].reshape(shape).transpose(axes)
    made = b"".join(bytes(block) for block in _blocks(array))
    assert made == array.tobytes()


@pytest.mark.parametrize("size", [0, 5, 1 << 20])
def test_a_file_s_digest_is_sha256(tmp_path, size):
    data = np.arange(size // 8 + 1, dtype="u8").tobytes()[:size]
    (tmp_path / "file").write_bytes(data)
    assert file_digest(tmp_path / "file") == f"sha256 {hashlib.sha256(data).hexdigest()}"


@pytest.mark.parametrize("size", [(16 << 20) + 3, (64 << 20) + (1 << 20) + 1])
def test_a_large_file_s_digest_is_that_of_its_sums(tmp_path, size):
    data = np.arange(size // 8 + 1, dtype="u8").tobytes()[:size]
    (tmp_path / "file").write_bytes(data)
    assert file_digest(tmp_path / "file") == f"sums {sums_digest(tmp_path / 'file')}"


@pytest.mark.parametrize("place", [0, 100, (64 << 20) - 1, (64 << 20) + 7])
def test_other_weights_have_another_digest(tmp_path, place):
    path = tmp_path / "net.safetensors"
    path.write_bytes(bytes((64 << 20) + 9))
    before = sums_digest(path)
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(b"\1")
    assert sums_digest(path) != before


def test_words_that_change_places_change_the_digest(tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(bytes(range(16)))
    before = sums_digest(path)
    path.write_bytes(bytes([*range(8, 16), *range(8)]))
    assert sums_digest(path) != before
