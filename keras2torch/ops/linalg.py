"""Linear algebra: torch.linalg has nearly all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from keras2torch.graph import Shape
from keras2torch.module import Value
from keras2torch.ops.base import Op, Spec, as_operand, axes_of, define, function, ops
from keras2torch.ops.dtypes import float_dtype
from keras2torch.ops.reductions import reduced


class _OfMatrix(Op):
    """One matrix in, one tensor out. ``shape_rule`` maps the shape."""

    torch = ""
    shape_rule: Callable[[Shape], Shape] = staticmethod(lambda shape: shape)

    def output_spec(self, x: Any) -> Spec:
        _matrix(x.shape)
        return Spec(type(self).shape_rule(x.shape), float_dtype(x))

    def lower(self, b: Any, x: Any) -> Any:
        shape = b.output_tensors[0].shape
        return b.function(self.torch, b.floating(x), shape=shape, axes=tuple(range(len(shape))))

    def fold(self, x: Any) -> Any:
        rule = getattr(numpy.linalg, self.name, None)
        return NotImplemented if rule is None else rule(x)


def _matrix(shape: Shape, square: bool = False) -> None:
    if len(shape) < 2:
        raise ValueError("a matrix is needed")
    if square and None not in shape[-2:] and shape[-1] != shape[-2]:
        raise ValueError("a square matrix is needed")


_TABLE: dict[str, tuple[str, Any, str]] = {
    "inv": ("torch.linalg.inv", lambda s: s, "tf.linalg.inv(input=x) tf.matrix_inverse(input=x)"),
    "det": (
        "torch.linalg.det",
        lambda s: s[:-2],
        "tf.linalg.det(input=x) tf.matrix_determinant(input=x)",
    ),
    "logdet": ("torch.logdet", lambda s: s[:-2], "tf.linalg.logdet(matrix=x)"),
}
for _name, (_torch, _rule, _others) in _TABLE.items():
    _paths = f"keras.ops.{_name} keras.ops.linalg.{_name} {_others}"
    define(_OfMatrix, _name.title(), _paths, {"torch": _torch, "shape_rule": staticmethod(_rule)})


class Cholesky(Op, names="keras.ops.{linalg.cholesky,cholesky} {tf.linalg,tf}.cholesky(input=x)"):
    def output_spec(self, x: Any, upper: bool = False) -> Spec:
        _matrix(x.shape, square=True)
        return Spec(x.shape, float_dtype(x))

    def lower(self, b: Any, x: Any, upper: bool = False) -> Any:
        return b.function(
            "torch.linalg.cholesky", b.floating(x), **({"upper": True} if upper else {})
        )


class CholeskyInverse(Op, names="keras.ops.{linalg.cholesky_inverse,cholesky_inverse}"):
    """The inverse of a matrix from its Cholesky factor."""

    def output_spec(self, x: Any, upper: bool = False) -> Spec:
        _matrix(x.shape, square=True)
        return Spec(x.shape, float_dtype(x))

    def lower(self, b: Any, x: Any, upper: bool = False) -> Any:
        return b.function(
            "torch.cholesky_inverse", b.floating(x), **({"upper": True} if upper else {})
        )


class _Several(Op):
    """One matrix in, several tensors out."""

    torch = ""
    squares = True

    def shapes(self, shape: Shape) -> list[tuple[Shape, str]]:
        raise NotImplementedError

    def output_spec(self, x: Any) -> tuple[Spec, ...]:
        _matrix(x.shape, square=self.squares)
        return tuple(Spec(*item) for item in self.shapes(x.shape))

    def lower(self, b: Any, x: Any) -> Any:
        values = [Value(t.shape, tuple(range(len(t.shape))), t.dtype) for t in b.output_tensors]
        return b.multi("function", self.torch, (b.floating(x),), {}, values)


class Eigh(_Several, names="keras.ops.{linalg.eigh,eigh} tf.linalg.eigh(tensor=x)"):
    torch = "torch.linalg.eigh"

    def shapes(self, shape: Shape) -> list[tuple[Shape, str]]:
        return [(shape[:-1], "float32"), (shape, "float32")]


class Eig(_Several, names="keras.ops.{linalg.eig,eig} tf.linalg.eig(tensor=x)"):
    torch = "torch.linalg.eig"

    def shapes(self, shape: Shape) -> list[tuple[Shape, str]]:
        return [(shape[:-1], "complex64"), (shape, "complex64")]


class Slogdet(_Several, names="keras.ops.slogdet tf.linalg.slogdet(input=x)"):
    torch = "torch.linalg.slogdet"

    def shapes(self, shape: Shape) -> list[tuple[Shape, str]]:
        return [(shape[:-2], "float32"), (shape[:-2], "float32")]


class LuFactor(_Several, names="keras.ops.{linalg.lu_factor,lu_factor}"):
    """The packed factors and the pivots; torch counts the pivots from 1."""

    torch = "torch.linalg.lu_factor"
    squares = False

    def shapes(self, shape: Shape) -> list[tuple[Shape, str]]:
        size = None if None in shape[-2:] else min(shape[-2:])  # type: ignore[type-var]
        return [(shape, "float32"), ((*shape[:-2], size), "int32")]

    def lower(self, b: Any, x: Any) -> Any:
        factors, pivots = super().lower(b, x)
        return factors, b.operator("-", pivots, 1)


class Qr(Op, names="keras.ops.{linalg.qr,qr}"):
    def output_spec(self, x: Any, mode: str = "reduced") -> tuple[Spec, Spec]:
        *batch, m, n = x.shape
        k = m if mode == "complete" else min(m, n)
        return Spec((*batch, m, k), float_dtype(x)), Spec((*batch, k, n), float_dtype(x))

    def lower(self, b: Any, x: Any, mode: str = "reduced") -> Any:
        values = [Value(t.shape, tuple(range(len(t.shape))), t.dtype) for t in b.output_tensors]
        kwargs = {} if mode == "reduced" else {"mode": mode}
        return b.multi("function", "torch.linalg.qr", (b.floating(x),), kwargs, values)


@function("{tf.linalg,tf}.qr(input=x)")
def tf_qr(x: Any, full_matrices: bool = False) -> Any:
    return ops.qr(x, "complete" if full_matrices else "reduced")


class Svd(Op, names="keras.ops.{linalg.svd,svd}"):
    def output_spec(self, x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        *batch, m, n = x.shape
        k = None if None in (m, n) else min(m, n)
        values = Spec((*batch, k), float_dtype(x))
        if not compute_uv:
            return values
        u = Spec((*batch, m, m if full_matrices else k), float_dtype(x))
        return u, values, Spec((*batch, n if full_matrices else k, n), float_dtype(x))

    def lower(self, b: Any, x: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
        made = b.output_tensors
        x = b.floating(x)
        if not compute_uv:
            shape = made[0].shape
            return b.function("torch.linalg.svdvals", x, shape=shape, axes=tuple(range(len(shape))))
        values = [Value(t.shape, tuple(range(len(t.shape))), t.dtype) for t in made]
        kwargs = {} if full_matrices else {"full_matrices": False}
        return b.multi("function", "torch.linalg.svd", (x,), kwargs, values)


@function("{tf.linalg,tf}.svd(tensor=x)")
def tf_svd(x: Any, full_matrices: bool = False, compute_uv: bool = True) -> Any:
    """TensorFlow's: values first, and the right vectors as columns."""
    made = ops.svd(x, full_matrices, compute_uv)
    if not compute_uv:
        return made
    return made[1], made[0], ops.swapaxes(made[2], -1, -2)


class Solve(Op, names="keras.ops.{linalg.solve,solve}"):
    tensors = ("a", "b")

    def output_spec(self, a: Any, b: Any) -> Spec:
        _matrix(a.shape, square=True)
        return Spec(b.shape, float_dtype(a, b))

    def lower(self, builder: Any, a: Any, b: Any) -> Any:  # type: ignore[override]
        shape = builder.output_tensors[0].shape
        axes = tuple(range(len(shape)))
        if len(b.shape) == len(a.shape) - 1 and len(b.shape) > 1:  # vectors, one for each matrix
            b = builder.method(
                "unsqueeze", b, -1, shape=(*b.shape, 1), axes=tuple(range(len(b.shape) + 1))
            )
            solved = builder.function("torch.linalg.solve", a, b, shape=b.shape, axes=b.axes)
            return builder.method("squeeze", solved, -1, shape=shape, axes=axes)
        return builder.function("torch.linalg.solve", a, b, shape=shape, axes=axes)


@function("{tf.linalg,tf}.{solve,matrix_solve}")
def tf_solve(matrix: Any, rhs: Any, adjoint: bool = False) -> Any:
    return ops.solve(ops.swapaxes(matrix, -1, -2) if adjoint else matrix, rhs)


class SolveTriangular(Op, names="keras.ops.{linalg.solve_triangular,solve_triangular}"):
    tensors = ("a", "b")

    def output_spec(self, a: Any, b: Any, lower: bool = False) -> Spec:
        _matrix(a.shape, square=True)
        return Spec(b.shape, float_dtype(a, b))

    def lower(self, builder: Any, a: Any, b: Any, lower: bool = False) -> Any:  # type: ignore[override]
        shape = builder.output_tensors[0].shape
        axes = tuple(range(len(shape)))
        vector = len(b.shape) == len(a.shape) - 1
        if vector:
            b = builder.method(
                "unsqueeze", b, -1, shape=(*b.shape, 1), axes=tuple(range(len(b.shape) + 1))
            )
        made = builder.function(
            "torch.linalg.solve_triangular", a, b, upper=not lower, shape=b.shape, axes=b.axes
        )
        return builder.method("squeeze", made, -1, shape=shape, axes=axes) if vector else made


@function("{tf.linalg,tf}.{triangular_solve,matrix_triangular_solve}")
def tf_solve_triangular(matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False) -> Any:
    if adjoint:
        return ops.solve_triangular(ops.swapaxes(matrix, -1, -2), rhs, not lower)
    return ops.solve_triangular(matrix, rhs, lower)


class Lstsq(Op, names="keras.ops.{linalg.lstsq,lstsq}"):
    """The least squares solution, through the pseudo-inverse."""

    tensors = ("a", "b")

    def output_spec(self, a: Any, b: Any, rcond: Any = None) -> Spec:
        return Spec((a.shape[-1], *b.shape[1:]), float_dtype(a, b))

    def lower(self, builder: Any, a: Any, b: Any, rcond: Any = None) -> Any:  # type: ignore[override]
        shape = builder.output_tensors[0].shape
        inverse = builder.function(
            "torch.linalg.pinv",
            a,
            shape=(a.shape[1], a.shape[0]),
            axes=(0, 1),
            **({} if rcond is None else {"rtol": rcond}),
        )
        return builder.operator("@", inverse, b, shape=shape, axes=tuple(range(len(shape))))


class Pinv(Op, names="keras.ops.{linalg.pinv,pinv} tf.linalg.pinv(a=x)"):
    def output_spec(self, x: Any, rcond: Any = None) -> Spec:
        _matrix(x.shape)
        return Spec((*x.shape[:-2], x.shape[-1], x.shape[-2]), float_dtype(x))

    def lower(self, b: Any, x: Any, rcond: Any = None) -> Any:
        shape = b.output_tensors[0].shape
        kwargs = {} if rcond is None else {"rtol": rcond}
        return b.function(
            "torch.linalg.pinv", b.floating(x), shape=shape, axes=tuple(range(len(shape))), **kwargs
        )


class MatrixRank(Op, names="keras.ops.{linalg.matrix_rank,matrix_rank} tf.linalg.matrix_rank(a=x)"):
    def output_spec(self, x: Any, tol: Any = None) -> Spec:
        _matrix(x.shape)
        return Spec(x.shape[:-2], "int64")

    def lower(self, b: Any, x: Any, tol: Any = None) -> Any:
        shape = b.output_tensors[0].shape
        kwargs = {} if tol is None else {"tol": tol}
        return b.function(
            "torch.linalg.matrix_rank",
            b.floating(x),
            shape=shape,
            axes=tuple(range(len(shape))),
            dtype="int64",
            **kwargs,
        )


class Norm(Op, names="keras.ops.{linalg.norm,norm}"):
    """Norms of vectors (one axis), of matrices (two), or of all elements."""

    layout = "any"

    def output_spec(
        self, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
    ) -> Spec:  # noqa: A002
        return Spec(reduced(x.shape, axis, keepdims), float_dtype(x))

    def lower(
        self, b: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
    ) -> Any:  # noqa: A002
        x = b.floating(x) if not x.dtype.startswith("complex") else x
        axes = axes_of(axis, len(x.axes))
        matrix = len(axes) == 2 and ord is not None
        if matrix and x.axes != tuple(range(len(x.axes))):
            x = b.floating(b.last(b.call_record.kwargs["x"]))
        dims = tuple(x.axes.index(a) for a in axes)
        if not matrix:
            dims = tuple(sorted(dims))
        left = [a for i, a in enumerate(x.axes) if i not in dims]
        if keepdims:
            shape, kept = tuple(1 if i in dims else n for i, n in enumerate(x.shape)), x.axes
        else:
            shape = tuple(n for i, n in enumerate(x.shape) if i not in dims)
            kept = tuple(sorted(left).index(a) for a in left)
        kwargs: dict[str, Any] = {} if ord is None or ord == 2 and not matrix else {"ord": ord}
        if len(dims) < len(x.axes) or keepdims:
            kwargs["dim"] = dims[0] if len(dims) == 1 else dims
        if keepdims:
            kwargs["keepdim"] = True
        name = "torch.linalg.matrix_norm" if matrix else "torch.linalg.vector_norm"
        if matrix and ord == "fro":
            kwargs.pop("ord")
        return b.function(name, x, shape=shape, axes=kept, dtype="float32", **kwargs)

    def fold(
        self, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
    ) -> Any:  # noqa: A002
        return numpy.linalg.norm(x, ord, tuple(axis) if isinstance(axis, list) else axis, keepdims)


@function("{tf,tf.linalg}.norm(tensor=x)")
def tf_norm(
    x: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False
) -> Any:  # noqa: A002
    order = None if ord == "euclidean" else ord
    return ops.norm(x, order, axis, keepdims)


@function("tf.linalg.eigvalsh(tensor=x) tf.self_adjoint_eigvals(tensor=x)")
def eigvalsh(x: Any) -> Any:
    return ops.eigh(x)[0]


@function("tf.linalg.lstsq")
def tf_lstsq(matrix: Any, rhs: Any, l2_regularizer: float = 0.0, fast: bool = True) -> Any:
    """Through the normal equations where regularised."""
    matrix = as_operand(matrix)
    if not l2_regularizer:
        return ops.matmul(ops.pinv(matrix), rhs)
    turned = ops.swapaxes(matrix, -1, -2)
    gram = ops.matmul(turned, matrix) + l2_regularizer * ops.eye(matrix.shape[-1])
    return ops.solve(gram, ops.matmul(turned, rhs))
