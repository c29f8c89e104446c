"""keras.applications: recorded without Keras, and as live models; both equal to Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oracle  # isort: split

import inspect
import re
from collections import Counter

import keras
import numpy as np
import pytest
from application_models import NAMES, SMALL, filled, pixels, unfilled

import keras2torch
from keras2torch.applications import REGISTRY
from keras2torch.frontend.recording import Recording, begin, end
from keras2torch.inputs import Input
from keras2torch.layers.operation import clear_names
from keras2torch.models import Model
from keras2torch.naming import snake_case

pytestmark = pytest.mark.thin(8)

FEW = ("EfficientNetV2B0", "MobileNetV3Small", "ResNet50V2", "Xception")
MANY = [
    name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in NAMES
]  # fmt: skip


def recorded(name: str, **options: Any) -> Any:
    clear_names()
    return REGISTRY[name](weights=None, **options)


def test_every_network_is_there() -> None:
    assert sorted(REGISTRY) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_signature(name: str) -> None:
    assert inspect.signature(REGISTRY[name]) == inspect.signature(getattr(keras.applications, name))


# Layer by layer.
_SETTINGS = (
    "strides padding epsilon momentum rate activation dilation_rate use_bias pool_size scale offset noise_shape "
    "groups negative_slope max_value cropping keepdims target_shape kernel_size"
).split()
_SAME = {None: "linear", "swish": "silu", "hard_swish": "hard_silu"}


def plain(value: Any) -> Any:
    """A setting in one form: (2, 2) and 2 are the same."""
    if isinstance(value, (list, tuple)):
        items = tuple(plain(item) for item in value)
        return items[0] if len(set(items)) == 1 else items
    if isinstance(value, float):
        return round(value, 9)
    value = value.lower() if isinstance(value, str) else value
    return _SAME.get(value, value)


def name_of(layer: Any) -> str:
    """The name, without the number that Keras gives."""
    kind = snake_case(type(layer).__name__)
    return kind if re.fullmatch(rf"{kind}(_\d+)?", layer.name) else str(layer.name)


def described(layer: Any, settings: dict[str, Any]) -> Any:
    shapes = tuple(tuple(w.shape) for w in layer.weights)
    chosen = tuple((key, plain(settings[key])) for key in _SETTINGS if key in settings)
    return type(layer).__name__, name_of(layer), tuple(layer.output.shape), shapes, chosen


def of_keras(model: Any) -> Any:
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    return Counter(described(layer, layer.get_config()) for layer in layers)


def of_ours(model: Any) -> Any:
    found: Counter[Any] = Counter()
    for layer in model.layers:
        if hasattr(layer, "built"):
            settings = {
                key: getattr(layer, key) for key in getattr(layer, "fields", {}) if key in _SETTINGS
            }
            found[described(layer, settings)] += 1
    return found


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize(
    "options",
    [{}, {"include_top": False, "pooling": "avg", "input_shape": (96, 96, 3)}],
    ids=["whole", "features"],
)
def test_layers_are_those_of_keras(name: str, options: dict[str, Any]) -> None:
    theirs, ours = unfilled(name, **options), recorded(name, **options)
    assert of_ours(ours) == of_keras(theirs)
    assert ours.name == theirs.name
    assert ours.inputs[0].shape == theirs.input_shape


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("MobileNet", {"alpha": 0.5, "depth_multiplier": 2, "input_shape": (128, 128, 3)}),
        ("MobileNetV2", {"alpha": 1.4, "include_top": False, "pooling": "max", "input_shape": (None, None, 3)}),
        ("MobileNetV3Large", {"alpha": 1.5, "minimalistic": True, "include_preprocessing": False}),
        ("MobileNetV3Small", {"alpha": 0.75, "include_top": False, "input_shape": (65, 64, 3)}),
        ("VGG16", {"include_top": False, "input_shape": (48, 48, 1), "pooling": "max"}),
        ("EfficientNetB0", {"classes": 5, "classifier_activation": None, "input_shape": (65, 66, 3)}),
        ("EfficientNetV2B0", {"include_preprocessing": False, "include_top": False}),
        ("ConvNeXtTiny", {"include_preprocessing": False, "include_top": False, "pooling": "max"}),
    ],
)  # fmt: skip
def test_options(name: str, options: dict[str, Any]) -> None:
    theirs, ours = unfilled(name, **options), recorded(name, **options)
    assert of_ours(ours) == of_keras(theirs)
    assert ours.name == theirs.name


# Numbers.
def created_order(layers: list[Any]) -> list[Any]:
    """Layers with weights: those with names by name, the others by the number that Keras gave them."""
    weighted = [layer for layer in layers if getattr(layer, "weights", None)]

    def key(layer: Any) -> Any:
        number = re.search(r"_(\d+)$", layer.name)
        kind = name_of(layer)
        return kind, 0 if kind == layer.name or not number else int(number[1])

    return sorted(weighted, key=key)


def give_weights(ours: Any, theirs: Any) -> None:
    for own, live in zip(created_order(ours.layers), created_order(theirs.layers), strict=True):
        assert [tuple(w.shape) for w in own.weights] == [tuple(w.shape) for w in live.weights]
        for weight, variable in zip(own.weights, live.weights):
            weight.value = np.asarray(variable)


@pytest.mark.parametrize("name", MANY)
def test_outputs_are_those_of_keras(name: str) -> None:
    size = SMALL.get(name, 64)
    options = {"input_shape": (size, size, 3), "classes": 7, "classifier_activation": None}
    model = filled(name, **options)
    images = pixels(name, model)
    expected = np.asarray(model(images))
    ours = recorded(name, **options)
    give_weights(ours, model)
    for source in (model, ours):
        result = keras2torch.generate(source)
        actual = oracle.run_torch(result, oracle.build(result), [images])[0]
        assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()


# In programs.
def test_a_network_on_a_tensor_of_the_program() -> None:
    image = Input((64, 64, 3))
    base = REGISTRY["MobileNetV2"](
        input_tensor=image, weights=None, include_top=False, pooling="avg"
    )
    assert [tensor is image for tensor in base.inputs] == [True]
    result = keras2torch.generate(Model(base.inputs, base.outputs[0] * 2.0))
    assert "nn.Conv2d(" in result.model_source


def test_missing_weights_are_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    recording = Recording()
    begin(recording)
    try:
        REGISTRY["MobileNet"](include_top=False, input_shape=(32, 32, 3))
    finally:
        end()
    assert len(recording.notes) == 1
    assert "mobilenet_1_0_224_tf_no_top.h5" in recording.notes[0]
    assert "~/.keras/models" in recording.notes[0]


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("MobileNet", 0),
        pytest.param("InceptionV3", 0, marks=pytest.mark.slow),
        pytest.param("InceptionV3", 95, marks=pytest.mark.slow),
        pytest.param("ResNet50", 0, marks=pytest.mark.slow),
        pytest.param("Xception", 7, marks=pytest.mark.slow),
    ],
)
def test_weights_in_the_cache_are_read(
    name: str, numbers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Keras itself reads them: where the numbers of its own names differ, by the order of the layers."""
    monkeypatch.setenv("HOME", str(tmp_path))
    size = SMALL.get(name, 32)
    model = filled(name, include_top=False, input_shape=(size, size, 3))
    file = {
        "MobileNet": "mobilenet_1_0_224_tf_no_top.h5",
        "InceptionV3": "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "ResNet50": "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "Xception": "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
    }[name]
    cache = tmp_path / ".keras" / "models"
    cache.mkdir(parents=True)
    write_legacy(model, cache / file, numbers)
    clear_names()
    ours = REGISTRY[name](include_top=False, input_shape=(size, size, 3))
    images = pixels(name, model)
    result = keras2torch.generate(ours)
    actual = oracle.run_torch(result, oracle.build(result), [images])[0]
    expected = np.asarray(model(images))
    assert np.abs(actual - expected).max() <= 1e-4 * np.abs(expected).max()


def write_legacy(model: Any, path: Path, numbers: int) -> None:
    """A weights file as Keras 2 wrote those of its applications; ``numbers`` later than the names of ours."""
    import h5py

    def file_name(layer: Any) -> str:
        kind = name_of(layer)
        automatic = kind == snake_case(type(layer).__name__)
        number = re.search(r"_(\d+)$", layer.name)
        return (
            f"{kind}_{numbers + int(number[1] if number else 0)}"
            if automatic and numbers
            else layer.name
        )

    with h5py.File(path, "w") as file:
        layers = [layer for layer in model.layers if layer.weights]
        file.attrs["layer_names"] = [file_name(layer).encode() for layer in layers]
        file.attrs["keras_version"] = b"2.4.0"
        file.attrs["backend"] = b"tensorflow"
        for layer in layers:
            group = file.create_group(file_name(layer))
            names = [f"{file_name(layer)}/{w.name}:0" for w in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights):
                group.create_dataset(name, data=np.asarray(weight))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: REGISTRY["VGG16"](weights=None, colour=1), "colour"),
        (lambda: REGISTRY["VGG16"](weights=None, input_shape=(16, 16, 3)), "at least 32 by 32"),
        (lambda: REGISTRY["VGG16"](weights=None, input_shape=(64, 64)), "three integers"),
    ],
)
def test_what_keras_refuses(call: Any, message: str) -> None:
    with pytest.raises(keras2torch.K2TError, match=message):
        call()
