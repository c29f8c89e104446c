"""Every program of tests/cases/, generated and compared with the same program under real Keras."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracle import assert_close, build, flatten, randomise, run_keras, run_torch
from pairing import pair_weights
from run_oracle import all_cases, build_oracle, read_case

import keras2torch
from keras2torch.write import texts

CASES = all_cases()


@pytest.mark.thin(64)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case_equals_keras(case):
    result = keras2torch.generate(case.path, model=case.model)
    real = build_oracle(case.path)
    randomise(real)
    pair_weights(result.source.model, real)
    net = build(result)
    for batch in (3, 1):
        arrays = case_inputs(case, result, batch)
        expected = flatten(run_keras(real, arrays))
        actual = run_torch(result, net, arrays)
        assert len(actual) == len(expected)
        for index, (a, e) in enumerate(zip(actual, expected)):
            assert_close(a, e, 1e-5, f"output {index}")
    for name, text in texts(
        result
    ).items():  # the training script, or one that says why it only predicts
        compile(text, name, "exec")


def case_inputs(case, result, batch):
    """Random inputs for the ports; whole numbers where the case says so."""
    rng = np.random.default_rng(3)
    arrays = []
    for index, port in enumerate(result.inputs):
        shape = [port.shape[0] or batch, *(n or 12 for n in port.shape[1:])]
        bound = case.integers[index] if index < len(case.integers) else None
        if bound is not None:
            arrays.append(rng.integers(0, bound, shape).astype(port.dtype))
        elif port.dtype.startswith(("int", "uint", "bool")):
            arrays.append(rng.integers(0, 2, shape).astype(port.dtype))
        else:
            arrays.append(rng.normal(size=shape).astype("float32"))
    return arrays


def test_a_wrong_pad_is_noticed(monkeypatch):
    """The comparison above can fail: with Keras's odd pixel put first, the residual network differs."""
    from keras2torch.layers import conv

    monkeypatch.setattr(conv, "same_pads", lambda *a, f=conv.same_pads: f(*a)[::-1])
    with pytest.raises(AssertionError):
        test_case_equals_keras(read_case(CASES[0].path.parent / "resnet_residual_block.py"))


def test_generated_module_trains():
    """On the GPU where there is one: the loss of a generated network falls."""
    result = keras2torch.generate(CASES[0].path.parent / "keras3_mnist_convnet.py")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    net = build(result).to(device).train()
    shape = [64, *(n for n in result.inputs[0].shape[1:])]
    permutation = result.inputs[0].permutation
    x = torch.rand([shape[a] for a in permutation] if permutation else shape, device=device)
    y = (x.flatten(1).sum(1) > x.flatten(1).sum(1).median()).long()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
