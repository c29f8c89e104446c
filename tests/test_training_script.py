"""Every option of a generated training script, run once; what it promises, checked."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from training_oracle import Case, run_script

KEPT = {"validation_split": 0.25, "epochs": 4, "batch_size": 8, "shuffle": True}


def case(**fit):
    return Case(
        lambda k: {
            "optimizer": k.optimizers.Adam(0.01),
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
        },
        lambda k: {**KEPT, **fit},
        activation="softmax",
    )


@pytest.fixture
def folder(tmp_path):
    case().write(tmp_path)
    return tmp_path


def weights(folder: Path, run: str = "net") -> list[torch.Tensor]:
    return list(torch.load(folder / "runs" / run / "checkpoint.pt")["model"].values())


def same(first, second) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_prints_lines_as_keras_does(folder, capsys):
    run_script(folder)
    lines = [line.rpartition("\r")[2] for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("Epoch")] == [
        f"Epoch: {n}/4" for n in (1, 2, 3, 4)
    ]
    finished = [line for line in lines if line.startswith("6/6 [==============================]")]
    assert len(finished) == 4
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert f" - {name}: " in finished[-1]


def test_printed_averages_are_those_of_the_history(folder, capsys):
    run_script(folder)
    history = json.loads((folder / "runs/net/history.json").read_text())
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    last = capsys.readouterr().out.splitlines()[-1]
    assert f"loss: {history['loss'][-1]:.4f}" in last


def test_resumed_run_equals_an_unbroken_one(folder):
    run_script(folder)
    run_script(folder, "--out", "runs/broken", "--epochs", "2")
    run_script(folder, "--out", "runs/broken", "--resume")
    assert same(weights(folder), weights(folder, "broken"))
    read = [json.loads((folder / f"runs/{n}/history.json").read_text()) for n in ("net", "broken")]
    assert read[0] == read[1]


def test_seeds_change_the_run(folder):
    run_script(folder, "--out", "runs/a")
    run_script(folder, "--out", "runs/b")
    run_script(folder, "--out", "runs/c", "--seed", "7")
    assert same(weights(folder, "a"), weights(folder, "b"))
    assert not same(weights(folder, "a"), weights(folder, "c"))


def test_dry_run_writes_nothing(folder, capsys):
    run_script(folder, "--dry-run", "--plot", "--predict")
    assert not (folder / "runs").exists()
    assert "1/1 [" in capsys.readouterr().out


def test_best_weights_are_kept_apart(folder):
    run_script(folder)
    best = torch.load(folder / "runs/net/best.pt")
    history = json.loads((folder / "runs/net/history.json").read_text())
    state = torch.load(folder / "runs/net/checkpoint.pt")["state"]
    assert state["best"] == min(history["val_loss"])
    assert list(best) == list(torch.load(folder / "runs/net/checkpoint.pt")["model"])


def test_amp_and_compile_learn(folder):
    run_script(folder, "--amp")
    history = json.loads((folder / "runs/net/history.json").read_text())
    assert history["loss"][-1] < history["loss"][0]
    run_script(folder, "--compile", "--epochs", "1", "--out", "runs/compiled")
    run_script(folder, "--epochs", "1", "--out", "runs/plain")
    for a, b in zip(weights(folder, "compiled"), weights(folder, "plain"), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_compiled_keys_keep_their_names(folder):
    run_script(folder, "--compile", "--epochs", "1")
    saved = torch.load(folder / "runs/net/checkpoint.pt")
    assert not any(key.startswith("_orig_mod") for key in saved["model"])


def test_predict_plot_and_summary(folder, capsys):
    run_script(folder, "--epochs", "1", "--predict", "--plot")
    predictions = np.load(folder / "runs/net/predictions.npy")
    np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)
    assert (folder / "runs/net/history.png").stat().st_size > 1000
    run_script(folder, "--summary")
    assert "Total params: 163" in capsys.readouterr().out


def two_processes(folder: Path, *flags: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    command += ["--master-port", str(29500 + os.getpid() % 500), "net_train.py", "--device", "cpu"]
    subprocess.run([*command, *flags], cwd=folder, check=True, env=environment, timeout=240)


@pytest.mark.slow
def test_two_processes_resume_as_an_unbroken_run(folder):
    two_processes(folder)
    two_processes(folder, "--out", "runs/broken", "--epochs", "2")
    two_processes(folder, "--out", "runs/broken", "--resume")
    assert same(weights(folder), weights(folder, "broken"))


def test_two_processes_learn_as_one(folder):
    """48 samples in batches of 8: equal shares, so the curves are one process's."""
    run_script(folder)
    two_processes(folder, "--out", "runs/two")
    one, two = (json.loads((folder / f"runs/{n}/history.json").read_text()) for n in ("net", "two"))
    for name, values in one.items():
        np.testing.assert_allclose(two[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    for a, b in zip(weights(folder), weights(folder, "two"), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_each_validation_sample_counts_once_in_an_odd_split(tmp_path):
    """15 validation samples over two processes: no sample is repeated or dropped."""
    made = case(validation_split=0.24)
    made.write(tmp_path)
    module = run_script(tmp_path, "--epochs", "1")
    expected = json.loads((tmp_path / "runs/net/history.json").read_text())["val_loss"]
    counted = []
    for rank in (0, 1):
        module.RANK, module.WORLD_SIZE = rank, 2
        args = type("Args", (), {"batch_size": 4, "device": torch.device("cpu"), "dry_run": False})
        data = torch.utils.data.TensorDataset(torch.arange(15))
        for (batch,) in module.batches(data, torch.arange(15), args):
            counted += batch.tolist()
    assert sorted(counted) == list(range(15))
    assert len(expected) == 1


def kill_and_resume(folder: str, kills: int) -> None:
    """Run the script in forks of this process, kill each at a random moment; prints the epochs done.

    A fork dies while it trains or writes, not while it imports. This process has one thread.
    """
    epochs = str(12 * kills)
    run_script(
        Path(folder), "--epochs", "1", "--out", "runs/first"
    )  # imports, and what else is slow
    began = time.monotonic()
    run_script(Path(folder), "--epochs", epochs)  # unbroken
    longest = 1.5 * (time.monotonic() - began) / kills
    flags = ("--epochs", epochs, "--out", "runs/killed", "--resume")
    rng, done = random.Random(kills), []
    for _ in range(kills):
        child = os.fork()
        if not child:
            run_script(Path(folder), *flags)
            os._exit(0)
        time.sleep(rng.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        checkpoint = Path(folder) / "runs/killed/checkpoint.pt"
        # Readable, whatever happened.
        done.append(torch.load(checkpoint)["state"]["epoch"] if checkpoint.exists() else 0)
    run_script(Path(folder), *flags)
    print("done", json.dumps(done))


@pytest.mark.parametrize("kills", [6, pytest.param(50, marks=pytest.mark.slow)])
def test_survives_being_killed(folder, kills):
    """SIGKILL at random moments, resumed each time: bit-equal to an unbroken run."""
    code = f"import test_training_script as t; t.kill_and_resume({str(folder)!r}, {kills})"
    output = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    done = json.loads(output.splitlines()[-1].removeprefix("done"))
    assert len(done) == kills and done == sorted(done) and len(set(done)) > 2
    assert same(weights(folder), weights(folder, "killed"))
    histories = [(folder / f"runs/{n}/history.json").read_text() for n in ("net", "killed")]
    assert histories[0] == histories[1]


def test_style(folder):
    """black, ruff and mypy have nothing to say."""
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "100"]
    ruff += ["--select", "E,F,W,I,N,B,UP", "--ignore", "N812", "net_train.py"]
    subprocess.run(ruff, cwd=folder, check=True)
    mypy = [sys.executable, "-m", "mypy", "--no-incremental", "net_train.py"]
    subprocess.run(mypy, cwd=folder, check=True)


def test_early_stopping_restores_the_best(tmp_path):
    made = Case(
        lambda k: {"optimizer": k.optimizers.SGD(2.0), "loss": "mse"},
        lambda k: {
            **KEPT,
            "epochs": 40,
            "callbacks": [k.callbacks.EarlyStopping(patience=2, restore_best_weights=True)],
        },
        target="number",
    )
    made.write(tmp_path)
    run_script(tmp_path, "--predict")
    history = json.loads((tmp_path / "runs/net/history.json").read_text())
    best = int(np.argmin(history["val_loss"]))
    assert len(history["val_loss"]) == best + 3
    from torch import nn

    predictions = np.load(tmp_path / "runs/net/predictions.npy")
    target = made.y[0][48:]
    loss = nn.functional.mse_loss(torch.tensor(predictions), torch.tensor(target))
    np.testing.assert_allclose(loss, min(history["val_loss"]), rtol=1e-5)


def test_callbacks_that_write_files(tmp_path):
    made = Case(
        lambda k: {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]},
        lambda k: {
            **KEPT,
            "callbacks": [
                k.callbacks.CSVLogger("log.csv"),
                k.callbacks.ModelCheckpoint("w.{epoch:02d}-{val_loss:.3f}.keras"),
                k.callbacks.ModelCheckpoint("best/top.h5", monitor="val_mae", save_best_only=True),
                k.callbacks.TerminateOnNaN(),
            ],
        },
        target="number",
    )
    made.write(tmp_path)
    run_script(tmp_path)
    rows = (tmp_path / "runs/net/log.csv").read_text().splitlines()
    assert rows[0] == "epoch,loss,mae,val_loss,val_mae" and len(rows) == 5
    assert len(list((tmp_path / "runs/net").glob("w.0*-*.pt"))) == 4
    assert (tmp_path / "runs/net/top.pt").exists()


def test_callbacks_share_neither_files_nor_numbers(tmp_path):
    """Each has the epoch of its own metric, and none writes over what the script itself keeps."""
    made = Case(
        lambda k: {"optimizer": k.optimizers.SGD(1.5), "loss": "mse", "metrics": ["mae"]},
        lambda k: {
            **KEPT,
            "epochs": 6,
            "callbacks": [
                k.callbacks.ModelCheckpoint(
                    "best.keras", monitor="val_mae", mode="max", save_best_only=True
                ),
                k.callbacks.ModelCheckpoint("checkpoint.h5", save_best_only=True),
                k.callbacks.ModelCheckpoint(
                    "weights.h5", monitor="loss", save_best_only=True, mode="max"
                ),
                k.callbacks.EarlyStopping(patience=9, restore_best_weights=True),
            ],
        },
        target="number",
    )
    made.write(tmp_path)
    run_script(tmp_path)
    run_script(tmp_path, "--resume", "--epochs", "6")  # the checkpoint to resume from is still one
    folder = tmp_path / "runs/net"
    history = json.loads((folder / "history.json").read_text())
    state = torch.load(folder / "checkpoint.pt")["state"]
    kept = [max(history["val_mae"]), min(history["val_loss"]), max(history["loss"])]
    assert [state[name] for name in ("best", "best_2", "best_3")] == kept
    lowest = torch.load(folder / "model_checkpoint.pt")
    for other, same in (("weights", True), ("stopping_best", True), ("best", False)):
        pairs = zip(torch.load(folder / f"{other}.pt").values(), lowest.values(), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs) is same, other


OWN_CALLBACKS = '''
import math
from training_oracle import RECORDING as keras

class StopEarly(keras.callbacks.Callback):
    """Stops when the loss is low."""

    def __init__(self, limit, shout=False):
        super().__init__()
        self.limit = limit
        self.losses = []

    def on_epoch_end(self, epoch, logs=None):
        self.losses.append(logs.get("loss"))
        if logs.get("loss") < self.limit:
            print("\\nlow enough after", epoch + 1)
            self.model.stop_training = True

FACTOR = 0.5

def schedule(epoch, lr):
    return lr * math.exp(-FACTOR) if epoch else lr

callbacks = [
    StopEarly(0.9),
    keras.callbacks.LearningRateScheduler(schedule),
    keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("seen", epoch)),
]
'''


def test_callbacks_of_the_programs_own(tmp_path, monkeypatch, capsys):
    (tmp_path / "own_callbacks.py").write_text(OWN_CALLBACKS)
    monkeypatch.syspath_prepend(tmp_path)
    import own_callbacks

    made = case(epochs=50, callbacks=own_callbacks.callbacks)
    made.write(tmp_path)
    run_script(tmp_path)
    history = json.loads((tmp_path / "runs/net/history.json").read_text())
    assert history["loss"][-1] < 0.9 and len(history["loss"]) < 50
    np.testing.assert_allclose(
        history["learning_rate"][:3], [0.01, 0.01 * np.exp(-0.5), 0.01 * np.exp(-1)], rtol=1e-6
    )
    out = capsys.readouterr().out
    assert "low enough" in out and "seen 1" in out
