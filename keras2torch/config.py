"""Settings that a Keras program can change (``keras.backend.set_image_data_format`` and the like)."""

from __future__ import annotations

from typing import Any

image_data_format = "channels_last"
floatx = "float32"
epsilon = 1e-7
keras_version = 3  # whose semantics hold where they differ: 2 for old programs and files
keras_release: tuple[int, ...] = ()  # of the Keras that wrote a file, as far as it tells: (3, 6, 0)
before_tensorflow_2 = (
    False  # whether a program is for the Keras that was a package of its own: 1.0 to 2.3
)
custom_objects: dict[str, Any] = {}  # what a program registers under names of its own


def older_than(*release: int) -> bool:
    """Whether the semantics are those of a Keras before this release, such as (3, 4)."""
    return (*(keras_release or (keras_version,)), 99) < release


def reset() -> None:
    """Back to Keras's defaults, before a script is run."""
    globals().update(
        image_data_format="channels_last",
        floatx="float32",
        epsilon=1e-7,
        keras_version=3,
        keras_release=(),
        before_tensorflow_2=False,
        custom_objects={},
    )
