"""``keras.applications``: the scaling of inputs; a network itself is refused where it is asked for."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

from keras2torch import config
from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.graph import Tensor

# Module -> (networks, how preprocess_input scales: keras/src/applications/imagenet_utils.py).
_FAMILIES: dict[str, tuple[str, str]] = {
    "vgg16": ("VGG16", "caffe"),
    "vgg19": ("VGG19", "caffe"),
    "resnet50": ("ResNet50", "caffe"),
    "resnet": ("ResNet50 ResNet101 ResNet152", "caffe"),
    "resnet_v2": ("ResNet50V2 ResNet101V2 ResNet152V2", "tf"),
    "inception_v3": ("InceptionV3", "tf"),
    "inception_resnet_v2": ("InceptionResNetV2", "tf"),
    "xception": ("Xception", "tf"),
    "mobilenet": ("MobileNet", "tf"),
    "mobilenet_v2": ("MobileNetV2", "tf"),
    "mobilenet_v3": ("MobileNetV3Large MobileNetV3Small", "none"),
    "densenet": ("DenseNet121 DenseNet169 DenseNet201", "torch"),
    "nasnet": ("NASNetMobile NASNetLarge", "tf"),
    "efficientnet": (" ".join(f"EfficientNetB{i}" for i in range(8)), "none"),
    "efficientnet_v2": (
        " ".join(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
        "none",
    ),
    "convnext": (
        " ".join(f"ConvNeXt{s}" for s in ("Tiny", "Small", "Base", "Large", "XLarge")),
        "none",
    ),
    "imagenet_utils": ("", "caffe"),
}


def _network(name: str) -> Callable[..., Any]:
    def network(*args: Any, **kwargs: Any) -> Any:
        raise UnsupportedError(
            f"keras.applications.{name} is not translated yet",
            where=trace.user_location(),
            fix="save the network with model.save() under real Keras, and give k2t that file",
        )

    network.__name__ = name
    return network


def _preprocess(mode: str) -> Callable[..., Any]:
    def preprocess_input(x: Any, data_format: Any = None, mode: str = mode) -> Any:
        if not isinstance(x, Tensor) or mode == "none":
            return x
        image: Any = x
        if mode == "tf":
            return image / 127.5 - 1.0
        import numpy as np

        if mode == "torch":
            scaled = image / 255.0 - np.array([0.485, 0.456, 0.406], "float32")
            return scaled / np.array([0.229, 0.224, 0.225], "float32")
        return image[..., ::-1] - np.array([103.939, 116.779, 123.68], "float32")  # RGB to BGR

    return preprocess_input


def decode_predictions(preds: Any, top: int = 5, **kwargs: Any) -> Absent:
    return Absent(Source("the classes that a network predicts"))


def _networks() -> dict[str, Any]:
    names = [name for networks, _ in _FAMILIES.values() for name in networks.split()]
    found: dict[str, Any] = {name: _network(name) for name in names}
    if importlib.util.find_spec("keras2torch.applications") is not None:
        module = importlib.import_module("keras2torch.applications")
        found.update(getattr(module, "REGISTRY", {}))
    return found


def obtain_input_shape(
    input_shape: Any,
    default_size: int,
    min_size: int,
    data_format: Any = None,
    require_flatten: bool = True,
    weights: Any = None,
    **kwargs: Any,
) -> Any:
    """The input shape of a network: as given, else the default (without a top: images of any size).

    Raises ValueError for images that are too small (keras/src/applications/imagenet_utils.py).
    """
    first = (data_format or config.image_data_format) == "channels_first"
    channels = 3
    if weights != "imagenet" and input_shape and len(input_shape) == 3:
        channels = input_shape[0] if first else input_shape[-1]
    if not input_shape:
        size = default_size if require_flatten else None
        return (channels, size, size) if first else (size, size, channels)
    sizes = input_shape[1:] if first else input_shape[:2]
    if any(n is not None and n < min_size for n in sizes):
        raise ValueError(f"input size must be at least {min_size}x{min_size}, got {input_shape}")
    return tuple(input_shape)


NAMES: dict[str, Any] = _networks()
FAMILY: dict[str, dict[str, Any]] = {
    family: {
        **{name: NAMES[name] for name in networks.split()},
        "preprocess_input": _preprocess(mode),
        "decode_predictions": decode_predictions,
    }
    for family, (networks, mode) in _FAMILIES.items()
}
for _name in ("obtain_input_shape", "_obtain_input_shape"):
    FAMILY["imagenet_utils"][_name] = obtain_input_shape
globals().update(FAMILY)  # so that "applications:vgg16" names a table
