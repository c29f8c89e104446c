"""Stand-ins that let programs of other years import today's Keras: old module paths, tf.*, the datasets.

Only names are mapped here. A program whose *calls* are of another Keras has a twin in cases/oracle/.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

# keras.<old path>: the module of today's Keras that holds its names. None: keras itself.
OLD_PATHS: dict[str, str | None] = {
    "layers.core": "layers",
    "layers.convolutional": "layers",
    "layers.pooling": "layers",
    "layers.normalization": "layers",
    "layers.advanced_activations": "layers",
    "layers.embeddings": "layers",
    "layers.recurrent": "layers",
    "layers.merge": "layers",
    "layers.wrappers": "layers",
    "layers.noise": "layers",
    "layers.local": "layers",
    "engine": "layers",
    "engine.topology": "layers",
    "engine.base_layer": "layers",
    "engine.training": "models",
    "utils.np_utils": "utils",
    "utils.vis_utils": "utils",
    "utils.data_utils": "utils",
}
SUBMODULES = (
    "activations applications backend callbacks config constraints datasets datasets.boston_housing "
    "datasets.california_housing datasets.cifar10 datasets.cifar100 datasets.fashion_mnist datasets.imdb "
    "datasets.mnist datasets.reuters initializers layers losses metrics mixed_precision models ops "
    "optimizers optimizers.schedules preprocessing preprocessing.image preprocessing.sequence random "
    "regularizers saving utils applications.mobilenet_v2 applications.resnet50 applications.vgg16"
).split()


def alias_modules(keras: Any) -> dict[str, Any]:
    """`sys.modules` entries by which every import path that Keras ever had leads to `keras`."""
    found: dict[str | None, Any] = {None: keras}
    for name in SUBMODULES:
        value = keras
        for part in name.split("."):
            value = getattr(value, part)
        found[name] = value
    modules: dict[str, Any] = {}
    for path, target in OLD_PATHS.items():
        modules[f"keras.{path}"] = found[target]
    for prefix in ("tensorflow.keras", "tensorflow.python.keras", "tf_keras"):
        modules[prefix] = keras
        for name in SUBMODULES:
            modules[f"{prefix}.{name}"] = found[name]
        for path, target in OLD_PATHS.items():
            modules[f"{prefix}.{path}"] = found[target]
    tensorflow = _tensorflow(keras)
    modules["tensorflow"] = tensorflow
    modules["tensorflow.python"] = types.SimpleNamespace(keras=keras)
    return modules


def _tensorflow(keras: Any) -> Any:
    """A `tensorflow` with `keras` and the functions that models most use, in terms of keras.ops."""
    ops = keras.ops

    def matmul(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
        swap = lambda x: ops.swapaxes(x, -1, -2)  # noqa: E731
        return ops.matmul(swap(a) if transpose_a else a, swap(b) if transpose_b else b)

    def range_(start: Any, limit: Any = None, delta: Any = 1) -> Any:
        return ops.arange(0, start, delta) if limit is None else ops.arange(start, limit, delta)

    tensorflow = types.ModuleType("tensorflow")
    names: dict[str, Any] = {
        "__version__": "2.16.1",
        "keras": keras,
        "float32": "float32",
        "int32": "int32",
        "newaxis": None,
        "concat": lambda values, axis: ops.concatenate(values, axis=axis),
        "reshape": lambda tensor, shape: ops.reshape(tensor, shape),
        "shape": ops.shape,
        "range": range_,
        "matmul": matmul,
        "cast": lambda x, dtype: ops.cast(x, dtype),
        "transpose": lambda a, perm=None: ops.transpose(a, axes=perm),
        "expand_dims": lambda input, axis: ops.expand_dims(input, axis),
        "squeeze": lambda input, axis=None: ops.squeeze(input, axis),
        "tile": lambda input, multiples: ops.tile(input, multiples),
        "reduce_mean": lambda x, axis=None, keepdims=False: ops.mean(x, axis, keepdims),
        "reduce_sum": lambda x, axis=None, keepdims=False: ops.sum(x, axis, keepdims),
        "reduce_max": lambda x, axis=None, keepdims=False: ops.max(x, axis, keepdims),
        "random": types.SimpleNamespace(set_seed=lambda seed: None),
        "math": types.SimpleNamespace(
            sqrt=ops.sqrt, square=ops.square, exp=ops.exp, softplus=ops.softplus, tanh=ops.tanh
        ),
        "nn": types.SimpleNamespace(
            relu=ops.relu,
            softmax=lambda logits, axis=-1: ops.softmax(logits, axis),
            sigmoid=ops.sigmoid,
            tanh=ops.tanh,
            gelu=ops.gelu,
        ),
        "config": types.SimpleNamespace(list_physical_devices=lambda *_: []),
        "function": lambda call=None, **_: call if call is not None else (lambda f: f),
    }
    for name in (
        "abs",
        "exp",
        "square",
        "sqrt",
        "multiply",
        "add",
        "subtract",
        "maximum",
        "minimum",
    ):
        names[name] = getattr(ops, name)
    for name, value in names.items():
        setattr(tensorflow, name, value)
    return tensorflow


def quick_random(real: Any) -> Any:
    """What the initialisers draw from, in NumPy: JAX would compile a kernel for each new shape.

    The spread is Keras's, the numbers are not; they are the same in every run.
    """
    generator = np.random.default_rng(0)

    def uniform(
        shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, **_: Any
    ) -> Any:
        return generator.uniform(minval, maxval, shape).astype(dtype or "float32")

    def normal(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, **_: Any
    ) -> Any:
        return generator.normal(mean, stddev, shape).astype(dtype or "float32")

    def truncated_normal(
        shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, **_: Any
    ) -> Any:
        values = np.clip(generator.normal(0.0, 1.0, shape), -2.0, 2.0)
        return (mean + stddev * values).astype(dtype or "float32")

    return types.SimpleNamespace(
        make_default_seed=real.make_default_seed,
        SeedGenerator=real.SeedGenerator,
        uniform=uniform,
        normal=normal,
        truncated_normal=truncated_normal,
    )


def _images(
    *shape: int, classes: int, train: int, test: int, flat: bool = False
) -> Callable[..., Any]:
    """A loader of blank images with each label present; `flat` labels are (n,), others (n, 1)."""

    def load_data(*_: Any, **__: Any) -> Any:
        def part(length: int) -> Any:
            labels = (np.arange(length) % classes).astype("uint8")
            return np.zeros((length, *shape), "uint8"), labels if flat else labels[:, None]

        return part(train), part(test)

    return load_data


def _sequences(classes: int) -> Callable[..., Any]:
    """A loader of word-number lists, all numbers below `num_words`, as IMDB and Reuters give them."""

    def load_data(*_: Any, num_words: int | None = None, **__: Any) -> Any:
        random = np.random.RandomState(0)

        def part(length: int) -> Any:
            texts = np.empty(length, dtype=object)
            for i in range(length):
                texts[i] = random.randint(
                    1, num_words or 30000, size=random.randint(5, 40)
                ).tolist()
            return texts, np.arange(length) % classes

        return part(120), part(60)

    return load_data


def _table(columns: int, train: int, test: int) -> Callable[..., Any]:
    def load_data(*_: Any, **__: Any) -> Any:
        random = np.random.RandomState(0)
        return tuple((random.rand(n, columns), random.rand(n) * 50) for n in (train, test))

    return load_data


# The MNIST pair has its true lengths: programs write reshape(60000, 784).
DATASETS: dict[str, Callable[..., Any]] = {
    "mnist": _images(28, 28, classes=10, train=60000, test=10000, flat=True),
    "fashion_mnist": _images(28, 28, classes=10, train=60000, test=10000, flat=True),
    "cifar10": _images(32, 32, 3, classes=10, train=200, test=100),
    "cifar100": _images(32, 32, 3, classes=100, train=200, test=100),
    "imdb": _sequences(classes=2),
    "reuters": _sequences(classes=46),
    "boston_housing": _table(13, 404, 102),
    "california_housing": _table(8, 400, 100),
}
