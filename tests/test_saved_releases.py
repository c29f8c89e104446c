"""What one release of Keras computed, or wrote into its files, otherwise than another."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from oracle import build
from test_saved_json import called, called_with, layer, model, node

import keras2torch
from keras2torch.errors import K2TError


def archive(
    path: Path, saved: dict[str, Any], release: str, weights: dict[str, Any] | None = None
) -> Path:
    """A .keras file; ``weights`` are its arrays (None: it has none), and texts are assets."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("metadata.json", json.dumps({"keras_version": release}))
        file.writestr("config.json", json.dumps(saved))
        if weights is None:
            return path
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as hdf5:
            for name, value in weights.items():
                if isinstance(value, str):
                    file.writestr(f"assets/{name}", value)
                    hdf5.create_group(name.rpartition("/")[0] + "/vars")
                else:
                    hdf5[name] = value
        file.writestr("model.weights.h5", buffer.getvalue())
    return path


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    for number, entry in enumerate(layers):
        entry["config"].setdefault("name", f"layer_{number}")
        entry["module"] = "keras.layers"
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}}


def loaded(path: Path) -> torch.nn.Module:
    result = keras2torch.generate(path)
    net = build(result)
    net.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in result.weights.items()})
    return net.eval()


def tensor(name: str, *shape: int) -> dict[str, Any]:
    history = [name, 0, 0]
    return layer("__keras_tensor__", shape=[None, *shape], dtype="float32", keras_history=history)


def two_masks(join: str, old: bool) -> dict[str, Any]:
    """``join`` of two series with masks of their own, and the mean of what it leaves known."""
    if old:
        names, shape = (
            called("a"),
            called("b"),
            called("x", "y"),
            called("j"),
        ), "batch_input_shape"
    else:
        x, y = tensor("x", 3, 2), tensor("y", 3, 2)
        joined = tensor("j", 3, 4 if join == "Concatenate" else 2)
        names = (*map(called_with, (tensor("a", 3, 2), tensor("b", 3, 2), [x, y], joined)),)
        shape = "batch_shape"
    nodes = [
        node("a", "InputLayer", [], **{shape: [None, 3, 2]}),
        node("b", "InputLayer", [], **{shape: [None, 3, 2]}),
        node("x", "Masking", names[0]),
        node("y", "Masking", names[1]),
        node("j", join, names[2]),
        node("m", "GlobalAveragePooling1D", names[3]),
    ]
    saved = model("Functional", nodes, ["m", 0, 0])
    saved["config"]["input_layers"] = [["a", 0, 0], ["b", 0, 0]]
    return saved


@pytest.mark.parametrize("join", ["Add", "Maximum", "Multiply", "Concatenate"])
@pytest.mark.parametrize(
    ("release", "known"), [("2.13.1", (1, 0, 0)), ("3.3.3", (1, 1, 1)), ("3.15.1", (1, 1, 0))]
)
def test_masks_that_are_joined(
    join: str, release: str, known: tuple[int, ...], tmp_path: Path
) -> None:
    """Keras 2 knows a step that all inputs know, Keras 3.4 one that any knows; Keras 3.0 to 3.3 lose the masks."""
    saved = two_masks(join, release < "3")
    net = build(keras2torch.generate(archive(tmp_path / "net.keras", saved, release)))
    x = torch.tensor([[[1.0, 2.0], [3.0, 5.0], [0.0, 0.0]]])
    y = torch.tensor([[[7.0, 1.0], [0.0, 0.0], [0.0, 0.0]]])
    if join == "Multiply" and known == (1, 1, 0):
        pytest.skip("Keras writes the masks of this layer beside its inputs")
    if join == "Concatenate":
        joined = torch.cat([x, y], dim=2)
    elif join == "Add":
        joined = x + y
    else:
        joined = torch.maximum(x, y) if join == "Maximum" else x * y
    mask = torch.tensor(known, dtype=torch.float32)[None, :, None]
    torch.testing.assert_close(net(x, y), (joined * mask).sum(1) / mask.sum())


def test_an_argument_that_keras_left_out_of_the_file(tmp_path: Path) -> None:
    """Keras 3.0 to 3.13 did not save ``output_padding``; the next layer's input tells of it."""
    nodes = [
        node("a", "InputLayer", [], batch_shape=[None, 7, 4]),
        node(
            "up",
            "Conv1DTranspose",
            called_with(tensor("a", 7, 4)),
            **{"filters": 3, "kernel_size": [4], "strides": [3], "padding": "valid"},
        ),
        node("r", "ReLU", called_with(tensor("up", 24, 3))),
    ]
    saved = model("Functional", nodes, ["r", 0, 0])
    path = archive(tmp_path / "net.keras", saved, "3.8.0")
    with pytest.raises(K2TError, match=r"'up' had the shape \(None, 24, 3\)") as caught:
        keras2torch.generate(path)
    assert "lacks an argument" in str(caught.value)
    nodes[2]["inbound_nodes"] = called_with(tensor("up", 22, 3))
    assert keras2torch.generate(archive(path, saved, "3.8.0")).model_source


def test_a_model_with_a_dict_of_inputs_inside_another() -> None:
    """Keras 2 writes a node of it as a dict of references."""
    inner = [
        node("p", "InputLayer", [], batch_input_shape=[None, 3]),
        node("q", "InputLayer", [], batch_input_shape=[None, 3]),
        node("minus", "Subtract", called("p", "q")),
    ]
    settings = model("Functional", inner, ["minus", 0, 0])["config"] | {"name": "sub"}
    settings["input_layers"] = {"p": ["p", 0, 0], "q": ["q", 0, 0]}
    nodes = [
        node("a", "InputLayer", [], batch_input_shape=[None, 3]),
        node("b", "InputLayer", [], batch_input_shape=[None, 3]),
        {"name": "sub", **layer("Functional", **settings)},
    ]
    nodes[2]["inbound_nodes"] = [{"q": ["a", 0, 0, {}], "p": ["b", 0, 0, {}]}]
    saved = model("Functional", nodes, ["sub", 1, 0], keras_version="2.13.1")
    saved["config"]["input_layers"] = [["a", 0, 0], ["b", 0, 0]]
    net = build(keras2torch.generate(json.dumps(saved)))
    assert (net(torch.full((2, 3), 1.0), torch.full((2, 3), 5.0)) == 4.0).all()


def function(name: str, path: str, inbound: Any) -> dict[str, Any]:
    return node(name, "TFOpLambda", [inbound], function=path)


def converted(*nodes: dict[str, Any]) -> Any:
    """The network of a Keras 2 model of one input (N, 4, 6), "a", and these functions of it."""
    first = node("a", "InputLayer", [], batch_input_shape=[None, 4, 6])
    saved = model("Functional", [first, *nodes], [nodes[-1]["name"], 0, 0], keras_version="2.13.1")
    return build(keras2torch.generate(json.dumps(saved)))


X = torch.arange(48.0).reshape(2, 4, 6)


@pytest.mark.parametrize(
    ("masks", "index"),
    [
        ({}, (slice(0, 3), slice(1, 3), slice(0, 6))),
        ({"begin_mask": 2, "end_mask": 5}, (slice(0, None), slice(None, 3), slice(0, None))),
        ({"shrink_axis_mask": 2, "begin_mask": 1}, (slice(None, 3), 1, slice(0, 6))),
        ({"new_axis_mask": 2}, (slice(0, 3), None, slice(0, 6))),
    ],
)
def test_a_strided_slice(masks: dict[str, int], index: Any) -> None:
    bounds = {"begin": [0, 1, 0], "end": [3, 3, 6], "strides": [1, 1, 1]}
    net = converted(function("s", "strided_slice", ["a", 0, 0, {**bounds, **masks}]))
    torch.testing.assert_close(net(X), X[index])


def test_functions_of_sizes() -> None:
    """Lists of references inside lists, empty ones, and sizes that are one tensor of TensorFlow."""
    net = converted(
        function("sizes", "compat.v1.shape", ["a", 0, 0, {}]),
        node("batch", "SlicingOpLambda", [["sizes", 0, 0, {"slice_spec": 0}]]),
        function("row", "stack", [["batch", 0, 0, {}], ["_CONSTANT_VALUE", -1, 24, {}]]),
        function("zeros", "zeros", ["row", 0, 0, {}]),
        function("flat", "keras.backend.batch_flatten", ["a", 0, 0, {}]),
        function("sum", "math.add", ["zeros", 0, 0, {"y": ["flat", 0, 0]}]),
    )
    torch.testing.assert_close(net(X), X.flatten(1))


def test_einsum_without_its_tensors() -> None:
    with pytest.raises(K2TError, match="tf.einsum without its tensors"):
        converted(function("e", "einsum", ["_CONSTANT_VALUE", -1, "bij,bkj->bik", {}]))


def test_a_layer_with_weights_as_an_activation(tmp_path: Path) -> None:
    """``Dense(3, activation=PReLU())``: the weights of both are kept by the one."""
    slope = layer("PReLU", name="p_re_lu") | {"module": "keras.layers"}
    saved = sequential(
        layer("InputLayer", batch_shape=[None, 3]), layer("Dense", units=3, activation=slope)
    )
    alpha = np.array([0.1, 0.2, 0.3], "float32")
    for release, at in (("2.13.1", "_layer_checkpoint_dependencies"), ("3.8.0", "layers")):
        weights = {f"{at}/dense/vars/0": np.eye(3, dtype="float32"), f"{at}/dense/vars/1": -alpha}
        weights[f"{at}/dense/activation/vars/0"] = alpha
        net = loaded(archive(tmp_path / "net.keras", saved, release, weights))
        expected = torch.tensor([[0.9, -0.44, 0.0]])
        torch.testing.assert_close(net(torch.tensor([[1.0, -2.0, 0.3]])), expected)


def test_a_vocabulary_that_was_learnt_from_data(tmp_path: Path) -> None:
    lookup = layer("IntegerLookup", mask_token=0, vocabulary=None, output_mode="int")
    saved = sequential(layer("InputLayer", batch_shape=[None, 3], dtype="int64"), lookup)
    for text in ("0\n-1\n7\n3", "0\n-1\nseven"):
        weights = {"layers/integer_lookup/vocabulary.txt": text}
        path = archive(tmp_path / "net.keras", saved, "2.15.0", weights)
        if "seven" in text:
            with pytest.raises(K2TError, match="vocabulary.txt' holds no whole numbers"):
                keras2torch.generate(path)
        else:
            assert loaded(path)(torch.tensor([[3, 0, 5]])).tolist() == [[3, 0, 1]]


def test_one_hot_vectors_of_a_column(tmp_path: Path) -> None:
    saved = sequential(
        layer("InputLayer", batch_shape=[None, 1], dtype="int32"),
        layer("CategoryEncoding", num_tokens=4, output_mode="one_hot"),
    )
    for release, shape in (("2.15.0", (2, 4)), ("3.3.3", (2, 1, 4)), ("3.4.1", (2, 4))):
        net = build(keras2torch.generate(archive(tmp_path / "net.keras", saved, release)))
        vectors = net(torch.tensor([[2], [0]]))
        assert vectors.shape == shape and vectors.argmax(-1).flatten().tolist() == [2, 0]


def test_attention_before_tensorflow_2_10(tmp_path: Path) -> None:
    """``causal`` was an argument of the layer; MultiHeadAttention did not look at the masks of its inputs."""
    nodes = [
        node("a", "InputLayer", [], batch_input_shape=[None, 3, 2]),
        node("m", "Masking", called("a")),
        node("t", "Attention", called("m", "m"), causal=True, use_scale=False, dropout=0.0),
    ]
    saved = model("Functional", nodes, ["t", 0, 0])
    net = build(keras2torch.generate(archive(tmp_path / "net.keras", saved, "2.9.0")))
    x = torch.tensor([[[1.0, 2.0], [0.0, 0.0], [3.0, 1.0]]])
    assert (net(x)[:, 0] == x[:, 0]).all()  # the first step sees itself alone
    found = []
    for release, name in (("2.9.0", "a"), ("2.9.0", "m"), ("2.10.0", "m")):
        nodes[2] = node("t", "MultiHeadAttention", [[[name, 0, 0, {"value": [name, 0, 0]}]]])
        nodes[2]["config"] |= {"num_heads": 1, "key_dim": 2}
        torch.manual_seed(0)
        found.append(
            build(keras2torch.generate(archive(tmp_path / "net.keras", saved, release)))(x)
        )
    unmasked, before, since = found
    torch.testing.assert_close(before, unmasked)
    assert not torch.allclose(since, unmasked)


def test_what_older_releases_wrote_besides(tmp_path: Path) -> None:
    """Keras 3.0 to 3.5 a ``value_range`` of RandomRotation; Keras 2 a layer of its own networks as the user's."""
    saved = sequential(
        layer("InputLayer", batch_shape=[None, 4, 4, 3]),
        layer("RandomRotation", factor=[-0.1, 0.1], value_range=[0, 255], fill_value=0.0),
    )
    assert keras2torch.generate(archive(tmp_path / "net.keras", saved, "3.3.3")).model_source
    saved["config"]["layers"][1] = layer("RandomHeight", factor=0.1, name="height")
    with pytest.raises(K2TError, match="RandomHeight is not translated: it gives images of a"):
        keras2torch.generate(archive(tmp_path / "net.keras", saved, "2.13.1"))
    nodes = [
        node("a", "InputLayer", [], batch_input_shape=[None, 4]),
        node("s", "Custom>CustomScaleLayer", called("a", "a"), scale=0.25),
    ]
    text = json.dumps(model("Functional", nodes, ["s", 0, 0], keras_version="2.13.1"))
    net = build(keras2torch.generate(text))
    assert net(torch.ones(1, 4)).tolist() == [[1.25] * 4]
