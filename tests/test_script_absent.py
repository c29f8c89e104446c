"""Programs whose data or modules are not here: the model is reached, or the missing size is named."""

from __future__ import annotations

import numpy as np
import pytest
from script_helpers import IMPORTS, Programs, shapes

MODEL = "model = Sequential([Input((3,)), Dense(1)])\nmodel.compile('adam', 'mse')\n"


@pytest.mark.parametrize(
    "lines",
    [
        "import no_such_module as m\nx = m.load('x').T[0].values[:, 3] / 255.0\ny = m.Foo(n=3).fit(x)(x)",
        "from no_such_module import load, Thing\n(a, b), (c, d) = load()\nx, y = Thing(a), b",
        "from no_such_module.part import *\nx = something_of_it(3)",
        "import no_such_module\n@no_such_module.jit\ndef f(x):\n    return x + 1\nassert f(1) == 2",
        "import no_such_module\nclass Env(no_such_module.Env):\n    def __init__(self):\n"
        "        super().__init__(3)\n        self.size = self.other\nEnv().reset()",
        "try:\n    import no_such_module\nexcept ImportError:\n    no_such_module = None\n"
        "assert no_such_module is None",
        "import pandas as pd\ndf = pd.read_csv('no.csv', header=None)\nx = df.iloc[:, :-1].values.astype('f')\n"
        "y = df['label'].map({'a': 0})\ndf.drop('id', axis=1, inplace=True)\nprint(df.head(), len(df), f'{x:.2f}')\n"
        "for i, row in df.iterrows():\n    a, b = row['a'], row['b']",
        "import numpy as np\ndata = np.loadtxt('no.csv', delimiter=',')\nx, y = data[:, :8], data[:, 8]\n"
        "x = (x - x.mean(axis=0)) / np.std(x)\nz = np.concatenate([x, x])\nassert data.shape[0] == len(x)\n"
        "w = np.zeros((len(x), 3))\nw[0, 1] = x[2]\nx, y = x[np.random.permutation(len(x))], y[:10]",
        "text = open('no.txt').read().lower()\nchars = sorted(list(set(text)))\n"
        "index = dict((c, i) for i, c in enumerate(chars))\nsentences = []\n"
        "for i in range(0, len(text) - 40, 3):\n    sentences.append(text[i: i + 40])\n",
        "import os\nfiles = [f for f in os.listdir('no') if f.endswith('.jpg')]\n"
        "path = os.path.join('no', files[0])\nfor root, dirs, names in os.walk('no'): pass",
        "from PIL import Image\nimg = Image.open('no.png').resize((64, 64))\nw, h = img.size",
        "import zipfile\nwith zipfile.ZipFile('no.zip', 'r') as z:\n    z.extractall('.')",
        "import urllib.request\nurllib.request.urlretrieve('http://x.y/z', 'z')\n"
        "import json\nd = json.loads(urllib.request.urlopen('http://x.y/z').read().decode())",
        "import pickle\nwith open('no.pkl', 'rb') as f:\n    x, y = pickle.load(f)",
        "from sklearn.model_selection import train_test_split\nimport numpy as np\nx = np.load('no.npy')\n"
        "a, b, c, d = train_test_split(x, x, test_size=0.2)\n"
        "from sklearn.preprocessing import StandardScaler\na = StandardScaler().fit_transform(a)",
        "from sklearn.no_such_part import thing\nthing(3)",
        "from keras.models import load_model\nold = load_model('no.h5')\nold.predict([1])",
        "import csv\nfor row in csv.reader(open('no.csv')):\n    a, b = row[0], float(row[1])",
        "import subprocess\nout = subprocess.check_output(['nvidia-smi']).decode()\nn = int(out.split()[0])",
    ],
)
def test_the_model_is_reached(programs: Programs, lines: str) -> None:
    assert shapes(programs.run(lines + "\n" + IMPORTS + MODEL))[1] == [(None, 1)]


@pytest.mark.parametrize(
    ("lines", "size", "what"),
    [
        (
            "text = open('a.txt').read()\nn = len(sorted(set(text)))",
            "n",
            "the file 'a.txt' (at program.py:1)",
        ),
        (
            "words = {w: i for i, w in enumerate(open('a.txt'))}",
            "len(words) + 1",
            "the file 'a.txt'",
        ),
        (
            "import numpy as np\nx = np.load('a.npy')",
            "x.shape[1]",
            "the file 'a.npy' (at program.py:2)",
        ),
        ("import numpy as np\ny = np.load('a.npy')", "len(np.unique(y))", "the file 'a.npy'"),
        ("import numpy as np\ny = np.load('a.npy')", "int(np.max(y)) + 1", "the file 'a.npy'"),
        (
            "import numpy as np\nx = np.array([l.split() for l in open('a.txt')])",
            "x.shape[1]",
            "the file 'a.txt'",
        ),
        ("import pandas as pd\ndf = pd.read_csv('a.csv')", "df['x'].nunique()", "'a.csv'"),
        ("import no_such as n", "n.size('a')", "no_such.size('a') (at program.py:5)"),
        ("import os\nnames = os.listdir('a')", "len(names)", "the file 'a'"),
        ("n = int(input('units? '))", "n", "what input() asks for"),
        ("import sys\nn = int(sys.argv[1])", "n", "the command-line argument 1"),
        ("import json\nc = json.load(open('a.json'))", "c['units']", "the file 'a.json'"),
        ("lengths = [len(l) for l in open('a.txt')]", "max(lengths)", "the file 'a.txt'"),
        ("n = 0\nfor line in open('a.txt'):\n    n += 1", "n", "the file 'a.txt'"),
        ("n = 3\nfor line in open('a.txt'):\n    n = max(n, len(line))", "n", "the file 'a.txt'"),
        (
            "def count():\n    found = {}\n    for i, line in enumerate(open('a.txt')):\n"
            "        if line.startswith('x'):\n            found[line] = i\n    return found",
            "len(count())",
            "the file 'a.txt'",
        ),
        (
            "import os\nnames = []\nfor name in os.listdir('a'):\n    if os.path.isdir(name):\n"
            "        names.append(name)",
            "len(names)",
            "the file 'a'",
        ),
        ("names = [n for n in open('a.txt') if n.strip()]", "len(names)", "the file 'a.txt'"),
        (
            "from keras.preprocessing.text import Tokenizer\nt = Tokenizer()\n"
            "t.fit_on_texts(open('a.txt').read().split())",
            "len(t.word_index) + 1",
            "the file 'a.txt'",
        ),
        (
            "from keras.preprocessing.image import ImageDataGenerator\n"
            "flow = ImageDataGenerator().flow_from_directory('photos')",
            "flow.num_classes",
            "the folder 'photos'",
        ),
        (
            "import keras\nds = keras.utils.image_dataset_from_directory('photos')",
            "len(ds.class_names)",
            "the folder 'photos'",
        ),
    ],
)
def test_a_size_from_absent_data_is_named(
    programs: Programs, lines: str, size: str, what: str
) -> None:
    lines = lines + "\n" if "import keras" in lines else lines + "\nimport keras\n"
    message = programs.error(
        f"{lines}model = keras.Sequential()\n\nmodel.add(keras.layers.Dense({size}))\n"
    )
    assert (
        "the argument units of Dense comes from " in message
        and what.partition(" (at")[0] in message
    )
    assert "which is not here" in message and "\n  fix: " in message
    assert what.partition(" (at")[2] in message


def test_an_input_of_absent_size(programs: Programs) -> None:
    source = "import numpy as np\nx = np.load('a.npy')\n" + IMPORTS
    for shape in ("(x.shape[1],)", "x.shape[1:]", "(28, x.shape[2])"):
        message = programs.error(
            source + f"i = Input(shape={shape})\nmodel = Model(i, Dense(1)(i))\n"
        )
        assert "comes from the file 'a.npy' (at program.py:2), which is not here" in message
        message = programs.error(source + f"model = Sequential([Dense(1, input_shape={shape})])\n")
        assert "comes from the file 'a.npy' (at program.py:2), which is not here" in message


def test_sizes_that_the_program_gives_itself(programs: Programs) -> None:
    source = (
        "import numpy as np\nx = np.load('a.npy')\nx = x.reshape(-1, 28, 28, 1).astype('f') / 255\n"
        + IMPORTS
    )
    source += "i = Input(shape=x[:100].shape[1:])\nmodel = Model(i, Dense(1)(i))\n"
    assert shapes(programs.run(source))[0] == [(None, 28, 28, 1)]


def test_a_file_that_is_here_is_read(programs: Programs) -> None:
    programs.write("1,2,3,4\n5,6,7,8\n", "a.csv")
    source = "import numpy as np\nx = np.loadtxt('a.csv', delimiter=',')\n" + IMPORTS
    source += "model = Sequential([Input((x.shape[1],)), Dense(len(open('a.csv').readlines()))])\n"
    assert shapes(programs.run(source)) == ([(None, 4)], [(None, 2)])
    assert programs.notes == []


def test_notes_tell_what_is_not_here(programs: Programs) -> None:
    programs.run("import no_such\nx = no_such.f()\ny = open('a.txt').read()\n" + IMPORTS + MODEL)
    assert programs.notes == [
        "no_such is not installed; a stand-in is used",
        "program.py:3: the file 'a.txt' is not here; a stand-in is used",
    ]


def test_a_statement_about_a_model_is_not_passed_over(programs: Programs) -> None:
    source = (
        "import numpy as np\nx = np.load('a.npy')\n"
        + IMPORTS
        + (
            "model = Sequential([Input((3,))])\nlayers = [Dense(4)]\nlayers.insert(x, Dense(5) if x.y else 'a' + 1)\n"
            "for layer in layers:\n    model.add(layer)\n"
        )
    )
    assert "the file 'a.npy'" in programs.error(source)


def test_a_true_error_is_not_passed_over(programs: Programs) -> None:
    source = "x = open('a.txt').read()\n" + IMPORTS + "y = [1][5]\n" + MODEL
    assert programs.error(source).startswith("program.py:5: IndexError")


def test_weights_that_are_not_here(programs: Programs) -> None:
    source = (
        "import numpy as np\nm = np.load('glove.npy')\n"
        + IMPORTS
        + (
            "from keras.layers import Embedding\n"
            "model = Sequential([Input((5,)), Embedding(100, 8, weights=[m], trainable=False)])\n"
        )
    )
    assert shapes(programs.run(source))[1] == [(None, 5, 8)]
    assert any("weights of Embedding" in note for note in programs.notes)


def test_loops_that_fill_nothing_of_a_model(programs: Programs) -> None:
    source = IMPORTS + (
        "names = []\nfor line in open('a.txt'):\n    names.append(line)\n"
        "import numpy as np\nfor i in range(3):\n    np.add(i, 1)\n"
        "x = inputs = Input((4,))\nfor units in (8, 6):\n    x = Dense(units)(x)\nmodel = Model(inputs, x)\n"
    )
    assert shapes(programs.run(source))[1] == [(None, 6)]


class TestDatasets:
    """The arrays of keras.datasets, cheap and of the right form."""

    @pytest.mark.parametrize(
        ("name", "train", "test", "labels"),
        [
            ("mnist", (60000, 28, 28), (10000, 28, 28), (60000,)),
            ("fashion_mnist", (60000, 28, 28), (10000, 28, 28), (60000,)),
            ("cifar10", (50000, 32, 32, 3), (10000, 32, 32, 3), (50000, 1)),
            ("cifar100", (50000, 32, 32, 3), (10000, 32, 32, 3), (50000, 1)),
            ("imdb", (25000,), (25000,), (25000,)),
            ("reuters", (8982,), (2246,), (8982,)),
            ("boston_housing", (404, 13), (102, 13), (404,)),
            ("california_housing", (16512, 8), (4128, 8), (16512,)),
        ],
    )
    def test_forms(self, name: str, train: tuple, test: tuple, labels: tuple) -> None:
        from keras2torch.frontend.standins import datasets

        (x, y), (x_test, _) = getattr(datasets, name)["load_data"]()
        assert x.shape == train and x_test.shape == test and y.shape == labels
        if x.dtype == np.uint8:
            assert x.strides[1:] == (0,) * (x.ndim - 1)  # one value a sample: nearly no memory
            classes = 100 if name == "cifar100" else 10
            assert sorted(set(y.ravel().tolist())) == list(range(classes))

    def test_what_programs_do_with_them(self, programs: Programs) -> None:
        source = """
            import numpy as np
            from keras.datasets import mnist, imdb, reuters
            from keras.utils import to_categorical
            from keras.preprocessing.sequence import pad_sequences
            (x, y), (x_test, y_test) = mnist.load_data()
            x = x.reshape(60000, 784).astype('float32')
            x /= 255
            x_test = np.expand_dims(x_test / 255.0, -1)
            assert x.shape == (60000, 784) and x.max() == 1 and x_test.shape == (10000, 28, 28, 1)
            x -= x.mean(axis=0)
            y = to_categorical(y)
            assert y.shape == (60000, 10) and y.sum() == 60000
            x, y = x[np.random.permutation(len(x))], y[:50000]
            (a, b), (c, d) = imdb.load_data(num_words=5000)
            assert max(max(s) for s in a) == 4999 and max(len(s) for s in a) == 2494
            assert pad_sequences(a, maxlen=400).shape == (25000, 400)
            assert len(imdb.get_word_index()) == 88584
            (a, b), _ = reuters.load_data(num_words=10000, test_split=0.2)
            assert np.max(b) + 1 == 46
            import keras
            model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(y.shape[1])])
        """
        assert shapes(programs.run(source)) == ([(None, 784)], [(None, 10)])
        assert programs.notes == []

    def test_channels_first(self, programs: Programs) -> None:
        source = """
            import keras
            keras.backend.set_image_data_format('channels_first')
            (x, y), _ = keras.datasets.cifar10.load_data()
            model = keras.Sequential([keras.Input(x.shape[1:])])
            model.add(keras.layers.Dense(2))
        """
        assert shapes(programs.run(source))[0] == [(None, 3, 32, 32)]


class TestData:
    """tf.data and the generators carry the shapes that a model without an Input is built from."""

    @pytest.mark.parametrize(
        ("data", "shape"),
        [
            ("ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10).batch(4).prefetch(1)", (None, 8)),
            ("ds = tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a, b)).batch(4)", (None, 8)),
            ("ds = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(x).batch(2), "
             "tf.data.Dataset.from_tensor_slices(y).batch(2))).cache().repeat()", (None, 8)),
            ("ds = tf.data.Dataset.from_generator(lambda: iter([]), output_signature=("
             "tf.TensorSpec((5,), tf.float32), tf.TensorSpec((), tf.int32))).batch(3)", (None, 5)),
            ("ds = tf.keras.utils.image_dataset_from_directory('photos', image_size=(12, 10))",
             (None, 12, 10, 3)),
            ("ds = tf.keras.preprocessing.image.ImageDataGenerator().flow_from_directory("
             "'photos', target_size=(12, 10), color_mode='grayscale')", (None, 12, 10, 1)),
            ("ds = tf.keras.preprocessing.image.ImageDataGenerator().flow(images, y)", (None, 6, 6, 3)),
            ("class S(tf.keras.utils.Sequence):\n    def __len__(self): return 2\n"
             "    def __getitem__(self, i): return x[:4], y[:4]\nds = S()", (None, 8)),
            ("def g():\n    while True:\n        yield x[:4], y[:4]\nds = g()", (None, 8)),
            ("import tensorflow_datasets as tfds\nds, info = tfds.load('mnist', split='train', "
             "as_supervised=True, with_info=True)\nds = ds.batch(32)\n"
             "assert info.features['label'].num_classes == 10", (None, 28, 28, 1)),
        ],
    )  # fmt: skip
    def test_a_model_is_built_from_them(self, programs: Programs, data: str, shape: tuple) -> None:
        source = (
            "import numpy as np, tensorflow as tf\nx, y = np.zeros((20, 8)), np.zeros(20)\n"
            "images = np.zeros((20, 6, 6, 3))\n" + data + "\n"
            "model = tf.keras.Sequential([tf.keras.layers.Dense(2)])\nmodel.compile('adam', 'mse')\n"
            "model.fit(ds, epochs=2)\n"
        )
        assert shapes(programs.run(source))[0] == [shape]

    def test_loops_over_them_end(self, programs: Programs) -> None:
        source = """
            import numpy as np, tensorflow as tf
            ds = tf.data.Dataset.from_tensor_slices((np.zeros((20, 8)), np.zeros(20))).batch(4)
            n = 0
            for epoch in range(3):
                for step, (x, y) in enumerate(ds):
                    assert x.shape == (4, 8) and y.shape == (4,)
                    n += 1
            assert n == 3 and len(ds) == 5
            model = tf.keras.Sequential([tf.keras.Input((8,)), tf.keras.layers.Dense(2)])
        """
        assert shapes(programs.run(source))[0] == [(None, 8)]
