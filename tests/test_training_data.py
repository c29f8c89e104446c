"""The program's own data statements, carried into ``load_data``: they make the same arrays."""

from __future__ import annotations

import ast
import gzip
import os
import pickle
import textwrap

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")

from keras2torch.pages import environment as _environment
from keras2torch.training import slicing


def carried(source: str, *, last: bool = True) -> slicing.Slice:
    """The slice for the arrays of all fit() and evaluate() calls of a program."""
    tree = ast.parse(source)
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("fit", "evaluate")
        and getattr(node.func.value, "id", "") == "model"
    ]
    calls.sort(key=lambda node: node.lineno)
    return slicing.carry(source, calls[-1], [arg for call in calls for arg in call.args])


def text_of(made: slicing.Slice) -> str:
    pages = [_environment().get_template(f"data/{name}.py.jinja").render() for name in made.helpers]
    head = "import gzip, hashlib, os, pickle, tarfile, urllib.request\nfrom pathlib import Path\n"
    head += "import numpy as np\n"
    return "\n".join([head, *made.imports, *pages, *made.statements])


def values(source: str) -> dict[str, object]:
    made = carried(textwrap.dedent(source))
    namespace: dict[str, object] = {}
    exec(text_of(made), namespace)
    return {
        written: eval(expression, namespace) for written, expression in made.expressions.items()
    }


def test_statements_come_with_their_comments_and_nothing_else():
    source = textwrap.dedent("""
        import numpy as np
        import matplotlib.pyplot as plt
        from keras import layers, models

        # 200 points on a noisy line
        rng = np.random.default_rng(3)
        x = rng.normal(size=(200, 2))  # features
        y = x @ [1.0, -2.0] + 0.1 * rng.normal(size=200)
        plt.plot(x[:, 0], y)
        plt.show()
        print(x.shape)
        unused = x * 2
        model = models.Sequential([layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, y, epochs=3)
        """)
    made = carried(source)
    assert made.imports == ["import numpy as np"]
    assert made.statements == [
        "# 200 points on a noisy line",
        "rng = np.random.default_rng(3)",
        "x = rng.normal(size=(200, 2))  # features",
        "y = x @ [1.0, -2.0] + 0.1 * rng.normal(size=200)",
    ]


def test_statements_on_one_line():
    made = carried(textwrap.dedent("""
        import numpy as np
        from keras import layers, models
        x = np.random.rand(20, 2); y = np.random.rand(20, 1)
        model = models.Sequential([layers.Dense(1)]); model.compile("sgd", "mse")
        model.fit(x, y)
        """))
    assert made.statements == ["x = np.random.rand(20, 2)", "y = np.random.rand(20, 1)"]


def test_helper_functions_loops_and_changes_in_place():
    found = values("""
        import numpy as np

        SIZE = 5

        def window(series, length=SIZE):
            rows = []
            for i in range(len(series) - length):
                rows.append(series[i : i + length])
            return np.array(rows)

        series = np.sin(np.arange(40.0))
        data = window(series)
        targets = []
        for i in range(len(data)):
            targets.append(series[i + SIZE])
        targets = np.array(targets)
        data[0] = 7.0
        data -= data.mean()
        model.fit(data[:20], targets[:20])
        model.evaluate(data[20:], targets[20:])
        """)
    series = np.sin(np.arange(40.0))
    data = np.array([series[i : i + 5] for i in range(35)])
    data[0] = 7.0
    data -= data.mean()
    np.testing.assert_array_equal(found["data[:20]"], data[:20])
    np.testing.assert_array_equal(found["targets[20:]"], series[5:][20:])


def test_names_of_layers_that_hold_data_later():
    made = carried(textwrap.dedent("""
        import numpy as np
        from keras import layers

        x = inputs = layers.Input((3,))
        x, (y, z) = layers.Dense(1)(x), (1, 2)
        x, (y, z) = np.ones((4, 3)), (np.ones(4), 0)
        model.fit(x, y)
        """))
    assert made.statements == ["x, (y, z) = np.ones((4, 3)), (np.ones(4), 0)"]


def test_pandas_and_scikit_learn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    rows = ["a,b,kind"] + [
        f"{a},{b},{'xyz'[i % 3]}" for i, (a, b) in enumerate(rng.normal(size=(30, 2)))
    ]
    (tmp_path / "data.csv").write_text("\n".join(rows))
    found = values("""
        import pandas as pd
        from sklearn.model_selection import train_test_split
        from sklearn.preprocessing import LabelEncoder, StandardScaler
        from keras.utils import to_categorical

        df = pd.read_csv("data.csv")
        df.head()
        df["sum"] = df["a"] + df["b"]
        X = df[["a", "b", "sum"]].values
        encoder = LabelEncoder()
        encoder.fit(df["kind"])
        Y = to_categorical(encoder.transform(df["kind"]))
        X_train, X_test, y_train, y_test = train_test_split(X, Y, test_size=0.2, random_state=1)
        sc = StandardScaler()
        X_train = sc.fit_transform(X_train)
        X_test = sc.transform(X_test)
        model.fit(X_train, y_train)
        model.evaluate(X_test, y_test)
        """)
    assert found["X_train"].shape == (24, 3) and found["y_test"].shape == (6, 3)
    np.testing.assert_allclose(found["X_train"].mean(axis=0), 0, atol=1e-12)
    assert set(found["y_train"].sum(axis=1)) == {1.0}


def test_a_variable_for_a_module_of_keras(cache):
    x, y = arrays((7, 28, 28))
    np.savez(cache / "mnist.npz", x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    found = values("""
        import tensorflow as tf
        mnist = tf.keras.datasets.mnist
        (x_train, y_train), (x_test, y_test) = mnist.load_data()
        x_train, x_test = x_train / 255.0, x_test / 255.0
        for run in range(3):
            model.fit(x_train, y_train)
        """)
    np.testing.assert_array_equal(found["x_train"], x / 255.0)


def test_inside_main_with_parameters():
    found = values("""
        import numpy as np

        def load(n):
            return np.arange(n, dtype="float32")[:, None], np.ones(n)

        def train(n, scale=2.0):
            x, y = load(n)
            x = x * scale
            model = build()
            model.fit(x, y)

        if __name__ == "__main__":
            count = 6
            train(count)
        """)
    np.testing.assert_array_equal(found["x"], 2 * np.arange(6.0)[:, None])


def test_seeds_come_along_with_random_draws():
    found = values("""
        import numpy as np

        np.random.seed(11)
        x = np.random.rand(5, 2)
        order = np.random.permutation(5)
        np.random.shuffle(x)
        model.fit(x[order], x)
        """)
    np.random.seed(11)
    x = np.random.rand(5, 2)
    order = np.random.permutation(5)
    np.random.shuffle(x)
    np.testing.assert_array_equal(found["x[order]"], x[order])


def test_draws_that_are_not_needed_move_the_generator_on():
    found = values("""
        import numpy as np

        def noise():
            return np.random.rand(3)

        rng = np.random.default_rng(0)
        np.random.seed(5)
        other = rng.normal(size=4)
        unused = noise()
        x = rng.normal(size=(5, 2))
        y = np.random.rand(5)
        after = np.random.rand(9)
        model.fit(x, y)
        """)
    rng = np.random.default_rng(0)
    np.random.seed(5)
    rng.normal(size=4)
    np.random.rand(3)
    np.testing.assert_array_equal(found["x"], rng.normal(size=(5, 2)))
    np.testing.assert_array_equal(found["y"], np.random.rand(5))


@pytest.mark.parametrize(
    "source, why",
    [
        ("x = model.predict(z)\nmodel.fit(x, x)", "has no value"),
        ("import tensorflow as tf\nx = tf.io.parse_example('x')\nmodel.fit(x, x)", "tensorflow.io"),
        ("x = input()\nmodel.fit(x, x)", "asks the user"),
        ("while True:\n    x = [1]\n    model.fit(x, x)", "x has no value"),
        ("import sys\nx = open(sys.argv[1])\nmodel.fit(x, x)", "command line"),
    ],
)
def test_what_cannot_stand_alone_is_told(source, why):
    with pytest.raises(slicing.CannotCarryError, match=why):
        carried(source)


MNIST = """
import numpy as np
from tensorflow import keras
from tensorflow.keras import backend as K
from {module} import {name}

(x_train, y_train), (x_test, y_test) = {name}.load_data()
if K.image_data_format() == "channels_first":
    x_train = x_train[:, None]
else:
    x_train = x_train.astype("float32") / 255
y_train = keras.utils.to_categorical(y_train, 10)
model.fit(x_train, y_train)
model.evaluate(x_test, y_test)
"""


def arrays(shape):
    rng = np.random.default_rng(1)
    return rng.integers(0, 256, shape).astype("uint8"), rng.integers(0, 10, shape[0]).astype(
        "uint8"
    )


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


def test_mnist_from_the_cache_of_keras(cache):
    x, y = arrays((7, 28, 28))
    np.savez(cache / "mnist.npz", x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    found = values(MNIST.format(module="keras.datasets", name="mnist"))
    np.testing.assert_array_equal(found["x_train"], x.astype("float32") / 255)
    np.testing.assert_array_equal(found["y_train"].argmax(axis=1), y)
    np.testing.assert_array_equal(found["x_test"], x[:3])


def test_fashion_mnist_from_the_cache_of_keras(cache):
    x, y = arrays((7, 28, 28))
    (cache / "fashion-mnist").mkdir()
    for part, n in (("train", 7), ("t10k", 4)):
        with gzip.open(cache / f"fashion-mnist/{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(bytes(8) + y[:n].tobytes())
        with gzip.open(cache / f"fashion-mnist/{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(bytes(16) + x[:n].tobytes())
    found = values(MNIST.format(module="tensorflow.keras.datasets", name="fashion_mnist"))
    np.testing.assert_array_equal(found["x_test"], x[:4])
    np.testing.assert_array_equal(found["y_test"], y[:4])


@pytest.mark.parametrize(
    "folder", ["cifar-10-batches-py-target/cifar-10-batches-py", "cifar-10-batches-py"]
)
def test_cifar10_from_the_cache_of_keras(cache, folder):
    x, y = arrays((6, 3, 32, 32))
    (cache / folder).mkdir(parents=True)
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        content = {b"data": x.reshape(6, -1), b"labels": [int(n) for n in y]}
        (cache / folder / name).write_bytes(pickle.dumps(content, protocol=2))
    found = values(MNIST.format(module="keras.datasets", name="cifar10"))
    assert found["x_train"].shape == (30, 32, 32, 3)
    np.testing.assert_array_equal(found["x_test"], x.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(found["y_test"], y[:, None])


def test_cifar100_coarse_labels(cache):
    x, y = arrays((6, 3, 32, 32))
    (cache / "cifar-100-python").mkdir()
    for name in ("train", "test"):
        content = {b"data": x.reshape(6, -1), b"coarse_labels": [int(n) for n in y]}
        (cache / "cifar-100-python" / name).write_bytes(pickle.dumps(content, protocol=2))
    source = MNIST.format(module="keras.datasets", name="cifar100")
    found = values(source.replace("load_data()", 'load_data(label_mode="coarse")'))
    np.testing.assert_array_equal(found["y_test"], y[:, None])


def test_functions_of_keras_give_what_keras_gives():
    import keras

    names = ["to_categorical", "pad_sequences", "normalize"]
    namespace: dict[str, object] = {"np": np}
    for name in names:
        exec(_environment().get_template(f"data/{name}.py.jinja").render(), namespace)
    ours = {name: namespace[name] for name in names}
    for args in (([1, 0, 3],), ([[1], [2]], 4)):
        np.testing.assert_array_equal(
            ours["to_categorical"](*args), keras.utils.to_categorical(*args)
        )
    lists = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9]]
    for options in (
        {},
        {"maxlen": 3},
        {"maxlen": 3, "padding": "post", "truncating": "post", "value": -1},
        {"maxlen": 7, "dtype": "float32"},
    ):
        expected = keras.utils.pad_sequences(lists, **options)
        np.testing.assert_array_equal(ours["pad_sequences"](lists, **options), expected)
    x = np.random.default_rng(0).normal(size=(4, 5))
    np.testing.assert_allclose(ours["normalize"](x), keras.utils.normalize(x))


@pytest.mark.parametrize("name", ["imdb", "reuters"])
@pytest.mark.parametrize(
    "options",
    [{}, {"num_words": 20, "maxlen": 8}, {"oov_char": None, "skip_top": 3, "start_char": None}],
)
def test_word_lists_are_keras_own(cache, monkeypatch, name, options):
    import importlib

    rng = np.random.default_rng(0)
    texts = np.array(
        [list(map(int, rng.integers(1, 40, rng.integers(3, 12)))) for _ in range(30)], dtype=object
    )
    labels = rng.integers(0, 2, 30)
    if name == "imdb":
        np.savez(
            cache / "imdb.npz",
            x_train=texts[:20],
            y_train=labels[:20],
            x_test=texts[20:],
            y_test=labels[20:],
        )
    else:
        np.savez(cache / "reuters.npz", x=texts, y=labels)
    theirs = importlib.import_module(f"keras.src.datasets.{name}")
    monkeypatch.setattr(theirs, "get_file", lambda fname, **kw: str(cache / fname))
    text = ", ".join(f"{k}={v!r}" for k, v in options.items())
    found = values(f"""
        from keras.datasets import {name}
        (x, y), (x_test, y_test) = {name}.load_data({text})
        model.fit(x, y)
        model.evaluate(x_test, y_test)
        """)
    (x, y), (x_test, y_test) = theirs.load_data(**options)
    for part, wanted in (("x", x), ("x_test", x_test)):
        assert [list(row) for row in found[part]] == [list(row) for row in wanted]
    np.testing.assert_array_equal(found["y"], y)
    np.testing.assert_array_equal(found["y_test"], y_test)


def test_a_chain_of_tf_data_is_taken_apart(tmp_path):
    import keras2torch

    path = tmp_path / "chain.py"
    path.write_text(textwrap.dedent("""
            import numpy as np
            import tensorflow as tf

            BATCH = 24
            x = np.random.rand(96, 4)
            y = np.random.rand(96)
            train = tf.data.Dataset.from_tensor_slices((x[:72], y[:72])).shuffle(100)
            train = train.batch(BATCH).prefetch(2)
            rest = tf.data.Dataset.from_tensor_slices((x[72:], y[72:])).batch(32)
            model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(4,))])
            model.compile("sgd", "mse")
            model.fit(train, epochs=2, validation_data=rest)
            """))
    text = keras2torch.generate(path).train_source
    assert "to_dataset(x[:72], y[:72])," in text and "to_dataset(x[72:], y[72:])," in text
    assert '"--batch-size", type=int, default=24' in text
    assert "torch.randperm" in text and "--data" not in text


def test_a_call_in_a_loop_has_the_data_of_its_last_round():
    source = textwrap.dedent("""
        import numpy as np
        x = np.arange(12.0)
        size = 4
        for fold in range(3):
            part = x[fold * size:(fold + 1) * size]
            {more}
            model.fit(part, part)
        """)
    made = carried(source.format(more="other = part + 1"))
    assert made.statements[2:] == [
        "*_, fold = range(3)  # the last round of the program's loop",
        "part = x[fold * size:(fold + 1) * size]",
    ]
    assert list(values(source.format(more="other = 1"))["part"]) == [8, 9, 10, 11]
    for more in ("size = size + 1", "x += 1", "part = np.random.permutation(part)"):
        with pytest.raises(slicing.CannotCarryError, match="round to round"):
            carried(source.format(more=more))
