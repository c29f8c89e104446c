"""Functions on images."""

# ruff: noqa: E501 - a case a line

from __future__ import annotations

import numpy as np
import pytest
from ops_oracle import N, check, f

pytestmark = pytest.mark.thin(12)

X, S = f(N, 6, 8, 3, low=0, high=1), f(6, 8, 3, low=0, high=1)
AFFINE = np.array([1.1, 0.2, -0.7, -0.1, 0.9, 0.4, 0, 0], "float32")
START = np.array([[0, 0], [0, 7], [5, 0], [5, 7]], "float32")
END = np.array([[0.5, 1], [1, 6], [5, 0.3], [4.5, 7]], "float32")
METHODS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
CASES = {
    **{
        f"resize {m} {h}x{w} {a}": (lambda ops, x, m=m, h=h, w=w, a=a: ops.image.resize(x, (h, w), m, antialias=a), (X,))
        for m in METHODS
        for h, w in ((9, 16), (4, 5), (3, 11))
        for a in (False, True)
    },
    "resize one": (lambda ops, x: ops.image.resize(x, (4, 4)), (S,)),
    "resize channels first": (lambda ops, x: ops.image.resize(x, (4, 4), data_format="channels_first"), (f(N, 3, 6, 8),)),
    "resize crop": (lambda ops, x: ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True), (X,)),
    "resize pad": (lambda ops, x: ops.image.resize(x, (4, 4), pad_to_aspect_ratio=True, fill_value=0.5), (X,)),
    "extract_patches": (lambda ops, x: (ops.image.extract_patches(x, 2), ops.image.extract_patches(x, (3, 2), padding="same")), (X,)),
    "extract_patches strides": (
        lambda ops, x: (ops.image.extract_patches(x, 3, 1), ops.image.extract_patches(x, 2, 1, dilation_rate=2)), (X,)),
    "extract_patches one": (lambda ops, x: ops.image.extract_patches(x, 2), (S,)),
    "extract_patches channels first": (
        lambda ops, x: ops.image.extract_patches(x, 2, data_format="channels_first"), (f(N, 3, 6, 8),)),
    "extract_patches_3d": (lambda ops, x: ops.image.extract_patches_3d(x, 2), (f(N, 4, 4, 6, 2),)),
    "pad_images": (
        lambda ops, x: (ops.image.pad_images(x, 1, 2, 3, 0), ops.image.pad_images(x, 1, 2, target_height=9, target_width=12)), (X,)),
    "crop_images": (
        lambda ops, x: (ops.image.crop_images(x, 1, 2, 2, 1), ops.image.crop_images(x, 1, 2, target_height=3, target_width=4)), (X,)),
    "rgb_to_grayscale": (lambda ops, x: ops.image.rgb_to_grayscale(x), (X,)),
    "grayscale channels first": (lambda ops, x: ops.image.rgb_to_grayscale(x, "channels_first"), (f(N, 3, 4, 4),)),
    "rgb_to_hsv": (lambda ops, x: ops.image.rgb_to_hsv(x), (X,)),
    "hsv_to_rgb": (lambda ops, x: ops.image.hsv_to_rgb(x), (X,)),
    "gaussian_blur": (lambda ops, x: (ops.image.gaussian_blur(x, (3, 5), (1.0, 2.0), data_format="channels_last"),), (X,)),
    "sobel_edges": (lambda ops, x: ops.image.sobel_edges(x), (X,)),
    "ssim": (lambda ops, x, y: ops.image.ssim(x, y, filter_size=5), (X, X)),
    "affine": (lambda ops, x: ops.image.affine_transform(x, ops.tile(ops.convert_to_tensor(AFFINE)[None], (ops.shape(x)[0], 1))), (X,)),
    **{
        f"affine {mode} {kind}": (
            lambda ops, x, mode=mode, kind=kind: ops.image.affine_transform(x, AFFINE, kind, fill_mode=mode, fill_value=0.3), (S,))
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect")
        for kind in ("bilinear", "nearest")
    },
    "perspective": (lambda ops, x: ops.image.perspective_transform(x, START, END), (S,)),
    "map_coordinates": (lambda ops, x, p: (ops.image.map_coordinates(x, p, 1), ops.image.map_coordinates(x, p, 0, "reflect")),
                        (f(6, 7), f(2, 4, 3, low=-2, high=8))),
    **{
        f"scale_and_translate {m} {a}": (
            lambda ops, x, m=m, a=a: ops.image.scale_and_translate(
                x, (9, 5, 3), np.array([1.3, 0.6], "float32"), np.array([0.4, -1.0], "float32"), (0, 1), m, a), (S,))
        for m in ("linear", "cubic", "lanczos3")
        for a in (True, False)
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_image(name: str) -> None:
    function, arrays = CASES[name]
    steep = name.startswith(("rgb_to_hsv", "perspective"))
    check(function, arrays, specs=False, tolerance=2e-5, gradients=not steep)
