"""Functions that pick, sort, count, scatter and multiply."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ops_oracle import N, b, check, f, i

pytestmark = pytest.mark.thin(12)

X = f(N, 4, 5)
SELECT = {
    "where": (lambda ops, c, x, y: ops.where(c, x, y), (b(N, 4), f(N, 4), f(4))),
    "where numbers": (lambda ops, x: (ops.where(x > 0, x, 0.0), ops.where(x > 0, 1, 0), ops.where(x > 0, -1e9, x)), (X,)),
    "select": (lambda ops, x: ops.select([x < -1, x < 1], [x * 2, x * 3], 7.0), (X,)),
    "take": (lambda ops, x, k: (ops.take(x, k, axis=1), ops.take(x, k), ops.take(x, 2, axis=1)), (X, i(3, 2, high=4))),
    "take constants": (lambda ops, x: (ops.take(x, [0, 2], axis=-1), ops.take(x, np.arange(20) % 4, axis=1)), (X,)),
    "take rows": (lambda ops, x, k: ops.take(x, k, axis=0), (f(7, 3), i(N, 4))),
    "take_along_axis": (lambda ops, x, k: (ops.take_along_axis(x, k, axis=1), ops.take_along_axis(x, k, axis=-1)), (X, i(N, 4, 5, high=4))),
    "take_along flat": (lambda ops, x, k: ops.take_along_axis(x, k), (f(3, 4), i(6))),
    "one_hot": (lambda ops, k: (ops.one_hot(k, 6), ops.one_hot(k, 6, axis=1), ops.one_hot(k, 6, dtype="int32")), (i(N, 3),)),
    "multi_hot": (lambda ops, k: (ops.multi_hot(k, 6), ops.multi_hot(k, 6, dtype="int32")), (i(N, 3),)),
    "top_k": (lambda ops, x: (ops.top_k(x, 3), ops.top_k(x, 1)[0]), (X,)),
    "in_top_k": (lambda ops, t, p: ops.in_top_k(t, p, 2), (i(N), f(N, 5))),
    "sort": (lambda ops, x: (ops.sort(x), ops.sort(x, axis=1), ops.sort(x, axis=None)), (X,)),
    "argsort": (lambda ops, x: (ops.argsort(x), ops.argsort(x, axis=1), ops.argsort(x, axis=None)), (X,)),
    "searchsorted": (lambda ops, x: (ops.searchsorted(np.array([-1.0, 0.0, 1.0], "float32"), x),
                                     ops.searchsorted(np.array([-1.0, 0.0, 1.0], "float32"), x, side="right")), (f(6),)),
    "digitize": (lambda ops, x: ops.digitize(x, np.array([-1.0, 0.0, 1.0], "float32")), (X,)),
    "isin": (lambda ops, k: (ops.isin(k, [1, 3]), ops.isin(k, np.array([0, 2]), invert=True)), (i(N, 4),)),
    "unravel_index": (lambda ops, k: ops.unravel_index(k, (3, 4)), (i(5, high=12),)),
    "scatter": (lambda ops, k, v: ops.scatter(k, v, (6, 3)), (i(4, 1), f(4, 3))),
    "scatter_update": (lambda ops, x, k, v: [ops.scatter_update(x, k, v, reduction=r) for r in (None, "add", "max", "min", "mul")],
                       (f(6, 5), np.array([[0, 1], [2, 3], [5, 4]], "int32"), f(3))),
    "slice": (lambda ops, x: (ops.slice(x, (0, 1, 2), (2, 2, 3)), ops.slice(x, (1, 0, 3), (1, 4, 5))), (f(3, 4, 5),)),
    "slice_update, one axis": (
        lambda ops, x, i, y: ops.slice_update(x, i, y),
        (f(5), np.array([2], "int32"), f(2)),
    ),
    "slice_update": (lambda ops, x, y: ops.slice_update(x, (0, 1, 2), y), (f(3, 4, 5), f(3, 2, 2))),
    "scatter_update add": (lambda ops, x, k, v: ops.scatter_update(x, k, v, reduction="add"),
                           (f(6, 5), np.array([[0, 1], [2, 3], [2, 3]], "int32"), f(3))),
    "segment_sum alone": (lambda ops, x, k: (ops.segment_sum(x, k, num_segments=6), ops.segment_max(x, k, num_segments=6)),
                          (f(8, 3), i(8))),
    "segment_sum": (lambda ops, x, k: [getattr(ops, f"segment_{n}")(x, k, num_segments=6) for n in ("sum", "max", "min", "prod")],
                    (f(8, 3), i(8))),
    "bincount": (lambda ops, k: (ops.bincount(k), ops.bincount(k, minlength=8)), (i(9),)),
    "bincount weights": (lambda ops, k, w: ops.bincount(k, weights=w, minlength=6), (i(9), f(9))),
    "bincount rows": (lambda ops, k: ops.bincount(k, minlength=7), (i(3, 9),)),
    "histogram": (lambda ops, x: (ops.histogram(x, 4), ops.histogram(x, 5, range=(-1, 1))), (f(30),)),
    "nonzero": (lambda ops, x: ops.nonzero(x > 0), (f(3, 4),)),
    "where alone": (lambda ops, x: ops.where(x > 0), (f(3, 4),)),
    "unique": (lambda ops, k: (ops.unique(k), ops.unique(k, return_counts=True), ops.unique(k, return_inverse=True)), (i(9),)),
    "cast": (lambda ops, x: (ops.cast(x, "int32"), ops.cast(x, "bool"), ops.cast(ops.cast(x, "float16"), "float32")), (X,)),
    "cast integers": (lambda ops, k: (ops.cast(k, "float32"), ops.cast(k, "uint8"), ops.cast(k, "int32")), (i(N, 3),)),
    "saturate_cast": (lambda ops, x: (ops.saturate_cast(x * 200, "uint8"), ops.saturate_cast(x * 200, "int8")), (X,)),
    "stop_gradient": (lambda ops, x: x * ops.stop_gradient(x), (X,)),
    "view": (lambda ops, x: (ops.view(x, "int32"), ops.view(x, "uint8")), (X,)),
    "questions": (lambda ops, x: x * (len(ops.shape(x)) if ops.is_tensor(x) and ops.dtype(x) == "float32" else 0), (X,)),
}  # fmt: skip


@pytest.mark.parametrize("name", SELECT)
def test_select(name: str) -> None:
    function, arrays = SELECT[name]
    constants = [a for a in arrays if isinstance(a, np.ndarray)]
    if constants:  # a constant between the inputs
        inner = function
        position = next(k for k, a in enumerate(arrays) if isinstance(a, np.ndarray))

        def function(ops: Any, *xs: Any) -> Any:
            return inner(ops, *xs[:position], ops.convert_to_tensor(constants[0]), *xs[position:])

    given = tuple(a for a in arrays if not isinstance(a, np.ndarray))
    # Keras on JAX has no gradient of a scattered product.
    without = ("cast", "view", "scatter_update", "segment_sum")
    check(function, given, gradients=name not in without, specs=False)


M, W = f(N, 3, 4), f(4, 5)
PRODUCTS = {
    "matmul": (lambda ops, x, y: (ops.matmul(x, y), ops.matmul(ops.transpose(x, (0, 2, 1)), x)), (M, W)),
    "matmul vectors": (lambda ops, x, y, z: (ops.matmul(x, y), ops.matmul(y, z), ops.matmul(y, y)), (M, f(4), W)),
    "dot": (lambda ops, x, y, v: (ops.dot(x, y), ops.dot(x, v), ops.dot(x, 2.0)), (M, W, f(4))),
    "dot of many axes": (lambda ops, x, y: ops.dot(x, y), (M, f(2, 4, 5))),
    "inner": (lambda ops, x, y: (ops.inner(x, y), ops.inner(y, y)), (M, f(2, 4))),
    "outer": (lambda ops, x, y: ops.outer(x, y), (f(3), f(4))),
    "vdot": (lambda ops, x, y: ops.vdot(x, y), (f(3, 4), f(3, 4))),
    "tensordot": (lambda ops, x, y: (ops.tensordot(x, y, 1), ops.tensordot(x, y, [[2], [0]]), ops.tensordot(x, y, [[-1], [0]])), (M, W)),
    "tensordot two axes": (lambda ops, x, y: (ops.tensordot(x, y, 2), ops.tensordot(x, y, [[1, 2], [0, 1]])), (M, f(3, 4, 2))),
    "tensordot 0": (lambda ops, x, y: ops.tensordot(x, y, 0), (f(3), f(4))),
    "einsum": (lambda ops, x, y: (ops.einsum("bij,jk->bik", x, y), ops.einsum("...ij, jk -> ...ik", x, y)), (M, W)),
    "einsum implicit": (lambda ops, x, y: (ops.einsum("ij,jk", x, y), ops.einsum("ij->j", x), ops.einsum("ii", ops.matmul(y, x))), (f(3, 4), f(4, 3))),
    "einsum three": (lambda ops, x, y, z: ops.einsum("bi,ij,bj->b", x, y, z), (f(N, 4), W, f(N, 5))),
    "kron": (lambda ops, x, y: ops.kron(x, y), (f(2, 3), f(3, 2))),
    "cross": (lambda ops, x, y: (ops.cross(x, y), ops.cross(x, y, axis=1)), (f(N, 3, 3), f(N, 3, 3))),
    "cross axes": (lambda ops, x, y: ops.cross(x, y, axisa=1, axisb=-1, axisc=0), (f(4, 3), f(4, 3))),
    "cross in the plane": (lambda ops, x, y: ops.cross(x, y), (f(N, 2), f(N, 2))),
    "cdist": (lambda ops, x, y: ops.cdist(x, y), (M, f(N, 2, 4))),
    "corrcoef": (lambda ops, x: ops.corrcoef(x), (f(3, 8),)),
    "correlate": (lambda ops, x, y: [ops.correlate(x, y, mode=m) for m in ("valid", "same", "full")], (f(9), f(4))),
    "correlate odd": (lambda ops, x, y: [ops.correlate(x, y, mode=m) for m in ("valid", "same", "full")], (f(8), f(3))),
    "correlate short": (lambda ops, x, y: [ops.correlate(x, y, mode=m) for m in ("valid", "same", "full")], (f(3), f(8))),
    "matmul of integers": (lambda ops, x, y: ops.matmul(x, y), (i(3, 4), i(4, 2))),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str) -> None:
    function, arrays = PRODUCTS[name]
    check(function, arrays, gradients="dot of many" not in name, specs=name != "corrcoef")
