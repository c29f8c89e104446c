"""Settings that a Keras program can change (``keras.backend.set_image_data_format`` and the like)."""

from __future__ import annotations

image_data_format = "channels_last"
floatx = "float32"
epsilon = 1e-7
keras_version = 3  # whose semantics hold where they differ: 2 for old programs and files


def reset() -> None:
    """Back to Keras's defaults, before a script is run."""
    globals().update(
        image_data_format="channels_last", floatx="float32", epsilon=1e-7, keras_version=3
    )
