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

_IMAGES = ("pydataset", "files_below", "image_files", "load_img", "image_generator")
_FOLDER = ("dataset", "files_below", "folder")
_IMAGE_FOLDER = (*_FOLDER, "image_files", "load_img", "resize", "image_folder")
_TEXT_FOLDER = (*_FOLDER, "text_folder")
EQUIVALENTS |= {
    "keras.utils.PyDataset": ("PyDataset", ("pydataset",)),
    "keras.utils.Sequence": ("PyDataset", ("pydataset",)),
    "keras.utils.data_utils.Sequence": ("PyDataset", ("pydataset",)),
    "keras.utils.set_random_seed": ("set_random_seed", ("set_random_seed",)),
    "keras.utils.get_file": ("get_file", ("get_file",)),
    "keras.utils.data_utils.get_file": ("get_file", ("get_file",)),
    "keras.utils.image_dataset_from_directory": ("image_dataset_from_directory", _IMAGE_FOLDER),
    "keras.preprocessing.image_dataset_from_directory": (
        "image_dataset_from_directory",
        _IMAGE_FOLDER,
    ),
    "keras.utils.timeseries_dataset_from_array": (
        "timeseries_dataset_from_array",
        ("dataset", "timeseries"),
    ),
    "keras.preprocessing.timeseries_dataset_from_array": (
        "timeseries_dataset_from_array",
        ("dataset", "timeseries"),
    ),
    "keras.utils.TimeseriesGenerator": (
        "TimeseriesGenerator",
        ("pydataset", "timeseries_generator"),
    ),
    "keras.preprocessing.image.ImageDataGenerator": ("ImageDataGenerator", _IMAGES),
    "keras.preprocessing.text.Tokenizer": ("Tokenizer", ("tokenizer",)),
    "keras.preprocessing.text.text_to_word_sequence": ("text_to_word_sequence", ("tokenizer",)),
}
for _place in ("keras.utils", "keras.preprocessing"):
    EQUIVALENTS[f"{_place}.text_dataset_from_directory"] = (
        "text_dataset_from_directory",
        _TEXT_FOLDER,
    )
for _place in ("keras", "keras.models"):
    EQUIVALENTS[f"{_place}.Sequential"] = ("Sequential", ("sequential",))
_LOOKUP = ("encode_categories", "string_lookup")
for _name, _pages in {
    "Rescaling": ("rescaling",),
    "Resizing": ("resize", "resizing"),
    "RandomFlip": ("random_flip_layer",),
    "Normalization": ("normalization",),
    "CategoryEncoding": ("encode_categories", "category_encoding"),
    "StringLookup": _LOOKUP,
    "IntegerLookup": (*_LOOKUP, "integer_lookup"),
    "TextVectorization": (*_LOOKUP, "text_vectorization"),
}.items():
    for _place in ("keras.layers", "keras.layers.experimental.preprocessing"):
        EQUIVALENTS[f"{_place}.{_name}"] = (_name, _pages)
for _place in ("keras.utils", "keras.preprocessing.image"):
    EQUIVALENTS |= {
        f"{_place}.{_name}": (_name, ("load_img",)) for _name in ("load_img", "img_to_array")
    }
for _mode, _families in {
    "caffe": ("vgg16", "vgg19", "resnet", "resnet50"),
    "tf": (
        "mobilenet",
        "mobilenet_v2",
        "inception_v3",
        "inception_resnet_v2",
        "xception",
        "resnet_v2",
    ),
    "torch": ("densenet",),
}.items():
    EQUIVALENTS |= {
        f"keras.applications.{_family}.preprocess_input": (
            f"preprocess_{_mode}",
            (f"preprocess_input:{_mode}",),
        )
        for _family in _families
    }

# TensorFlow's, in a pipeline of data: numpy does the same.
_NUMPY = {
    "abs": "abs",
    "clip_by_value": "clip",
    "concat": "concatenate",
    "constant": "asarray",
    "convert_to_tensor": "asarray",
    "equal": "equal",
    "exp": "exp",
    "expand_dims": "expand_dims",
    "fill": "full",
    "identity": "asarray",
    "math.abs": "abs",
    "math.exp": "exp",
    "math.log": "log",
    "math.reduce_max": "max",
    "math.reduce_mean": "mean",
    "math.reduce_sum": "sum",
    "math.sqrt": "sqrt",
    "maximum": "maximum",
    "minimum": "minimum",
    "ones": "ones",
    "ones_like": "ones_like",
    "pow": "power",
    "range": "arange",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_sum": "sum",
    "reshape": "reshape",
    "reverse": "flip",
    "roll": "roll",
    "shape": "shape",
    "size": "size",
    "sqrt": "sqrt",
    "square": "square",
    "squeeze": "squeeze",
    "stack": "stack",
    "tile": "tile",
    "transpose": "transpose",
    "where": "where",
    "zeros": "zeros",
    "zeros_like": "zeros_like",
}
_DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 string".split()
)
EQUIVALENTS |= {f"tensorflow.{name}": (f"np.{to}", ()) for name, to in _NUMPY.items()}
EQUIVALENTS |= {
    f"tensorflow.{name}": (
        f"np.{'bool_' if name == 'bool' else 'str_' if name == 'string' else name}",
        (),
    )
    for name in _DTYPES
}
EQUIVALENTS |= {
    "tensorflow.data.Dataset": ("Dataset", ("dataset",)),
    "tensorflow.data.AUTOTUNE": ("None", ()),
    "tensorflow.data.experimental.AUTOTUNE": ("None", ()),
    "tensorflow.TensorSpec": ("tensor_spec", ("tensor_spec",)),
    "tensorflow.cast": ("cast", ("cast",)),
    "tensorflow.one_hot": ("one_hot", ("one_hot",)),
    "tensorflow.image.resize": ("resize", ("resize",)),
    "tensorflow.image.convert_image_dtype": ("convert_image_dtype", ("convert_image_dtype",)),
    "tensorflow.image.random_flip_left_right": ("random_flip_left_right", ("random_flip",)),
    "tensorflow.image.random_flip_up_down": ("random_flip_up_down", ("random_flip",)),
    "tensorflow.io.read_file": ("read_file", ("decode_image",)),
}
for _name, _to in {
    "lower": "lower_strings",
    "regex_replace": "replace_in_strings",
    "split": "split_strings",
    "strip": "strip_strings",
}.items():
    _page = f"strings_{'replace' if _name == 'regex_replace' else _name}"
    EQUIVALENTS[f"tensorflow.strings.{_name}"] = (_to, ("on_strings", _page))
for _place in ("tensorflow.io", "tensorflow.image"):
    for _name in ("decode_jpeg", "decode_png", "decode_image", "decode_bmp"):
        EQUIVALENTS[f"{_place}.{_name}"] = ("decode_image", ("decode_image",))
