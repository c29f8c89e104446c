"""The author's own API: the article's six models, in both notations, recorded, generated and trained in place."""

from __future__ import annotations

import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from oracle import build, load_source
from torch import nn, optim

import keras2torch
from keras2torch import Conv2d, Dense, Flatten, Input, Model

ARTICLE = Path(__file__).parent.parent / "examples" / "article"
PROGRAMS = sorted(ARTICLE.glob("*.py"))
KERAS = {
    path.stem: ARTICLE.parent.parent / "tests" / "cases" / f"article_{path.stem}.py"
    for path in PROGRAMS
}


def test_there_are_six():
    assert len(PROGRAMS) == 6


def one_step(result):
    """Import the generated module and take one step of SGD."""
    torch.manual_seed(0)
    net = getattr(load_source(result.model_source), result.class_name)().eval()  # no dropout
    (port,) = result.inputs
    shape = [4, *port.shape[1:]]
    x = torch.rand([shape[a] for a in port.permutation] if port.permutation else shape)
    y = torch.randint(0, result.outputs[0].shape[-1], (4,))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    before = nn.functional.cross_entropy(net(x), y)
    before.backward()
    optimizer.step()
    assert nn.functional.cross_entropy(net(x), y) < before


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_the_six_in_the_articles_notation(path):
    result = keras2torch.generate(path)
    one_step(result)
    assert (
        "torch.optim.Adam(model.parameters(), lr=args.lr)" in result.train_source
    )  # torch's own epsilon
    assert "cross_entropy" in result.train_source


@pytest.mark.parametrize("name", sorted(KERAS))
def test_the_six_in_keras_notation(name):
    one_step(keras2torch.generate(KERAS[name]))


def test_channels_first_and_last_are_one_network():
    first = keras2torch.generate(ARTICLE / "conv_mnist.py")
    assert first.inputs[0].permutation is None and first.inputs[0].shape == (None, 1, 28, 28)
    assert "nn.Conv2d(1, 25, 3, padding=3)" in first.model_source
    assert "nn.Conv2d(25, 50, 5, padding=2)" in first.model_source
    assert "permute" not in first.model_source


def test_a_model_trains_in_place():
    namespace = runpy.run_path(str(ARTICLE / "dense_mnist.py"))
    model = namespace["model"]
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 256)
    x = (np.eye(10)[y] @ rng.normal(size=(10, 784)) + 0.1 * rng.normal(size=(256, 784))).astype(
        "float32"
    )
    history = model.fit(x, y, epochs=3)
    assert history["loss"][-1] < history["loss"][0]
    loss, accuracy = model.evaluate(x, y)
    assert accuracy > 0.9
    predictions = model.predict(x)
    assert predictions.shape == (256, 10)
    assert (predictions.argmax(1) == y).mean() == pytest.approx(accuracy)


def test_loaders_and_predict_in_eval_mode():
    inputs = Input((8,))
    x = keras2torch.Dropout(0.5)(Dense(16, activation="relu")(inputs))
    model = Model(inputs, Dense(3)(x), "cpu")
    model.compile(optim.SGD(model.parameters(), lr=1e-3), nn.CrossEntropyLoss())
    data = torch.utils.data.TensorDataset(torch.randn(50, 8), torch.randint(0, 3, (50,)))
    loader = torch.utils.data.DataLoader(data, batch_size=16)
    model.fit_generator(loader, epochs=1)
    assert np.array_equal(model.predict_generator(loader), model.predict_generator(loader))
    # Accuracy counts samples, the short last batch too.
    loss, accuracy = model.evaluate_generator(loader)
    predicted = model.predict_generator(loader).argmax(1)
    assert accuracy == pytest.approx((predicted == data.tensors[1].numpy()).mean())
    model.summary()


def test_two_inputs():
    left, right = Input((4,), name="left"), Input((6,), name="right")
    x = keras2torch.Concatenate()([Dense(8)(left), Dense(8)(right)])
    model = Model([left, right], Dense(2)(x))
    model.compile(optim.Adam(model.parameters(), lr=1e-2), nn.CrossEntropyLoss())
    model.fit(
        [np.random.rand(20, 4), np.random.rand(20, 6)],
        np.random.randint(0, 2, 20),
        epochs=1,
        verbose=0,
    )
    assert model.predict([np.random.rand(3, 4), np.random.rand(3, 6)]).shape == (3, 2)


def test_a_relu_before_the_loss_is_told_and_kept():
    inputs = Input((1, 8, 8), data_format="channels_first")
    x = Flatten()(Conv2d(2, 3, padding="same")(inputs))
    model = Model(inputs, Dense(3, activation=nn.ReLU())(x))
    with pytest.warns(UserWarning, match="applies ReLU before"):
        model.compile(optim.Adam(model.parameters()), nn.CrossEntropyLoss())
    assert "F.relu" in keras2torch.generate(model).model_source


def test_generate_takes_a_recorded_model():
    inputs = Input((4,))
    result = keras2torch.generate(Model(inputs, Dense(2, activation=nn.LeakyReLU(0.2))(inputs)))
    assert "F.leaky_relu" in result.model_source and ", 0.2)" in result.model_source
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert build(result)(torch.zeros(1, 4)).shape == (1, 2)
