"""Keras's data functions and the pages in ``templates/data`` that stand for them in a script."""

from __future__ import annotations

FRAMEWORKS = {"keras", "tensorflow", "tensorflow_datasets", "torch", "jax", "keras_hub", "keras_cv"}
"""Packages whose names do not come along as they stand."""

LITERALS = {
    "keras.backend.image_data_format": '"channels_last"',
    "keras.config.image_data_format": '"channels_last"',
    "keras.backend.image_dim_ordering": '"tf"',
    "keras.backend.floatx": '"float32"',
    "keras.config.floatx": '"float32"',
    "keras.backend.epsilon": "1e-7",
}
"""Calls that stand for a constant."""

EQUIVALENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "keras.datasets.mnist.load_data": ("load_mnist", ("keras_file", "mnist")),
    "keras.datasets.fashion_mnist.load_data": (
        "load_fashion_mnist",
        ("keras_file", "fashion_mnist"),
    ),
    "keras.datasets.cifar10.load_data": ("load_cifar10", ("keras_file", "cifar", "cifar10")),
    "keras.datasets.cifar100.load_data": ("load_cifar100", ("keras_file", "cifar", "cifar100")),
    "keras.datasets.boston_housing.load_data": (
        "load_boston_housing",
        ("keras_file", "boston_housing"),
    ),
    "keras.datasets.imdb.load_data": ("load_imdb", ("keras_file", "words", "imdb")),
    "keras.datasets.reuters.load_data": ("load_reuters", ("keras_file", "words", "reuters")),
    "keras.utils.to_categorical": ("to_categorical", ("to_categorical",)),
    "keras.utils.pad_sequences": ("pad_sequences", ("pad_sequences",)),
    "keras.utils.normalize": ("normalize", ("normalize",)),
}
"""Dotted path -> (the function's name in the script, the pages that define it)."""
