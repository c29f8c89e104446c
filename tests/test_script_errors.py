"""What a program that cannot be recorded is told: what, where, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
from script_helpers import IMPORTS, Programs, shapes

from keras2torch.errors import K2TError
from keras2torch.frontend.script import run_script

MODEL = "model = Sequential([Input((3,)), Dense(1)])\nmodel.compile('adam', 'mse')\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import keras\nx = {}['key']\n",
            "program.py:2: KeyError: 'key'\n    x = {}['key']",
        ),
        (
            "def f(x):\n    return g(x)\ndef g(x):\n    raise ValueError('no ' + x)\nf('luck')\n",
            "program.py:4: ValueError: no luck\n    raise ValueError('no ' + x)",
        ),
        (
            "import keras\nx = (1,\n",
            "program.py:2: syntax error: '(' was never closed\n    x = (1,",
        ),
        (
            "print 'hello'\n",
            "program.py:1: syntax error: Missing parentheses in call to 'print'. Did you mean print(...)?\n"
            "    print 'hello'\n  fix: this looks like Python 2: convert it with 2to3",
        ),
        (
            "x = 1\n",
            "the script makes no model\n"
            "  fix: give a script that makes a keras Model or Sequential, or name a function with --model NAME",
        ),
        (
            IMPORTS
            + "import nowhere\nfound = []\nfor item in nowhere.items():\n    found.append(item)\n"
            "m = Sequential([Input((3,)), Dense({}[found[0]])])\n",
            "the script makes no model; statements that need nowhere.items() are passed over\n"
            "  fix: give a script that makes a keras Model or Sequential, or name a function with --model NAME",
        ),
        (
            "import sys\nsys.exit('no data')\n",
            "program.py:2: the script ends itself: no data\n"
            "  fix: give the script what it asks for as defaults: it is run without arguments",
        ),
        (
            IMPORTS + "model = Sequential([Input((3,)), keras.layers.Dens(1)])\n",
            "program.py:4: keras.layers.Dens is a layer that keras2torch does not know\n"
            "  fix: did you mean Dense?",
        ),
        (
            IMPORTS + "model = Sequential([Input((3,)), Dense(1, colour='red')])\n",
            "program.py:4: Dense has no argument 'colour'",
        ),
        (IMPORTS + "model = Sequential([Input((3,)), Dense()])\n", "program.py:4: Dense needs"),
        (
            IMPORTS + "x = Input((3,))\nif x > 0:\n    x = Dense(1)(x)\n",
            "program.py:5: a Python `if`, `while` or `assert` asks for the truth of a symbolic tensor",
        ),
        (
            IMPORTS + "def f():\n    return f()\nf()\n",
            "program.py:5: RecursionError: maximum recursion depth exceeded",
        ),
    ],
)
def test_message(programs: Programs, source: str, message: str) -> None:
    assert programs.error(source).startswith(message)


def test_what_is_no_program(programs: Programs) -> None:
    def message(path: Path) -> str:
        with pytest.raises(K2TError) as caught:
            run_script(path)
        return str(caught.value).replace(str(programs.folder), "folder")

    (programs.folder / "bytes.py").write_bytes(b"x = '\xff\xfe'\n")
    (programs.folder / "null.py").write_bytes(b"x = 1\x00\n")
    assert message(programs.folder) == "'folder' is a directory\n  fix: give the program's file"
    assert (
        message(programs.folder / "no.py")
        == "there is no file 'folder/no.py'\n  fix: check the path"
    )
    assert message(programs.folder / "bytes.py").startswith("bytes.py is not text in the encoding")
    assert "null.py" in message(programs.folder / "null.py")


def test_arguments_that_a_program_insists_on(programs: Programs) -> None:
    source = IMPORTS + (
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--data', required=True)\n"
        "p.add_argument('units', type=int)\np.add_argument('--epochs', default=3, type=int)\n"
        "args = p.parse_args()\nopen(args.data).read()\nassert args.epochs == 3\n"
    )
    assert shapes(programs.run(source + MODEL))[1] == [(None, 1)]
    assert programs.notes == [
        "program.py:9: the command-line argument --data is not given; a stand-in is used",
        "program.py:9: the command-line argument units is not given; a stand-in is used",
    ]
    message = programs.error(source + "\nmodel = Sequential([Dense(args.units)])\n")
    assert message == (
        "program.py:13: the argument units of Dense comes from the command-line argument units "
        "(at program.py:9), which is not here\n"
        "  fix: give it a default in the script: it is run without arguments"
    )


def test_a_program_that_ends_itself(programs: Programs) -> None:
    source = (
        "import sys\nif len(sys.argv) < 2:\n    print('usage: data')\n    sys.exit(2)\n"
        + IMPORTS
        + MODEL
    )
    assert programs.error(source).startswith(
        "program.py:4: the script ends itself: code 2\n  fix: "
    )


def test_an_error_after_the_model_is_a_note(programs: Programs) -> None:
    model = programs.run(IMPORTS + MODEL + "x = 1 / 0\n")
    assert shapes(model)[1] == [(None, 1)]
    assert programs.notes == [
        "the script stopped after the model was recorded: "
        "program.py:6: ZeroDivisionError: division by zero\n    x = 1 / 0"
    ]


def test_an_error_inside_the_model_is_an_error(programs: Programs) -> None:
    source = IMPORTS + (
        "def build():\n    model = Sequential()\n    model.add(Input((3,)))\n    model.add(Dense(4))\n"
        "    model.add(keras.layers.NoSuchLayer())\n    return model\nmodel = build()\n"
    )
    for wanted in (None, "build", "model"):
        assert programs.error(source, model=wanted).startswith(
            "program.py:8: keras.layers.NoSuchLayer"
        )


def test_an_error_in_a_function_that_is_named(programs: Programs) -> None:
    source = IMPORTS + "def build():\n    return Sequential([Input((3,)), Dense(1 / 0)])\n"
    assert programs.error(source, model="build").startswith("program.py:5: ZeroDivisionError")


def test_an_unknown_layer_that_is_only_imported(programs: Programs) -> None:
    programs.run("from keras.layers import NoSuchLayer, Other\n" + IMPORTS + MODEL)
    assert programs.notes == []


def test_an_addon_layer_that_is_used(programs: Programs) -> None:
    source = IMPORTS + (
        "import tensorflow_hub as hub\nmodel = Sequential([Input((3,))])\n"
        "model.add(hub.KerasLayer('https://tfhub.dev/x'))\n"
    )
    message = programs.error(source)
    assert message.startswith(
        "program.py:6: what is added to a Sequential model comes from "
        "tensorflow_hub.KerasLayer('https://tfhub.dev/x') (at program.py:6), which keras2torch does not"
    )


def test_too_long_without_a_model(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keras2torch.frontend.watch.WITHOUT_MODEL", 0.5)
    message = programs.error("n = 0\nwhile True:\n    n += 1\n")
    assert message.startswith("program.py:") and "without making a model" in message
