"""Every translated layer takes what the installed Keras's takes: the same arguments, order and defaults."""

from __future__ import annotations

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import pytest

from keras2torch.errors import K2TError
from keras2torch.layers import REGISTRY, Layer

TRANSLATED = sorted(name for name in REGISTRY if hasattr(keras.layers, name))


def keras_signature(name):
    """[(argument, default)] of Keras's constructor, without ``**kwargs`` and what every layer takes."""
    parameters = inspect.signature(getattr(keras.layers, name)).parameters.values()
    fields = REGISTRY[name].fields
    return [
        (p.name, p.default)
        for p in parameters
        if p.kind is not p.VAR_KEYWORD and (p.name in fields or p.name not in Layer.base_arguments)
    ]


def own_signature(name):
    """[(argument, default)] of our class; a required one has ``inspect.Parameter.empty``."""
    required = inspect.Parameter.empty
    fields = REGISTRY[name].fields.values()
    return [
        (field.name, required if type(field.default) is object else field.default)
        for field in fields
    ]


@pytest.mark.parametrize("name", TRANSLATED)
def test_layer_signature(name):
    assert own_signature(name) == keras_signature(name)


def test_a_wrong_default_is_noticed(monkeypatch):
    monkeypatch.setattr(REGISTRY["LeakyReLU"].fields["negative_slope"], "default", 0.2)
    with pytest.raises(AssertionError):
        test_layer_signature("LeakyReLU")


@pytest.mark.parametrize("name", [name for name in TRANSLATED if name != "InputLayer"])
def test_an_unknown_argument_is_an_error(name):
    """Nothing is taken and dropped that Keras does not have."""
    with pytest.raises(K2TError, match="no argument 'colour'"):
        REGISTRY[name](colour=1)
