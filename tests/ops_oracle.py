"""The oracle of the functions on tensors: the same expression over real ``keras.ops`` and over ours.

A case is a function of a namespace and of tensors, ``lambda ops, x: ops.mean(x, axis=1)``. It is recorded on
symbolic inputs (batch unknown), generated and run in torch, and run by Keras on JAX: values, gradients with
respect to float inputs, and the shapes and dtypes that the rules announce must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from oracle import assert_close, load_source, to_keras, to_torch

import keras2torch
from keras2torch.graph import Constant, Tensor
from keras2torch.inputs import Input
from keras2torch.models import Model
from keras2torch.ops import OPS

N = None  # the batch axis, unknown while recording


@dataclass(frozen=True)
class Array:
    """An input of a case: its shape (None: unknown while recording, 3 and then 2 in the runs) and its values."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    low: float = -2.0
    high: float = 2.0

    def sample(self, batch: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        shape = tuple(batch if n is None else n for n in self.shape)
        if self.dtype == "bool":
            return rng.integers(0, 2, shape).astype(bool)
        if "int" in self.dtype:
            return rng.integers(int(self.low), int(self.high), shape).astype(self.dtype)
        if self.dtype == "complex64":
            return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(self.dtype)
        return rng.uniform(self.low, self.high, shape).astype(self.dtype)


def f(*shape: int | None, low: float = -2.0, high: float = 2.0) -> Array:
    return Array(shape, "float32", low, high)


def i(*shape: int | None, low: int = 0, high: int = 5, dtype: str = "int32") -> Array:
    return Array(shape, dtype, low, high)


def b(*shape: int | None) -> Array:
    return Array(shape, "bool")


def c(*shape: int | None) -> Array:
    return Array(shape, "complex64")


class Names:
    """Our functions below a path, by attribute, as a script sees them."""

    def __init__(self, path: str = "keras.ops"):
        self._path = path

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        if path in OPS:
            return OPS[path]
        if any(known.startswith(f"{path}.") for known in OPS):
            return Names(path)
        raise AttributeError(f"no function {path}")


Case = Callable[..., Any]


def record(function: Case, arrays: tuple[Array, ...], path: str = "keras.ops") -> Any:
    """The case as a recorded model."""
    inputs = [Input(batch_shape=a.shape, dtype=a.dtype) for a in arrays]
    outputs = function(Names(path), *inputs)
    return Model(inputs, flat(outputs))


def flat(structure: Any) -> list[Any]:
    if isinstance(structure, dict):
        return [leaf for key in sorted(structure) for leaf in flat(structure[key])]
    if isinstance(structure, (list, tuple)):
        return [leaf for item in structure for leaf in flat(item)]
    return [structure]


def run_torch(
    result: Any, arrays: list[np.ndarray], factors: list[Any] | None = None
) -> tuple[list[Any], list[Any]]:
    """The outputs in Keras's axes, and the gradients of their sum times ``factors``."""
    net = getattr(load_source(result.model_source), result.class_name)().eval()
    tensors = [to_torch(a, port.permutation) for a, port in zip(arrays, result.inputs)]
    for tensor in tensors:
        tensor.requires_grad_(tensor.is_floating_point() and factors is not None)
    outputs = net(*tensors)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    gradients: list[Any] = []
    if factors is not None:
        total = torch.zeros(())
        for output, factor, port in zip(outputs, factors, result.outputs):
            if output.requires_grad:
                term = output if not output.is_complex() else output.real + output.imag
                total = total + (term * to_torch(factor, port.permutation)).sum()
        if total.requires_grad:
            total.backward()
        for tensor, port in zip(tensors, result.inputs):
            gradients.append(
                None if tensor.grad is None else to_keras(tensor.grad, port.permutation)
            )
    return [
        to_keras(o.detach().resolve_conj(), p.permutation) for o, p in zip(outputs, result.outputs)
    ], gradients


def run_keras(function: Case, arrays: list[np.ndarray]) -> list[np.ndarray]:
    import keras

    tensors = [keras.ops.convert_to_tensor(a) for a in arrays]
    return [np.asarray(leaf) for leaf in flat(function(keras.ops, *tensors))]


def keras_gradients(
    function: Case, arrays: list[np.ndarray], factors: list[np.ndarray]
) -> list[Any]:
    import jax
    import jax.numpy as jnp
    import keras

    floats = [index for index, array in enumerate(arrays) if array.dtype.kind == "f"]

    def loss(given: Any) -> Any:
        full: list[Any] = [jnp.asarray(a) for a in arrays]
        for index, value in zip(floats, given):
            full[index] = value
        terms = []
        for leaf, factor in zip(flat(function(keras.ops, *full)), factors):
            leaf = jnp.asarray(leaf)
            if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
                terms.append(((leaf.real + leaf.imag) * factor).sum())
            elif jnp.issubdtype(leaf.dtype, jnp.floating):
                terms.append((leaf * factor).sum())
        return sum(terms, jnp.zeros(()))

    if not floats:
        return [None] * len(arrays)
    gradient, given = jax.grad(loss), [jnp.asarray(arrays[index]) for index in floats]
    try:
        values = jax.jit(gradient)(given)  # one program is several times faster than op by op
    except jax.errors.ConcretizationTypeError:  # whose shapes depend on values
        values = gradient(given)
    found = dict(zip(floats, values))
    return [found.get(index) for index in range(len(arrays))]


def announced(function: Case, arrays: tuple[Array, ...]) -> list[tuple[Any, str]] | None:
    """What Keras's own rules say on symbolic tensors; None where they cannot."""
    import keras

    try:
        given = [keras.KerasTensor(a.shape, dtype=a.dtype) for a in arrays]
        leaves = flat(function(keras.ops, *given))
        return [(tuple(leaf.shape), str(leaf.dtype)) for leaf in leaves]
    except Exception:  # Keras's shape rules fail on some arguments that its functions take
        return None


_LOOSE = {"int64": "int32", "uint64": "uint32", "float64": "float32", "complex128": "complex64"}


def check(
    function: Case,
    arrays: tuple[Array, ...],
    *,
    tolerance: float = 1e-5,
    gradients: bool = True,
    specs: bool = True,
    path: str = "keras.ops",
    reference: Case | None = None,
) -> Any:
    """Assert that the case is the same in Keras and in torch; returns the Generated.

    A function of another namespace (``path``) is compared with what it should be in keras.ops (``reference``).
    """
    model = record(function, arrays, path)
    result = keras2torch.generate(model)
    specs = specs and reference is None
    function = function if reference is None else reference
    for batch in (3, 2):
        samples = [a.sample(batch, seed) for seed, a in enumerate(arrays)]
        expected = run_keras(function, samples)
        with_gradients = gradients and batch == 3
        rng = np.random.default_rng(5)
        factors = (
            [rng.normal(size=e.shape).astype("float32") for e in expected]
            if with_gradients
            else None
        )
        actual, found = run_torch(result, samples, factors)
        assert len(actual) == len(expected)
        for index, (a, e) in enumerate(zip(actual, expected)):
            where = f"output {index}\n{result.model_source}"
            assert e.dtype.kind == a.dtype.kind or {e.dtype.kind, a.dtype.kind} <= set(
                "iu"
            ), f"{where}: dtype {a.dtype}, Keras has {e.dtype}"
            same(a, e, tolerance, where)
        for tensor, e in zip(model.outputs, expected):
            fits = all(n is None or n == m for n, m in zip(tensor.shape, e.shape))
            assert (
                fits and len(tensor.shape) == e.ndim
            ), f"announced {tensor.shape}, Keras has {e.shape}"
            assert _LOOSE.get(tensor.dtype, tensor.dtype) == str(
                e.dtype
            ), f"announced {tensor.dtype}, Keras has {e.dtype}"
        if with_gradients:
            for index, expected_gradient in enumerate(keras_gradients(function, samples, factors)):
                if expected_gradient is not None:
                    a = (
                        found[index]
                        if found[index] is not None
                        else np.zeros_like(expected_gradient)
                    )
                    same(
                        a,
                        expected_gradient,
                        10 * tolerance,
                        f"gradient {index}\n{result.model_source}",
                    )
    rules = announced(function, arrays) if specs else None
    if rules is not None:
        for tensor, (shape, _) in zip(model.outputs, rules):
            known = [(m, n) for m, n in zip(tensor.shape, shape) if n is not None]
            assert len(tensor.shape) == len(shape) and all(
                m == n for m, n in known
            ), f"the rule announces {tensor.shape}, Keras's {shape}"
    return result


def same(actual: Any, expected: Any, tolerance: float, what: str) -> None:
    """As ``assert_close``, where NaN and infinities must be in the same places."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (
        actual.shape == expected.shape
    ), f"{what}: shape {actual.shape}, Keras has {expected.shape}"
    if expected.dtype.kind == "c":
        same(actual.real, expected.real, tolerance, what)
        same(actual.imag, expected.imag, tolerance, what)
        return
    if expected.dtype.kind == "f":
        odd = ~np.isfinite(expected)
        assert np.array_equal(
            np.where(odd, expected, 0), np.where(odd, actual, 0), equal_nan=True
        ), f"{what}: infinities or NaN differ"
        assert np.isfinite(actual[~odd]).all(), f"{what}: not finite where Keras is"
        actual, expected = np.where(odd, 0, actual), np.where(odd, 0, expected)
    assert_close(actual, expected, tolerance, what)


def check_constant(function: Case, tolerance: float = 1e-6) -> None:
    """Assert that an expression without symbolic tensors is computed while recording, as Keras computes it."""
    import keras

    for a, e in zip(flat(function(Names())), flat(function(keras.ops))):
        assert isinstance(a, Constant) or not isinstance(a, Tensor), "left symbolic"
        value = a.numpy() if isinstance(a, Constant) else np.asarray(a)
        e = np.asarray(e)
        if isinstance(a, Constant):
            assert _LOOSE.get(a.dtype, a.dtype) == str(
                e.dtype
            ), f"dtype {a.dtype}, Keras has {e.dtype}"
        same(value, e, tolerance, "constant")
