"""VGG16 and VGG19. Source: keras/src/applications/vgg16.py, vgg19.py of Keras 3.15."""

from __future__ import annotations

from typing import Any

from keras2torch.applications.parts import (
    STANDARD,
    finished,
    image_input,
    layers,
    network,
    pooled,
    predictions,
)


def _vgg(name: str, convolutions: tuple[int, ...]) -> Any:
    def build(options: Any) -> Any:
        x = image = image_input(options, 224)
        for block, (filters, count) in enumerate(zip((64, 128, 256, 512, 512), convolutions), 1):
            for i in range(1, count + 1):
                conv = layers.Conv2D(
                    filters, 3, activation="relu", padding="same", name=f"block{block}_conv{i}"
                )
                x = conv(x)
            x = layers.MaxPooling2D(2, strides=2, name=f"block{block}_pool")(x)
        if options.include_top:
            x = layers.Flatten(name="flatten")(x)
            x = layers.Dense(4096, activation="relu", name="fc1")(x)
            x = layers.Dense(4096, activation="relu", name="fc2")(x)
            x = predictions(options, x)
        else:
            x = pooled(options, x)
        file = f"{name.lower()}_weights_tf_dim_ordering_tf_kernels"
        return finished(options, image, x, (f"{file}.h5", f"{file}_notop.h5"))

    return network(name, f"{STANDARD}, name={name.lower()!r}", build)


NETWORKS = {"VGG16": _vgg("VGG16", (2, 2, 3, 3, 3)), "VGG19": _vgg("VGG19", (2, 2, 4, 4, 4))}
