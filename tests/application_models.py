"""Networks of the installed ``keras.applications``, built without drawing their initial weights."""

from __future__ import annotations

import oracle  # isort: split

import inspect
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.backend.common.stateless_scope import StatelessScope

NAMES = sorted(n for n, item in vars(keras.applications).items() if inspect.isfunction(item))
SMALL = {"InceptionV3": 75, "InceptionResNetV2": 75, "Xception": 71}
"""The least input size, where 32 is too small."""
BYTES = ("EfficientNet", "MobileNetV3", "ConvNeXt")
"""Networks that scale pixels of 0 to 255 themselves."""


def unfilled(name: str, **options: Any) -> Any:
    """A network whose variables have shapes, but no values."""
    keras.backend.clear_session()
    with StatelessScope(initialize_variables=False):
        network = getattr(keras.applications, name)(weights=None, **options)
    # Keras would draw them at the end of the next scope, in whatever test that is.
    global_state.set_global_attribute("uninitialized_variables", [])
    return network


def filled(name: str, **options: Any) -> Any:
    """A network with weights of moderate size: outputs neither vanish nor explode."""
    model = unfilled(name, **options)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(_value(variable, rng))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()
    return model


def _value(variable: Any, rng: Any) -> Any:
    shape, name = tuple(variable.shape), variable.path.rpartition("/")[2]
    if str(variable.dtype).startswith("int"):
        return np.zeros(shape, str(variable.dtype))
    if name in ("gamma", "variance", "moving_variance"):
        return rng.uniform(0.8, 1.2, shape).astype("float32")
    if len(shape) < 2:
        return rng.normal(0, 0.1, shape).astype("float32")
    fan = np.prod(shape[:2]) if "depthwise" in variable.path else np.prod(shape[:-1])
    return (rng.normal(size=shape) * (2 / fan) ** 0.5).astype("float32")


def pixels(name: str, model: Any, batch: int = 1) -> np.ndarray:
    """Random images for a network."""
    rng = np.random.default_rng(1)
    images = rng.normal(size=(batch, *model.input_shape[1:])).astype("float32")
    return 60 * images + 128 if name.startswith(BYTES) else images


assert oracle  # sets Keras's backend before it is imported
