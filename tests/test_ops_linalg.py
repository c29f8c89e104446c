"""Linear algebra, Fourier transforms and signals."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import pytest
from ops_oracle import N, b, c, check, f, i

pytestmark = pytest.mark.thin(12)


def regular(ops: Any, x: Any) -> Any:
    """A matrix that can be inverted."""
    return x + 4.0 * ops.eye(x.shape[-1])


def positive(ops: Any, x: Any) -> Any:
    """A symmetric, positive matrix."""
    return ops.matmul(x, ops.swapaxes(x, -1, -2)) + ops.eye(x.shape[-1])


A = f(N, 4, 4)
CASES = {
    "inv": (lambda ops, x: ops.inv(regular(ops, x)), (A,)),
    "det": (lambda ops, x: (ops.det(regular(ops, x)), ops.logdet(positive(ops, x))), (A,)),
    "slogdet": (lambda ops, x: ops.slogdet(regular(ops, x)), (A,)),
    "cholesky": (lambda ops, x: (ops.cholesky(positive(ops, x)), ops.cholesky(positive(ops, x), upper=True)), (A,)),
    "cholesky_inverse": (lambda ops, x: ops.cholesky_inverse(ops.cholesky(positive(ops, x))), (f(4, 4),)),
    "eigenvalues": (lambda ops, x: ops.eigh(positive(ops, x))[0], (A,)),
    "eigenvectors": (lambda ops, x: ops.abs(ops.eigh(positive(ops, x))[1]), (A,)),
    "eig": (lambda ops, x: ops.sort(ops.real(ops.eig(positive(ops, x))[0])), (A,)),
    "lu_factor": (lambda ops, x: ops.lu_factor(regular(ops, x)), (A,)),
    "qr": (lambda ops, x: [ops.abs(m) for m in (*ops.qr(x), *ops.qr(x, mode="complete"))], (f(N, 5, 3),)),
    "svd": (lambda ops, x: (ops.svd(x)[1], ops.svd(x, compute_uv=False), [ops.abs(m) for m in ops.svd(x, full_matrices=False)]),
            (f(N, 5, 3),)),
    "solve": (lambda ops, x, y: ops.solve(regular(ops, x), y), (A, f(N, 4, 2))),
    "solve a vector": (lambda ops, x, y: ops.solve(regular(ops, x), y), (f(4, 4), f(4))),
    "solve_triangular": (lambda ops, x, y: (ops.solve_triangular(regular(ops, x), y), ops.solve_triangular(regular(ops, x), y, lower=True)),
                         (A, f(N, 4, 2))),
    "lstsq": (lambda ops, x, y: ops.lstsq(x, y), (f(6, 3), f(6, 2))),
    "pinv": (lambda ops, x: ops.pinv(x), (f(N, 5, 3),)),
    "matrix_rank": (lambda ops, x: ops.matrix_rank(x), (f(N, 5, 3),)),
    "norm": (lambda ops, x: (ops.norm(x), ops.norm(x, axis=-1), ops.norm(x, axis=1, keepdims=True), ops.norm(x, axis=(1, 2))), (A,)),
    "norm orders": (lambda ops, x: [ops.norm(x, ord=o, axis=-1) for o in (1, 2, 3, float("inf"))], (A,)),
    "matrix norms": (lambda ops, x: [ops.norm(x, ord=o, axis=(1, 2)) for o in ("fro", "nuc", 1, 2, float("inf"))], (A,)),
    "fft": (lambda ops, x, y: (ops.fft((x, y)), ops.fft2((x, y)), ops.ifft2((x, y))), (A, A)),
    "rfft": (lambda ops, x: (ops.rfft(x), ops.rfft(x, fft_length=6), ops.irfft(ops.rfft(x))), (f(N, 8),)),
    "irfft": (lambda ops, x, y: ops.irfft((x, y), fft_length=7), (f(N, 5), f(N, 5))),
    "stft": (lambda ops, x: (ops.stft(x, 8, 4, 16), ops.stft(x, 8, 3, 8, window="hamming", center=False)), (f(N, 40),)),
    "stft bare": (lambda ops, x: ops.stft(x, 8, 4, 8, window=None), (f(N, 40),)),
    "istft": (lambda ops, x: ops.istft(ops.stft(x, 8, 2, 16), 8, 2, 16), (f(N, 40),)),
    "products of two dtypes": (
        lambda ops, x, k, m: (ops.matmul(x, k), ops.einsum("ij,jk->ik", x, m), ops.tensordot(m, x, [[0], [1]]), ops.cross(k, x[:1, :3])),
        (f(N, 4), i(4, 3), b(4, 3)),
    ),
    "istft without a window": (
        lambda ops, x: ops.istft(ops.stft(x, 8, 2, 8, None), 8, 2, 8, window=None), (f(N, 40),),
    ),
    "istft length": (lambda ops, x: ops.istft(ops.stft(x, 8, 4, 8), 8, 4, 8, length=30), (f(N, 40),)),
    "extract_sequences": (lambda ops, x: (ops.extract_sequences(x, 4, 2), ops.extract_sequences(x, 3, 5)), (f(N, 2, 11),)),
    "view_as_real": (lambda ops, z: (ops.view_as_real(z), ops.view_as_complex(ops.view_as_real(z) * 2)), (c(N, 3),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_linalg(name: str) -> None:
    function, arrays = CASES[name]
    # Keras on JAX has no gradient of these.
    without = {
        "eig",
        "lu_factor",
        "qr",
        "matrix_rank",
        "matrix norms",
        "svd",
        "cholesky_inverse",
        "eigenvectors",
    }
    check(function, arrays, specs=False, gradients=name not in without, tolerance=5e-5)
