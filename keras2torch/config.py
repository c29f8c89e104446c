"""Settings that a Keras program can change (``keras.backend.set_image_data_format`` and the like)."""

from __future__ import annotations

from typing import Any

image_data_format = "channels_last"
floatx = "float32"
epsilon = 1e-7
keras_version = 3  # whose semantics hold where they differ: 2 for old programs and files
before_tensorflow_2 = (
    False  # whether a program is for the Keras that was a package of its own: 1.0 to 2.3
)
custom_objects: dict[str, Any] = {}  # what a program registers under names of its own


def reset() -> None:
    """Back to Keras's defaults, before a script is run."""
    globals().update(
        image_data_format="channels_last",
        floatx="float32",
        epsilon=1e-7,
        keras_version=3,
        before_tensorflow_2=False,
        custom_objects={},
    )
