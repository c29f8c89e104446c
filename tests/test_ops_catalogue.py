"""Every public function of keras.ops is translated, or refused with a reason; signatures are Keras's."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

import inspect
from typing import Any

import keras
import pytest

from keras2torch.errors import UnsupportedError
from keras2torch.inputs import Input
from keras2torch.ops import OPERATION_CLASSES, OPS
from keras2torch.ops.refusals import OTHERS, REFUSALS


def public_functions() -> dict[str, Any]:
    """path -> function, for all of keras.ops."""
    found = {}
    for name in dir(keras.ops):
        value = getattr(keras.ops, name)
        if not name.startswith("_") and callable(value):
            found[f"keras.ops.{name}"] = value
    for name in dir(keras.ops.image):
        if not name.startswith("_"):
            found[f"keras.ops.image.{name}"] = getattr(keras.ops.image, name)
    return found


PUBLIC = public_functions()


def test_the_catalogue_is_large() -> None:
    assert len(PUBLIC) > 340


@pytest.mark.parametrize("path", PUBLIC)
def test_translated_or_refused(path: str) -> None:
    assert path in OPS
    if path in REFUSALS:
        reason, fix = REFUSALS[path]
        with pytest.raises(UnsupportedError) as error:
            OPS[path](Input((3, 4)))
        assert reason in str(error.value) and fix in str(error.value)


def test_share_of_translated_functions() -> None:
    refused = [path for path in PUBLIC if path in REFUSALS]
    assert 1 - len(refused) / len(PUBLIC) >= 0.95


@pytest.mark.parametrize("path", [path for path in PUBLIC if path not in REFUSALS])
def test_signature(path: str) -> None:
    def parameters(function: Any) -> list[tuple[str, Any, Any]]:
        return [
            (p.name, p.default, p.kind) for p in inspect.signature(function).parameters.values()
        ]

    assert parameters(OPS[path]) == parameters(PUBLIC[path])


def test_no_refusal_is_stale() -> None:
    assert set(REFUSALS) <= set(PUBLIC) | {"keras.ops.linalg.jvp"}
    assert all(reason and fix for reason, fix in (*REFUSALS.values(), *OTHERS.values()))


@pytest.mark.parametrize("module", ["random", "activations"])
def test_other_namespaces(module: str) -> None:
    elsewhere = {"SeedGenerator", "get", "serialize", "deserialize"}  # no functions on tensors
    names = {n for n in dir(getattr(keras, module)) if not n.startswith("_")} - elsewhere
    assert not [n for n in names if f"keras.{module}.{n}" not in OPS]


def operation_classes() -> dict[str, type]:
    """The classes whose names stand in saved models."""
    from keras.src.ops import core, einops, image, linalg, math, nn, numpy, operation

    found = {}
    for module in (core, einops, image, linalg, math, nn, numpy):
        for name, value in vars(module).items():
            if (
                inspect.isclass(value)
                and issubclass(value, operation.Operation)
                and value.__module__ == module.__name__
            ):
                found[name] = value
    found.pop("SegmentReduction")  # a base class
    return found


@pytest.mark.parametrize("name", operation_classes())
def test_operation_class_of_a_saved_model(name: str) -> None:
    """Each finds its function, and the function has the arguments of its constructor and of its call."""
    path = OPERATION_CLASSES.get(name)
    if path is None:
        flat = [
            p
            for p in OPS
            if p.startswith("keras.ops.") and p.rpartition(".")[2].replace("_", "") == name.lower()
        ]
        assert flat, f"no function for the class {name}"
        path = flat[0]
    if path in REFUSALS:
        return
    known = set(inspect.signature(OPS[path]).parameters)
    cls = operation_classes()[name]
    for function in (cls.__init__, cls.call):
        for parameter in inspect.signature(function).parameters.values():
            if parameter.name not in ("self", "name", "kwargs", "rms_scaling"):
                assert parameter.name in known, f"{path} has no argument {parameter.name}"
