"""NASNet. Source: keras/src/applications/nasnet.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import (
    batch_norm,
    channels,
    concatenate,
    correct_pad,
    finished,
    image_input,
    image_size,
    layers,
    network,
    pooled,
    predictions,
)

_NORM = {"momentum": 0.9997, "epsilon": 1e-3}


def _conv(filters: int, name: str) -> Any:
    return layers.Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )


def separable_block(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    """Two separable convolutions, each with an activation in front and a normalisation behind."""
    x = layers.Activation("relu")(x)
    padding = "same"
    if stride == 2:
        x = layers.ZeroPadding2D(correct_pad(x, kernel), name=f"separable_conv_1_pad_{name}")(x)
        padding = "valid"
    x = layers.SeparableConv2D(
        filters,
        kernel,
        strides=stride,
        padding=padding,
        use_bias=False,
        name=f"separable_conv_1_{name}",
    )(x)
    x = batch_norm(name=f"separable_conv_1_bn_{name}", **_NORM)(x)
    x = layers.Activation("relu")(x)
    x = layers.SeparableConv2D(
        filters, kernel, padding="same", use_bias=False, name=f"separable_conv_2_{name}"
    )(x)
    return batch_norm(name=f"separable_conv_2_bn_{name}", **_NORM)(x)


def _adjusted(before: Any, x: Any, filters: int, name: str) -> Any:
    """The output of the cell before the last, in the size and channels of the last one's."""
    if before is None:
        return x
    if image_size(before)[1] != image_size(x)[1]:
        before = layers.Activation("relu", name=f"adjust_relu_1_{name}")(before)
        first = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_1_{name}")(before)
        first = _conv(filters // 2, f"adjust_conv_1_{name}")(first)
        second = layers.ZeroPadding2D(((0, 1), (0, 1)))(before)
        second = layers.Cropping2D(((1, 0), (1, 0)))(second)
        second = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_2_{name}")(second)
        second = _conv(filters // 2, f"adjust_conv_2_{name}")(second)
        return batch_norm(name=f"adjust_bn_{name}", **_NORM)(concatenate([first, second]))
    if channels(before) != filters:
        before = _conv(filters, f"adjust_conv_projection_{name}")(layers.Activation("relu")(before))
        return batch_norm(name=f"adjust_bn_{name}", **_NORM)(before)
    return before


def _squeezed(x: Any, filters: int, kind: str, name: str) -> Any:
    x = _conv(filters, f"{kind}_conv_1_{name}")(layers.Activation("relu")(x))
    return batch_norm(name=f"{kind}_bn_1_{name}", **_NORM)(x)


def _average(x: Any, name: str) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def normal_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    """A cell that keeps the size."""
    before = _adjusted(before, x, filters, name)
    h = _squeezed(x, filters, "normal", name)
    left = separable_block(h, filters, 5, 1, f"normal_left1_{name}")
    right = separable_block(before, filters, 3, 1, f"normal_right1_{name}")
    x1 = layers.Add(name=f"normal_add_1_{name}")([left, right])
    left = separable_block(before, filters, 5, 1, f"normal_left2_{name}")
    right = separable_block(before, filters, 3, 1, f"normal_right2_{name}")
    x2 = layers.Add(name=f"normal_add_2_{name}")([left, right])
    x3 = layers.Add(name=f"normal_add_3_{name}")([_average(h, f"normal_left3_{name}"), before])
    left, right = _average(before, f"normal_left4_{name}"), _average(
        before, f"normal_right4_{name}"
    )
    x4 = layers.Add(name=f"normal_add_4_{name}")([left, right])
    left = separable_block(h, filters, 3, 1, f"normal_left5_{name}")
    x5 = layers.Add(name=f"normal_add_5_{name}")([left, h])
    return concatenate([before, x1, x2, x3, x4, x5], name=f"normal_concat_{name}")


def reduction_cell(x: Any, before: Any, filters: int, name: str) -> Any:
    """A cell that halves the size."""
    before = _adjusted(before, x, filters, name)
    h = _squeezed(x, filters, "reduction", name)
    padded = layers.ZeroPadding2D(correct_pad(h, 3), name=f"reduction_pad_1_{name}")(h)
    left = separable_block(h, filters, 5, 2, f"reduction_left1_{name}")
    right = separable_block(before, filters, 7, 2, f"reduction_right1_{name}")
    x1 = layers.Add(name=f"reduction_add_1_{name}")([left, right])
    left = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{name}")(padded)
    right = separable_block(before, filters, 7, 2, f"reduction_right2_{name}")
    x2 = layers.Add(name=f"reduction_add_2_{name}")([left, right])
    left = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{name}")(padded)
    right = separable_block(before, filters, 5, 2, f"reduction_right3_{name}")
    x3 = layers.Add(name=f"reduction_add3_{name}")([left, right])
    x4 = layers.Add()([x2, _average(x1, f"reduction_left4_{name}")])
    left = separable_block(x1, filters, 3, 1, f"reduction_left4_{name}")
    right = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{name}")(padded)
    x5 = layers.Add(name=f"reduction_add4_{name}")([left, right])
    return concatenate([x2, x3, x4, x5], name=f"reduction_concat_{name}")


def _nasnet(
    name: str, size: int, filters: int, count: int, stem: int, skips: bool, file: str
) -> Any:
    def build(options: Any) -> Any:
        if size == 224 and options.input_shape is None:
            options.input_shape = (size, size, 3)
        image = image_input(options, size)
        x = layers.Conv2D(
            stem, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1"
        )(image)
        x = batch_norm(name="stem_bn1", **_NORM)(x)
        before, x = x, reduction_cell(x, None, filters // 4, "stem_1")
        before, x = x, reduction_cell(x, before, filters // 2, "stem_2")
        for stage in range(3):
            width = filters * 2**stage
            if stage:
                previous, x = x, reduction_cell(x, before, width, f"reduce_{stage * count}")
                before = before if skips else previous
            for i in range(count):
                before, x = x, normal_cell(x, before, width, str(stage * count + i + (stage > 0)))
        x = layers.Activation("relu")(x)
        if options.include_top:
            x = predictions(options, layers.GlobalAveragePooling2D()(x))
        else:
            x = pooled(options, x)
        return finished(options, image, x, (f"{file}.h5", f"{file}_no_top.h5"))

    signature = (
        "input_shape=None, include_top=True, weights='imagenet', input_tensor=None, pooling=None, classes=1000, "
        f"classifier_activation='softmax', name={file!r}"
    )
    return network(name, signature, build)


NETWORKS = {
    "NASNetMobile": _nasnet("NASNetMobile", 224, 1056 // 24, 4, 32, False, "nasnet_mobile"),
    "NASNetLarge": _nasnet("NASNetLarge", 331, 4032 // 24, 6, 96, True, "nasnet_large"),
}
