"""The oracle: a real Keras model beside the torch module generated from it.

``compare`` generates from the live model, runs the source, loads the weights strictly, and asserts equal
outputs and, if asked, equal gradients with respect to inputs and weights.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # compiling costs more than running

import itertools
import types
from typing import Any

import numpy as np
import torch

import keras2torch

torch.set_num_threads(1)
_serial = itertools.count()


def load_source(source: str, name: str = "generated") -> types.ModuleType:
    """Execute generated source as a module."""
    module = types.ModuleType(f"{name}_{next(_serial)}")
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)
    return module


def build(result: Any) -> torch.nn.Module:
    """The generated module with its weights, in eval mode."""
    net = getattr(load_source(result.model_source), result.class_name)()
    if result.weights:
        state = {key: torch.from_numpy(np.array(value)) for key, value in result.weights.items()}
        own = net.state_dict()
        for key in own.keys() - state.keys():
            assert key.endswith("num_batches_tracked"), f"no weights for {key}"
            state[key] = own[key]
        net.load_state_dict(state, strict=True)
    return net.eval()


def randomise(model: Any, seed: int = 0) -> None:
    """Weights that leave nothing at 0 or 1: biases, scales, positive variances."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if str(variable.dtype).startswith(("int", "uint", "bool")):
            continue
        # Kernels keep the size of the values, so that deep nets do not end in a saturated softmax.
        reduced = shape[:-2] if "depthwise" in variable.path else shape[:-1]
        spread = max(1, np.prod(reduced)) ** -0.5 if len(shape) > 1 else 0.5
        value = rng.normal(0, spread, shape)
        if "variance" in variable.path or variable.path.endswith(("gamma", "scale")):
            value = 0.5 + np.abs(value)
        variable.assign(value.astype("float32"))


def inputs_for(model: Any, batch: int = 3, seed: int = 1, size: int = 9) -> list[np.ndarray]:
    """Random arrays for every input; unknown sizes are ``size``; integers lie in [0, 5)."""
    rng = np.random.default_rng(seed)
    arrays = []
    for tensor in model.inputs:
        shape = [batch if tensor.shape[0] is None else tensor.shape[0]]
        shape += [size if n is None else n for n in tensor.shape[1:]]
        if "int" in str(tensor.dtype):
            arrays.append(rng.integers(0, 5, shape).astype(str(tensor.dtype)))
        elif "bool" in str(tensor.dtype):
            arrays.append(rng.integers(0, 2, shape).astype(bool))
        else:
            arrays.append(rng.normal(size=shape).astype("float32"))
    return arrays


def to_torch(array: np.ndarray, permutation: tuple[int, ...] | None) -> torch.Tensor:
    """An array in Keras's axes as torch's tensor."""
    array = np.asarray(array)
    array = array.transpose(permutation) if permutation else array
    return torch.from_numpy(np.array(array, order="C"))  # of a number, too


def to_keras(tensor: torch.Tensor, permutation: tuple[int, ...] | None) -> np.ndarray:
    """torch's tensor as an array in Keras's axes."""
    array = tensor.detach().numpy()
    return array.transpose(np.argsort(permutation)) if permutation else array


def run_torch(result: Any, net: torch.nn.Module, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The module's outputs in Keras's axes, with the final activations that predict() applies."""
    tensors = [to_torch(a, port.permutation) for a, port in zip(arrays, result.inputs)]
    outputs = net(*tensors)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    arrays_out = []
    for output, port in zip(outputs, result.outputs):
        array = to_keras(output, port.permutation)
        if port.activation == "softmax":
            array = torch.from_numpy(array.copy()).softmax(-1).numpy()
        elif port.activation == "sigmoid":
            array = torch.from_numpy(array.copy()).sigmoid().numpy()
        arrays_out.append(array)
    return arrays_out


def assert_close(actual: Any, expected: Any, tolerance: float, what: str) -> None:
    """Equal to ``tolerance`` relative to the largest value, and no NaN where there should be none."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (
        actual.shape == expected.shape
    ), f"{what}: shape {actual.shape}, Keras has {expected.shape}"
    if expected.dtype.kind in "biu":
        assert np.array_equal(actual, expected), f"{what} differs"
        return
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    error = float(np.abs(actual.astype("float64") - expected.astype("float64")).max(initial=0.0))
    assert error <= tolerance * scale, f"{what}: max |difference| {error:.3g} at scale {scale:.3g}"


def flatten(structure: Any) -> list[Any]:
    """The leaves of Keras's output structure, in Keras's order."""
    import keras

    return keras.tree.flatten(structure)


def compare(
    model: Any,
    inputs: list[np.ndarray] | None = None,
    *,
    training: bool = False,
    gradients: bool = True,
    tolerance: float = 1e-5,
    randomised: bool = True,
    batches: tuple[int, ...] = (3, 1),
) -> Any:
    """Assert that the generated module equals ``model``; returns the Generated."""
    if randomised:
        randomise(model)
    result = keras2torch.generate(model)
    net = build(result)
    net.train(training)
    cases = [inputs] if inputs is not None else [inputs_for(model, batch) for batch in batches]
    for arrays in cases:
        expected = flatten(run_keras(model, arrays, training))
        actual = run_torch(result, net, arrays)
        assert len(actual) == len(expected)
        for index, (a, e) in enumerate(zip(actual, expected)):
            assert_close(a, e, tolerance, f"output {index}\n{result.model_source}\n")
    if gradients:
        _compare_gradients(model, result, net, cases[0], training, tolerance)
    return result


def run_keras(model: Any, arrays: list[np.ndarray], training: bool = False) -> Any:
    """The model's outputs; compiled as one program, which is several times faster than op by op."""
    import jax
    import keras
    from keras.src.models import Functional

    given = {"training": training} if model._call_has_training_arg else {}
    layers = model._flatten_layers()
    if not isinstance(model, (Functional, keras.Sequential)) or any(
        getattr(layer, "stateful", False) for layer in layers
    ):  # it may make its weights only now, and a state has to move on
        return model(_as_keras(model, arrays), **given)
    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]
    run = jax.jit(lambda *args: model.stateless_call(*args, **given)[0])
    return run(trainable, fixed, _as_keras(model, arrays))


def _as_keras(model: Any, arrays: list[np.ndarray]) -> Any:
    import keras

    structure = getattr(model, "_inputs_struct", None)
    if structure is None or len(arrays) == 1:
        return arrays[0] if len(arrays) == 1 else arrays
    return keras.tree.pack_sequence_as(structure, arrays)


def _compare_gradients(
    model: Any, result: Any, net: Any, arrays: list[np.ndarray], training: bool, tolerance: float
) -> None:
    """d(sum of outputs * fixed random weights) with respect to float inputs and trainable weights."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(5)
    floats = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    tensors = [to_torch(a, p.permutation) for a, p in zip(arrays, result.inputs)]
    for i in floats:
        tensors[i].requires_grad_(True)
    outputs = net(*tensors)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    factors, total = [], torch.zeros(())
    for output, port in zip(outputs, result.outputs):
        shape = np.array(output.shape)
        keras_shape = shape[np.argsort(port.permutation)] if port.permutation else shape
        factor = rng.normal(size=keras_shape).astype("float32")
        factors.append(factor)
        if output.requires_grad and output.is_floating_point():
            value = output.softmax(-1) if port.activation == "softmax" else output
            value = value.sigmoid() if port.activation == "sigmoid" else value
            total = total + (value * to_torch(factor, port.permutation)).sum()
    if not total.requires_grad:
        return
    total.backward()

    trainable = [v.value for v in model.trainable_variables]
    fixed = [v.value for v in model.non_trainable_variables]

    def loss(weights: Any, given: Any) -> Any:
        full = list(arrays)
        for i, value in zip(floats, given):
            full[i] = value
        result_, _ = model.stateless_call(weights, fixed, _as_keras(model, full), training=training)
        terms = [
            (o * f).sum()
            for o, f in zip(flatten(result_), factors)
            if jnp.issubdtype(o.dtype, jnp.floating)
        ]
        return sum(terms)

    gradient = jax.jit(jax.grad(loss, argnums=(0, 1)))
    by_weight, by_input = gradient(trainable, [jnp.asarray(arrays[i]) for i in floats])
    for i, expected in zip(floats, by_input):
        grad = tensors[i].grad
        actual = (
            np.zeros_like(expected)
            if grad is None
            else to_keras(grad, result.inputs[i].permutation)
        )
        assert_close(
            actual, expected, 10 * tolerance, f"gradient of input {i}\n{result.model_source}\n"
        )
    gradient_of = {id(v): np.asarray(g) for v, g in zip(model.trainable_variables, by_weight)}
    live = {id(v): v for v in model.weights}
    own = dict(net.named_parameters())
    for key, mapping in result.weight_map.items():
        variables = [_variable_of(source, live) for source in mapping.sources]
        if (
            key not in own
            or not variables
            or any(v is None or id(v) not in gradient_of for v in variables)
        ):
            continue
        if not own[key].requires_grad:
            continue
        expected = np.asarray(mapping.function(*(gradient_of[id(v)] for v in variables)))
        grad = own[key].grad
        actual = np.zeros_like(expected) if grad is None else grad.numpy()
        assert_close(
            actual, expected, 10 * tolerance, f"gradient of {key}\n{result.model_source}\n"
        )


def _variable_of(source: Any, live: dict[int, Any]) -> Any:
    """The Keras variable that a recorded weight reads."""
    value = source.value
    cells = getattr(value, "__closure__", None) or ()
    for cell in cells:
        if id(cell.cell_contents) in live:
            return cell.cell_contents
    return None
