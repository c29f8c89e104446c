"""DenseNet. Source: keras/src/applications/densenet.py of Keras 3.15."""

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

_EPSILON = 1.001e-5


def dense_layer(x: Any, growth: int, name: str) -> Any:
    """New channels, beside all that there are."""
    new = batch_norm(epsilon=_EPSILON, name=f"{name}_0_bn")(x)
    new = layers.Activation("relu", name=f"{name}_0_relu")(new)
    new = layers.Conv2D(4 * growth, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = batch_norm(epsilon=_EPSILON, name=f"{name}_1_bn")(new)
    new = layers.Activation("relu", name=f"{name}_1_relu")(new)
    new = layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return concatenate([x, new], name=f"{name}_concat")


def transition(x: Any, name: str) -> Any:
    """Half the channels and half the size."""
    x = batch_norm(epsilon=_EPSILON, name=f"{name}_bn")(x)
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = layers.Conv2D(channels(x) // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _densenet(name: str, blocks: tuple[int, ...]) -> Any:
    def build(options: Any) -> Any:
        image = image_input(options, 224)
        x = layers.ZeroPadding2D(3)(image)
        x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
        x = batch_norm(epsilon=_EPSILON, name="conv1_bn")(x)
        x = layers.Activation("relu", name="conv1_relu")(x)
        x = layers.ZeroPadding2D(1)(x)
        x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
        for stage, count in enumerate(blocks, 2):
            for i in range(1, count + 1):
                x = dense_layer(x, 32, f"conv{stage}_block{i}")
            if stage < 5:
                x = transition(x, f"pool{stage}")
        x = batch_norm(epsilon=_EPSILON, name="bn")(x)
        x = layers.Activation("relu", name="relu")(x)
        file = f"{name.lower()}_weights_tf_dim_ordering_tf_kernels"
        return finish(
            options, image, x, (f"{file}.h5", f"{file}_notop.h5"), ("avg_pool", "max_pool")
        )

    return network(name, f"{STANDARD}, name={name.lower()!r}", build)


NETWORKS = {
    f"DenseNet{depth}": _densenet(f"DenseNet{depth}", blocks)
    for depth, blocks in ((121, (6, 12, 24, 16)), (169, (6, 12, 32, 32)), (201, (6, 12, 48, 32)))
}
