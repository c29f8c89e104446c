"""``tensorflow_datasets``: the shapes of its best-known data sets."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.recording import note
from keras2torch.frontend.standins.data import Dataset
from keras2torch.graph import Spec

# Name -> (shape of an image, classes); () is a text.
_IMAGES: dict[str, tuple[tuple[int | None, ...], int]] = {
    "mnist": ((28, 28, 1), 10),
    "fashion_mnist": ((28, 28, 1), 10),
    "kmnist": ((28, 28, 1), 10),
    "emnist": ((28, 28, 1), 62),
    "cifar10": ((32, 32, 3), 10),
    "cifar100": ((32, 32, 3), 100),
    "svhn_cropped": ((32, 32, 3), 10),
    "stl10": ((96, 96, 3), 10),
    "cats_vs_dogs": ((None, None, 3), 2),
    "tf_flowers": ((None, None, 3), 5),
    "oxford_flowers102": ((None, None, 3), 102),
    "food101": ((None, None, 3), 101),
    "stanford_dogs": ((None, None, 3), 120),
    "imagenet2012": ((None, None, 3), 1000),
    "rock_paper_scissors": ((300, 300, 3), 3),
    "horses_or_humans": ((300, 300, 3), 2),
    "beans": ((500, 500, 3), 3),
    "eurosat": ((64, 64, 3), 10),
    "malaria": ((None, None, 3), 2),
    "colorectal_histology": ((150, 150, 3), 8),
    "imdb_reviews": ((), 2),
    "ag_news_subset": ((), 4),
}


class _Labels:
    def __init__(self, count: int):
        self.num_classes = count
        self.names = [f"class{i}" for i in range(count)]

    def int2str(self, label: Any) -> str:
        return "class"


def load(
    name: str,
    split: Any = None,
    as_supervised: bool = False,
    with_info: bool = False,
    **kwargs: Any,
) -> Any:
    """The data set in the form of ``split``; unknown ones give stand-ins."""
    known = _IMAGES.get(name.partition("/")[0].partition(":")[0])
    if known is None:
        where = trace.user_location()
        note(f"{where or 'the script'}: the data set {name!r} is not here; a stand-in is used")
        return Absent(Source(f"the data set {name!r} of tensorflow_datasets", where))
    shape, classes = known
    data = Spec(shape, "uint8") if shape else Spec((), "string")
    label = Spec((), "int64")
    element = (
        (data, label) if as_supervised else {"image" if shape else "text": data, "label": label}
    )
    unknown = Absent(Source(f"the data set {name!r} of tensorflow_datasets"))

    def part(which: Any) -> Any:
        if isinstance(which, (list, tuple)):
            return [part(item) for item in which]
        return Dataset(element, unknown)

    sets = (
        part(split)
        if split is not None
        else {key: part(key) for key in ("train", "test", "validation")}
    )
    if not with_info:
        return sets
    features = {
        "image" if shape else "text": Absent(unknown._source, shape or None),
        "label": _Labels(classes),
    }
    return sets, Absent(unknown._source, None, features=features, name=name)


def as_numpy(dataset: Any) -> Any:
    return dataset


def disable_progress_bar() -> None:
    pass


NAMES: dict[str, Any] = {
    "load": load,
    "as_numpy": as_numpy,
    "disable_progress_bar": disable_progress_bar,
}
