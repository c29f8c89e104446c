"""A new module starts as the Keras model did: checked exactly, with initialisers that leave nothing to chance."""

from __future__ import annotations

import keras
import numpy as np
import oracle  # noqa: F401 - chooses Keras's backend
import pytest
from keras import layers
from oracle import load_source

import keras2torch
from keras2torch import initializers
from keras2torch.errors import K2TError


def constant(value):
    return keras.initializers.Constant(value)


def conv(x, filters, value, name, size=3, **options):
    return layers.Conv2D(
        filters, size, padding="same", kernel_initializer=constant(value), name=name, **options
    )(x)


def residual(x, filters, name, project, value=0.1):
    y = conv(x, filters, value, f"{name}_conv1", activation="relu")
    y = conv(y, filters, value, f"{name}_conv2")
    y = layers.BatchNormalization(gamma_initializer="zeros", name=f"{name}_bn")(y)
    if project:
        x = conv(x, filters, 0.3, f"{name}_project", 1)
    return layers.Add(name=f"{name}_add")([y, x])


def with_exceptions():
    """Most convolutions start at 0.1; the shortcuts, the stem and the head do not; one bias, one scale."""
    image = keras.Input((8, 8, 3))
    x = conv(image, 4, 0.2, "stem")
    x = layers.BatchNormalization(name="stem_bn")(x)
    for index, (filters, project) in enumerate([(4, False), (8, True), (8, False), (16, True)], 1):
        x = residual(x, filters, f"block{index}", project)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(4, kernel_initializer=constant(0.5), bias_initializer="ones", name="head1")(x)
    return keras.Model(image, layers.Dense(2, kernel_initializer=constant(0.6), name="head2")(x))


def with_exceptions_in_one_class():
    """A block whose second convolution starts in another way than all others do."""
    image = keras.Input((8, 8, 3))
    x = conv(image, 4, 0.1, "stem")
    for index in (1, 2, 3):
        y = conv(x, 4, 0.1, f"block{index}_conv1", activation="relu")
        y = conv(y, 4, 0.1, f"block{index}_conv2", activation="elu")
        y = conv(y, 4, 0.7, f"block{index}_conv3", activation="relu")
        x = layers.Add(name=f"block{index}_add")([y, x])
    return keras.Model(image, conv(conv(x, 4, 0.1, "top1"), 4, 0.1, "top2"))


@pytest.mark.parametrize("build", [with_exceptions, with_exceptions_in_one_class])
def test_starts_as_keras(build):
    result = keras2torch.generate(build())
    net = getattr(load_source(result.model_source), result.class_name)()
    state = net.state_dict()
    assert len({float(np.asarray(v).flat[0]) for v in result.weights.values()}) > 2
    for key, value in result.weights.items():
        assert np.array_equal(state[key].numpy(), value), f"{key}\n{result.model_source}"


def test_variance_scaling_counts_fans_as_keras_does():
    """The spread of a kernel in each of two blocks of one class, whose sizes differ."""
    image = keras.Input((32, 32, 3))
    x = image
    for index, filters in enumerate((32, 64, 128), 1):
        for step in ("conv1", "conv2"):
            options = {"kernel_initializer": "he_normal", "name": f"block{index}_{step}"}
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", **options)(x)
        x = layers.MaxPooling2D(name=f"block{index}_pool")(x)
    result = keras2torch.generate(keras.Model(image, x))
    net = getattr(load_source(result.model_source), result.class_name)()
    for key, value in net.state_dict().items():
        expected = result.weights[key].std()
        assert value.numpy().std() == pytest.approx(expected, rel=0.1, abs=1e-6), key


def test_arrays_in_configs():
    """A live model's initializers of arrays, and a saved one's lists."""
    start = keras.initializers.Constant(np.array([1.0, 2.0]))
    dense = layers.Dense(2, bias_initializer=start)
    result = keras2torch.generate(keras.Sequential([keras.Input((3,)), dense]))
    net = getattr(load_source(result.model_source), result.class_name)()
    assert net.state_dict()["fc.bias"].tolist() == [1.0, 2.0]
    assert np.array_equal(initializers.REGISTRY["Constant"](value=[1, 2]).value, [1.0, 2.0])
    with pytest.raises(K2TError, match="no values for a weight"):
        initializers.REGISTRY["Constant"](value={"class_name": "__numpy__"})
