"""``tf.data`` and the data sets of ``keras.utils``: chains that carry the shapes of their elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source, find_absent, first_absent, is_absent
from keras2torch.frontend.standins.arrays import samples
from keras2torch.frontend.standins.images import folder_classes, image_shape
from keras2torch.graph import Constant, Spec, Tensor, map_structure

AUTOTUNE = -1


class Sequence:
    """keras.utils.Sequence and PyDataset: the user's subclass gives the batches."""

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ):
        self.workers = workers

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        return iter([self[0]])

    def on_epoch_end(self) -> None:
        pass

    def batch_specs(self) -> Any:
        """What a model is fed with, from the first batch."""
        return inputs_of(self[0])


def inputs_of(batch: Any) -> Any:
    """The inputs in a batch: of (x, y) or (x, y, weights) the x."""
    return batch[0] if isinstance(batch, tuple) and len(batch) in (1, 2, 3) else batch


def fed_by(data: Any) -> Any:
    """What a data set or generator feeds a model with; None where it cannot be told."""
    if is_absent(data):
        spec = spec_of(data)
        return None if is_absent(spec) else spec
    if hasattr(data, "batch_specs"):
        return data.batch_specs()
    try:
        return inputs_of(next(data))
    except K2TError:
        raise
    except Exception:  # the script's own generator, on data that is perhaps not here
        return None


def spec_of(value: Any) -> Any:
    """The Spec of an array or tensor; a stand-in stays one unless its shape is known."""
    if isinstance(value, (Spec, str, bytes)) or value is None:
        return Spec((), "string") if isinstance(value, (str, bytes)) else value
    if is_absent(value):
        shape = value._shape
        known = shape is not None and not any(is_absent(n) for n in shape[1:])
        return Spec((None, *shape[1:])) if known and shape else value
    if isinstance(value, Tensor):
        return Spec(tuple(value.shape), value.dtype)
    import numpy as np

    array = np.asarray(value)
    return Spec(array.shape, {"float64": "float32"}.get(array.dtype.name, array.dtype.name))


_LEAVES = (Spec, Absent)


class Dataset:
    """tf.data.Dataset: ``structure`` is the form of one element, with Specs for tensors.

    ``count`` is the number of elements where it is known, ``size`` the batch size for made-up batches.
    """

    def __init__(self, structure: Any, count: Any = None, size: int = 1):
        self.structure, self.count, self.size = structure, count, size
        self.class_names: Any = Absent(Source("the class names of a data set"))

    # Making one.
    @staticmethod
    def from_tensors(tensors: Any, name: Any = None) -> Dataset:
        return Dataset(_leaves(spec_of, tensors), 1)

    @staticmethod
    def from_tensor_slices(tensors: Any, name: Any = None) -> Dataset:
        specs = _leaves(spec_of, tensors)
        counts: list[Any] = []
        map_structure(
            lambda s: counts.append(s.shape[0] if isinstance(s, Spec) and s.shape else s),
            specs,
            _LEAVES,
        )
        return Dataset(map_structure(_element, specs, _LEAVES), counts[0] if counts else None)

    @staticmethod
    def from_generator(generator: Any, *args: Any, **kwargs: Any) -> Dataset:
        signature = kwargs.get("output_signature")
        if signature is None:
            types = kwargs.get("output_types", args[0] if args else None)
            shapes = kwargs.get("output_shapes", args[1] if len(args) > 1 else None)
            if isinstance(types, tuple) and isinstance(shapes, tuple):
                signature = tuple(Spec(tuple(s), str(t)) for s, t in zip(shapes, types))
        if signature is None:
            signature = Absent(Source("what a generator gives", trace.user_location()))
        return Dataset(
            map_structure(lambda s: Spec(tuple(s.shape), str(s.dtype)), signature, _HasShape)
        )

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        return Dataset(Spec((), "int64"), len(range(*args)) if first_absent(args) is None else None)

    @staticmethod
    def list_files(*args: Any, **kwargs: Any) -> Dataset:
        return Dataset(Spec((), "string"))

    @staticmethod
    def zip(*datasets: Any, **kwargs: Any) -> Dataset:
        given = (
            datasets[0]
            if len(datasets) == 1 and isinstance(datasets[0], (tuple, list))
            else datasets
        )
        sizes = [part.size for part in given if isinstance(part, Dataset)]
        parts = tuple(part.structure if isinstance(part, Dataset) else part for part in given)
        return Dataset(parts, getattr(given[0], "count", None), max(sizes, default=1))

    # Chains.
    def batch(self, batch_size: Any, drop_remainder: bool = False, **kwargs: Any) -> Dataset:
        size = 1 if is_absent(batch_size) else int(batch_size)
        first = size if drop_remainder and not is_absent(batch_size) else None
        structure = map_structure(lambda s: _batched(s, first), self.structure, _LEAVES)
        known = isinstance(self.count, int) and not is_absent(batch_size)
        count = (
            (self.count // size if drop_remainder else -(-self.count // size))
            if known
            else self.count
        )
        return Dataset(structure, count if known or is_absent(self.count) else None, size)

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, *args: Any, **kwargs: Any
    ) -> Dataset:
        return self.batch(batch_size, kwargs.get("drop_remainder", False))

    def unbatch(self) -> Dataset:
        return Dataset(map_structure(_element, self.structure, _LEAVES))

    def map(self, map_func: Callable[..., Any], *args: Any, **kwargs: Any) -> Dataset:
        """The element that ``map_func`` makes of a made-up element; unknown where it fails."""
        made = map_structure(_placeholder, self.structure, _LEAVES)
        try:
            result = map_func(*made) if isinstance(made, tuple) else map_func(made)
            structure = _leaves(spec_of, result)
        except K2TError as error:
            structure = Absent(
                Source(f"a function of dataset.map ({error.what})", trace.user_location())
            )
        except (
            Exception
        ) as error:  # the user's function on made-up values: its shapes are not known then
            structure = Absent(
                Source(f"a function of dataset.map ({error})", trace.user_location())
            )
        return Dataset(structure, self.count, self.size)

    def repeat(self, count: Any = None, *args: Any, **kwargs: Any) -> Dataset:
        known = isinstance(self.count, int) and isinstance(count, int) and count > 0
        return Dataset(self.structure, self.count * count if known else None, self.size)

    def take(self, count: Any, *args: Any, **kwargs: Any) -> Dataset:
        known = isinstance(self.count, int) and isinstance(count, int)
        return Dataset(self.structure, min(self.count, count) if known else None, self.size)

    def skip(self, count: Any, *args: Any, **kwargs: Any) -> Dataset:
        known = isinstance(self.count, int) and isinstance(count, int)
        return Dataset(self.structure, max(0, self.count - count) if known else None, self.size)

    def concatenate(self, dataset: Any, **kwargs: Any) -> Dataset:
        return Dataset(self.structure, None, self.size)

    def enumerate(self, start: int = 0, **kwargs: Any) -> Dataset:
        return Dataset((Spec((), "int64"), self.structure), self.count, self.size)

    def apply(self, function: Callable[[Dataset], Any], **kwargs: Any) -> Any:
        return function(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        return iter(self)

    def window(self, size: int, *args: Any, **kwargs: Any) -> Dataset:
        return Dataset(Absent(Source("the windows of a data set", trace.user_location())))

    flat_map = interleave = window

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return (
            lambda *args, **kwargs: self.copy()
        )  # shuffle, cache, prefetch, filter, with_options, ...

    # Reading it.
    def copy(self) -> Dataset:
        result = Dataset(self.structure, self.count, self.size)
        result.class_names = self.class_names
        return result

    @property
    def element_spec(self) -> Any:
        return self.structure

    def cardinality(self) -> Any:
        return Constant(self.count) if isinstance(self.count, int) else self.true_length()

    def true_length(self) -> Any:
        """What ``len`` gives: the number of elements, or a stand-in for it."""
        if isinstance(self.count, int):
            return self.count
        found = first_absent((self.count, self.structure))
        return found if found is not None else Absent(Source("the length of a data set"))

    def __len__(self) -> int:
        return int(self.true_length())

    def __iter__(self) -> Iterator[Any]:
        return iter([map_structure(self._made_up, self.structure, _LEAVES)])

    def _made_up(self, leaf: Any) -> Any:
        if is_absent(leaf):
            return leaf
        sizes = [
            n if n is not None else (self.size if i == 0 else 1) for i, n in enumerate(leaf.shape)
        ]
        dtype = leaf.dtype if leaf.dtype not in ("string", "bfloat16") else "float32"
        return samples(tuple(sizes), dtype, 2) if sizes else Constant(0, dtype)

    def batch_specs(self) -> Any:
        """What a model is fed with."""
        return inputs_of(self.structure)


class _HasShapeType(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return hasattr(value, "shape") and hasattr(value, "dtype") and not is_absent(value)


class _HasShape(metaclass=_HasShapeType):
    """A TensorSpec or a Spec."""


def _leaves(function: Callable[[Any], Any], structure: Any) -> Any:
    """Apply to the tensors and arrays of a structure; a list of numbers is one array."""
    if isinstance(structure, tuple):
        return tuple(_leaves(function, item) for item in structure)
    if isinstance(structure, dict):
        return {key: _leaves(function, value) for key, value in structure.items()}
    found = find_absent(structure)
    if found is not None and not is_absent(structure):
        return Absent(found._source)
    return function(structure)


def _element(leaf: Any) -> Any:
    if is_absent(leaf):
        return Absent(leaf._source)
    return Spec(leaf.shape[1:], leaf.dtype)


def _batched(leaf: Any, size: int | None) -> Any:
    return leaf if is_absent(leaf) else Spec((size, *leaf.shape), leaf.dtype)


def _placeholder(leaf: Any) -> Any:
    return leaf if is_absent(leaf) else Tensor(leaf.shape, leaf.dtype)


def _labels(label_mode: Any, classes: Any) -> Any:
    if label_mode == "categorical":
        return Absent(classes._source) if is_absent(classes) else Spec((None, len(classes)))
    return Spec((None,), "int32") if label_mode == "int" else Spec((None, 1))


def _directory(
    directory: Any, spec: Spec, label_mode: Any, batch: Any, arguments: dict[str, Any]
) -> Any:
    names = folder_classes(directory, arguments.get("class_names"))
    structure = spec if label_mode is None else (spec, _labels(label_mode, names))
    size = 1 if is_absent(batch) or batch is None else int(batch)
    if batch is None:
        structure = map_structure(_element, structure, _LEAVES)
    parts = [
        Dataset(structure, None, size) for _ in range(2 if arguments.get("subset") == "both" else 1)
    ]
    for part in parts:
        part.class_names = names
    return tuple(parts) if len(parts) == 2 else parts[0]


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: Any = "int",
    class_names: Any = None,
    color_mode: str = "rgb",
    batch_size: Any = 32,
    image_size: Any = (256, 256),
    **kwargs: Any,
) -> Any:
    """Images of that size with their labels."""
    shape = image_shape(tuple(image_size), color_mode, "channels_last")
    mode = None if labels is None else label_mode
    kwargs["class_names"] = class_names
    return _directory(directory, Spec((None, *shape)), mode, batch_size, kwargs)


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: Any = "int",
    class_names: Any = None,
    batch_size: Any = 32,
    **kwargs: Any,
) -> Any:
    """Texts with their labels."""
    mode = None if labels is None else label_mode
    kwargs["class_names"] = class_names
    return _directory(directory, Spec((None,), "string"), mode, batch_size, kwargs)


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: Any = "int",
    batch_size: Any = 32,
    **kwargs: Any,
) -> Any:
    """Sounds with their labels."""
    mode = None if labels is None else label_mode
    spec = Spec((None, kwargs.get("output_sequence_length"), 1))
    return _directory(directory, spec, mode, batch_size, kwargs)


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, batch_size: Any = 128, **kwargs: Any
) -> Any:
    """Windows of ``sequence_length`` steps."""
    spec = spec_of(data)
    if is_absent(spec):
        return Dataset(spec)
    window = Spec((None, sequence_length, *spec.shape[1:]), spec.dtype)
    if targets is None:
        return Dataset(window, None, batch_size or 1)
    goal = spec_of(targets)
    goal = goal if is_absent(goal) else Spec((None, *goal.shape[1:]), goal.dtype)
    return Dataset((window, goal), None, batch_size or 1)


def _files(*args: Any, **kwargs: Any) -> Dataset:
    return Dataset(Spec((), "string"))


NAMES: dict[str, Any] = {
    "Dataset": Dataset,
    "AUTOTUNE": AUTOTUNE,
    "TFRecordDataset": _files,
    "TextLineDataset": _files,
    "experimental": Absent(
        Source("tf.data.experimental", known=False, dotted=True), None, AUTOTUNE=AUTOTUNE
    ),
    **{
        function.__name__: function
        for function in (
            image_dataset_from_directory,
            text_dataset_from_directory,
            audio_dataset_from_directory,
            timeseries_dataset_from_array,
        )
    },
}
