"""Image layers against Keras: sizes, and random transformations made certain by factors without range."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import oracle  # isort: split

import keras
import numpy as np
import pytest
import torch
from keras import layers

from keras2torch.helpers import augment, augment_color, augment_mix

pytestmark = pytest.mark.thin(10)

K2TError = oracle.keras2torch.K2TError
Built = Callable[[], Any]


def on(layer: Any, shape: tuple[int | None, ...] = (9, 7, 3), dtype: str = "float32") -> Any:
    return keras.Sequential([keras.Input(shape, dtype=dtype), layer])


def images(*shape: int, low: float = 0.0, high: float = 255.0, dtype: str = "float32") -> list[Any]:
    return [np.random.default_rng(0).uniform(low, high, shape).astype(dtype)]


SIZES: dict[str, Built] = {
    f"{mode}, {height}x{width}{', antialias' if antialias else ''}": (
        lambda mode=mode, height=height, width=width, antialias=antialias: on(
            layers.Resizing(height, width, mode, antialias=antialias)
        )
    )
    for mode in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    for height, width in ((5, 5), (13, 16), (4, 14))
    for antialias in (False, True)
} | {
    "crop to aspect ratio": lambda: on(layers.Resizing(6, 3, crop_to_aspect_ratio=True)),
    "crop, wide": lambda: on(layers.Resizing(4, 9, crop_to_aspect_ratio=True)),
    "pad to aspect ratio": lambda: on(
        layers.Resizing(6, 3, pad_to_aspect_ratio=True, fill_value=0.5)
    ),
    "pad, wide": lambda: on(layers.Resizing(4, 9, pad_to_aspect_ratio=True)),
    "crop, any size": lambda: on(layers.Resizing(6, 3, crop_to_aspect_ratio=True), (None, None, 3)),
    "pad, any size": lambda: on(
        layers.Resizing(6, 3, pad_to_aspect_ratio=True, fill_value=2.0), (None, None, 3)
    ),
    "any size": lambda: on(layers.Resizing(4, 4), (None, None, 3)),
    "channels first": lambda: on(layers.Resizing(4, 5, data_format="channels_first"), (3, 9, 7)),
    "center": lambda: on(layers.CenterCrop(4, 4)),
    "center of a small image": lambda: on(layers.CenterCrop(12, 4)),
    "center, any size": lambda: on(layers.CenterCrop(12, 4), (None, None, 3)),
    "center, any size, slice": lambda: on(layers.CenterCrop(4, 5), (None, None, 3)),
    "center, channels first": lambda: on(
        layers.CenterCrop(4, 4, data_format="channels_first"), (3, 9, 7)
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_equal_keras(name: str) -> None:
    oracle.compare(SIZES[name](), batches=(2,), gradients="antialias" not in name)


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_bytes_are_rounded(mode: str) -> None:
    model = on(layers.Resizing(5, 11, mode), dtype="uint8")
    oracle.compare(model, images(2, 9, 7, 3, dtype="uint8"), gradients=False)


T, MODES = (0.1, 0.1), ("reflect", "constant", "nearest", "wrap")
CERTAIN: dict[str, Built] = {
    **{
        f"{cls.__name__}, {mode}, {kind}": (
            lambda cls=cls, args=args, mode=mode, kind=kind: on(
                cls(*args, fill_mode=mode, interpolation=kind, fill_value=3.0)
            )
        )
        for cls, args in (
            (layers.RandomRotation, (T,)),
            (layers.RandomZoom, ((0.3, 0.3), (-0.2, -0.2))),
            (layers.RandomTranslation, ((0.31, 0.31), (-0.42, -0.42))),
        )
        for mode in MODES
        for kind in ("bilinear", "nearest")
    },
    "zoom, one factor": lambda: on(layers.RandomZoom((-0.3, -0.3))),
    "far translation": lambda: on(layers.RandomTranslation((0.93, 0.93), (-0.97, -0.97))),
    "channels first": lambda: on(layers.RandomRotation(T, data_format="channels_first"), (3, 9, 7)),
    "no perspective": lambda: on(layers.RandomPerspective(scale=0.0)),
    "brightness": lambda: on(layers.RandomBrightness((0.2, 0.2))),
    "contrast": lambda: on(layers.RandomContrast((0.0, 0.0), value_range=(0, 200))),
    "gray": lambda: on(layers.RandomGrayscale(1.0)),
    "degenerate": lambda: on(layers.RandomColorDegeneration((0.4, 0.4))),
    "invert": lambda: on(layers.RandomInvert((1.0, 1.0))),
    "posterize": lambda: on(layers.RandomPosterization((3, 3))),
    "saturation": lambda: on(layers.RandomSaturation((0.7, 0.7))),
    "less saturation": lambda: on(layers.RandomSaturation((0.2, 0.2))),
    "hue": lambda: on(layers.RandomHue((0.0, 0.0))),
    "sharpness": lambda: on(layers.RandomSharpness((0.8, 0.8))),
    "blur": lambda: on(layers.RandomGaussianBlur((1.0, 1.0), (3, 5), (0.8, 0.8))),
    "jitter": lambda: on(
        layers.RandomColorJitter((0, 255), (0.1, 0.1), (0.0, 0.0), (0.6, 0.6), (0.0, 0.0))
    ),
    "erase with nothing to erase": lambda: on(layers.RandomErasing(scale=(0.0, 0.0))),
    "auto contrast": lambda: on(layers.AutoContrast()),
    "auto contrast, range": lambda: on(layers.AutoContrast(value_range=(-1, 1))),
    "tiles": lambda: on(
        layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 3)), (9, 7, 2)
    ),
    "tiles, padded": lambda: on(
        layers.ContrastLimitedAdaptiveHistogramEqualization((0, 1), 0.0, (4, 2)), (9, 7, 1)
    ),
    "boxes": lambda: on(layers.MaxNumBoundingBoxes(3)),
}
CERTAIN["solarize"] = lambda: on(layers.Solarization((0.0, 0.0), (0.0, 0.0)))


@pytest.mark.parametrize("name", CERTAIN)
def test_training_equals_keras(name: str) -> None:
    model = CERTAIN[name]()
    given = images(3, *model.input_shape[1:], high=1.0 if name == "tiles, padded" else 255.0)
    oracle.compare(model, given, training=True, gradients=False, tolerance=3e-5)


NOTHING: dict[str, Built] = {
    "flip": lambda: layers.RandomFlip(),
    "rotation": lambda: layers.RandomRotation(0.3),
    "zoom": lambda: layers.RandomZoom(0.2),
    "translation": lambda: layers.RandomTranslation(0.2, 0.2),
    "shear": lambda: layers.RandomShear(0.3, 0.3),
    "perspective": lambda: layers.RandomPerspective(),
    "elastic": lambda: layers.RandomElasticTransform(),
    "erasing": lambda: layers.RandomErasing(),
    "cut": lambda: layers.CutMix(),
    "mix": lambda: layers.MixUp(),
    "brightness": lambda: layers.RandomBrightness(0.3),
    "contrast": lambda: layers.RandomContrast(0.3),
    "gray": lambda: layers.RandomGrayscale(),
    "degeneration": lambda: layers.RandomColorDegeneration(0.5),
    "invert": lambda: layers.RandomInvert(),
    "solarization": lambda: layers.Solarization(0.5, 0.5),
    "posterization": lambda: layers.RandomPosterization(4),
    "hue": lambda: layers.RandomHue(0.5),
    "saturation": lambda: layers.RandomSaturation(0.5),
    "sharpness": lambda: layers.RandomSharpness(0.5),
    "blur": lambda: layers.RandomGaussianBlur(),
    "jitter": lambda: layers.RandomColorJitter((0, 255), 0.1, 0.1, 0.1, 0.1),
    "rand augment": lambda: layers.RandAugment(),
    "aug mix": lambda: layers.AugMix(),
    "crop to the same": lambda: layers.RandomCrop(9, 7),
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_happens_in_inference(name: str) -> None:
    result = oracle.compare(on(NOTHING[name]()), images(2, 9, 7, 3), gradients=False)
    net = oracle.build(result).train()
    x = torch.rand(4, 3, 9, 7) * 255
    torch.manual_seed(0)
    assert net(x).shape == x.shape and net(x).isfinite().all()
    if name != "crop to the same":
        assert any(not torch.equal(net(x), x) for _ in range(20))


def test_training_true_in_a_node_is_the_default_of_call() -> None:
    """A functional model notes training=True for these layers, whoever called them."""
    inputs = keras.Input((9, 7, 3))
    x = inputs
    for name in ("flip", "zoom", "contrast", "jitter", "crop to the same"):
        x = NOTHING[name]()(x)
    x = layers.Resizing(6, 5)(layers.CenterCrop(8, 6)(x))
    result = oracle.compare(keras.Model(inputs, x), images(2, 9, 7, 3), gradients=False)
    assert "RandomFlip" in result.model_source


def keras_statistics(layer: Any, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    outputs = np.asarray(layer(x, training=True))
    return outputs.mean(axis=0), outputs.std(axis=0)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.RandomFlip("horizontal", seed=1),
        lambda: layers.RandomRotation(0.1, seed=1),
        lambda: layers.RandomZoom(0.4, 0.3, seed=1),
        lambda: layers.RandomTranslation((-0.3, 0.1), 0.2, seed=1),
        lambda: layers.RandomShear(0.3, 0.4, seed=1),
        lambda: layers.RandomPerspective(0.8, 0.6, seed=1),
        lambda: layers.RandomErasing((0.5, 1.0), (0.1, 0.6), 9.0, seed=1),
        lambda: layers.RandomBrightness(0.3, seed=1),
        lambda: layers.RandomContrast(0.8, seed=1),
        lambda: layers.RandomHue(0.4, seed=1),
        lambda: layers.RandomSaturation((0.2, 0.7), seed=1),
        lambda: layers.Solarization(0.5, 0.9, seed=1),
        lambda: layers.RandomPosterization((2, 6), seed=1),
        lambda: layers.RandomSharpness(0.9, seed=1),
        lambda: layers.RandomInvert(0.7, seed=1),
        lambda: layers.RandomColorDegeneration(0.7, seed=1),
    ],
)
def test_the_distribution_is_the_same(layer: Callable[[], Any]) -> None:
    """Mean and deviation of every pixel over 4000 draws."""
    keras_layer = layer()
    image = np.random.default_rng(3).uniform(0, 255, (1, 6, 5, 3)).astype("float32")
    x = np.repeat(image, 4000, axis=0)
    mean, deviation = keras_statistics(keras_layer, x)
    net = oracle.build(oracle.keras2torch.generate(on(layer(), (6, 5, 3)))).train()
    torch.manual_seed(0)
    outputs = net(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy().transpose(0, 2, 3, 1)
    error = 6 * np.maximum(deviation, 1.0) / np.sqrt(4000)  # six standard errors
    assert (np.abs(outputs.mean(axis=0) - mean) < 1.5 * error).all()
    assert (np.abs(outputs.std(axis=0) - deviation) < 1.5 * error).all()


def test_equalization_is_keras_own() -> None:
    (x,) = images(2, 6, 5, 3)
    expected = np.asarray(layers.Equalization(bins=64)(x, training=True))
    actual = augment_color.equalize(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), (0, 255), 64)
    np.testing.assert_allclose(actual.numpy().transpose(0, 2, 3, 1), expected, atol=1e-3)


def test_colour_spaces_are_inverse() -> None:
    x = torch.rand(2, 3, 4, 5)
    torch.testing.assert_close(augment_color.hsv_to_rgb(augment_color.rgb_to_hsv(x)), x)


def test_boxes_have_their_size() -> None:
    x = torch.zeros(500, 1, 40, 30)
    inside, area = augment.random_boxes(x, torch.full((500,), 0.5), torch.full((500,), 0.25))
    assert float((inside.sum((1, 2, 3)) - area.flatten()).abs().mean()) < 8


def test_an_operation_drawn_twice_makes_one_change() -> None:
    net = augment_mix.RandAugment((0, 255), 2, (0.0, 0.5)).train()
    net.operations = torch.nn.ModuleList([augment_color.RandomBrightness((0.1, 0.4), (0, 1e6))])
    change = net(torch.zeros(5, 3, 4, 4))[:, 0, 0, 0] / 2
    assert ((change > 1e5 - 1) & (change < 4e5 + 1)).all() and change.std() > 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: on(layers.RandomCrop(4, 4)), "Keras 3 crops in training only"),
        (lambda: on(layers.RandomBrightness(0.2), dtype="uint8"), "images of integers"),
        (lambda: on(layers.Resizing(4, 4), (9, 7)), "an input of 3 axes"),
    ],
)
def test_what_cannot_be_exact_is_refused(model: Built, message: str) -> None:
    with pytest.raises(K2TError, match=message):
        oracle.keras2torch.generate(model())


@pytest.mark.parametrize(
    "options", [{"interpolation": "bicubic"}, {"crop_to_aspect_ratio": True, "antialias": True}]
)
def test_images_of_the_size_asked_for_are_not_resized(options) -> None:
    x = keras.Input((6, 8, 3))
    square = keras.layers.Resizing(6, 6, interpolation="nearest", crop_to_aspect_ratio=True)
    model = keras.Model(x, square(keras.layers.Resizing(6, 8, **options)(x)))
    assert "interpolate" not in oracle.keras2torch.generate(model).model_source
    oracle.compare(model)
