"""``k2t verify``: real Keras beside the generated module; faults are found and the layer is named."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from keras import layers
from oracle import randomise

from keras2torch.cli import main


def k2t(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def save(model: keras.Model, path: Path) -> Path:
    randomise(model)
    model.save(path)
    return path


def convolutional() -> keras.Model:
    """Two strided blocks, so that each "same" has a lopsided pad."""
    image = x = keras.Input((16, 16, 3))
    for i, filters in enumerate((6, 8)):
        x = layers.Conv2D(filters, 3, strides=2, padding="same", name=f"conv_{i}")(x)
        x = layers.BatchNormalization(name=f"norm_{i}")(x)
        x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(4, name="scores")(x))


def masked() -> keras.Model:
    words = keras.Input((12,), dtype="int32")
    x = layers.Embedding(30, 8, mask_zero=True)(words)
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(4))(x)
    return keras.Model(words, layers.Dense(3, activation="softmax")(x))


def attention() -> keras.Model:
    sequence = keras.Input((None, 16))
    x = layers.MultiHeadAttention(4, 4, name="attend")(sequence, sequence)
    x = layers.LayerNormalization()(x + sequence)
    return keras.Model(sequence, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def nested() -> keras.Model:
    """A backbone inside a model; both have a layer of the same name."""
    inner_image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="conv")(inner_image)
    backbone = keras.Model(inner_image, layers.Conv2D(4, 3, name="last")(x), name="backbone")
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 1, name="conv")(image)
    x = layers.Flatten()(backbone(x))
    return keras.Model(image, layers.Dense(2, name="scores")(x))


def divisible() -> keras.Model:
    """Runs on free sizes that are multiples of 4 only."""
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(4, 3, padding="same")(image)
    down = layers.MaxPooling2D(4)(x)
    up = layers.UpSampling2D(4)(down)
    return keras.Model(image, layers.Conv2D(2, 1)(layers.Concatenate()([x, up])))


def dictionaries() -> keras.Model:
    left, right = keras.Input((3,), name="z"), keras.Input((3,), name="a")
    x = layers.Dense(4)(layers.Concatenate()([left, right]))
    outputs = {
        "second": layers.Dense(2, name="second")(x),
        "first": layers.Dense(2, name="first")(x),
    }
    return keras.Model({"z": left, "a": right}, outputs)


slow = pytest.mark.slow
MODELS = [convolutional, dictionaries]
MODELS += [pytest.param(build, marks=slow) for build in (masked, attention, nested, divisible)]


@pytest.mark.parametrize("build", MODELS, ids=lambda build: build.__name__)
def test_equal_models_pass(build, tmp_path):
    made = k2t("verify", save(build(), tmp_path / "net.keras"), "--grads", "-o", tmp_path)
    assert made.exit_code == 0, made.output
    assert "equal: no difference" in made.output and "gradient" in made.output


@slow
def test_the_table_shows_batches_and_free_sizes(tmp_path):
    table = k2t("verify", save(divisible(), tmp_path / "net.keras"), "-o", tmp_path).output
    assert "3x96x96x3" in table and "1x96x160x3" in table  # 83x107 is refused by Keras
    table = k2t("verify", save(attention(), tmp_path / "net.keras"), "-o", tmp_path).output
    assert "3x16x16" in table and "1x23x16" in table


@slow
@pytest.mark.parametrize("suffix", [".h5", ".json"])
def test_other_files(suffix, tmp_path):
    path, model = tmp_path / f"net{suffix}", convolutional()
    if suffix == ".json":
        path.write_text(model.to_json())
    else:
        save(model, path)
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 0, made.output


PROGRAM = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers
(x, y), _ = keras.datasets.mnist.load_data()
model = keras.Sequential([
    keras.Input((28, 28, 1)),
    layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x[..., None] / 255.0, y, epochs=5)
raise SystemExit("trained for hours")
"""


def test_a_program_runs_under_keras_until_it_trains(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    made = k2t("verify", path, "--grads", "-o", tmp_path)
    assert made.exit_code == 0, made.output
    assert "3x28x28x1" in made.output


def test_a_program_that_keras_cannot_run_is_told(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.replace("strides=2", "subsample=(2, 2)").replace("4, 3,", "4, 3, 3,"))
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 2
    assert "cannot run the program" in made.output and "program.py:" in made.output


# Faults.
def generated(tmp_path: Path, build=convolutional) -> Path:
    path = save(build(), tmp_path / "net.keras")
    assert k2t("generate", path, "-o", tmp_path).exit_code == 0
    return path


@pytest.mark.parametrize(
    ("build", "layer"),
    [
        (convolutional, "norm_1"),
        *(pytest.param(*case, marks=slow) for case in (
            (convolutional, "conv_0"), (convolutional, "scores"),
            (masked, "bidirectional"), (attention, "attend"), (nested, "last"),
        )),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)  # fmt: skip
def test_one_perturbed_weight_fails_and_names_the_layer(build, layer, tmp_path):
    from safetensors.numpy import load_file, save_file

    import keras2torch
    from keras2torch.verify.torch_side import owners

    path = generated(tmp_path, build)
    names = owners(keras2torch.generate(path))
    state = load_file(tmp_path / "net.safetensors")
    key = next(k for k in state if re.match(layer, names.get(k.rpartition(".")[0], "")))
    state[key].reshape(-1)[state[key].size // 2] += 0.05
    save_file(state, tmp_path / "net.safetensors")
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 1, made.output
    assert re.search(rf"first layer that differs: {layer}", made.output), made.output
    assert key in made.output


def edit(tmp_path: Path, old: str, new: str) -> None:
    module = tmp_path / "net_model.py"
    text = module.read_text()
    assert old in text, text
    module.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(("nth", "layer"), [(0, "conv_0"), (1, "conv_1")])
def test_one_pad_changed_by_hand_fails_and_names_the_layer(nth, layer, tmp_path):
    path = generated(tmp_path)
    before, pad = "(0, 1, 0, 1)", "(0, 1, 1, 0)"
    text = (tmp_path / "net_model.py").read_text()
    head, *tails = text.split(before)
    assert len(tails) == 2, text
    separators = [pad if i == nth else before for i in range(2)]
    edited = head + "".join(s + tail for s, tail in zip(separators, tails))
    (tmp_path / "net_model.py").write_text(edited)
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 1
    assert f"first layer that differs: {layer}" in made.output, made.output


def test_an_edit_that_changes_nothing_passes(tmp_path):
    path = generated(tmp_path)
    edit(tmp_path, "import torch.nn.functional as F", "import torch.nn.functional as F  # ours")
    assert k2t("verify", path, "-o", tmp_path).exit_code == 0


def test_an_edit_that_does_not_run_fails_and_names_where(tmp_path):
    path = generated(tmp_path)
    edit(tmp_path, "nn.Linear(8, 4)", "nn.Linear(9, 4)")
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 1 and "size mismatch" in made.output, made.output
    edit(tmp_path, "class ", "class class ")
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 2 and "net_model.py" in made.output


def test_an_activation_changed_by_hand_names_the_layers_around_it(tmp_path):
    path = generated(tmp_path)
    edit(tmp_path, "F.relu(self.norm_0", "torch.tanh(self.norm_0")
    edit(tmp_path, "import torch.nn.functional as F", "import torch\nimport torch.nn.functional as F")
    made = k2t("verify", path, "-o", tmp_path)
    told = r"first layer that differs: conv_1 .*, or what comes between norm_0 \(self.norm_0\) and it"
    assert made.exit_code == 1 and re.search(told, made.output), made.output
    edit(tmp_path, "import torch\n", "")
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 1 and "name 'torch' is not defined" in made.output, made.output


@pytest.mark.parametrize(
    ("build", "layer"),
    [pytest.param(convolutional, "conv_0", marks=slow), (nested, "backbone/conv")],
)
def test_a_fault_of_the_translation_is_named(build, layer, tmp_path, monkeypatch):
    from keras2torch.layers import conv

    path = save(build(), tmp_path / "net.keras")
    right = conv.same_pads
    monkeypatch.setattr(conv, "same_pads", lambda *arguments: right(*arguments)[::-1])
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 1
    assert re.search(rf"first layer that differs: {layer}$", made.output, re.MULTILINE), made.output


def test_gradients_alone_can_differ(tmp_path):
    path = generated(tmp_path)
    edit(tmp_path, "return self.scores(x)", "return self.scores(x.detach() + 0 * x)")
    assert k2t("verify", path, "-o", tmp_path).exit_code == 0
    made = k2t("verify", path, "-o", tmp_path, "--grads")
    assert made.exit_code == 1 and "gradient by" in made.output


# Exit codes.
def test_without_keras_it_says_so(tmp_path, monkeypatch):
    path = save(convolutional(), tmp_path / "net.keras")
    monkeypatch.setitem(sys.modules, "keras", None)
    made = k2t("verify", path, "-o", tmp_path)
    assert made.exit_code == 3 and "Keras cannot be imported" in made.output


def test_what_keras_cannot_load_is_told(tmp_path):
    from saved_fixtures import unpacked

    made = k2t("verify", unpacked("2.15") / "operators.keras", "-o", tmp_path)
    assert made.exit_code == 2 and "cannot load it" in made.output, made.output
    assert k2t("verify", tmp_path / "no.keras").exit_code == 2


def test_the_library_call_takes_a_live_model():
    from keras2torch.verify import verify

    model = convolutional()
    randomise(model)
    report = verify(model, gradients=True)
    assert report.passed and report.culprit is None
    assert max(row.difference for row in report.rows if row.difference is not None) < 1e-4


PADS = {  # network: (size, [(pad in the text, another, what the verdict names)])
    "ResNet50": (64, [
        ("7, stride=2, padding=3", "7, stride=2, padding=2", "conv1_conv"),
        ("hidden, 3, padding=1", "hidden, 3, padding=0", "conv2_block1_2_conv"),
    ]),
    "EfficientNetB0": (64, [  # whose outputs hide both
        ("(before, after, before, after)", "(after, before, before, after)",
         "self.stage2.0.pad, before block2a_dwconv"),
        ("self.std, (0, 1, 0, 1)", "self.std, (1, 0, 0, 1)", "stem_conv"),
    ]),
    "MobileNetV2": (64, [
        ("F.pad(image, (0, 1, 0, 1))", "F.pad(image, (0, 1, 1, 0))", "Conv1"),
        ("else (0, 1, 0, 1)", "else (1, 0, 0, 1)", "self.blocks.1.pad, before block_1_depthwise"),
    ]),
    "DenseNet121": (64, [
        ("32, 3, padding=1", "32, 3, padding=0", "conv2_block1_2_conv"),
        ("3, 2, padding=1", "3, 2, padding=0", "conv2_block1_0_bn"),
    ]),
    "InceptionV3": (96, [
        ("(7, 1), padding=(3, 0)", "(7, 1), padding=(2, 0)", "conv2d_"),
        ("count_include_pad=False", "count_include_pad=True", "conv2d_"),
    ]),
}  # fmt: skip


@slow
@pytest.mark.parametrize("name", PADS)
def test_networks_of_keras_applications(name, tmp_path):
    from safetensors.numpy import load_file, save_file

    import keras2torch
    from keras2torch.verify.torch_side import owners

    size, edits = PADS[name]
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
    path = generated(tmp_path, lambda: model)
    module = tmp_path / "net_model.py"
    made = k2t("verify", path, "--grads", "-o", tmp_path)
    assert made.exit_code == 0, made.output

    text = module.read_text()
    for pad, other, layer in edits:
        edit(tmp_path, pad, other)
        told = k2t("verify", path, "-o", tmp_path)
        assert told.exit_code == 1, told.output
        assert f"first layer that differs: {layer}" in told.output, told.output
        module.write_text(text)

    names = owners(keras2torch.generate(path))
    state = load_file(tmp_path / "net.safetensors")
    keys = [key for key in state if key.endswith("weight")]
    key = keys[len(keys) // 2]
    state[key].reshape(-1)[state[key].size // 2] += 0.2
    save_file(state, tmp_path / "net.safetensors")
    told = k2t("verify", path, "-o", tmp_path)
    assert told.exit_code == 1, told.output
    assert f"first layer that differs: {names[key.rpartition('.')[0]]} " in told.output, told.output


@slow
def test_on_the_torch_backend(tmp_path):
    import os
    import subprocess

    path = save(masked(), tmp_path / "net.keras")
    made = subprocess.run(
        [sys.executable, "-m", "keras2torch.cli", "verify", str(path), "--grads", "-o", str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": "torch"}, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    assert "(torch)" in made.stdout
    assert np.all([name in made.stdout for name in ("gradients by", "weights (")])


def test_a_state_that_is_carried_starts_anew_for_every_comparison(tmp_path):
    first = keras.Input(batch_shape=(2, 3, 4))
    model = keras.Model(first, layers.GRU(3, stateful=True, name="gru")(first))
    made = k2t("verify", save(model, tmp_path / "net.keras"), "-o", tmp_path, "--grads")
    assert made.exit_code == 0, made.output
