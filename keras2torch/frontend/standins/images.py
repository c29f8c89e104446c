"""``keras.preprocessing.image`` and the file functions of ``tf.image``: generators that know their shapes."""

from __future__ import annotations

import os
from typing import Any

from keras2torch import config
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, first_absent, is_absent
from keras2torch.frontend.recording import note
from keras2torch.frontend.sandbox import missing_file
from keras2torch.frontend.standins import downloads
from keras2torch.graph import Spec


class ResizeMethod:
    """tf.image.ResizeMethod."""

    BILINEAR, NEAREST_NEIGHBOR, BICUBIC, AREA = "bilinear", "nearest", "bicubic", "area"
    LANCZOS3, LANCZOS5, GAUSSIAN, MITCHELLCUBIC = (
        "lanczos3",
        "lanczos5",
        "gaussian",
        "mitchellcubic",
    )


_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def image_shape(
    size: Any, color_mode: str = "rgb", data_format: str | None = None
) -> tuple[Any, ...]:
    """Height, width and channels in the order of the data format."""
    channels = _CHANNELS[color_mode]
    if (data_format or config.image_data_format) == "channels_first":
        return (channels, *size)
    return (*size, channels)


def folder_classes(directory: Any, classes: Any = None) -> Any:
    """The names of the sub-folders, or a stand-in where the folder is not here."""
    if isinstance(classes, (list, tuple)):
        return list(classes)
    if is_absent(directory):
        return Absent(directory._source)
    try:
        return sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    except OSError:
        fix = "put the folder where the script looks for it, or give classes=[...] in the script"
        where = trace.user_location()
        note(
            f"{where or 'the script'}: the folder {str(directory)!r} is not here; a stand-in is used"
        )
        known = downloads.classes_of(str(directory))
        if known is not None:
            return known
        return Absent(Source(f"the folder {str(directory)!r}", where, fix))


class Iterator:
    """Batches of images (``shape``: of one image) with labels; a batch is made up when asked for."""

    def __init__(
        self, shape: tuple[Any, ...], labels: tuple[Any, ...] | None, batch_size: int, n: Any
    ):
        self.image_shape, self.label_shape = shape, labels
        self.batch_size, self.n, self.samples = batch_size, n, n
        self.class_indices: Any = {}
        self.classes: Any = []
        self.filenames: Any = Absent(n._source) if is_absent(n) else []
        self.batch_index = 0

    def batch_specs(self) -> Any:
        """What a model is fed with."""
        return Spec((None, *self.image_shape))

    def true_length(self) -> Any:
        """What ``len`` gives: the number of batches, or a stand-in for it."""
        return (
            Absent(self.n._source) if is_absent(self.n) else -(-int(self.n) // int(self.batch_size))
        )

    def __len__(self) -> int:
        return int(self.true_length())

    def __getitem__(self, index: Any) -> Any:
        import numpy as np

        found = first_absent((self.image_shape, self.label_shape))
        if found is not None:
            return Absent(found._source), Absent(found._source)
        x = np.zeros((self.batch_size, *self.image_shape), "float32")
        return (
            x
            if self.label_shape is None
            else (x, np.zeros((self.batch_size, *self.label_shape), "float32"))
        )

    def __next__(self) -> Any:
        return self[0]

    next = __next__

    def __iter__(self) -> Any:
        return iter([self[0]])

    def reset(self) -> None:
        pass


class ImageDataGenerator:
    """keras.preprocessing.image.ImageDataGenerator: what it changes in the images is not recorded."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.__dict__.update(kwargs)
        self.data_format = kwargs.get("data_format")
        self.mean, self.std = kwargs.get("mean"), kwargs.get("std")

    def fit(self, x: Any, *args: Any, **kwargs: Any) -> None:
        pass

    def standardize(self, x: Any) -> Any:
        return x

    random_transform = apply_transform = standardize

    def flow(
        self, x: Any, y: Any = None, batch_size: int = 32, *args: Any, **kwargs: Any
    ) -> Iterator:
        x = x[0] if isinstance(x, (list, tuple)) else x
        labels = (
            None
            if y is None
            else tuple(y.shape[1:]) if isinstance(y.shape, tuple) else (y.shape[1:],)
        )
        shape = tuple(x.shape[1:]) if isinstance(x.shape, tuple) else (x.shape[1:],)
        return Iterator(shape, labels, batch_size, x.shape[0])

    def flow_from_directory(
        self,
        directory: Any,
        target_size: Any = (256, 256),
        color_mode: str = "rgb",
        classes: Any = None,
        class_mode: Any = "categorical",
        batch_size: int = 32,
        *args: Any,
        **kwargs: Any,
    ) -> Iterator:
        names = folder_classes(directory, classes)
        return self._flow(
            names, target_size, color_mode, class_mode, batch_size, _count(directory, names)
        )

    def flow_from_dataframe(self, dataframe: Any, *args: Any, **kwargs: Any) -> Iterator:
        names = kwargs.get("classes")
        found = first_absent((dataframe, names))
        if not isinstance(names, (list, tuple)):
            source = found._source if found is not None else Source("the classes of a data frame")
            names = Absent(source)
        count = len(dataframe) if found is None else Absent(found._source)
        return self._flow(
            names,
            kwargs.get("target_size", (256, 256)),
            kwargs.get("color_mode", "rgb"),
            kwargs.get("class_mode", "categorical"),
            kwargs.get("batch_size", 32),
            count,
        )

    def _flow(
        self, names: Any, size: Any, color_mode: str, class_mode: Any, batch: int, n: Any
    ) -> Iterator:
        number = Absent(names._source) if is_absent(names) else len(names)
        labels = {"categorical": (number,), None: None}.get(class_mode, ())
        flow = Iterator(image_shape(size, color_mode, self.data_format), labels, batch, n)
        flow.num_classes = flow.nb_class = number  # type: ignore[attr-defined]
        known = not is_absent(names)
        flow.class_indices = {name: i for i, name in enumerate(names)} if known else names
        flow.classes = Absent(Source("the labels of the images")) if known else names
        return flow


def _count(directory: Any, names: Any) -> Any:
    if is_absent(names):
        return Absent(names._source)
    try:
        return sum(len(os.listdir(os.path.join(directory, name))) for name in names)
    except OSError:
        return folder_classes(directory) if not os.path.isdir(directory) else 0


def load_img(
    path: Any, color_mode: str = "rgb", target_size: Any = None, *args: Any, **kwargs: Any
) -> Any:
    """An image of that size, whatever is in the file."""
    grayscale = kwargs.get("grayscale", False) or color_mode == "grayscale"
    if target_size is None:
        return missing_file(path, "load_img") if not is_absent(path) else path
    import numpy as np

    return np.zeros(
        image_shape(target_size, "grayscale" if grayscale else color_mode, "channels_last")
    )


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Any:
    """An image as float32."""
    import numpy as np

    return img if is_absent(img) else np.asarray(img).astype(dtype or "float32")


def array_to_img(x: Any, *args: Any, **kwargs: Any) -> Any:
    return Absent(Source("an image to be looked at"))


def save_img(*args: Any, **kwargs: Any) -> None:
    """Nothing is written while recording."""
