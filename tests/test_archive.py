"""Saved models of every Keras version: all weights are found, in Keras's order, without Keras."""

from __future__ import annotations

import subprocess
import sys
import zlib

import numpy as np
import pytest
from saved_fixtures import CASES, SavedCase, unpacked

from keras2torch.errors import K2TError
from keras2torch.frontend.archive import open_saved, parse_version, saved_config
from keras2torch.frontend.saved_conversions import ConvertedWeights
from keras2torch.frontend.saved_tree import LayerTree, layer_tree, trainable_order
from keras2torch.frontend.saved_weights import Weight, Weights, widen_bfloat16

WHOLE = [(case, file) for case in CASES for file in case.files]
WEIGHTS_ONLY = [(case, file) for case in CASES for file in case.weight_files]
COUNTED = [
    (case, file)
    for case, file in WHOLE + WEIGHTS_ONLY
    if case.model in ("shared_nested", "wrapped_model", "deferred", "cnn")
]
UNNAMED = [(case, file) for case, file in WEIGHTS_ONLY if case.model == "deferred"]
# shared_nested.h5 is written without its optimizer: Keras 2 cannot name its slots.
COMPILED = [
    (case, file)
    for case, file in WHOLE
    if case.optimizer and not (case.model == "shared_nested" and file.suffix == ".h5")
]


def label(value):
    return value.id if isinstance(value, SavedCase) else getattr(value, "name", None)


def described(weights: list[Weight]) -> list[list]:
    """The weights as the manifests describe them: shape, dtype, CRC-32."""
    rows = []
    for weight in weights:
        array = weight.read()
        assert array.shape == weight.shape
        raw = np.ascontiguousarray(array).tobytes()
        rows.append([list(weight.shape), weight.dtype, zlib.crc32(raw)])
    return rows


def counts(class_name: str, config: dict) -> tuple[int, int] | None:
    """(trainable, non-trainable) weights of the layers in the fixtures."""
    bias = bool(config.get("use_bias", config.get("bias", True)))
    if class_name == "BatchNormalization":
        return bool(config.get("scale", True)) + bool(config.get("center", True)), 2
    if class_name in (
        "Dense",
        "Conv1D",
        "Conv2D",
        "Conv2DTranspose",
        "DepthwiseConv2D",
        "Convolution2D",
    ):
        return 1 + bias, 0
    if class_name in ("SeparableConv2D", "LSTM", "GRU", "SimpleRNN"):
        return 2 + bias, 0
    if class_name == "Bidirectional":
        both = [config["layer"], config.get("backward_layer") or config["layer"]]
        return sum(2 + layer["config"]["use_bias"] for layer in both), 0
    if class_name == "Embedding":
        return 1, 0
    return 0, 0


# --- good files ------------------------------------------------------------------------------


@pytest.mark.parametrize(("case", "file"), WHOLE, ids=label)
def test_every_weight_of_every_layer_is_found(case, file):
    with open_saved(file) as saved:
        # Those of Keras 1 as they are stored; what becomes of them is in the test below.
        weights = saved.weights.stored if case.version == "1.2" else saved.weights
        leaves = {path for path, _ in saved.tree().leaves()}
        for path, expected in case.layers.items():
            if saved.tree().at(path) is None and not expected:
                continue  # Keras 3 leaves an InputLayer out of a Sequential's layers, or lists it
            custom = case.model == "custom" and path == ("gated",)
            if not custom:
                assert described(weights.for_layer(path)) == expected, path
            else:  # Keras's order is that of creation, known from the source only
                assert sorted(described(weights.for_layer(path))) == sorted(expected)
            leaves.discard(path)
        assert all(not weights.for_layer(path) for path in leaves)
        assert weights.unclaimed() == []


@pytest.mark.parametrize(("case", "file"), WHOLE, ids=label)
def test_format_version_and_training(case, file):
    with open_saved(file) as saved:
        before_zip = parse_version(case.version) < (2, 12)
        legacy = file.suffix == ".h5" or file.stem.endswith("_hdf5") or before_zip
        directory = file.is_dir()
        assert saved.format == ("h5" if legacy else "keras-dir" if directory else "keras-zip")
        assert saved.keras_version[:2] == parse_version(case.version)
        assert saved.config["class_name"] in ("Functional", "Sequential", "Model")
        assert saved.has_weights
        if case.model == "cnn":
            assert "categorical_crossentropy" in str(saved.training_config["loss"])
        if case.model == "half":
            assert not saved.training_config


@pytest.mark.parametrize("case", CASES, ids=label)
def test_json(case):
    with open_saved(case.json_file) as saved:
        assert saved.format == "json"
        assert saved.keras_version[0] == parse_version(case.version)[0]
        assert not saved.has_weights
        assert saved.optimizer is None
        paths = {path for path, _ in saved.tree().leaves()}
        assert {path for path, weights in case.layers.items() if weights} - paths <= {
            path for path in case.layers if path[-1].endswith("_layer")
        }
        with pytest.raises(K2TError, match="no weights"):
            saved.weights  # noqa: B018


@pytest.mark.parametrize(("case", "file"), WEIGHTS_ONLY, ids=label)
def test_weights_only_files_with_the_config_of_another(case, file):
    with open_saved(case.json_file) as described_by, open_saved(file) as saved:
        assert saved.format == "h5-weights"
        assert saved.config is None
        with pytest.raises(K2TError, match="weights only"):
            saved.weights  # noqa: B018
        weights = saved.weights_for(described_by.tree())
        weights = weights.stored if case.version == "1.2" else weights
        for path, expected in case.layers.items():
            if described_by.tree().at(path) is not None:
                assert described(weights.for_layer(path)) == expected, path
        assert weights.unclaimed() == []


@pytest.mark.parametrize(("case", "file"), COUNTED, ids=label)
def test_known_counts_lead_to_the_same_weights(case, file):
    """Legacy files keep nested models in one group: by name and by number must agree."""
    with open_saved(case.json_file) as described_by, open_saved(file) as saved:
        weights = saved.weights_for(described_by.tree(counts))
        for path, expected in case.layers.items():
            if described_by.tree().at(path) is not None:
                assert described(weights.for_layer(path)) == expected, path


@pytest.mark.parametrize(("case", "file"), UNNAMED, ids=label)
def test_weights_for_a_script_with_other_layer_names(case, file):
    """The order counts where the names that Keras made up in another session differ."""
    with open_saved(case.json_file) as described_by, open_saved(file) as saved:
        tree = described_by.tree(counts)
        renamed = {f"other_{key}": child for key, child in tree.children.items()}
        for key, child in renamed.items():
            child.name = key
        tree.children = renamed
        weights = saved.weights_for(tree)
        for path, expected in case.layers.items():
            if len(path) == 1 and f"other_{path[0]}" in renamed:
                assert described(weights.for_layer((f"other_{path[0]}",))) == expected


@pytest.mark.parametrize(("case", "file"), COMPILED, ids=label)
def test_optimizer_state(case, file):
    with open_saved(file) as saved:
        state = saved.optimizer
        if state is None:  # Keras 2.12 leaves out the optimizers that it already calls legacy
            assert case.version == "2.12" and saved.format == "keras-zip"
            return
        assert described(state.variables) == case.optimizer
        assert state.iterations == {"cnn": 2, "multi_output": 2}.get(case.model, 1)
        if case.version == "1.2":
            assert state.slots == {}
            assert "Keras 1" in state.note
            return
        expected = {"masked": ["square_avg"], "shared_nested": ["momentum_buffer"]}
        names = expected.get(case.model, ["exp_avg", "exp_avg_sq"])
        assert list(state.slots) == names, state.note
        tree = saved.tree(counts)
        shapes = [saved.weights.for_layer(p)[i].shape for p, i in trainable_order(tree)]
        for slot in state.slots.values():
            assert [weight.shape for weight in slot] == shapes
        if names[-1] in ("square_avg", "exp_avg_sq"):
            assert all((weight.read() >= 0).all() for weight in state.slots[names[-1]])
        if "exp_avg" in state.slots:
            assert any((weight.read() < 0).any() for weight in state.slots["exp_avg"])
        if case.version.startswith("3"):
            rate = {"cnn": 0.002, "shared_nested": 0.01}.get(case.model, 0.001)
            assert state.learning_rate == pytest.approx(rate)


def test_sublayers_by_attribute():
    """Paths below a layer are the same in both formats."""
    for case in CASES:
        if case.model not in ("recurrent", "attention", "custom"):
            continue
        if parse_version(case.version) < (2, 4):
            continue  # its recurrent model is another
        for file in case.files:
            with open_saved(file) as saved:
                weights = saved.weights
                if case.model == "recurrent":
                    cells = [weights.for_layer(("stacked", "cell", str(i))) for i in (0, 1)]
                    whole = weights.for_layer(("stacked",))
                    assert described(cells[0] + cells[1]) == described(whole)
                    assert weights.for_layer(("lstm", "cell"))[0].shape == (3, 16)
                elif case.model == "attention":
                    path = ("self_attention",)
                    parts = ["query_dense", "key_dense", "value_dense", "output_dense"]
                    found = [w for part in parts for w in weights.for_layer((*path, part))]
                    assert described(found) == described(weights.for_layer(path))
                else:
                    (factor,) = weights.for_layer(("gated", "scale"))
                    assert factor.shape == (4,)


def test_weights_of_keras_1_are_put_as_today():
    """Gates joined, kernels of one dimension without their empty one."""
    directory = unpacked("1.2")
    with open_saved(directory / "recurrent.h5") as saved:
        weights = saved.weights
        shapes = [weight.shape for weight in weights.for_layer(("lstm",))]
        assert shapes == [(3, 16), (4, 16), (16,)]
        stored = [weight.read() for weight in weights.stored.for_layer(("lstm",))]
        kernel = weights.for_layer(("lstm",))[0].read()
        names = [weight.name.split("_")[-1] for weight in weights.stored.for_layer(("lstm",))[::3]]
        assert names == ["i:0", "c:0", "f:0", "o:0"]
        assert (kernel == np.concatenate([stored[0], stored[6], stored[3], stored[9]], 1)).all()
        assert [w.shape for w in weights.for_layer(("gru",))] == [(4, 9), (3, 9), (9,)]
        both = [w.shape for w in weights.for_layer(("both",))]
        assert both == [(3, 8), (2, 8), (8,)] * 2
        assert [w.shape for w in weights.for_layer(("per_step",))] == [(3, 3), (3,)]
    with open_saved(directory / "conv1d.h5") as saved:
        kernel, bias = saved.weights.for_layer(("conv",))
        assert kernel.shape == kernel.read().shape == (3, 3, 4)
        assert bias.shape == (4,)


def test_kernels_of_old_data_formats():
    """Keras 1 in Theano's order, and Theano's mirrored kernels."""
    stored = np.arange(2 * 3 * 4 * 5, dtype="float32").reshape(2, 3, 4, 5)

    class Stored(Weights):
        def for_layer(self, path):
            return [Weight("kernel", stored.shape, "float32", lambda: stored)]

    def kernel(class_name, keras_1, theano, **config):
        layer = {"class_name": class_name, "config": {"name": "a", **config}}
        tree = layer_tree({"class_name": "Sequential", "config": {"layers": [layer], "name": "m"}})
        (weight,) = ConvertedWeights(Stored(), tree, keras_1, theano).for_layer(("a",))
        assert weight.shape == weight.read().shape
        return weight.read()

    th = {"dim_ordering": "th"}
    assert (kernel("Convolution2D", True, False, **th) == stored.transpose(2, 3, 1, 0)).all()
    assert (kernel("Deconvolution2D", True, False, **th) == stored.transpose(2, 3, 0, 1)).all()
    assert (kernel("Deconvolution2D", True, False) == stored.transpose(0, 1, 3, 2)).all()
    assert (kernel("Convolution2D", True, False) == stored).all()
    assert (kernel("Conv2D", False, True) == stored[::-1, ::-1]).all()
    assert (kernel("DepthwiseConv2D", False, True) == stored).all()
    both = kernel("Convolution2D", True, True, **th)
    assert (both == stored.transpose(2, 3, 1, 0)[::-1, ::-1]).all()


def test_the_order_of_a_custom_layer_can_be_given():
    """Who knows a custom layer's source adds its children to the tree."""
    for case in CASES:
        if case.model != "custom":
            continue
        for file in case.files:
            with open_saved(file) as saved:
                tree = saved.tree()
                dense = [LayerTree(name, "Dense") for name in ("dense", "dense_1")]
                hidden = LayerTree("hidden", "list", container="")
                hidden.children = {layer.name: layer for layer in dense}
                children = {"scale": LayerTree("scale", "Scale"), "hidden": hidden}
                tree.at(("gated",)).children = {**children, "gate": LayerTree("gate", "Dense")}
                weights = saved.weights_for(tree)
                assert described(weights.for_layer(("gated",))) == case.layers["gated",]


def test_bfloat16_is_read_without_a_package_for_it():
    bits = np.array([0x3F80, 0xC049, 0x7F80, 0x0001], np.uint16)
    values = widen_bfloat16(bits)
    assert values.dtype == np.float32
    assert values[:3].tolist() == [1.0, -3.140625, np.inf]
    case = next(c for c in CASES if c.id == "3.15-half")
    for file in case.files:
        with open_saved(file) as saved:
            kernel = saved.weights.for_layer(("dense_bf16",))[0]
            assert kernel.dtype == "bfloat16"
            assert kernel.read_bits().dtype == np.uint16
            assert (widen_bfloat16(kernel.read_bits()) == kernel.read()).all()


def test_paths_that_the_config_does_not_have():
    case = next(c for c in CASES if c.id == "3.15-shared_nested")
    for file in case.files:
        with open_saved(file) as saved:
            for path in [("nothing",), ("encoder", "nothing"), ("block", "inner", "nothing")]:
                with pytest.raises(K2TError, match="no layer"):
                    saved.weights.for_layer(path)


def test_nothing_heavy_is_imported():
    """Opening and reading a model needs NumPy alone."""
    file = unpacked("3.15") / "cnn.keras"
    program = (
        "import sys\n"
        "for name in ('keras', 'tensorflow', 'torch', 'jax', 'h5py', 'ml_dtypes'):\n"
        "    sys.modules[name] = None\n"
        "from keras2torch.frontend.archive import open_saved\n"
        "with open_saved(sys.argv[1]) as saved:\n"
        "    print(len(saved.weights.for_layer(())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["14"]


def test_a_sequential_config_of_keras_2_2():
    """Before 2.2.3 the config of a Sequential was the bare list of its layers."""
    layers = [{"class_name": "Dense", "config": {"name": "a", "units": 2}}] * 1
    saved = saved_config({"class_name": "Sequential", "config": layers, "keras_version": "2.1.6"})
    assert saved.keras_version == (2, 1, 6)
    assert [path for path, _ in saved.tree().leaves()] == [("a",)]


def test_operations_take_no_slot():
    add = {"module": "keras.src.ops.numpy", "class_name": "Add", "config": {"name": "add"}}
    layer = {"module": "keras.layers", "class_name": "Add", "config": {"name": "add_1"}}
    config = {"class_name": "Functional", "config": {"layers": [add, layer], "name": "m"}}
    assert [path for path, _ in layer_tree(config).leaves()] == [("add_1",)]


@pytest.mark.parametrize("text", ["3.6.0", "2.4.0-tf", "2.13.1", "3.0.0.dev2024", None, 3, "x"])
def test_versions(text):
    assert parse_version(text) in [(3, 6, 0), (2, 4, 0), (2, 13, 1), (3, 0, 0), ()]
