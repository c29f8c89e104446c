"""``keras.utils``, ``keras.saving`` and their older places."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from keras2torch import config
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, is_absent
from keras2torch.frontend.recording import note
from keras2torch.frontend.standins import layers, models
from keras2torch.frontend.standins.arrays import SampleArray
from keras2torch.frontend.standins.data import (
    Sequence,
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from keras2torch.frontend.standins.images import array_to_img, img_to_array, load_img, save_img
from keras2torch.frontend.standins.sequences import pad_sequences
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import pair


def to_categorical(
    x: Any = None, num_classes: Any = None, dtype: Any = "float32", **old: Any
) -> Any:
    """One-hot rows. Keras 1 and 2 call the arguments ``y`` and ``nb_classes``."""
    import numpy as np

    x = old.get("y", x)
    num_classes = old.get("nb_classes", num_classes)
    if is_absent(x) or is_absent(num_classes):
        source = (x if is_absent(x) else num_classes)._source
        count = Absent(source) if num_classes is None else num_classes
        return Absent(source, (Absent(source), count))
    labels = np.asarray(x).astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(num_classes) if num_classes is not None else int(labels.max()) + 1
    return (np.asarray(labels)[..., None] == np.arange(classes)).astype(dtype)


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Rows of unit length."""
    import numpy as np

    if is_absent(x) or isinstance(x, SampleArray):
        return x if is_absent(x) else x.astype("float32")
    length = np.atleast_1d(np.linalg.norm(x, order, axis))
    length[length == 0] = 1
    return x / np.expand_dims(length, axis)


def get_file(fname: Any = None, origin: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The path of a downloaded file: that of Keras's cache. Nothing is downloaded."""
    name = fname if isinstance(fname, str) else str(origin or "file").rpartition("/")[2]
    folder = os.path.join("~", ".keras", kwargs.get("cache_subdir") or "datasets")
    path = os.path.expanduser(os.path.join(folder, name))
    if os.path.exists(path):
        return path
    note(f"get_file({name!r}) downloads nothing; a stand-in is used")
    return os.path.join(folder, name).replace(os.sep, "/")


def plot_model(*args: Any, **kwargs: Any) -> None:
    """Nothing is drawn while recording."""


def set_random_seed(seed: int) -> None:
    """The training script takes --seed."""


def multi_gpu_model(model: Any, gpus: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The model itself: the training script runs on several GPUs by torchrun."""
    return model


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """The decorator; the class keeps its name."""

    def register(cls: Any) -> Any:
        config.custom_objects[f"{package}>{name or cls.__name__}"] = cls
        return cls

    return register


def get_custom_objects() -> dict[str, Any]:
    return config.custom_objects


def deserialize_keras_object(config_: Any, custom_objects: Any = None, **kwargs: Any) -> Any:
    """The object that a config describes; what the reader of a saved model has made of it already, itself."""
    from keras2torch.frontend.replay import Replayer

    known = {name.rpartition(">")[2]: cls for name, cls in config.custom_objects.items()}
    return Replayer(custom={**known, **(custom_objects or {})}).value(config_)


def serialize_keras_object(obj: Any) -> Any:
    """The config of a layer; anything else as it is."""
    return layers.serialize(obj) if isinstance(obj, Layer) else obj


def custom_object_scope(*args: Any, **kwargs: Any) -> Any:
    return nullcontext()


def split_dataset(
    dataset: Any, left_size: Any = None, right_size: Any = None, **kwargs: Any
) -> Any:
    """Both parts have the elements of the whole."""
    return dataset, dataset


def conv_output_length(
    input_length: Any, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> Any:
    """Keras 2's name for the length of a convolved axis."""
    if input_length is None:
        return None
    window = dilation * (filter_size - 1) + 1
    length = {"valid": input_length - window + 1, "full": input_length + window - 1}
    return (length.get(padding, input_length) + stride - 1) // stride


def normalize_tuple(value: Any, n: int, name: str = "", *args: Any, **kwargs: Any) -> Any:
    """``n`` integers, from one or from as many."""
    return pair(value, n)


def normalize_data_format(value: Any) -> str:
    """A data format in small letters; the session's for None."""
    return config.image_data_format if value is None else str(value).lower()


def get_source_inputs(tensor: Any, *args: Any) -> list[Any]:
    """The inputs that a tensor is computed from."""
    found: dict[int, Any] = {}
    pending, seen = [tensor], set()
    while pending:
        item = pending.pop()
        if item.call is None:
            found.setdefault(id(item), item)
        elif id(item.call) not in seen:
            seen.add(id(item.call))
            pending.extend(item.call.inputs)
    return list(found.values())


class Progbar:
    """A progress bar that shows nothing."""

    def __init__(self, target: Any = None, *args: Any, **kwargs: Any):
        self.target = target

    def update(self, current: Any, values: Any = None, finalize: Any = None) -> None:
        pass

    def add(self, n: Any, values: Any = None) -> None:
        pass


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> tuple[Any, ...]:
    return (x, y, sample_weight) if sample_weight is not None else (x,) if y is None else (x, y)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, ...]:
    parts = tuple(data) if isinstance(data, (tuple, list)) else (data,)
    return (*parts, None, None)[:3]


def _hdf5_matrix(*args: Any, **kwargs: Any) -> Absent:
    return Absent(
        Source(f"the file {args[0]!r}" if args else "an HDF5 file", trace.user_location())
    )


NAMES: dict[str, Any] = {
    **{
        name: value
        for name, value in list(globals().items())
        if getattr(value, "__module__", None) == __name__ and not name.startswith("_")
    },
    "Sequence": Sequence,
    "PyDataset": Sequence,
    "CustomObjectScope": custom_object_scope,
    "model_to_dot": plot_model,
    "print_summary": plot_model,
    "plot": plot_model,
    "disable_interactive_logging": plot_model,
    "enable_interactive_logging": plot_model,
    "HDF5Matrix": _hdf5_matrix,
    "image_dataset_from_directory": image_dataset_from_directory,
    "text_dataset_from_directory": text_dataset_from_directory,
    "audio_dataset_from_directory": audio_dataset_from_directory,
    "timeseries_dataset_from_array": timeseries_dataset_from_array,
    "pad_sequences": pad_sequences,
    "load_img": load_img,
    "img_to_array": img_to_array,
    "array_to_img": array_to_img,
    "save_img": save_img,
    "load_model": models.load_model,
    "save_model": models.save_model,
}
