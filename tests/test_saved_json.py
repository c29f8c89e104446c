"""JSON that somebody wrote or cut down by hand, without ``module``, ``trainable`` or version: as the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from oracle import assert_close, build, run_torch

import keras2torch
from keras2torch.errors import K2TError, SavedModelError

HEAD = "import keras\nfrom keras import Input, Model, Sequential, layers\n"


def layer(class_name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": config}


def node(name: str, class_name: str, inbound: Any, **config: Any) -> dict[str, Any]:
    entry = layer(class_name, name=name, **config)
    return {"name": name, **entry, "inbound_nodes": inbound}


def called(*names: str) -> list[Any]:
    """A node of Keras 2."""
    return [[[name, 0, 0] for name in names]]


def tensor(name: str) -> dict[str, Any]:
    return layer("__keras_tensor__", shape=[None, 4], dtype="float32", keras_history=[name, 0, 0])


def called_with(*arguments: Any) -> list[Any]:
    """A node of Keras 3."""
    return [{"args": list(arguments), "kwargs": {}}]


def model(class_name: str, layers: Any, output: Any, **more: Any) -> dict[str, Any]:
    config = {"name": "net", "layers": layers}
    config |= {"input_layers": [["a", 0, 0]], "output_layers": [output]}
    return {"class_name": class_name, "config": config, **more}


IMAGE = [None, 8, 8, 3]
DENSE = [layer("Dense", units=3, activation="relu"), layer("Dropout", rate=0.5)]
OLD_NODES = [
    node("a", "InputLayer", [], batch_input_shape=[None, 4]),
    node("b", "Dense", called("a"), units=4, activation="hard_sigmoid"),
    node("d", "Dense", called("b"), units=4),
    node("sum", "Add", called("b", "d")),
    node("both", "Concatenate", called("sum", "d"), axis=-1),
    node("r", "Reshape", called("both"), target_shape=[2, 4]),
    node("s", "Softmax", called("r")),
]
NEW_NODES = [
    node("a", "InputLayer", [], batch_shape=[None, 4]),
    node("b", "Dense", called_with(tensor("a")), units=4, activation="hard_sigmoid"),
    node("sum", "Add", called_with([tensor("a"), tensor("b")])),
    node("more", "Add", called_with(tensor("sum"), tensor("b"))),  # the operation
    node("r", "Reshape", called_with(tensor("more")), target_shape=[2, 2]),
    node("q", "Reshape", called_with(tensor("r")), newshape=[-1, 4]),  # the operation
    node("last", "ReLU", called_with(tensor("q"))),
]
KERAS_1 = [
    layer("Convolution2D", nb_filter=8, nb_row=3, nb_col=3, border_mode="same", dim_ordering="tf",
          activation="relu", batch_input_shape=IMAGE, input_dtype="float32"),
    layer("Flatten"),
    layer("Dropout", p=0.25),
    layer("Dense", output_dim=10, init="glorot_uniform", bias=True, input_dim=512),
]  # fmt: skip
MERGED = [
    layer("Merge", mode="sum", layers=[
        layer("Sequential"), layer("Sequential"),
    ]),
    layer("Dense", output_dim=2),
]  # fmt: skip
for branch, size in zip(MERGED[0]["config"]["layers"], (4, 5)):
    branch["config"] = [layer("Dense", output_dim=3, batch_input_shape=[None, size])]

OLD_PROGRAM = HEAD + """
a = Input((4,), name="a")
b = layers.Dense(4, activation=lambda x: keras.ops.clip(0.2 * x + 0.5, 0, 1), name="b")(a)
d = layers.Dense(4, name="d")(b)
x = layers.Concatenate(name="both")([layers.Add(name="sum")([b, d]), d])
net = Model(a, layers.Softmax(name="s")(layers.Reshape((2, 4), name="r")(x)), name="net")
"""
NEW_PROGRAM = HEAD + """
a = Input((4,), name="a")
b = layers.Dense(4, activation="hard_sigmoid", name="b")(a)
x = keras.ops.add(layers.Add(name="sum")([a, b]), b)
x = keras.ops.reshape(layers.Reshape((2, 2), name="r")(x), (-1, 4))
net = Model(a, layers.ReLU(name="last")(x), name="net")
"""
CASES = {
    "first layer without a shape of its own": (
        {"class_name": "Sequential", "config": {"name": "net", "layers": [
            layer("InputLayer", batch_shape=[None, 4]), *DENSE]}},
        "net = Sequential([Input((4,)), layers.Dense(3, activation='relu'), layers.Dropout(0.5)], name='net')",
    ),
    "Sequential as a list, of Keras 2.2": (
        {"class_name": "Sequential", "config": [
            layer("Conv2D", filters=3, kernel_size=[3, 3], padding="same", batch_input_shape=IMAGE),
            layer("BatchNormalization"), layer("Flatten"), *DENSE]},
        "net = Sequential([Input((8, 8, 3)), layers.Conv2D(3, 3, padding='same'), layers.BatchNormalization(),"
        "layers.Flatten(), layers.Dense(3, activation='relu'), layers.Dropout(0.5)])",
    ),
    "recurrent layers of Keras 2": (
        {"class_name": "Sequential", "config": {"name": "net", "layers": [
            layer("Embedding", input_dim=10, output_dim=4, mask_zero=True, batch_input_shape=[None, 7]),
            layer("Bidirectional", layer=layer("LSTM", units=3, return_sequences=True)),
            layer("TimeDistributed", layer=layer("Dense", units=2))]}},
        "net = Sequential([Input((7,)), layers.Embedding(10, 4, mask_zero=True),"
        "layers.Bidirectional(layers.LSTM(3, return_sequences=True)),"
        "layers.TimeDistributed(layers.Dense(2))], name='net')",
    ),
    "Functional of Keras 2": (model("Model", OLD_NODES, ["s", 0, 0]), OLD_PROGRAM),
    "Functional with nodes of Keras 3": (model("Functional", NEW_NODES, ["last", 0, 0]), NEW_PROGRAM),
    "what get_config() gives": (model("Functional", NEW_NODES, ["last", 0, 0])["config"], NEW_PROGRAM),
    "config.json of tf.keras 2.13, with modules and no version": (
        model("Functional", [{"module": "keras.layers", **item} for item in OLD_NODES], ["s", 0, 0],
              module="keras", registered_name="Functional"),
        OLD_PROGRAM,
    ),
    "Keras 1": (
        {"class_name": "Sequential", "config": KERAS_1},
        "net = Sequential([Input((8, 8, 3)), layers.Conv2D(8, 3, padding='same', activation='relu'),"
        "layers.Flatten(), layers.Dropout(0.25), layers.Dense(10)])",
    ),
    "Keras 1, joined models": (
        {"class_name": "Sequential", "config": MERGED},
        "a, b = Input((4,)), Input((5,))\n"
        "net = Model([a, b], layers.Dense(2)(layers.Add()([layers.Dense(3)(a), layers.Dense(3)(b)])))",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_equals_the_program(case: str, tmp_path: Path) -> None:
    config, program = CASES[case]
    (tmp_path / "net.json").write_text(json.dumps(config))
    (tmp_path / "net.py").write_text(program if program.startswith(HEAD) else HEAD + program)
    torch.manual_seed(0)
    made, expected = (keras2torch.generate(tmp_path / name) for name in ("net.json", "net.py"))
    net, wanted = build(made), build(expected)
    weights = wanted.state_dict().values()
    net.load_state_dict(dict(zip(net.state_dict(), weights, strict=True)))
    rng = np.random.default_rng(0)
    inputs = [rng.integers(0, 9, (3, *port.shape[1:])) for port in made.inputs]
    outputs = [
        run_torch(result, module, [a.astype(port.dtype) for a, port in zip(inputs, result.inputs)])
        for result, module in ((made, net), (expected, wanted))
    ]
    for actual, output in zip(*outputs, strict=True):
        assert_close(actual, output, 1e-6, case)


def test_json_in_json(tmp_path: Path) -> None:
    """As json.dump(model.to_json(), file) writes it."""
    config, _ = CASES["Functional with nodes of Keras 3"]
    (tmp_path / "net.json").write_text(json.dumps(json.dumps(config)))
    assert "F.relu" in keras2torch.generate(tmp_path / "net.json").model_source


def test_the_text_itself() -> None:
    config, _ = CASES["Functional of Keras 2"]
    result = keras2torch.generate(json.dumps(config))
    assert result.class_name == "Net" and "the JSON of a model" in result.model_source
    with pytest.raises(keras2torch.K2TError, match="not valid JSON"):
        keras2torch.generate('{"class_name": ')


def test_a_config_that_is_no_object(tmp_path: Path) -> None:
    layers = [layer("InputLayer", batch_shape=[None, 4]), {"class_name": "Dense", "config": 2}]
    with pytest.raises(SavedModelError):
        keras2torch.generate(json.dumps(layer("Sequential", layers=layers)))


def test_unknown_class_is_named(tmp_path: Path) -> None:
    layers = [layer("InputLayer", batch_shape=[None, 4]), layer("MyLayer", units=3)]
    (tmp_path / "net.json").write_text(json.dumps(layer("Sequential", layers=layers)))
    with pytest.raises(keras2torch.K2TError, match="class MyLayer"):
        keras2torch.generate(tmp_path / "net.json")


CODE = ["4wEAAAAAAAAAAAAA", None, None]
BY_NAME = {"class_name": "function", "config": "twice", "registered_name": "function"}
FUNCTIONS = {
    "activation, by name": (
        layer("Dense", name="d", units=3, activation="twice"),
        "the activation twice is",
    ),
    "activation, Keras 3": (
        layer("Dense", name="d", units=3, activation=BY_NAME),
        "the activation twice is",
    ),
    "activation, lambda": (layer("Dense", name="d", units=3, activation="<lambda>"), "is a lambda"),
    "activation, bytecode": (
        layer("Dense", name="d", units=3, activation={"value": CODE}),
        "layer 'd': its activation is a lambda, which the file holds as bytecode",
    ),
    "Lambda, Keras 2": (
        layer("Lambda", name="d", function="twice", function_type="function", module="__main__"),
        "the function twice is a function, of which",
    ),
    "Lambda, Keras 3": (layer("Lambda", name="d", function=BY_NAME), "the function twice is"),
    "Lambda, bytecode, Keras 2": (
        layer("Lambda", name="d", function=CODE, function_type="lambda"),
        "layer 'd': its function is a lambda, which the file holds as bytecode",
    ),
    "Lambda, bytecode, Keras 3": (
        layer("Lambda", name="d", function=layer("__lambda__", value=CODE)),
        "layer 'd': its function is a lambda, which the file holds as bytecode",
    ),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_a_function_of_the_programs_own(case: str, tmp_path: Path) -> None:
    """Refused in the name of its layer, without its bytecode; read from --custom where it has a name."""
    item, message = FUNCTIONS[case]
    text = json.dumps(
        layer("Sequential", layers=[layer("InputLayer", batch_shape=[None, 4]), item])
    )
    with pytest.raises(keras2torch.K2TError) as caught:
        keras2torch.generate(text)
    assert message in str(caught.value) and "--custom" in str(caught.value)
    assert CODE[0] not in str(caught.value)
    if "twice" in message:
        (tmp_path / "own.py").write_text("def twice(x):\n    return 2 * x\n")
        source = keras2torch.generate(text, custom=tmp_path / "own.py").model_source
        assert "2 * " in source


def test_an_operation_that_is_refused_gives_its_reason() -> None:
    nodes = [
        node("a", "InputLayer", [], batch_shape=[None, 4]),
        node("parts", "Argpartition", called_with(tensor("a")), kth=1, axis=-1),
    ]
    nodes[1]["module"] = "keras.src.ops.numpy"
    with pytest.raises(keras2torch.K2TError, match="differs between Keras's backends"):
        keras2torch.generate(json.dumps(model("Functional", nodes, "parts")))


def test_a_function_that_a_call_is_given_is_not_in_the_file() -> None:
    nodes = [
        node("a", "InputLayer", [], batch_shape=[None, 4]),
        node("run", "AssociativeScan", called_with(BY_NAME, tensor("a"))),
    ]
    nodes[1]["module"] = "keras.src.ops.core"
    with pytest.raises(keras2torch.K2TError, match="given 'twice', which only its program holds"):
        keras2torch.generate(json.dumps(model("Functional", nodes, "run")))


def test_sizes_are_one_tensor_of_tensorflow():
    """``tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1] * 2, 3])`` as Keras 2 saves it."""

    def function(name: str, path: str, inbound: list[Any]) -> dict[str, Any]:
        return node(name, "TFOpLambda", [inbound], function=path)

    def item(name: str, index: int) -> dict[str, Any]:
        return node(name, "SlicingOpLambda", [["sizes", 0, 0, {"slice_spec": index}]])

    nodes = [
        node("a", "InputLayer", [], batch_input_shape=[None, None, 6]),
        function("sizes", "compat.v1.shape", ["a", 0, 0, {"name": None, "out_type": "int32"}]),
        item("batch", 0),
        item("length", 1),
        function("twice", "math.multiply", ["length", 0, 0, {"y": 2, "name": None}]),
        function("r", "reshape", ["a", 0, 0, {"shape": [["batch", 0, 0], ["twice", 0, 0], 3]}]),
    ]
    text = json.dumps(model("Functional", nodes, ["r", 0, 0], keras_version="2.13.1"))
    result = keras2torch.generate(text)
    net = build(result)
    x = torch.arange(48.0).reshape(2, 4, 6)
    assert (net(x) == x.reshape(2, 8, 3)).all()
    assert net(x[:, :3]).shape == (2, 6, 3)


@pytest.mark.parametrize(
    "origin",
    [
        {"module": None, "registered_name": "Dense"},
        {"class_name": "Custom>Dense"},
        {"module": "my.layers"},
    ],
)
def test_a_class_of_the_users_with_the_name_of_a_layer(origin: dict[str, Any]) -> None:
    layers = [{**layer("Dense", units=3, name="dense"), **origin}]
    saved = {"class_name": "Sequential", "config": {"name": "net", "layers": layers}}
    with pytest.raises(keras2torch.K2TError, match="Dense, which is not Keras's own"):
        keras2torch.generate(json.dumps(saved))


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (
            [
                node(
                    "b",
                    "Dense",
                    called("a"),
                    units=4,
                    activation=layer("InputLayer", batch_shape=[None, 4]),
                )
            ],
            "takes no tensor",
        ),
        (
            [node("b", "Attention", called_with([tensor("a"), [[None]]]))],
            "holds no numbers",
        ),
    ],
)
def test_what_is_no_function_and_no_tensor_is_told(layers, told):
    first = node("a", "InputLayer", [], batch_shape=[None, 3, 4])
    text = json.dumps(model("Functional", [first, *layers], ["b", 0, 0]))
    with pytest.raises(K2TError, match=told):
        keras2torch.generate(text)
