"""ConvNeXt. Source: keras/src/applications/convnext.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import channels, finished, image_input, layers, network, pooled
from keras2torch.sequential import Sequential


def convnext_block(x: Any, dim: int, name: str) -> Any:
    """A wide depthwise convolution and two linear layers, scaled, beside the input."""
    inputs = x
    x = layers.Conv2D(dim, 7, padding="same", groups=dim, name=f"{name}_depthwise_conv")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_layernorm")(x)
    x = layers.Dense(4 * dim, name=f"{name}_pointwise_conv_1")(x)
    x = layers.Activation("gelu", name=f"{name}_gelu")(x)
    x = layers.Dense(dim, name=f"{name}_pointwise_conv_2")(x)
    x = layers.LayerScale(1e-6, dim, name=f"{name}_layer_scale")(x)
    return inputs + layers.Activation("linear", name=f"{name}_identity")(x)


def _convnext(size: str, depths: tuple[int, ...], first: int) -> Any:
    def build(options: Any) -> Any:
        x = image = image_input(options, 224)
        name = options.name
        if options.include_preprocessing and channels(image) == 3:
            x = layers.Normalization(
                mean=[0.485 * 255, 0.456 * 255, 0.406 * 255],
                variance=[(0.229 * 255) ** 2, (0.224 * 255) ** 2, (0.225 * 255) ** 2],
                name=f"{name}_prestem_normalization",
            )(x)
        stem = [
            layers.Conv2D(first, 4, strides=4, name=f"{name}_stem_conv"),
            layers.LayerNormalization(epsilon=1e-6, name=f"{name}_stem_layernorm"),
        ]
        steps = [Sequential(stem, name=f"{name}_stem")]
        for i in range(3):
            parts = [
                layers.LayerNormalization(epsilon=1e-6, name=f"{name}_downsampling_layernorm_{i}"),
                layers.Conv2D(
                    first * 2 ** (i + 1), 2, strides=2, name=f"{name}_downsampling_conv_{i}"
                ),
            ]
            steps.append(Sequential(parts, name=f"{name}_downsampling_block_{i}"))
        for stage, depth in enumerate(depths):
            x = steps[stage](x)
            for i in range(depth):
                x = convnext_block(x, first * 2**stage, f"{name}_stage_{stage}_block_{i}")
        if options.include_top:
            x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
            x = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_head_layernorm")(x)
            activation = options.classifier_activation
            x = layers.Dense(options.classes, activation=activation, name=f"{name}_head_dense")(x)
        else:
            x = layers.LayerNormalization(epsilon=1e-6)(pooled(options, x))
        return finished(options, image, x, (f"{name}.h5", f"{name}_notop.h5"))

    signature = (
        "include_top=True, include_preprocessing=True, weights='imagenet', input_tensor=None, input_shape=None, "
        f"pooling=None, classes=1000, classifier_activation='softmax', name='convnext_{size.lower()}'"
    )
    return network(f"ConvNeXt{size}", signature, build)


NETWORKS = {
    f"ConvNeXt{size}": _convnext(size, depths, first)
    for size, depths, first in (
        ("Tiny", (3, 3, 9, 3), 96),
        ("Small", (3, 3, 27, 3), 96),
        ("Base", (3, 3, 27, 3), 128),
        ("Large", (3, 3, 27, 3), 192),
        ("XLarge", (3, 3, 27, 3), 256),
    )
}
