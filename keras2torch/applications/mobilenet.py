"""MobileNet, V2 and V3. Source: keras/src/applications/mobilenet.py, mobilenet_v2.py, mobilenet_v3.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import (
    batch_norm,
    channels,
    correct_pad,
    divisible,
    finish,
    finished,
    image_input,
    image_size,
    layers,
    network,
    pooled,
)


# MobileNet.
def separable_block(x: Any, filters: int, stride: int, multiplier: int, number: int) -> Any:
    """A depthwise and a pointwise convolution."""
    if stride == 2:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = batch_norm(name=f"conv_dw_{number}_bn")(x)
    x = layers.ReLU(6.0, name=f"conv_dw_{number}_relu")(x)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    x = batch_norm(name=f"conv_pw_{number}_bn")(x)
    return layers.ReLU(6.0, name=f"conv_pw_{number}_relu")(x)


def _trained_size(image: Any, sizes: tuple[int, ...]) -> int:
    """The input size of the trained weights that Keras takes for this input."""
    rows, columns = image_size(image)
    return rows if rows == columns and rows in sizes else 224


_FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)


def _mobilenet(options: Any) -> Any:
    image = image_input(options, 224)
    alpha = options.alpha
    rows = image_size(image)[0]
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(
        image
    )
    x = batch_norm(name="conv1_bn")(x)
    x = layers.ReLU(6.0, name="conv1_relu")(x)
    for number, filters in enumerate(_FILTERS, 1):
        stride = 2 if number in (2, 4, 6, 12) else 1
        x = separable_block(x, int(filters * alpha), stride, options.depth_multiplier, number)
    if options.include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(options.dropout, name="dropout")(x)
        x = layers.Conv2D(options.classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((options.classes,), name="reshape_2")(x)
        x = layers.Activation(options.classifier_activation or "linear", name="predictions")(x)
    else:
        x = pooled(options, x)
    size = _trained_size(image, (128, 160, 192, 224))
    options.name = (
        options.name or f"mobilenet_{alpha:0.2f}_{size if options.weights == 'imagenet' else rows}"
    )
    width = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0"}.get(alpha, "2_5")
    file = f"mobilenet_{width}_{size}_tf"
    return finished(options, image, x, (f"{file}.h5", f"{file}_no_top.h5"))


# MobileNetV2.
def inverted_residual(x: Any, filters: int, stride: int, expansion: int, number: int) -> Any:
    """Expand, filter each channel, project; beside the input where the shape stays."""
    inputs, prefix = x, f"block_{number}_" if number else "expanded_conv_"
    options = {"epsilon": 1e-3, "momentum": 0.999}
    if number:
        x = layers.Conv2D(
            expansion * channels(x), 1, padding="same", use_bias=False, name=f"{prefix}expand"
        )(x)
        x = batch_norm(name=f"{prefix}expand_BN", **options)(x)
        x = layers.ReLU(6.0, name=f"{prefix}expand_relu")(x)
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, 3), name=f"{prefix}pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(
        3, strides=stride, padding=padding, use_bias=False, name=f"{prefix}depthwise"
    )(x)
    x = batch_norm(name=f"{prefix}depthwise_BN", **options)(x)
    x = layers.ReLU(6.0, name=f"{prefix}depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = batch_norm(name=f"{prefix}project_BN", **options)(x)
    if channels(inputs) == filters and stride == 1:
        return layers.Add(name=f"{prefix}add")([inputs, x])
    return x


_STAGES_V2 = (
    (16, 1, 1, 1),
    (24, 2, 2, 6),
    (32, 3, 2, 6),
    (64, 4, 2, 6),
    (96, 3, 1, 6),
    (160, 3, 2, 6),
    (320, 1, 1, 6),
)
"""(filters, blocks, stride of the first, expansion)."""


def _mobilenet_v2(options: Any) -> Any:
    image = image_input(options, 224)
    alpha, rows = options.alpha, image_size(image)[0]
    norm = {"epsilon": 1e-3, "momentum": 0.999}
    first = divisible(32 * alpha)
    x = layers.Conv2D(first, 3, strides=2, padding="same", use_bias=False, name="Conv1")(image)
    x = batch_norm(name="bn_Conv1", **norm)(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(x)
    number = 0
    for filters, count, stride, expansion in _STAGES_V2:
        for i in range(count):
            wide = divisible(int(filters * alpha))
            x = inverted_residual(x, wide, stride if i == 0 else 1, expansion, number)
            number += 1
    last = divisible(1280 * alpha) if alpha > 1.0 else 1280
    x = layers.Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = batch_norm(name="Conv_1_bn", **norm)(x)
    x = layers.ReLU(6.0, name="out_relu")(x)
    size = _trained_size(image, (96, 128, 160, 192, 224))
    options.name = (
        options.name
        or f"mobilenetv2_{alpha:0.2f}_{size if options.weights == 'imagenet' else rows}"
    )
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
    return finish(options, image, x, (f"{file}.h5", f"{file}_no_top.h5"), top=None)


# MobileNetV3.
def _activation(x: Any, kind: str) -> Any:
    return layers.ReLU()(x) if kind == "relu" else layers.Activation("hard_swish")(x)


def squeeze_excite(x: Any, reduced: int, prefix: str) -> Any:
    """Each channel times a factor that all of them decide."""
    squeezed = layers.GlobalAveragePooling2D(
        keepdims=True, name=f"{prefix}squeeze_excite_avg_pool"
    )(x)
    squeezed = layers.Conv2D(reduced, 1, padding="same", name=f"{prefix}squeeze_excite_conv")(
        squeezed
    )
    squeezed = layers.ReLU(name=f"{prefix}squeeze_excite_relu")(squeezed)
    factor = layers.Conv2D(channels(x), 1, padding="same", name=f"{prefix}squeeze_excite_conv_1")(
        squeezed
    )
    factor = layers.ReLU(6.0)(factor + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{prefix}squeeze_excite_mul")([x, factor])


def bottleneck(
    x: Any,
    expansion: float,
    filters: int,
    kernel: int,
    stride: int,
    squeeze: bool,
    kind: str,
    number: int,
) -> Any:
    """An inverted residual, with squeeze and excitation."""
    inputs, prefix = x, f"expanded_conv_{number}_" if number else "expanded_conv_"
    norm = {"epsilon": 1e-3, "momentum": 0.999}
    wide = divisible(channels(x) * expansion)
    if number:
        x = layers.Conv2D(wide, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = _activation(batch_norm(name=f"{prefix}expand_bn", **norm)(x), kind)
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, kernel), name=f"{prefix}depthwise_pad")(x)
    padding = "same" if stride == 1 else "valid"
    x = layers.DepthwiseConv2D(
        kernel, strides=stride, padding=padding, use_bias=False, name=f"{prefix}depthwise"
    )(x)
    x = _activation(batch_norm(name=f"{prefix}depthwise_bn", **norm)(x), kind)
    if squeeze:
        x = squeeze_excite(x, divisible(wide * 0.25), prefix)
    x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = batch_norm(name=f"{prefix}project_bn", **norm)(x)
    if stride == 1 and channels(inputs) == filters:
        x = layers.Add(name=f"{prefix}add")([inputs, x])
    return x


# (expansion, filters, kernel (0: 3 if minimalistic, else 5), stride, squeeze, activation).
_SMALL = (
    (1, 16, 3, 2, True, "relu"), (72.0 / 16, 24, 3, 2, False, "relu"), (88.0 / 24, 24, 3, 1, False, "relu"),
    (4, 40, 0, 2, True, "swish"), (6, 40, 0, 1, True, "swish"), (6, 40, 0, 1, True, "swish"),
    (3, 48, 0, 1, True, "swish"), (3, 48, 0, 1, True, "swish"), (6, 96, 0, 2, True, "swish"),
    (6, 96, 0, 1, True, "swish"), (6, 96, 0, 1, True, "swish"),
)  # fmt: skip
_LARGE = (
    (1, 16, 3, 1, False, "relu"), (4, 24, 3, 2, False, "relu"), (3, 24, 3, 1, False, "relu"),
    (3, 40, 0, 2, True, "relu"), (3, 40, 0, 1, True, "relu"), (3, 40, 0, 1, True, "relu"),
    (6, 80, 3, 2, False, "swish"), (2.5, 80, 3, 1, False, "swish"), (2.3, 80, 3, 1, False, "swish"),
    (2.3, 80, 3, 1, False, "swish"), (6, 112, 3, 1, True, "swish"), (6, 112, 3, 1, True, "swish"),
    (6, 160, 0, 2, True, "swish"), (6, 160, 0, 1, True, "swish"), (6, 160, 0, 1, True, "swish"),
)  # fmt: skip


def _mobilenet_v3(kind: str, blocks: Any, last_point: int) -> Any:
    def build(options: Any) -> Any:
        image = image_input(options, None)
        alpha, plain = options.alpha, options.minimalistic
        norm = {"epsilon": 1e-3, "momentum": 0.999}
        x = layers.Rescaling(1.0 / 127.5, -1.0)(image) if options.include_preprocessing else image
        x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
        name = "relu" if plain else "swish"
        x = _activation(batch_norm(name="conv_bn", **norm)(x), name)
        for number, (expansion, filters, kernel, stride, squeeze, activation) in enumerate(blocks):
            kernel = kernel or (3 if plain else 5)
            activation = "relu" if plain else activation
            filters = divisible(filters * alpha)
            x = bottleneck(
                x, expansion, filters, kernel, stride, squeeze and not plain, activation, number
            )
        x = layers.Conv2D(
            divisible(channels(x) * 6), 1, padding="same", use_bias=False, name="conv_1"
        )(x)
        x = _activation(batch_norm(name="conv_1_bn", **norm)(x), name)
        if options.include_top:
            wide = divisible(last_point * alpha) if alpha > 1.0 else last_point
            x = layers.GlobalAveragePooling2D(keepdims=True)(x)
            x = _activation(layers.Conv2D(wide, 1, padding="same", name="conv_2")(x), name)
            if options.dropout_rate > 0:
                x = layers.Dropout(options.dropout_rate)(x)
            x = layers.Conv2D(options.classes, 1, padding="same", name="logits")(x)
            x = layers.Flatten()(x)
            x = layers.Activation(options.classifier_activation or "linear", name="predictions")(x)
        else:
            x = pooled(options, x, ("avg_pool", "max_pool"))
        file = f"weights_mobilenet_v3_{kind}{'_minimalistic' if plain else ''}_224_{alpha}_float"
        return finished(options, image, x, (f"{file}.h5", f"{file}_no_top_v2.h5"))

    name = f"MobileNetV3{kind.capitalize()}"
    signature = (
        "input_shape=None, alpha=1.0, minimalistic=False, include_top=True, weights='imagenet', input_tensor=None, "
        "classes=1000, pooling=None, dropout_rate=0.2, classifier_activation='softmax', include_preprocessing=True, "
        f"name={name!r}"
    )
    return network(name, signature, build)


_REST = (
    "include_top=True, weights='imagenet', input_tensor=None, pooling=None, classes=1000, "
    "classifier_activation='softmax', name=None"
)
NETWORKS = {
    "MobileNet": network(
        "MobileNet",
        f"input_shape=None, alpha=1.0, depth_multiplier=1, dropout=1e-3, {_REST}",
        _mobilenet,
    ),
    "MobileNetV2": network("MobileNetV2", f"input_shape=None, alpha=1.0, {_REST}", _mobilenet_v2),
    "MobileNetV3Small": _mobilenet_v3("small", _SMALL, 1024),
    "MobileNetV3Large": _mobilenet_v3("large", _LARGE, 1280),
}
