"""Data that is not here: the sizes that a script itself fixes are those of the real data, or are not known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from script_helpers import IMPORTS, Programs, shapes

MODEL = "model = Sequential([Input(SHAPE), keras.layers.Flatten(), Dense(1)])\n"
FRAME = "import numpy as np\nimport pandas as pd\ndf = pd.read_csv(FILE)\n"
SCALED = (
    "from sklearn.preprocessing import MinMaxScaler\nscaled = MinMaxScaler().fit_transform(x)\n"
)

# What a script does, and the shape of one sample; c0 to c19 are the columns, 200 the rows.
KNOWN = [
    ("x = df[['c1', 'c2', 'c3']]", (3,)),
    ("x = df[['c1', 'c2']].values.astype('float32')", (2,)),
    ("x = df[list('c1 c2'.split())].fillna(0).to_numpy()", (2,)),
    ("x = df.values[:, 0:8]", (8,)),
    ("x = df.iloc[:, 3:7].values", (4,)),
    ("x = df.iloc[:, [1, 2, 5]].dropna()", (3,)),
    ("x = df.loc[df['c1'] > 0, ['c1', 'c2']]", (2,)),
    ("x = df.filter(['c4']).values", (1,)),
    ("x = df[['c1', 'c2', 'c3']].drop('c2', axis=1)", (2,)),
    ("x = df[['c1', 'c2', 'c3']].drop(columns=['c2', 'c1'])", (1,)),
    ("x = df[['c1', 'c2', 'c3']]\nlabels = x.pop('c3')", (2,)),
    ("x = df[['c1', 'c2', 'c3']]\nx = (x - x.mean()) / x.std()", (3,)),
    ("x = df.values[:, 0:8]\nx = (x - x.mean(axis=0)) / x.std(axis=0)", (8,)),
    ("x = df.values[:, 2:4]\nx = np.expand_dims(x, -1)", (2, 1)),
    ("x = np.array(df[['c1', 'c2']])\nx = np.reshape(x, (x.shape[0], x.shape[1], 1))", (2, 1)),
    ("x = pd.DataFrame(df[['c1', 'c2']])[[0]] if False else df[['c1']]", (1,)),
    ("x = df.values[:, 0:6].reshape(-1, 3, 2)", (3, 2)),
    ("x = df.iloc[:, 1:2].values\n" + SCALED + "x = scaled", (1,)),
    (
        "x = df[['c1', 'c2']].values\nfrom sklearn.model_selection import train_test_split\n"
        "x, x_test, y, y_test = train_test_split(x, df['c3'], test_size=0.25)",
        (2,),
    ),
    (
        "x = df.iloc[:, 1:2].values\n" + SCALED + "windows, y = [], []\n"
        "for i in range(60, len(scaled)):\n    windows.append(scaled[i - 60 : i, 0])\n"
        "    y.append(scaled[i, 0])\nx, y = np.array(windows), np.array(y)\n"
        "x = np.reshape(x, (x.shape[0], x.shape[1], 1))",
        (60, 1),
    ),
    (
        "def windows(data, n):\n    x = []\n    for i in range(len(data) - n):\n"
        "        x.append(data[i : (i + n), :])\n    return np.array(x)\n"
        "x = windows(df[['c1', 'c2', 'c3']].values, 10)",
        (10, 3),
    ),
]

# Nothing in the script fixes a size here.
UNKNOWN = [
    "x = df",
    "x = df.values[:, 1:]",
    "x = df.iloc[:, :-1]",
    "x = df.drop('c2', axis=1)",
    "x = df[['c1', 'c2']]\nx['more'] = 1",
    "x = pd.get_dummies(df[['c1', 'c2']])",
    "x = df[['c1', 'c2']].reset_index()",
    "x = df[['c1', 'c2']].merge(df)",
    "x = df[['c1', 'c2']].dropna(axis=1)",
    "x = df.values[:, 0:8] @ df.values.T",
    "x = df.values[:, 0:8][..., None][:, :, 0]",
    "x = np.load('no.npy')[:, 0:8]",
]


@pytest.fixture
def programs_with_data(programs: Programs) -> Programs:
    numbers = np.random.default_rng(0).normal(size=(200, 20))
    frame = pd.DataFrame(numbers, columns=[f"c{i}" for i in range(20)])
    frame.to_csv(programs.folder / "yes.csv", index=False)
    return programs


@pytest.mark.parametrize(("lines", "sample"), KNOWN)
def test_a_size_that_the_script_fixes(
    programs_with_data: Programs,
    lines: str,
    sample: tuple[int, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(programs_with_data.folder)
    for file in ("yes.csv", "no.csv"):
        source = IMPORTS + FRAME.replace("FILE", repr(file)) + lines + "\n"
        model = programs_with_data.run(source + MODEL.replace("SHAPE", "x.shape[1:]"))
        assert shapes(model)[0] == [(None, *sample)]


@pytest.mark.parametrize("lines", UNKNOWN)
def test_a_size_that_only_the_data_fixes(programs: Programs, lines: str) -> None:
    source = IMPORTS + FRAME.replace("FILE", "'no.csv'") + lines + "\n"
    message = programs.error(source + MODEL.replace("SHAPE", "(x.shape[-1],)"))
    assert "the shape of an Input comes from the file 'no." in message


def test_columns_that_read_csv_names(programs: Programs) -> None:
    read = "import pandas as pd\nx = pd.read_csv('no.csv', names=['a', 'b', 'c'], index_col=0)\n"
    model = programs.run(IMPORTS + read + MODEL.replace("SHAPE", "x.shape[1:]"))
    assert shapes(model)[0] == [(None, 2)]


def test_an_option_that_a_later_pandas_has_not(programs: Programs) -> None:
    read = "import pandas as pd\nx = pd.read_csv('no.csv', no_such_option=True).values[:, 0:13]\n"
    model = programs.run(IMPORTS + read + MODEL.replace("SHAPE", "(13,)"))
    assert shapes(model)[0] == [(None, 13)]


def test_a_folder_to_walk(programs: Programs) -> None:
    model = programs.run(
        "import os\nnames = next(os.walk('no'))[1]\nfor n, name in enumerate(names): pass\n"
        + IMPORTS
        + MODEL.replace("SHAPE", "(3,)")
    )
    assert shapes(model)[0] == [(None, 3)]


def test_the_length_of_texts(programs: Programs) -> None:
    model = programs.run(
        IMPORTS + "import numpy as np\nx = np.load('no.npy')\n"
        "model = Sequential([keras.layers.Embedding(10, 4, input_length=x.shape[1]), keras.layers.LSTM(2)])\n"
    )
    assert len(model.layers) == 2
    assert "inputs of any length are taken" in " ".join(programs.notes)


def test_a_model_that_is_never_called(programs: Programs) -> None:
    source = IMPORTS + (
        "i = Input((7,))\ninner = Model(i, Dense(2)(i))\n"
        "class Outer(Model):\n    def __init__(self, inner):\n        super().__init__()\n"
        "        self.inner = inner\n    def call(self, x):\n        return self.inner(x) * 2\n"
        "model = Outer(inner)\nmodel.compile('adam')\nmodel.fit(no_such_data)\n"
    )
    model = programs.run("from no_such import no_such_data\n" + source)
    assert shapes(model) == ([(None, 7)], [(None, 2)])


def test_a_model_that_has_only_a_train_step(programs: Programs) -> None:
    message = programs.error(
        IMPORTS + "a, b = (Sequential([Input((3,)), Dense(3)]) for _ in range(2))\n"
        "c = Sequential([Input((4,)), Dense(3)])\n"
        "class Both(Model):\n    def train_step(self, data):\n        return {}\n"
        "both = Both()\nboth.compile('adam')\nimport numpy as np\nboth.fit(np.zeros((2, 3)))\n"
    )
    assert "models" in message and "both, which is trained, has no call()" in message


def test_a_part_that_is_shown_first(programs: Programs) -> None:
    """As in the pix2pix tutorial: one block on its own, then the network of such blocks."""
    model = programs.run(
        IMPORTS + "def block(n):\n    return Sequential([Dense(n)])\n"
        "import numpy as np\nshown = block(3)\nprint(shown(np.zeros((1, 5))))\n"
        "i = Input((5,))\nnetwork = Model(i, block(4)(block(2)(i)))\n"
    )
    assert shapes(model) == ([(None, 5)], [(None, 4)])
