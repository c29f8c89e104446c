"""Random tensors: right shape, right moments, drawn anew in every run; and branches and loops."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ops_oracle import Array, N, Names, check, check_constant, f, i, load_source, record

import keras2torch
from keras2torch.errors import UnsupportedError
from keras2torch.ops import OPS

X = f(N, 40)


def torch_module(function: Any, *arrays: Array, path: str = "keras.ops") -> Any:
    result = keras2torch.generate(record(function, arrays, path))
    return getattr(load_source(result.model_source), result.class_name)(), result.model_source


R = Names("keras.random")
# case: (function of ops and x, mean, deviation, least, greatest)
SAMPLES: dict[str, tuple[Any, float, float, float, float]] = {
    "normal": (lambda x: R.normal(Names().shape(x)), 0, 1, -9, 9),
    "normal scaled": (lambda x: R.normal(Names().shape(x), mean=3.0, stddev=0.5), 3, 0.5, -9, 9),
    "normal of another shape": (lambda x: R.normal((Names().shape(x)[0], 7)), 0, 1, -9, 9),
    "uniform": (lambda x: R.uniform(Names().shape(x), -1, 3), 1, 4 / 12**0.5, -1, 3),
    "truncated": (lambda x: R.truncated_normal(Names().shape(x), 1.0, 2.0), 1, 2 * 0.8796, -3, 5),
    "randint": (lambda x: R.randint(Names().shape(x), 2, 6), 3.5, 1.118, 2, 5),
    "dropout": (lambda x: R.dropout(Names().ones_like(x), 0.25), 1, (1 / 3) ** 0.5, 0, 4 / 3 + 1e-5),
    "dropout of rows": (lambda x: R.dropout(Names().ones_like(x), 0.5, noise_shape=(None, 1)), 1, 1, 0, 2),
    "categorical": (lambda x: R.categorical(Names().zeros_like(x)[:, :3], 40), 1, 0.8165, 0, 2),
    "gamma": (lambda x: R.gamma(Names().shape(x), 2.0), 2, 2**0.5, 0, 99),
    "beta": (lambda x: R.beta(Names().shape(x), 2.0, 3.0), 0.4, 0.2, 0, 1),
    "binomial": (lambda x: R.binomial(Names().shape(x), 10.0, 0.3), 3, 2.1**0.5, 0, 10),
    "shuffle": (lambda x: R.shuffle(Names().cumsum(Names().ones_like(x), axis=1), axis=1), 20.5, 11.54, 1, 40),
    "tf.random.normal": (lambda x: OPS["tf.random.normal"](OPS["tf.shape"](x), 1.0, 2.0), 1, 2, -99, 99),
    "tf.random.uniform": (lambda x: OPS["tf.random.uniform"]([OPS["tf.shape"](x)[0], 1]), 0.5, 12**-0.5, 0, 1),
    "K.random_normal": (
        lambda x: OPS["keras.backend.random_normal"](shape=(OPS["keras.backend.shape"](x)[0], 40), stddev=0.1), 0, 0.1, -9, 9),
    "tf.nn.dropout": (lambda x: OPS["tf.nn.dropout"](Names().ones_like(x), rate=0.5), 1, 1, 0, 2),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name: str) -> None:
    function, mean, deviation, low, high = SAMPLES[name]
    net, source = torch_module(lambda ops, x: function(x), X)
    net.eval()
    torch.manual_seed(0)
    first, second = net(torch.zeros(3000, 40)), net(torch.zeros(3000, 40))
    assert not torch.equal(first, second), source
    values = first.double()
    assert len(first) == 3000
    assert abs(values.mean() - mean) < 0.02 * max(1, deviation) * (
        3 if "rows" in name or "uniform" in name else 1
    ), source
    assert abs(values.std() - deviation) < 0.03 * max(1, deviation), source
    assert values.min() >= low and values.max() <= high


def test_noise_like_a_tensor_reads_so() -> None:
    _, source = torch_module(lambda ops, x: x + R.normal(ops.shape(x)) * ops.exp(0.5 * x), X)
    assert "torch.randn_like(x)" in source


def test_data_outside_of_layers_is_an_array() -> None:
    data = R.normal((4, 3), seed=1)
    assert data.numpy().shape == (4, 3)
    assert np.array_equal(data.numpy(), R.normal((4, 3), seed=1).numpy())


CONTROL = {
    "cond": (lambda ops, x: ops.cond(ops.sum(x) > 0, lambda: x + 1, lambda: x * 2), (f(N, 4),)),
    "cond of numbers": (lambda ops, x: ops.cond(3 > 2, lambda: x + 1, lambda: x * 2), (f(N, 4),)),
    "cond of structures": (lambda ops, x: ops.cond(ops.max(x) > 9, lambda: (x, x + 1), lambda: (x * 2, x)), (f(N, 4),)),
    "switch": (lambda ops, k, x: ops.switch(k[0], [lambda t: t, lambda t: t * 2, lambda t: t * 3], x), (i(1, high=3), f(N, 4))),
    "map": (lambda ops, x: ops.map(lambda t: t * ops.sum(t), x), (f(3, 4),)),
    "vectorized_map": (lambda ops, x: ops.vectorized_map(lambda t: t * ops.sum(t), x), (f(3, 4),)),
    "map of a batch": (lambda ops, x: ops.map(lambda t: ops.exp(t) * 2 + np.arange(4, dtype="float32"), x), (f(N, 4),)),
    "map by a matrix": (lambda ops, x: ops.map(lambda t: ops.matmul(np.ones((5, 3), "float32"), t), x), (f(N, 3, 2),)),
    "map of a batch's pairs": (lambda ops, x, y: ops.map(lambda t: t[0] - t[1], (x, y)), (f(N, 3, 4), f(N, 1, 4))),
    "map of structures": (lambda ops, x, y: ops.map(lambda t: t[0] * t[1], (x, y)), (f(3, 4), f(3, 4))),
    "scan": (lambda ops, x: ops.scan(lambda s, t: (s + t, s * t), ops.zeros((4,)), x), (f(3, 4),)),
    "scan reverse": (lambda ops, x: ops.scan(lambda s, t: (s + t, s * t), ops.zeros((4,)), x, reverse=True), (f(3, 4),)),
    "associative_scan": (lambda ops, x: (ops.associative_scan(ops.add, x), ops.associative_scan(ops.maximum, x, axis=1),
                                         ops.associative_scan(ops.add, x, reverse=True)), (f(3, 4),)),
    "fori_loop": (lambda ops, x: ops.fori_loop(0, 3, lambda k, t: t * 0.5 + k, x), (f(N, 4),)),
    "while_loop": (lambda ops, x: ops.while_loop(lambda k, t: k < 3, lambda k, t: (k + 1, t + k), (0, x))[1], (f(N, 4),)),
    "while_loop bounded": (lambda ops, x: ops.while_loop(lambda k: True, lambda k: k * 2, x, maximum_iterations=3), (f(N, 4),)),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTROL)
def test_control(name: str) -> None:
    function, arrays = CONTROL[name]
    check(
        function, arrays, specs=False, gradients="while" not in name
    )  # JAX has none of a while loop


REFUSED = {
    "map": (lambda ops, x: ops.map(lambda t: t + ops.sum(t), x), "unknown size"),
    "map of ranks that do not align": (lambda ops, x: ops.map(lambda t: t[0] * t[1], (x, ops.stack([x, x], 1))), "unknown size"),
    "map of a constant": (lambda ops, x: ops.map(lambda t: ops.ones((3,)), x), "unknown size"),
    "map with a longer constant": (lambda ops, x: ops.map(lambda t: t + np.ones((2, 4), "float32"), x), "unknown size"),
    "long map": (lambda ops, x: ops.map(lambda t: t + 1, ops.transpose(x)[:3000] if False else ops.zeros((3000, 2)) + ops.sum(x)),
                 "too long to be written out"),
    "while_loop": (lambda ops, x: ops.while_loop(lambda t: ops.sum(t) > 0, lambda t: t - 1, x), "while loop that depends"),
    "fori_loop": (lambda ops, x: ops.fori_loop(0, ops.shape(x)[0], lambda k, t: t, x), "whose length the model computes"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_loops_that_cannot_be_written_out(name: str) -> None:
    function, message = REFUSED[name]
    with pytest.raises(UnsupportedError, match=message):
        record(function, (f(N, 4),))


def test_constant_loops() -> None:
    check_constant(
        lambda ops: ops.while_loop(lambda k: k < 10, lambda k: k * 2, ops.convert_to_tensor(3))
    )
