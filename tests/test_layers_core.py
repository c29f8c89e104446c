"""Embedding, masks, activations as layers, scaling and noise against Keras."""

from __future__ import annotations

from layer_tables import behind_conv, check, on, source, table  # isort: split

import keras
import numpy as np
import oracle
import pytest
import torch
from keras import layers as L

import keras2torch
from keras2torch.errors import K2TError
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY


def slopes():
    a, t = keras.Input((4, 5, 3)), keras.Input((5, 3))
    x, shared = L.Conv2D(3, 2)(a), L.PReLU()
    return [a, t], [
        L.PReLU()(a),
        L.PReLU()(x),
        L.PReLU()(t),
        *(L.PReLU(shared_axes=axes)(x) for axes in ([1, 2], [1, 2, 3], [1], [3])),
        L.PReLU(shared_axes=[1])(t),
        shared(a),
        shared(L.Conv2D(3, 1)(a)),
    ]


CASES = {
    "relu": lambda: on(
        (7,),
        L.ReLU(),
        L.ReLU(6.0),
        L.ReLU(1.0),
        L.ReLU(negative_slope=0.1),
        L.ReLU(threshold=0.5),
        L.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.3),
        L.ReLU(max_value=1.0, negative_slope=0.2),
        L.ReLU(max_value=6.0, negative_slope=0.2),
        L.LeakyReLU(),
        L.LeakyReLU(0.1),
        L.ELU(),
        L.ELU(0.3),
    ),
    "prelu": slopes,
    "softmax": lambda: behind_conv(
        L.Softmax(),
        L.Softmax(axis=1),
        L.Softmax(axis=[1, 2]),
        L.Softmax(axis=[-1]),
        L.Softmax(axis=-2),
    ),
    "activations": lambda: on(
        (6,),
        *map(
            L.Activation,
            "linear relu relu6 leaky_relu elu selu celu gelu sigmoid tanh softmax log_softmax softplus "
            "softsign silu swish mish exponential hard_sigmoid hard_silu hard_tanh hard_shrink "
            "soft_shrink tanh_shrink log_sigmoid glu sparse_plus sparse_sigmoid squareplus".split(),
        ),
    ),
    "activations of an image": lambda: behind_conv(
        *map(L.Activation, ("softmax", "log_softmax", "glu", "relu"))
    ),
    "scaling": lambda: behind_conv(
        L.Rescaling(1 / 255),
        L.Rescaling(1 / 127.5, -1),
        L.Rescaling(2.0, 1.0),
        L.Rescaling([0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0]),
        L.Identity(),
        L.ActivityRegularization(0.1, 0.2),
    ),
    "dense": lambda: on(
        (5, 3),
        L.Dense(4),
        L.Dense(4, use_bias=False, activation="relu"),
        L.Dense(4, activation=L.LeakyReLU(0.2)),
    ),
    "noise at rest": lambda: on(
        (4, 5, 3),
        L.Dropout(0.5),
        L.Dropout(0.5, noise_shape=(None, 1, 1, None)),
        L.SpatialDropout2D(0.5),
        L.GaussianNoise(0.1),
        L.GaussianDropout(0.1),
        L.AlphaDropout(0.1),
    ),
}


@table(CASES)
def test_equals_keras(case):
    check(case)


def test_softmax_mask():
    def case():
        x, mask = keras.Input((4, 6)), keras.Input((6,), dtype="bool")
        full = keras.Input((4, 6), dtype="bool")
        return [x, mask, full], [L.Softmax()(x, mask=full), L.Softmax()(x[:, 0], mask=mask)]

    check(case)


def test_embedding():
    def case():
        i, f, u = (
            keras.Input((5,), dtype="int32"),
            keras.Input((5,)),
            keras.Input((None,), dtype="int64"),
        )
        masked = L.Embedding(7, 3, mask_zero=True)
        return [i, f, u], [
            L.Embedding(7, 3)(i),
            L.Embedding(7, 3)(f),
            L.GlobalAveragePooling1D()(masked(i)),
            L.GlobalAveragePooling1D(keepdims=True)(masked(u)),
            L.GlobalAveragePooling1D()(L.Activation("relu")(L.Dropout(0.1)(masked(i)))),
            L.Conv1D(3, 2)(L.Embedding(7, 2)(i)),
            L.GlobalAveragePooling1D()(L.Conv1D(3, 2)(masked(i))),
        ]

    tokens = np.array([[1, 0, 3, 0, 0], [2, 3, 1, 6, 5]])
    arrays = [tokens.astype("int32"), tokens + 0.5, tokens[:, :4].astype("int64")]
    check(case, inputs=[arrays[0], arrays[1].astype("float32"), arrays[2]], gradients=True)


def test_masking():
    def case():
        t = keras.Input((5, 3))
        mean = L.GlobalAveragePooling1D()
        outputs = [
            L.Masking()(t),
            L.Masking(2.0)(t),
            mean(L.Masking()(t)),
            mean(L.Dense(2)(L.Masking()(t))),
        ]
        return [t], outputs

    x = np.random.default_rng(0).normal(size=(3, 5, 3)).astype("float32")
    x[0, 2:], x[1, :2], x[2, 1] = 0, 0, 2
    check(case, inputs=[x])


NOISE = {
    "Dropout": lambda: L.Dropout(0.3),
    "shared": lambda: L.Dropout(0.3, noise_shape=(None, 1, None)),
    "SpatialDropout1D": lambda: L.SpatialDropout1D(0.3),
    "GaussianNoise": lambda: L.GaussianNoise(0.5),
    "GaussianDropout": lambda: L.GaussianDropout(0.3),
    "AlphaDropout": lambda: L.AlphaDropout(0.3),
}


@pytest.mark.parametrize("name", list(NOISE))
def test_noise_is_as_strong_as_keras(name):
    """In train mode the same mean, spread, and spread between the steps of a sequence as Keras's."""
    x = keras.Input((8, 500))
    model = keras.Model(x, NOISE[name]()(x))
    result = keras2torch.generate(model)
    net = oracle.build(result).train()
    torch.manual_seed(0)
    keras.utils.set_random_seed(0)
    data = np.full((100, 8, 500), 1.5, "float32")
    theirs = np.asarray(model(data, training=True))
    (ours,) = oracle.run_torch(result, net, [data])
    for measure in (
        np.mean,
        np.std,
        lambda a: a.std(axis=1).mean(),
        lambda a: a.std(axis=2).mean(),
    ):
        assert measure(ours) == pytest.approx(measure(theirs), abs=0.02)
    assert np.array_equal(oracle.run_torch(result, net.eval(), [data])[0], data)


PROGRAM = """
import keras
from keras import layers, ops
{before}
x = keras.Input({shape})
model = keras.Model(x, {layer}(x{training}))
"""


def generated(tmp_path, layer, shape="(4,)", before="", training=""):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(layer=layer, shape=shape, before=before, training=training))
    return keras2torch.generate(path).model_source


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("layers.Dropout(0.3)", "F.dropout(x, 0.3)"),
        ("layers.AlphaDropout(0.3)", "F.alpha_dropout(x, 0.3, training=True)"),
        ("layers.GaussianNoise(0.3)", "GaussianNoise(std=0.3, always=True)"),
        (
            "layers.Dropout(0.3, noise_shape=(None, 1))",
            "SharedDropout(p=0.3, dims=(1,), always=True)",
        ),
    ],
)
def test_noise_that_never_rests(tmp_path, layer, expected):
    """``training=True`` at the call, as programs write it for Monte Carlo dropout."""
    assert expected in generated(tmp_path, layer, training=", training=True")


@pytest.mark.parametrize(
    ("layer", "before", "expected"),
    [
        ("layers.Lambda(lambda t: t * 2 + 1)", "", "x * 2 + 1"),
        ("layers.Lambda(lambda t, k: t ** k, arguments={'k': 3})", "", "x**3"),
        ("layers.Lambda(double, output_shape=(4,))", "def double(t):\n    return 2 * t", "2 * x"),
        ("layers.Lambda(ops.sqrt)", "", "x.sqrt()"),
        ("layers.Lambda(lambda t: [t + 1, t - 1])", "", "return x + 1, x - 1"),
    ],
)
def test_lambda(tmp_path, layer, before, expected):
    text = generated(tmp_path, layer, before=before)
    assert expected in text.replace("torch.sqrt(x)", "x.sqrt()")


@pytest.mark.parametrize(
    "config",
    [
        {"function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}},
        {"function": ["4wEA", None, None], "function_type": "lambda", "output_shape_type": "raw"},
    ],
    ids=["keras3", "keras2"],
)
def test_lambda_of_a_saved_model_is_refused(config):
    layer = REGISTRY["Lambda"].from_config(config)
    with pytest.raises(K2TError, match="bytecode, which is never decoded or run"):
        layer(Input((4,)))


def test_text():
    pixels = keras.Input((8, 8, 3), dtype="uint8")
    text = source([pixels], L.Conv2D(2, 3)(L.Rescaling(1 / 127.5, -1)(pixels)))
    assert ".float() / 127.5 - 1" in text and "permute" not in text
    x = keras.Input((6,))
    assert "nn.PReLU(6)" in source([x], L.PReLU()(x))
    i = keras.Input((5,), dtype="int32")
    text = source([i], L.GlobalAveragePooling1D()(L.Embedding(7, 3, mask_zero=True)(i)))
    assert "!= 0" in text and "nn.Embedding(7, 3)" in text


def test_embedding_starts_a_sequential_model(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(
        "from keras.models import Sequential\nfrom keras.layers import *\n"
        "m = Sequential([Embedding(9, 4{}), {}Dense(1)])\n".format("", "GlobalAveragePooling1D(), ")
    )
    result = keras2torch.generate(path)
    assert result.inputs[0].shape == (None, None) and result.inputs[0].dtype == "int32"
    path.write_text(
        "from keras.models import Sequential\nfrom keras.layers import *\n"
        "m = Sequential()\nm.add(Embedding(9, 4, input_length=7))\nm.add(Flatten())\nm.add(Dense(1))\n"
    )
    assert "nn.Linear(28, 1)" in keras2torch.generate(path).model_source


OLD = {
    "LeakyReLU": (lambda: REGISTRY["LeakyReLU"](alpha=0.1).negative_slope, 0.1),
    "Dropout": (lambda: REGISTRY["Dropout"](p=0.1).rate, 0.1),
    "GaussianNoise": (lambda: REGISTRY["GaussianNoise"](sigma=0.1).stddev, 0.1),
    "Embedding": (lambda: REGISTRY["Embedding"](9, 4, init="zero").embeddings_initializer, "zero"),
    "name": (lambda: REGISTRY["SpatialDropout1D"](0.1, name="drop").name, "drop"),
}


@pytest.mark.parametrize("name", list(OLD))
def test_old_spellings(name):
    make, expected = OLD[name]
    assert make() == expected


ERRORS = {
    "rate": (lambda: generate_with(REGISTRY["Dropout"](1.5)), "rate=1.5 is no share"),
    "noise_shape": (
        lambda: generate_with(REGISTRY["Dropout"](0.5, noise_shape=(2, None, None))),
        "use None and 1 only",
    ),
    "alpha": (
        lambda: generate_with(REGISTRY["AlphaDropout"](0.5, noise_shape=(None, 1, None))),
        "noise_shape has no equal",
    ),
    "dropout of words": (
        lambda: REGISTRY["Embedding"](9, 4, dropout=0.1),
        "dropout of whole words",
    ),
    "lora": (lambda: generate_with(REGISTRY["Embedding"](9, 4, lora_rank=2)), "lora_rank=2"),
}


def generate_with(layer):
    from keras2torch.models import Model

    x = Input((4, 6))
    return keras2torch.generate(Model(x, layer(x)))


@pytest.mark.parametrize("name", list(ERRORS))
def test_error(name):
    make, message = ERRORS[name]
    with pytest.raises(K2TError, match=message):
        make()


@pytest.mark.parametrize("mode", ["int8", "float8"])
def test_a_quantized_layer_is_refused_by_name(mode):
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="wide")])
    model.layers[0].quantize(mode)
    with pytest.raises(K2TError, match=rf"'wide' is quantized \({mode}\)"):
        keras2torch.generate(model)


@pytest.mark.parametrize("layer, shape", [("Dense", (8,)), ("Conv1D", (9, 4)), ("Embedding", (5,))])
def test_what_lora_has_learnt_is_in_the_kernel(layer, shape, tmp_path):
    made = {
        "Dense": lambda: L.Dense(4),
        "Conv1D": lambda: L.Conv1D(6, 3),
        "Embedding": lambda: L.Embedding(5, 4),
    }[layer]()
    given = keras.Input(shape, dtype="int32" if layer == "Embedding" else "float32")
    model = keras.Model(given, made(given))
    made.enable_lora(2)
    oracle.randomise(model)
    oracle.compare(model, gradients=False)
    model.save(tmp_path / "tuned.keras")
    saved = keras2torch.generate(tmp_path / "tuned.keras")
    for key, value in keras2torch.generate(model).weights.items():
        np.testing.assert_array_equal(saved.weights[key], value)


def test_integers_are_floats_where_keras_makes_them_so() -> None:
    """An Input of integers straight into layers that torch has for floats only."""
    image = keras.Input((4, 4, 2), dtype="int32", batch_size=2)
    many = [
        L.Dense(3),
        L.EinsumDense("abcd,de->abce", (None, None, 3), bias_axes="e"),
        L.AveragePooling2D(2, padding="same"),
        L.AdaptiveAveragePooling2D(3),
        L.AdaptiveMaxPooling2D(3),
        L.MaxPooling2D(3, strides=1, padding="same"),
        L.UpSampling2D(2),
        L.ReLU(negative_slope=0.1),
        L.LeakyReLU(),
        L.ELU(),
        L.Softmax(),
        L.Activation("gelu"),
        L.Activation("relu"),
    ]
    model = keras.Model(image, [layer(image) for layer in many])
    values = np.random.default_rng(0).integers(-5, 9, (2, 4, 4, 2)).astype("int32")
    result = keras2torch.generate(model)
    outputs = oracle.run_torch(result, oracle.build(result), [values])
    for layer, expected, actual in zip(many, model(values), outputs):
        np.testing.assert_allclose(actual, np.asarray(expected), atol=1e-5, err_msg=layer.name)


@pytest.mark.parametrize(
    "layer",
    [
        L.LayerNormalization,
        L.GroupNormalization,
        L.RMSNormalization,
        lambda: L.UpSampling2D(2, interpolation="bilinear"),
    ],
)
def test_integers_that_keras_cuts_off(layer) -> None:
    image = keras.Input((4, 4, 32), dtype="int32")
    with pytest.raises(K2TError, match="integers"):
        keras2torch.generate(keras.Model(image, layer()(image)))


@pytest.mark.parametrize("name, size", [("Resizing", (3, 3)), ("Dense", (3,)), ("LSTM", (3,))])
def test_a_dict_where_a_layer_takes_one_tensor(name, size) -> None:
    with pytest.raises(K2TError, match="takes one tensor, not: dict"):
        REGISTRY[name](*size)({"images": Input((4, 4, 3))})
    with pytest.raises(K2TError, match="takes one tensor, not: None"):
        REGISTRY[name](*size)(None)
