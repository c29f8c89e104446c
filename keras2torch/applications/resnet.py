"""ResNet and ResNetV2. Source: keras/src/applications/resnet.py, resnet_v2.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import (
    STANDARD,
    batch_norm,
    finish,
    image_input,
    layers,
    network,
)

_EPSILON = 1.001e-5


def residual_block(x: Any, filters: int, stride: int, shortcut: bool, name: str) -> Any:
    """1x1, 3x3, 1x1 convolutions beside the input."""
    residual = x
    if shortcut:
        residual = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        residual = batch_norm(epsilon=_EPSILON, name=f"{name}_0_bn")(residual)
    x = layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_1_bn")(x)
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(x)
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_2_bn")(x)
    x = layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_3_bn")(x)
    x = layers.Add(name=f"{name}_add")([residual, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def preactivation_block(x: Any, filters: int, stride: int, shortcut: bool, name: str) -> Any:
    """As residual_block, with normalisation and activation in front of the convolutions."""
    first = batch_norm(epsilon=_EPSILON, name=f"{name}_preact_bn")(x)
    first = layers.Activation("relu", name=f"{name}_preact_relu")(first)
    if shortcut:
        residual = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(first)
    else:
        residual = layers.MaxPooling2D(1, strides=stride)(x) if stride > 1 else x
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_1_conv")(first)
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_1_bn")(x)
    x = layers.Activation("relu", name=f"{name}_1_relu")(x)
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(filters, 3, strides=stride, use_bias=False, name=f"{name}_2_conv")(x)
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_2_bn")(x)
    x = layers.Activation("relu", name=f"{name}_2_relu")(x)
    x = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([residual, x])


def _resnet(name: str, blocks: tuple[int, ...]) -> Any:
    preact = name.endswith("V2")

    def build(options: Any) -> Any:
        image = image_input(options, 224)
        x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
        x = layers.Conv2D(64, 7, strides=2, use_bias=True, name="conv1_conv")(x)
        if not preact:
            x = batch_norm(epsilon=_EPSILON, name="conv1_bn")(x)
            x = layers.Activation("relu", name="conv1_relu")(x)
        x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
        for stage, count in enumerate(blocks):
            for i in range(1, count + 1):
                block = f"conv{stage + 2}_block{i}"
                if preact:
                    stride = 2 if i == count and stage < 3 else 1
                    x = preactivation_block(x, 64 * 2**stage, stride, i == 1, block)
                else:
                    stride = 2 if i == 1 and stage > 0 else 1
                    x = residual_block(x, 64 * 2**stage, stride, i == 1, block)
        if preact:
            x = batch_norm(epsilon=_EPSILON, name="post_bn")(x)
            x = layers.Activation("relu", name="post_relu")(x)
        file = f"{name.lower()}_weights_tf_dim_ordering_tf_kernels"
        return finish(
            options, image, x, (f"{file}.h5", f"{file}_notop.h5"), ("avg_pool", "max_pool")
        )

    return network(name, f"{STANDARD}, name={name.lower()!r}", build)


NETWORKS = {
    f"ResNet{depth}{version}": _resnet(f"ResNet{depth}{version}", blocks)
    for depth, blocks in ((50, (3, 4, 6, 3)), (101, (3, 4, 23, 3)), (152, (3, 8, 36, 3)))
    for version in ("", "V2")
}
