"""Texts, words and categories as numbers in ``load_data``: what Keras's layers make of data.

The layers on strings need TensorFlow, which the tests have not: what they give was written down from Keras 3.15
on TensorFlow 2.21.
"""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

from training_oracle import run_script

import keras2torch
from keras2torch.training.data_helpers import EQUIVALENTS
from keras2torch.training.data_pages import data_pages, imports_of


def equivalent(path: str):
    """What stands for a name of Keras's in a script."""
    name, pages = EQUIVALENTS[path]
    text = "\n\n".join(data_pages(pages, ".map .batch"))
    namespace: dict[str, object] = {}
    lines = [
        *sorted(imports_of(text)),
        "import numpy as np",
        "import torch",
        "import torch.nn.functional as F",
        "from pathlib import Path",
    ]
    exec("\n".join([*lines, text]), namespace)
    return namespace[name]


TEXTS = np.array(["The cat sat; the CAT ran!", "É dog, a cat", "", "dog dog ran"])
NEW = np.array(["a dog sat", "zebra"])
VECTORS = [
    (
        {},
        ["", "[UNK]", "dog", "cat", "the", "ran", "É", "sat", "a"],
        [[8, 2, 7], [1, 0, 0]],
    ),
    (
        {"max_tokens": 5, "output_sequence_length": 3},
        ["", "[UNK]", "dog", "cat", "the"],
        [[1, 2, 1], [1, 0, 0]],
    ),
    (
        {"output_mode": "count", "ngrams": 2, "max_tokens": 6},
        ["[UNK]", "dog", "cat", "the cat", "the", "ran"],
        [[4, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]],
    ),
    (
        {"output_mode": "tf_idf", "max_tokens": 6},
        ["[UNK]", "dog", "cat", "the", "ran", "É"],
        [[1.895647, 0.847298, 0, 0, 0, 0], [0.947824, 0, 0, 0, 0, 0]],
    ),
    (
        {
            "split": "character",
            "standardize": None,
            "max_tokens": 8,
            "output_mode": "multi_hot",
            "pad_to_max_tokens": True,
        },
        ["[UNK]", " ", "a", "t", "o", "g", "d", "r"],
        [[1, 1, 1, 1, 1, 1, 1, 0], [1, 0, 1, 0, 0, 0, 0, 1]],
    ),
]


@pytest.mark.parametrize(("options", "vocabulary", "expected"), VECTORS)
def test_text_vectorization(options, vocabulary, expected):
    layer = equivalent("keras.layers.TextVectorization")(**options)
    layer.adapt(TEXTS)
    assert layer.get_vocabulary() == vocabulary
    assert layer.vocabulary_size() == len(vocabulary)
    np.testing.assert_allclose(layer(NEW), expected, atol=1e-6)
    np.testing.assert_allclose(layer(NEW[:, None]), expected, atol=1e-6)
    in_batches = equivalent("keras.layers.TextVectorization")(**options)
    in_batches.adapt(iter([TEXTS[:3], TEXTS[3:]]))
    assert in_batches.get_vocabulary() == vocabulary
    given = equivalent("keras.layers.TextVectorization")(
        **options,
        vocabulary=vocabulary,
        **({"idf_weights": layer.lookup.idf_weights} if "idf" in str(options) else {}),
    )
    np.testing.assert_allclose(given(NEW), expected, atol=1e-6)


def test_texts_of_unlike_lengths_in_one_array_are_refused():
    with pytest.raises(NotImplementedError, match="ragged"):
        equivalent("keras.layers.TextVectorization")(ragged=True)


WORDS = np.array([["b", "a"], ["b", "c"]])
LOOKUPS = [
    ({}, ["[UNK]", "b", "c", "a"], [[3, 1], [0, 2]]),
    ({"mask_token": "a"}, ["a", "[UNK]", "b", "c"], [[0, 2], [1, 3]]),
    ({"output_mode": "multi_hot"}, ["[UNK]", "b", "c", "a"], [[0, 1, 0, 1], [1, 0, 1, 0]]),
    (
        {"output_mode": "tf_idf", "max_tokens": 3},
        ["[UNK]", "b", "c"],
        [[0.601986, 0.510826, 0], [0.601986, 0, 0.693147]],
    ),
]


@pytest.mark.parametrize(("options", "vocabulary", "expected"), LOOKUPS)
def test_string_lookup(options, vocabulary, expected):
    layer = equivalent("keras.layers.StringLookup")(**options)
    layer.adapt(WORDS)
    assert layer.get_vocabulary() == vocabulary
    np.testing.assert_allclose(layer(np.array([["a", "b"], ["z", "c"]])), expected, atol=1e-6)


def test_string_lookup_without_a_place_for_the_unknown():
    layer = equivalent("keras.layers.StringLookup")(output_mode="one_hot", num_oov_indices=0)
    layer.adapt(WORDS)
    np.testing.assert_array_equal(layer(["a", "b"]), [[0, 0, 1], [1, 0, 0]])
    with pytest.raises(ValueError, match="not in the vocabulary"):
        layer(["z"])
    back = equivalent("keras.layers.StringLookup")(vocabulary=["x", "y"], invert=True)
    assert back([[0, 1], [2, 9]]).tolist() == [["[UNK]", "x"], ["y", "[UNK]"]]
    with pytest.raises(NotImplementedError, match="hash"):
        equivalent("keras.layers.StringLookup")(num_oov_indices=2, vocabulary=["x"])(["z"])


def test_integer_lookup():
    layer = equivalent("keras.layers.IntegerLookup")(num_oov_indices=2, mask_token=0)
    layer.adapt(np.array([[7, 7], [9, 0]]))
    assert layer.get_vocabulary() == [0, -1, -1, 7, 9]
    np.testing.assert_array_equal(layer([7, 9, 0, 4, 5]), [3, 4, 0, 1, 2])


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 1), (2, 2, 2)])
def test_category_encoding(mode, shape):
    import keras

    numbers = np.random.default_rng(0).integers(0, 4, shape)
    expected = keras.layers.CategoryEncoding(4, output_mode=mode)(numbers)
    made = equivalent("keras.layers.CategoryEncoding")(4, output_mode=mode)(numbers)
    np.testing.assert_array_equal(made, np.asarray(expected))


@pytest.mark.parametrize(
    ("axis", "shape"), [(-1, (20, 3)), (None, (20, 3)), (-1, (5, 4, 4, 2)), ((1, -1), (5, 4, 4, 2))]
)
@pytest.mark.parametrize("invert", [False, True])
def test_normalization(axis, shape, invert):
    import keras

    x = np.random.default_rng(0).normal(2, 3, shape).astype("float32")
    theirs = keras.layers.Normalization(axis=axis, invert=invert)
    ours = equivalent("keras.layers.Normalization")(axis=axis, invert=invert)
    theirs.adapt(x)
    ours.adapt(x)
    np.testing.assert_allclose(ours(x), np.asarray(theirs(x)), atol=2e-6)


def test_functions_on_strings():
    lower = equivalent("tensorflow.strings.lower")
    assert (
        lower(TEXTS).tolist()[1] == "É dog, a cat" and lower(TEXTS, "utf-8").tolist()[1][0] == "é"
    )
    replace = equivalent("tensorflow.strings.regex_replace")
    assert replace(np.array("a-b É"), r"(\w)-(\w)", r"\2-\1").item() == "b-a É"
    assert replace(np.array(["É1", "a1"]), r"\w", "x").tolist() == ["Éx", "xx"]  # as RE2
    assert equivalent("tensorflow.strings.strip")(np.array([" a b\n"])).tolist() == ["a b"]
    split = equivalent("tensorflow.strings.split")
    assert split(np.array(["a  b", ""])) == [["a", "b"], []]
    assert split(np.array(["a--b"]), "-") == [["a", "", "b"]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": False},
        {"validation_split": 0.4, "subset": "validation", "seed": 3},
        {"validation_split": 0.4, "subset": "training", "seed": 3},
        {"validation_split": 0.4, "subset": "validation", "shuffle": False},
        {"class_names": ["pos", "neg"], "shuffle": False},
        {"labels": list(range(15)), "seed": 1},
    ],
)
def test_the_files_of_each_class_are_those_of_keras(tmp_path, options):
    from keras.src.utils import dataset_utils

    for name in ("pos", "neg", ".hidden"):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for number in range(5):
            place = tmp_path / name / ("deeper" if number % 2 else "")
            (place / f"{number}.txt").write_text(f"{name} {number}")
    made = equivalent("keras.utils.text_dataset_from_directory")(tmp_path, batch_size=3, **options)
    files, labels, names = dataset_utils.index_directory(
        str(tmp_path),
        options.get("labels", "inferred"),
        (".txt",),
        class_names=options.get("class_names"),
        shuffle=options.get("shuffle", True),
        seed=options.get("seed", 0),
        verbose=False,
    )
    files, labels = dataset_utils.get_training_or_validation_split(
        files, labels, options.get("validation_split"), options.get("subset")
    )
    assert made.class_names == names
    if "seed" in options or options.get("shuffle") is False:
        assert made.file_paths == files
    found = [(str(x), int(y)) for xs, ys in made for x, y in zip(xs, ys)]
    with_texts = [(open(path).read(), int(label)) for path, label in zip(files, labels)]
    same = found if options.get("shuffle") is False else sorted(found)
    assert same == (with_texts if options.get("shuffle") is False else sorted(with_texts))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(2, 6, 5, 3), (6, 5, 1)])
def test_layers_on_images_one_after_the_other(interpolation, shape):
    import keras

    images = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    theirs = keras.layers.Resizing(4, 8, interpolation=interpolation)(images)
    chain = equivalent("keras.Sequential")(
        [equivalent("keras.layers.Resizing")(4, 8, interpolation=interpolation)]
    )
    chain.add(equivalent("keras.layers.Rescaling")(1 / 255))
    np.testing.assert_allclose(chain(images), np.asarray(theirs) / 255, atol=1e-5)


def test_each_image_is_mirrored_at_random():
    images = np.arange(64 * 12, dtype="float32").reshape(64, 2, 3, 2)
    flip = equivalent("keras.layers.RandomFlip")("horizontal", seed=1)
    same = [(a == b).all() for a, b in zip(flip(images), images)]
    turned = [(a == b[:, ::-1]).all() for a, b in zip(flip(images), images)]
    assert 16 < sum(same) < 48 and 16 < sum(turned) < 48
    np.testing.assert_array_equal(flip(images, training=False), images)
    assert flip(images[0]).shape == images[0].shape


FOLDER_PROGRAM = """
import re
import string

import tensorflow as tf
from tensorflow.keras import layers, losses

raw_train = tf.keras.utils.text_dataset_from_directory("reviews", batch_size=4, seed=1)


def standardize(texts):
    plain = tf.strings.regex_replace(tf.strings.lower(texts), "<br />", " ")
    return tf.strings.regex_replace(plain, "[%s]" % re.escape(string.punctuation), "")


vectorize = layers.TextVectorization(
    standardize=standardize, max_tokens=50, output_mode="int", output_sequence_length=6
)
vectorize.adapt(raw_train.map(lambda text, label: text))


def numbers(text, label):
    return vectorize(tf.expand_dims(text, -1)), label


train = raw_train.map(numbers).cache().prefetch(buffer_size=tf.data.AUTOTUNE)
model = tf.keras.Sequential([layers.Embedding(51, 4), layers.GlobalAveragePooling1D(), layers.Dense(1)])
model.compile(
    loss=losses.BinaryCrossentropy(from_logits=True),
    optimizer="adam",
    metrics=[tf.metrics.BinaryAccuracy(threshold=0.0)],
)
model.fit(train, epochs=2)
"""

FRAME_PROGRAM = """
import keras
import numpy as np
import pandas as pd
from keras import layers

kinds = ["fixed", "normal", "reversible", "normal"] * 5
frame = pd.DataFrame({"age": np.arange(20) + 20.0, "kind": kinds, "target": [0, 1] * 10})
lookup = layers.StringLookup(output_mode="one_hot")
lookup.adapt(frame["kind"].values)
scale = layers.Normalization()
scale.adapt(frame[["age"]].values)
x = np.concatenate([np.array(scale(frame[["age"]].values)), lookup(frame["kind"].values).numpy()], axis=1)
inputs = keras.Input((x.shape[1],))
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(inputs))
model.compile("adam", "binary_crossentropy")
model.fit(x, frame["target"].values, epochs=2, batch_size=8)
"""


def trained(source: str, folder) -> dict[str, list[float]]:
    """The history of the generated script, which runs as it stands."""
    (folder / "net.py").write_text(source)
    keras2torch.generate(folder / "net.py").write(folder)
    run_script(folder)
    return json.loads((folder / "runs/net/history.json").read_text())


def test_a_program_on_a_folder_of_texts_runs_as_it_stands(tmp_path):
    for name, words in (("neg", "awful, boring<br />film"), ("pos", "Great film!")):
        (tmp_path / "reviews" / name).mkdir(parents=True)
        for number in range(6):
            (tmp_path / "reviews" / name / f"{number}.txt").write_text(f"{words} {number}")
    history = trained(FOLDER_PROGRAM, tmp_path)
    assert len(history["loss"]) == 2 and "binary_accuracy" in history


def test_a_program_on_a_frame_of_categories_runs_as_it_stands(tmp_path):
    assert len(trained(FRAME_PROGRAM, tmp_path)["loss"]) == 2
