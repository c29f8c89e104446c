"""Saved models of every Keras version: generated without Keras, loaded strictly, equal to the stored outputs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from oracle import assert_close, load_source, run_torch
from saved_fixtures import CASES, CUSTOM_LAYERS

import keras2torch

pytestmark = pytest.mark.thin(40)

PAIRS = [(case, index) for case in CASES for index in range(len(case.files))]


@pytest.mark.parametrize(
    ("case", "index"),
    PAIRS,
    ids=[f"{case.id}{case.files[index].suffix}{index}" for case, index in PAIRS],
)
def test_saved_model_equals_its_outputs(case, index, monkeypatch):
    for name in ("keras", "tensorflow", "tf_keras"):
        monkeypatch.setitem(sys.modules, name, None)  # not importable
    custom = CUSTOM_LAYERS if "custom" in case.model else None
    result = keras2torch.generate(case.files[index], custom=custom)
    net = getattr(load_source(result.model_source), result.class_name)()
    state = {key: torch.from_numpy(np.array(value)) for key, value in result.weights.items()}
    net.load_state_dict(state, strict=True)
    net.eval()
    inputs, outputs = case.arrays()
    given = [a.astype(port.dtype) for a, port in zip(inputs, result.inputs)]
    computed = run_torch(result, net, given)
    for index_, (actual, expected) in enumerate(zip(computed, outputs, strict=True)):
        assert_close(actual, expected.astype("float32"), 1e-5, f"output {index_}")
    if case.model == "half":  # the policy's own rounding is all that is between the two
        (rounded,) = case.arrays(rounded=True)[1]
        assert_close(computed[0], rounded, 3e-3, "rounded to half floats")


@pytest.mark.parametrize("case", [case for case in CASES if case.id in ("2.13-half", "3.15-half")])
def test_half_floats_are_kept(case, tmp_path):
    from safetensors.torch import load_file

    for file in case.files:
        result = keras2torch.generate(file, name="net")
        assert "float16" in "".join(result.notes)
        result.write(tmp_path / file.suffix)
        tensors = load_file(tmp_path / file.suffix / "net.safetensors")
        kept = {key: tensor.dtype for key, tensor in tensors.items()}
        assert kept["dense_f16.weight"] == torch.float16
        assert kept.get("dense_bf16.weight", torch.bfloat16) == torch.bfloat16
        assert kept["dense_mixed.weight"] == torch.float32
        for key, array in result.weights.items():
            assert (tensors[key].float().numpy() == array).all()


def test_half_floats_equal_keras_that_computes_in_float32():
    """The stored outputs are rounded at every step; without that rounding nothing differs."""
    from keras2torch.verify import verify

    (case,) = (case for case in CASES if case.id == "3.15-half")
    report = verify(case.files[0])
    assert max(row.difference / (row.scale or 1) for row in report.rows) <= 1e-6, str(report)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_json_gives_the_same_module(case):
    if not case.json_file.exists() or not case.files:
        pytest.skip("the model was not saved as JSON")
    custom = CUSTOM_LAYERS if "custom" in case.model else None
    whole = keras2torch.generate(case.files[0], name="net", custom=custom)
    bare = keras2torch.generate(case.json_file, name="net", custom=custom)
    assert bare.weights == {}

    def body(text: str) -> str:
        return text[text.index("from torch") :]

    assert body(bare.model_source).count("nn.") == body(whole.model_source).count("nn.")


STATES = [case for case in CASES if case.id in ("2.13-cnn", "3.15-cnn", "3.15-shared_nested")]


@pytest.mark.parametrize("case", STATES, ids=[case.id for case in STATES])
def test_the_optimizer_goes_on(case, tmp_path):
    from safetensors.torch import load_file

    for file in case.files:
        result = keras2torch.generate(file, name="net")
        result.write(tmp_path / file.suffix)
        path = tmp_path / file.suffix / "net_optimizer.safetensors"
        if result.moments is None:
            assert case.model == "shared_nested" and file.suffix == ".h5"  # Keras wrote none
            continue
        tensors = load_file(path)
        assert tensors.pop("step") == result.moments.steps and tensors
        net = getattr(load_source(result.model_source), result.class_name)()
        shapes = {name: parameter.shape for name, parameter in net.named_parameters()}
        assert {key.rpartition(".")[0] for key in tensors} <= set(shapes)  # but the frozen
        for key, tensor in tensors.items():
            assert tensor.shape == shapes[key.rpartition(".")[0]]
            assert not key.endswith("exp_avg_sq") or (tensor >= 0).all()
        assert "load_optimizer(optimizer, model, args.optimizer)" in result.train_source


def test_the_command_writes_safetensors_that_load(tmp_path):
    from safetensors.torch import load_file

    path = next(case.files[0] for case in CASES if case.id == "3.15-cnn")
    made = subprocess.run(
        [
            sys.executable,
            "-m",
            "keras2torch.cli",
            "generate",
            str(path),
            "-o",
            str(tmp_path),
            "--name",
            "net",
        ],
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    result = keras2torch.generate(path, name="net")
    state = load_file(tmp_path / "net.safetensors")
    assert set(state) == set(result.weights)
    net = getattr(load_source((tmp_path / "net_model.py").read_text()), result.class_name)()
    net.load_state_dict(state)


def test_training_goes_on_from_the_saved_weights(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "net.keras")
    result = keras2torch.generate(tmp_path / "net.keras")
    result.write(tmp_path)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "net.npz", x_train=rng.normal(size=(8, 4)), y_train=rng.normal(size=(8, 1)))
    command = [sys.executable, "net_train.py", "--lr", "0", "--device", "cpu"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    trained = torch.load(tmp_path / "runs" / "net" / "weights.pt")
    for key, array in result.weights.items():
        np.testing.assert_array_equal(trained[key].numpy(), array)


def test_a_saved_learning_rate_is_the_number_that_was_written():
    """Keras keeps it in a float32: 0.003 is saved as 0.003000000026077032."""
    from keras2torch.frontend.compiled import compile_arguments

    config = {"learning_rate": 0.003000000026077032, "beta_1": 0.8999999761581421, "epsilon": 1e-7}
    adam = compile_arguments({"optimizer_config": {"class_name": "Adam", "config": config}})[
        "optimizer"
    ]
    assert (adam.learning_rate, adam.beta_1, adam.epsilon) == (0.003, 0.9, 1e-7)
