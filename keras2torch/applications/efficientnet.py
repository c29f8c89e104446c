"""EfficientNet and EfficientNetV2. Source: keras/src/applications/efficientnet.py, efficientnet_v2.py of Keras 3.15."""

from __future__ import annotations

import math
from typing import Any

from keras2torch.applications.parts import (
    CONV_INITIALIZER,
    DENSE_INITIALIZER,
    STANDARD,
    batch_norm,
    channel_axis,
    channels,
    correct_pad,
    divisible,
    finished,
    image_input,
    layers,
    network,
    pooled,
    predictions,
)


def _conv(filters: int, kernel: int, name: str, **options: Any) -> Any:
    options = {"padding": "same", "use_bias": False, **options}
    return layers.Conv2D(filters, kernel, kernel_initializer=CONV_INITIALIZER, name=name, **options)


def squeeze_excite(x: Any, reduced: int, name: str) -> Any:
    """Each channel times a factor that all of them decide."""
    filters = channels(x)
    shape = (filters, 1, 1) if channel_axis() == 1 else (1, 1, filters)
    factor = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    factor = layers.Reshape(shape, name=f"{name}se_reshape")(factor)
    factor = _conv(reduced, 1, f"{name}se_reduce", use_bias=True, activation="swish")(factor)
    factor = _conv(filters, 1, f"{name}se_expand", use_bias=True, activation="sigmoid")(factor)
    return layers.Multiply(name=f"{name}se_excite")([x, factor])


def _joined(x: Any, inputs: Any, stride: int, filters: int, drop: float, name: str) -> Any:
    """Beside the input, where the shape stays; left out for a share ``drop`` of the samples."""
    if stride != 1 or channels(inputs) != filters:
        return x
    if drop:
        x = layers.Dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
    return layers.Add(name=f"{name}add")([x, inputs])


def mobile_block(
    inputs: Any,
    filters: int,
    kernel: int,
    stride: int,
    expand: int,
    squeeze: float,
    drop: float,
    name: str,
    norm: Any = (),
) -> Any:
    """Expand, filter each channel, squeeze and excite, project. ``norm`` is EfficientNetV2's."""
    second, options = bool(norm), dict(norm)
    x, filters_in = inputs, channels(inputs)
    if expand != 1:
        x = _conv(filters_in * expand, 1, f"{name}expand_conv")(x)
        x = batch_norm(name=f"{name}expand_bn", **options)(x)
        x = layers.Activation("swish", name=f"{name}expand_activation")(x)
    padding = "same"
    if stride == 2 and not second:
        x = layers.ZeroPadding2D(correct_pad(x, kernel), name=f"{name}dwconv_pad")(x)
        padding = "valid"
    x = layers.DepthwiseConv2D(
        kernel,
        strides=stride,
        padding=padding,
        use_bias=False,
        depthwise_initializer=CONV_INITIALIZER,
        name=f"{name}dwconv2" if second else f"{name}dwconv",
    )(x)
    x = batch_norm(name=f"{name}bn", **options)(x)
    x = layers.Activation("swish", name=f"{name}activation")(x)
    if squeeze:
        x = squeeze_excite(x, max(1, int(filters_in * squeeze)), name)
    x = _conv(filters, 1, f"{name}project_conv")(x)
    x = batch_norm(name=f"{name}project_bn", **options)(x)
    return _joined(x, inputs, stride, filters, drop, name)


def fused_block(
    inputs: Any,
    filters: int,
    kernel: int,
    stride: int,
    expand: int,
    drop: float,
    name: str,
    norm: Any,
) -> Any:
    """As mobile_block, with one whole convolution instead of expanding and filtering."""
    x, options = inputs, dict(norm)
    if expand != 1:
        x = _conv(channels(x) * expand, kernel, f"{name}expand_conv", strides=stride)(x)
        x = batch_norm(name=f"{name}expand_bn", **options)(x)
        x = layers.Activation("swish", name=f"{name}expand_activation")(x)
        x = _conv(filters, 1, f"{name}project_conv")(x)
    else:
        x = _conv(filters, kernel, f"{name}project_conv", strides=stride)(x)
    x = batch_norm(name=f"{name}project_bn", **options)(x)
    if expand == 1:
        x = layers.Activation("swish", name=f"{name}project_activation")(x)
    return _joined(x, inputs, stride, filters, drop, name)


def _head(options: Any, x: Any, dropout: float) -> Any:
    if not options.include_top:
        return pooled(options, x, ("avg_pool", "max_pool"))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout, name="top_dropout")(x)
    return predictions(options, x, kernel_initializer=DENSE_INITIALIZER)


# EfficientNet: (kernel, repeats, filters, expand, stride).
_BLOCKS = (
    (3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1), (5, 4, 192, 6, 2), (3, 1, 320, 6, 1),
)  # fmt: skip


def _efficientnet(name: str, width: float, depth: float, size: int, dropout: float) -> Any:
    def build(options: Any) -> Any:
        image = image_input(options, size)
        x = layers.Normalization(axis=channel_axis())(layers.Rescaling(1.0 / 255.0)(image))
        if options.weights == "imagenet":
            # So Keras has it: the root is taken twice.
            x = layers.Rescaling(
                [1.0 / math.sqrt(deviation) for deviation in (0.229, 0.224, 0.225)]
            )(x)
        x = layers.ZeroPadding2D(correct_pad(x, 3), name="stem_conv_pad")(x)
        x = _conv(divisible(32 * width), 3, "stem_conv", strides=2, padding="valid")(x)
        x = layers.Activation("swish", name="stem_activation")(batch_norm(name="stem_bn")(x))
        total = float(sum(math.ceil(depth * repeats) for _, repeats, *_ in _BLOCKS))
        number = 0
        for stage, (kernel, repeats, filters, expand, stride) in enumerate(_BLOCKS, 1):
            for i in range(math.ceil(depth * repeats)):
                block, drop = f"block{stage}{chr(i + 97)}_", 0.2 * number / total
                step = stride if i == 0 else 1
                x = mobile_block(
                    x, divisible(filters * width), kernel, step, expand, 0.25, drop, block
                )
                number += 1
        x = _conv(divisible(1280 * width), 1, "top_conv")(x)
        x = layers.Activation("swish", name="top_activation")(batch_norm(name="top_bn")(x))
        x = _head(options, x, dropout)
        return finished(options, image, x, (f"{options.name}.h5", f"{options.name}_notop.h5"))

    return network(name, f"{STANDARD}, name={name.lower()!r}", build)


# EfficientNetV2: (kernel, repeats, filters, expand, squeeze, stride, fused), the stem's filters first.
_SMALLEST: Any = (32, (
    (3, 1, 16, 1, 0, 1, True), (3, 2, 32, 4, 0, 2, True), (3, 2, 48, 4, 0, 2, True), (3, 3, 96, 4, 0.25, 2, False),
    (3, 5, 112, 6, 0.25, 1, False), (3, 8, 192, 6, 0.25, 2, False),
))  # fmt: skip
_BLOCKS_V2: dict[str, Any] = {
    "S": (24, (
        (3, 2, 24, 1, 0, 1, True), (3, 4, 48, 4, 0, 2, True), (3, 4, 64, 4, 0, 2, True), (3, 6, 128, 4, 0.25, 2, False),
        (3, 9, 160, 6, 0.25, 1, False), (3, 15, 256, 6, 0.25, 2, False),
    )),
    "M": (24, (
        (3, 3, 24, 1, 0, 1, True), (3, 5, 48, 4, 0, 2, True), (3, 5, 80, 4, 0, 2, True), (3, 7, 160, 4, 0.25, 2, False),
        (3, 14, 176, 6, 0.25, 1, False), (3, 18, 304, 6, 0.25, 2, False), (3, 5, 512, 6, 0.25, 1, False),
    )),
    "L": (32, (
        (3, 4, 32, 1, 0, 1, True), (3, 7, 64, 4, 0, 2, True), (3, 7, 96, 4, 0, 2, True),
        (3, 10, 192, 4, 0.25, 2, False),
        (3, 19, 224, 6, 0.25, 1, False), (3, 25, 384, 6, 0.25, 2, False), (3, 7, 640, 6, 0.25, 1, False),
    )),
}  # fmt: skip


def _rounded(filters: int, width: float) -> int:
    """Filters in eights, as EfficientNetV2 rounds them."""
    return max(8, int(filters * width + 4) // 8 * 8)


def _efficientnet_v2(size: str, width: float, depth: float, pixels: int) -> Any:
    stem, blocks = _BLOCKS_V2.get(size, _SMALLEST)
    norm = (("momentum", 0.9),)

    def build(options: Any) -> Any:
        x = image = image_input(options, pixels)
        if options.include_preprocessing and size.startswith("B") and channels(image) == 3:
            x = layers.Rescaling(1.0 / 255)(x)
            variance = [0.229**2, 0.224**2, 0.225**2]
            x = layers.Normalization(
                mean=[0.485, 0.456, 0.406], variance=variance, axis=channel_axis()
            )(x)
        elif options.include_preprocessing:
            x = layers.Rescaling(1.0 / 128.0, -1)(x)
        x = _conv(_rounded(stem, width), 3, "stem_conv", strides=2)(x)
        x = layers.Activation("swish", name="stem_activation")(
            batch_norm(name="stem_bn", **dict(norm))(x)
        )
        total = float(sum(repeats for _, repeats, *_ in blocks))
        number = 0
        for stage, (kernel, repeats, filters, expand, squeeze, stride, fused) in enumerate(
            blocks, 1
        ):
            for i in range(math.ceil(depth * repeats)):
                name, drop = f"block{stage}{chr(i + 97)}_", 0.2 * number / total
                wide, step = _rounded(filters, width), stride if i == 0 else 1
                if fused:
                    x = fused_block(x, wide, kernel, step, expand, drop, name, norm)
                else:
                    x = mobile_block(x, wide, kernel, step, expand, squeeze, drop, name, norm)
                number += 1
        x = _conv(_rounded(1280, width), 1, "top_conv")(x)
        x = layers.Activation("swish", name="top_activation")(
            batch_norm(name="top_bn", **dict(norm))(x)
        )
        x = _head(options, x, 0.2)
        return finished(options, image, x, (f"{options.name}.h5", f"{options.name}_notop.h5"))

    name = f"efficientnetv2-{size.lower()}"
    return network(
        f"EfficientNetV2{size}", f"{STANDARD}, include_preprocessing=True, name={name!r}", build
    )


NETWORKS = {
    f"EfficientNetB{i}": _efficientnet(f"EfficientNetB{i}", *numbers)
    for i, numbers in enumerate(
        (
            (1.0, 1.0, 224, 0.2), (1.0, 1.1, 240, 0.2), (1.1, 1.2, 260, 0.3), (1.2, 1.4, 300, 0.3),
            (1.4, 1.8, 380, 0.4), (1.6, 2.2, 456, 0.4), (1.8, 2.6, 528, 0.5), (2.0, 3.1, 600, 0.5),
        )
    )
} | {
    f"EfficientNetV2{size}": _efficientnet_v2(size, width, depth, pixels)
    for size, width, depth, pixels in (
        ("B0", 1.0, 1.0, 224), ("B1", 1.0, 1.1, 240), ("B2", 1.1, 1.2, 260), ("B3", 1.2, 1.4, 300),
        ("S", 1.0, 1.0, 384), ("M", 1.0, 1.0, 480), ("L", 1.0, 1.0, 480),
    )
}  # fmt: skip
