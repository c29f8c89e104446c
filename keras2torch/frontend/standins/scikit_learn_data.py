"""What of scikit-learn keeps the form of data: downloads of known form, splits and scalers."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend import frames

# Function, or fetch_openml's name -> (shape of the data, classes or None for numbers, dtype).
_KNOWN: dict[str, tuple[tuple[int, ...], int | None, str]] = {
    "fetch_california_housing": ((20640, 8), None, "float64"),
    "fetch_olivetti_faces": ((400, 4096), 40, "float32"),
    "fetch_covtype": ((581012, 54), 7, "float64"),
    "mnist_784": ((70000, 784), 10, "int64"),
    "Fashion-MNIST": ((70000, 784), 10, "int64"),
    "CIFAR_10": ((60000, 3072), 10, "int64"),
}


class Bunch(dict):
    """sklearn.utils.Bunch: a dict whose keys are attributes."""

    __getattr__ = dict.__getitem__


def fetch(function: str, name: Any = None, **kwargs: Any) -> Any:
    """The data set, made up; None where its form is not known."""
    from keras2torch.frontend.standins.arrays import plain, samples

    known = _KNOWN.get(str(kwargs.get("name", name)) if function == "fetch_openml" else function)
    if known is None:
        return None
    shape, classes, dtype = known
    data = samples(shape, dtype)
    target = plain(samples((shape[0],), "int64" if classes else "float64", classes or 256))
    if function == "fetch_openml":
        target = target.astype(str)
    if kwargs.get("return_X_y"):
        return data, target
    columns = [f"feature{i}" for i in range(shape[1])]
    return Bunch(data=data, target=target, feature_names=columns, images=None, DESCR="")


_SCALERS = "StandardScaler MinMaxScaler MaxAbsScaler RobustScaler Normalizer"
# Functions and methods that take absent data -> what makes them do so.
REPLACED: dict[str, Any] = {
    "train_test_split": frames.split,
    **{
        f"{name}.{method}": frames.scaling
        for name in _SCALERS.split()
        for method in ("fit_transform", "transform", "inverse_transform")
    },
}
