"""InceptionV3, InceptionResNetV2 and Xception.

Source: keras/src/applications/{inception_v3,inception_resnet_v2,xception}.py of Keras 3.15.
"""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import (
    STANDARD,
    batch_norm,
    channels,
    concatenate,
    finish,
    image_input,
    layers,
    network,
)


def conv_norm(
    x: Any,
    filters: int,
    kernel: Any,
    stride: int = 1,
    padding: str = "same",
    names: Any = (None, None, None),
) -> Any:
    """Convolution, normalisation, ReLU."""
    x = layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, use_bias=False, name=names[0]
    )(x)
    x = batch_norm(scale=False, name=names[1])(x)
    return layers.Activation("relu", name=names[2])(x)


def _chain(x: Any, *convolutions: Any) -> Any:
    """Several conv_norm: (filters, kernel), and perhaps a stride for a "valid" one."""
    for filters, kernel, *stride in convolutions:
        options: dict[str, Any] = {"stride": stride[0], "padding": "valid"} if stride else {}
        x = conv_norm(x, filters, kernel, **options)
    return x


def _pool(x: Any, filters: int) -> Any:
    return conv_norm(layers.AveragePooling2D(3, strides=1, padding="same")(x), filters, 1)


def _stem(image: Any) -> Any:
    x = conv_norm(image, 32, 3, 2, "valid")
    x = conv_norm(x, 32, 3, 1, "valid")
    x = conv_norm(x, 64, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv_norm(x, 80, 1, 1, "valid")
    x = conv_norm(x, 192, 3, 1, "valid")
    return layers.MaxPooling2D(3, strides=2)(x)


# InceptionV3.
def inception_a(x: Any, pool: int, name: str) -> Any:
    """1x1, 5x5 and twice 3x3 side by side."""
    branches = [
        _chain(x, (64, 1)),
        _chain(x, (48, 1), (64, 5)),
        _chain(x, (64, 1), (96, 3), (96, 3)),
        _pool(x, pool),
    ]
    return concatenate(branches, name)


def inception_b(x: Any, filters: int, name: str) -> Any:
    """7x7 as 1x7 and 7x1."""
    short = _chain(x, (192, 1))
    middle = _chain(x, (filters, 1), (filters, (1, 7)), (192, (7, 1)))
    long = _chain(
        x, (filters, 1), (filters, (7, 1)), (filters, (1, 7)), (filters, (7, 1)), (192, (1, 7))
    )
    return concatenate([short, middle, long, _pool(x, 192)], name)


def inception_c(x: Any, index: int) -> Any:
    """3x3 split into 1x3 and 3x1 side by side."""
    short = _chain(x, (320, 1))
    middle = _chain(x, (384, 1))
    middle = concatenate(
        [_chain(middle, (384, (1, 3))), _chain(middle, (384, (3, 1)))], f"mixed9_{index}"
    )
    long = _chain(x, (448, 1), (384, 3))
    long = concatenate([_chain(long, (384, (1, 3))), _chain(long, (384, (3, 1)))])
    return concatenate([short, middle, long, _pool(x, 192)], f"mixed{9 + index}")


def _inception_v3(options: Any) -> Any:
    image = image_input(options, 299, 75)
    x = _stem(image)
    for i, pool in enumerate((32, 64, 64)):
        x = inception_a(x, pool, f"mixed{i}")
    branches = [
        _chain(x, (384, 3, 2)),
        _chain(x, (64, 1), (96, 3), (96, 3, 2)),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    x = concatenate(branches, "mixed3")
    for i, filters in enumerate((128, 160, 160, 192), 4):
        x = inception_b(x, filters, f"mixed{i}")
    first = _chain(x, (192, 1), (320, 3, 2))
    second = _chain(x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2))
    x = concatenate([first, second, layers.MaxPooling2D(3, strides=2)(x)], "mixed8")
    for i in range(2):
        x = inception_c(x, i)
    file = "inception_v3_weights_tf_dim_ordering_tf_kernels"
    return finish(options, image, x, (f"{file}.h5", f"{file}_notop.h5"))


# InceptionResNetV2.
_BRANCHES: dict[str, Any] = {
    "block35": [((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))],
    "block17": [((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))],
    "block8": [((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))],
}


def inception_residual(x: Any, scale: float, kind: str, number: int, active: bool) -> Any:
    """Branches of convolutions, scaled, beside the input."""
    name = f"{kind}_{number}"
    mixed = concatenate([_chain(x, *branch) for branch in _BRANCHES[kind]], f"{name}_mixed")
    up = layers.Conv2D(channels(x), 1, padding="same", name=f"{name}_conv")(mixed)
    x = layers.CustomScaleLayer(scale)([x, up])
    return layers.Activation("relu", name=f"{name}_ac")(x) if active else x


def _inception_resnet_v2(options: Any) -> Any:
    image = image_input(options, 299, 75)
    x = _stem(image)
    branches = [
        _chain(x, (96, 1)),
        _chain(x, (48, 1), (64, 5)),
        _chain(x, (64, 1), (96, 3), (96, 3)),
        _pool(x, 64),
    ]
    x = concatenate(branches, "mixed_5b")
    for i in range(1, 11):
        x = inception_residual(x, 0.17, "block35", i, True)
    branches = [
        _chain(x, (384, 3, 2)),
        _chain(x, (256, 1), (256, 3), (384, 3, 2)),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    x = concatenate(branches, "mixed_6a")
    for i in range(1, 21):
        x = inception_residual(x, 0.1, "block17", i, True)
    branches = [
        _chain(x, (256, 1), (384, 3, 2)),
        _chain(x, (256, 1), (288, 3, 2)),
        _chain(x, (256, 1), (288, 3), (320, 3, 2)),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    x = concatenate(branches, "mixed_7a")
    for i in range(1, 10):
        x = inception_residual(x, 0.2, "block8", i, True)
    x = inception_residual(x, 1.0, "block8", 10, False)
    x = conv_norm(x, 1536, 1, names=("conv_7b", "conv_7b_bn", "conv_7b_ac"))
    file = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels"
    return finish(options, image, x, (f"{file}.h5", f"{file}_notop.h5"))


# Xception.
def separable_norm(x: Any, filters: int, name: str) -> Any:
    """Separable convolution and normalisation."""
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return batch_norm(name=f"{name}_bn")(x)


def entry_block(x: Any, first: int, last: int, number: int, active: bool) -> Any:
    """Two separable convolutions and a pooling, beside a strided convolution."""
    residual = batch_norm()(layers.Conv2D(last, 1, strides=2, padding="same", use_bias=False)(x))
    if active:
        x = layers.Activation("relu", name=f"block{number}_sepconv1_act")(x)
    x = separable_norm(x, first, f"block{number}_sepconv1")
    x = layers.Activation("relu", name=f"block{number}_sepconv2_act")(x)
    x = separable_norm(x, last, f"block{number}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"block{number}_pool")(x)
    return layers.Add()([x, residual])


def middle_block(x: Any, number: int) -> Any:
    """Three separable convolutions beside the input."""
    residual = x
    for i in (1, 2, 3):
        x = layers.Activation("relu", name=f"block{number}_sepconv{i}_act")(x)
        x = separable_norm(x, 728, f"block{number}_sepconv{i}")
    return layers.Add()([x, residual])


def _xception(options: Any) -> Any:
    image = image_input(options, 299, 71)
    x = image
    for i, (filters, stride) in enumerate(((32, 2), (64, 1)), 1):
        x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"block1_conv{i}")(x)
        x = batch_norm(name=f"block1_conv{i}_bn")(x)
        x = layers.Activation("relu", name=f"block1_conv{i}_act")(x)
    for number, filters in ((2, 128), (3, 256), (4, 728)):
        x = entry_block(x, filters, filters, number, number > 2)
    for number in range(5, 13):
        x = middle_block(x, number)
    x = entry_block(x, 728, 1024, 13, True)
    for i, filters in enumerate((1536, 2048), 1):
        x = separable_norm(x, filters, f"block14_sepconv{i}")
        x = layers.Activation("relu", name=f"block14_sepconv{i}_act")(x)
    file = "xception_weights_tf_dim_ordering_tf_kernels"
    return finish(options, image, x, (f"{file}.h5", f"{file}_notop.h5"))


NETWORKS = {
    "InceptionV3": network("InceptionV3", f"{STANDARD}, name='inception_v3'", _inception_v3),
    "InceptionResNetV2": network(
        "InceptionResNetV2", f"{STANDARD}, name='inception_resnet_v2'", _inception_resnet_v2
    ),
    "Xception": network("Xception", f"{STANDARD}, name='xception'", _xception),
}
