"""The recording classes and functions of training have Keras's own signatures."""

from __future__ import annotations

import inspect
import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

from keras2torch import K2TError
from keras2torch.training import callbacks, losses, metrics, optimizers, schedules

FAMILIES = {
    "optimizers": optimizers,
    "optimizers.schedules": schedules,
    "losses": losses,
    "metrics": metrics,
    "callbacks": callbacks,
}
UTILITIES = {"get", "serialize", "deserialize"}  # the stand-in modules' own


def theirs(family: str):
    import keras

    found = keras
    for part in family.split("."):
        found = getattr(found, part)
    return found


def shape(signature: inspect.Signature) -> list[tuple]:
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize("family", FAMILIES)
def test_signatures_are_those_of_keras(family):
    module = theirs(family)
    public = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and name not in UTILITIES
    }
    registry = FAMILIES[family].REGISTRY
    assert sorted(set(public) - set(registry)) == []
    for name, value in public.items():
        assert shape(inspect.signature(registry[name])) == shape(inspect.signature(value)), name


def test_old_names_are_accepted():
    assert optimizers.SGD(lr=0.5).learning_rate == 0.5
    assert callbacks.ReduceLROnPlateau(epsilon=0.1).min_delta == 0.1
    decayed = optimizers.Adam(lr=0.1, decay=0.01)
    assert decayed.learning_rate.lower() == ["return initial / (1 + 0.01 * step)"]


def test_unknown_arguments_are_errors():
    with pytest.raises(K2TError, match="SGD got unknown arguments: speed"):
        optimizers.SGD(speed=3)
    with pytest.raises(K2TError, match="there is no loss 'mean_square'"):
        losses.get("mean_square")
    with pytest.raises(K2TError, match="there is no optimizer 'adm'"):
        optimizers.get("adm")
