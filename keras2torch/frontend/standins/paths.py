"""Tables: where the modules of every Keras and TensorFlow version are found, and what they hold."""

from __future__ import annotations

from dataclasses import dataclass

_HERE = "keras2torch.frontend.standins"


@dataclass(frozen=True)
class Namespace:
    """The names of a stand-in module.

    ``sources`` are looked through in order: "module:TABLE" is a dict, "module" its own names, "@keras.ops" the
    functions on tensors of that path. ``kind`` says what an unknown name is in an error; with None, unknown
    names are harmless until a tensor meets them.
    """

    sources: tuple[str, ...] = ()
    kind: str | None = None


# Import roots that never lead to the real package.
ROOTS = {"keras", "tensorflow", "tf_keras", "keras_core", "tensorflow_core", *(_ADD_ONS := (
    "tensorflow_datasets", "tensorflow_hub", "tensorflow_addons", "tensorflow_probability", "tensorflow_text",
    "tensorflow_model_optimization", "keras_tuner", "kerastuner", "keras_cv", "keras_nlp", "keras_hub",
    "keras_contrib", "keras_applications", "keras_preprocessing", "keras_resnet", "keras_radam", "autokeras",
))}  # fmt: skip

# Longest first.
PREFIXES = {
    "tensorflow.contrib.keras.python.keras": "keras",
    "tensorflow.contrib.keras.api.keras": "keras",
    "tensorflow.contrib.keras": "keras",
    "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v2.keras": "keras",
    "tensorflow.python.keras": "keras",
    "tensorflow.python.layers.utils": "keras.utils",
    "tensorflow.python.ops.rnn_cell_impl": "tensorflow.nn.rnn_cell",
    "tensorflow.python.ops.rnn_cell": "tensorflow.nn.rnn_cell",
    "tensorflow.keras": "keras",
    "tensorflow_core.python.keras": "keras",
    "tensorflow_core.keras": "keras",
    "tensorflow.compat.v2": "tensorflow",
    "tensorflow_core": "tensorflow",
    "keras.api._v2.keras": "keras",
    "keras.api._v1.keras": "keras",
    "keras._tf_keras.keras": "keras",
    "keras.src": "keras",
    "keras.api": "keras",
    "tf_keras.src": "keras",
    "tf_keras.api": "keras",
    "tf_keras": "keras",
    "keras_core": "keras",
    "keras_applications": "keras.applications",
    "keras_preprocessing": "keras.preprocessing",
}

# Modules below ``keras`` (and all below them) -> where their names are now.
MOVED: dict[str, str] = {
    "layers": "layers",
    "legacy.layers": "layers",
    "engine": "engine",
    "topology": "engine",
    "models": "models",
    "legacy.models": "models",
    "ops": "ops",
    "ops.image": "ops.image",
    "ops.linalg": "ops.linalg",
    "ops.nn": "ops.nn",
    "ops.numpy": "ops.numpy",
    "backend": "backend",
    "backend_config": "backend",
    "activations": "activations",
    "advanced_activations": "layers",
    "initializers": "initializers",
    "initializations": "initializers",
    "regularizers": "regularizers",
    "constraints": "constraints",
    "losses": "losses",
    "objectives": "losses",
    "metrics": "metrics",
    "optimizers": "optimizers",
    "optimizers.schedules": "optimizers.schedules",
    "optimizers.learning_rate_schedule": "optimizers.schedules",
    "optimizer_v2": "optimizers",
    "optimizer_v2.learning_rate_schedule": "optimizers.schedules",
    "callbacks": "callbacks",
    "datasets.mnist": "datasets.mnist",
    "datasets.fashion_mnist": "datasets.fashion_mnist",
    "datasets.cifar10": "datasets.cifar10",
    "datasets.cifar100": "datasets.cifar100",
    "datasets.imdb": "datasets.imdb",
    "datasets.reuters": "datasets.reuters",
    "datasets.boston_housing": "datasets.boston_housing",
    "datasets.california_housing": "datasets.california_housing",
    "utils": "utils",
    "saving": "saving",
    "preprocessing.image": "preprocessing.image",
    "preprocessing.image_dataset": "utils",
    "preprocessing.text": "preprocessing.text",
    "preprocessing.sequence": "preprocessing.sequence",
    "preprocessing.timeseries": "utils",
    "applications": "applications",
    "wrappers.scikit_learn": "wrappers.scikit_learn",
    "mixed_precision": "mixed_precision",
    "dtype_policies": "mixed_precision",
    "config": "config",
    "experimental": "experimental",
    "random": "random",
    "tree": "tree",
}

_APPLICATIONS = (
    "vgg16 vgg19 resnet50 resnet resnet_v2 inception_v3 inception_resnet_v2 xception mobilenet mobilenet_v2 "
    "mobilenet_v3 densenet nasnet efficientnet efficientnet_v2 convnext imagenet_utils"
).split()
MOVED |= {f"applications.{name}": f"applications.{name}" for name in _APPLICATIONS}

_LAYERS = (f"{_HERE}.layers", "keras2torch.layers:REGISTRY")
_MODELS = (f"{_HERE}.models",)
_TRAINING = "keras2torch.training"
# Parts of TensorFlow with functions on tensors -> where else their names are looked for first.
_TENSORFLOW: dict[str, tuple[str, ...]] = {
    "nn": (),
    "math": (),
    "linalg": (),
    "signal": (),
    "bitwise": (),
    "debugging": (),
    "layers": (),
    "contrib.layers": (),
    "experimental.numpy": (),
    "image": (f"{_HERE}.images",),
    "random": (f"{_HERE}.random",),
}

NAMESPACES: dict[str, Namespace] = {
    "keras": Namespace((f"{_HERE}.root",)),
    "keras.layers": Namespace(_LAYERS, "layer"),
    "keras.engine": Namespace((*_LAYERS, *_MODELS, f"{_HERE}.utils")),
    "keras.models": Namespace(_MODELS, "model class"),
    "keras.ops": Namespace(("@keras.ops", f"{_HERE}.activations"), "function"),
    "keras.random": Namespace((f"{_HERE}.random", "@keras.random")),
    "keras.backend": Namespace((f"{_HERE}.backend", "@keras.backend", f"{_HERE}.activations")),
    "keras.activations": Namespace((f"{_HERE}.activations", "@keras.activations"), "activation"),
    "keras.initializers": Namespace(
        ("keras2torch.initializers:REGISTRY", f"{_HERE}.getters:initializers"), "initializer"
    ),
    "keras.regularizers": Namespace(
        ("keras2torch.regularizers:REGISTRY", f"{_HERE}.getters:regularizers"), "regularizer"
    ),
    "keras.constraints": Namespace(
        ("keras2torch.constraints:REGISTRY", f"{_HERE}.getters:constraints"), "constraint"
    ),
    "keras.losses": Namespace((f"{_TRAINING}.losses:REGISTRY", f"{_HERE}.getters:losses"), "loss"),
    "keras.objectives": Namespace((f"{_TRAINING}.losses:REGISTRY",), "loss"),
    "keras.metrics": Namespace((f"{_TRAINING}.metrics:REGISTRY", f"{_HERE}.getters:metrics"), "metric"),
    "keras.optimizers": Namespace(
        (f"{_TRAINING}.optimizers:REGISTRY", f"{_HERE}.getters:optimizers"), "optimizer"
    ),
    "keras.optimizers.schedules": Namespace((f"{_TRAINING}.schedules:REGISTRY",), "schedule"),
    "keras.experimental": Namespace((f"{_TRAINING}.schedules:REGISTRY", *_LAYERS)),
    "keras.callbacks": Namespace((f"{_TRAINING}.callbacks:REGISTRY",)),
    "keras.utils": Namespace((f"{_HERE}.utils", f"{_HERE}.data")),
    "keras.saving": Namespace((f"{_HERE}.utils", *_MODELS)),
    "keras.datasets": Namespace(),
    "keras.preprocessing": Namespace((f"{_HERE}.utils",)),
    "keras.preprocessing.image": Namespace((f"{_HERE}.images",)),
    "keras.preprocessing.text": Namespace((f"{_HERE}.text",)),
    "keras.preprocessing.sequence": Namespace((f"{_HERE}.sequences",)),
    "keras.applications": Namespace((f"{_HERE}.applications",)),
    **{
        f"keras.applications.{name}": Namespace((f"{_HERE}.applications:{name}",))
        for name in _APPLICATIONS
    },
    "keras.wrappers": Namespace((f"{_HERE}.scikit_learn",)),
    "keras.wrappers.scikit_learn": Namespace((f"{_HERE}.scikit_learn",)),
    "keras.mixed_precision": Namespace((f"{_HERE}.mixed_precision",)),
    "keras.config": Namespace((f"{_HERE}.backend",)),
    "keras.tree": Namespace((f"{_HERE}.tree",)),
    "keras.ops.image": Namespace(("@keras.ops.image",), "function"),
    "keras.ops.nn": Namespace(("@keras.ops",), "function"),
    "keras.ops.numpy": Namespace(("@keras.ops",), "function"),
    "keras.ops.linalg": Namespace(("@keras.ops.linalg",), "function"),
    "tensorflow": Namespace((f"{_HERE}.tensorflow", "@tf", "@tf.compat.v1")),
    "tensorflow.compat.v1": Namespace((f"{_HERE}.tensorflow", "@tf.compat.v1", "@tf")),
    **{
        f"tensorflow.{name}": Namespace((*more, f"@tf.{name}", f"@tf.compat.v1.{name}"))
        for name, more in _TENSORFLOW.items()
    },
    **{
        f"tensorflow.compat.v1.{name}": Namespace((*more, f"@tf.compat.v1.{name}", f"@tf.{name}"))
        for name, more in _TENSORFLOW.items()
    },
    "tensorflow.data": Namespace((f"{_HERE}.data",)),
    "tensorflow.nn.rnn_cell": Namespace((f"{_HERE}.rnn_cell",)),
    "tensorflow.initializers": Namespace(("keras2torch.initializers:REGISTRY",)),
    "tensorflow.losses": Namespace((f"{_TRAINING}.losses:REGISTRY",)),
    "tensorflow.metrics": Namespace((f"{_TRAINING}.metrics:REGISTRY",)),
    "tensorflow.optimizers": Namespace((f"{_TRAINING}.optimizers:REGISTRY",)),
    "tensorflow.optimizers.schedules": Namespace((f"{_TRAINING}.schedules:REGISTRY",)),
    "tensorflow.train": Namespace(),
    "tensorflow.config": Namespace((f"{_HERE}.tf_config",)),
    "tensorflow_datasets": Namespace((f"{_HERE}.tfds",)),
    **dict.fromkeys(
        ("keras_tuner", "keras_tuner.tuners", "kerastuner", "kerastuner.tuners", "kerastuner.engine.hyperparameters"),
        Namespace((f"{_HERE}.tuner",)),
    ),
    **{f"keras.datasets.{name}": Namespace((f"{_HERE}.datasets:{name}",)) for name in (
        "mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters", "boston_housing", "california_housing",
    )},
}  # fmt: skip

# Attributes that are modules though they have no namespace of their own.
CHILDREN = {
    "tensorflow.keras",
    "tensorflow.compat",
    "tensorflow.compat.v2",
    "tensorflow.experimental",
    "tensorflow.python",
    "tensorflow.python.keras",
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v1.contrib",
    "tensorflow.compat.v1.experimental",
    "tensorflow.contrib",
    "tensorflow.contrib.keras",
    "tensorflow.data.experimental",
    "keras.legacy",
    "keras.src",
}

# Module names that Keras 3 no longer has: their use tells that a script is older.
_OLD = {
    "core", "convolutional", "normalization", "advanced_activations", "embeddings", "recurrent", "merge",
    "pooling", "wrappers", "noise", "local", "engine", "topology", "np_utils", "vis_utils", "data_utils",
    "generic_utils", "scikit_learn", "objectives", "initializations", "tf_keras",
}  # fmt: skip

# Modules whose names are all in the one above them today: ``keras.layers.core.Dense`` as an attribute.
WITHIN = _OLD | {
    "experimental", "preprocessing", "legacy", "attention", "convolutional_recurrent", "rnn", "local",
    "cudnn_recurrent", "training", "base_layer", "input_layer", "sequential", "functional", "network", "conv_utils",
    "layer_utils", "io_utils", "losses_utils", "tf_utils", "multi_gpu_utils", "callbacks", "tensorflow_backend",
    "optimizer_v2", "adam", "rmsprop", "gradient_descent", "layer_normalization", "reshaping", "regularization",
    "merging",
}  # fmt: skip


def is_old(path: str) -> bool:
    """Whether a module path is one of Keras 1 or 2 only."""
    parts = path.split(".")
    return "src" not in parts and any(part in _OLD for part in parts)
