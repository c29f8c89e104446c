"""What a program sees while it is recorded, and what it may do: nothing that lasts."""

from __future__ import annotations

import os
import sys

import pytest
from script_helpers import IMPORTS, Programs, shapes

MLP = """
model = Sequential([Dense(16, activation="relu", input_shape=(20,)), Dense(10)])
model.compile(loss="mse", optimizer="adam")
"""


class TestSurroundings:
    """A program sees what Python would show it, and changes nothing."""

    def test_it_is_the_main_module(self, programs: Programs) -> None:
        programs.write("SIZE = 7\n", "settings.py")
        source = IMPORTS + (
            "import sys, os, __main__\nimport settings\nfrom settings import SIZE\n"
            "assert sys.argv == [sys.argv[0]] and sys.argv[0].endswith('program.py')\n"
            "assert __name__ == '__main__' and os.path.isabs(__file__)\n"
            "assert sys.path[0] == os.path.dirname(__file__)\n"
            "model = Sequential([Input((SIZE,)), Dense(1)])\nassert __main__.model is model\n"
        )
        main, path = sys.modules["__main__"], list(sys.path)
        assert shapes(programs.run(source))[0] == [(None, 7)]
        assert sys.modules["__main__"] is main and sys.path == path
        assert "settings" not in sys.modules
        assert not any(
            name.partition(".")[0] in ("keras", "tensorflow") for name in sys.modules
        ) or hasattr(sys.modules.get("keras"), "__file__")

    def test_a_module_of_its_own_makes_the_model(self, programs: Programs) -> None:
        programs.write(
            IMPORTS + "def build():\n    return Sequential([Input((5,)), Dense(int('2'))])\n",
            "net.py",
        )
        source = "from net import build\nmodel = build()\nmodel.compile('adam', 'mse')\n"
        assert shapes(programs.run(source)) == ([(None, 5)], [(None, 2)])

    def test_nothing_is_written_or_deleted(
        self, programs: Programs, capfd: pytest.CaptureFixture
    ) -> None:
        keep = programs.write("precious", "keep.txt")
        source = IMPORTS + (
            "import os, shutil, subprocess, pathlib, pickle, json, tempfile, csv\nimport numpy as np\n"
            "print('loud')\nos.makedirs('new'); os.remove('keep.txt'); shutil.rmtree('.')\n"
            "os.system('touch touched'); subprocess.run(['touch', 'touched'])\n"
            "open('out.txt', 'w').write('x')\n"
            "with open('out.csv', 'w') as f:\n    csv.writer(f).writerow([1, 2])\n"
            "pathlib.Path('p').mkdir(); pathlib.Path('q').write_text('x')\n"
            "np.save('a.npy', np.zeros(3)); np.savez('b.npz', a=np.zeros(3))\n"
            "model = Sequential([Input((3,)), Dense(1)])\nmodel.compile('adam', 'mse')\n"
            "model.save('m.h5'); model.save_weights('w.h5')\n"
            "open('m.json', 'w').write(model.to_json())\n"
            "pickle.dump(model, open('m.pkl', 'wb')); json.dump({}, open('x.json', 'w'))\n"
            "keras.utils.plot_model(model, to_file='m.png')\n"
            "import logging; logging.basicConfig(filename='log.txt')\n"
            "open('out2.txt', 'a').write('x')\n"
        )
        model = programs.run(source)
        assert model.training_calls
        assert sorted(path.name for path in programs.folder.iterdir()) == ["keep.txt", "program.py"]
        assert keep.read_text() == "precious"
        assert capfd.readouterr() == ("", "")

    def test_what_it_changes_is_put_back(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import os, sys, time\nos.environ['K2T_TEST'] = '1'; os.chdir('/'); sys.setrecursionlimit(5000)\n"
            "time.sleep(60)\nmodel = Sequential([Input((3,)), Dense(1)])\n"
        )
        before = (os.getcwd(), dict(os.environ), sys.getrecursionlimit(), os.makedirs)
        programs.run(source)
        assert (os.getcwd(), dict(os.environ), sys.getrecursionlimit(), os.makedirs) == before

    @pytest.mark.parametrize(
        "line",
        [
            "import matplotlib.pyplot as plt\nplt.figure(); plt.plot([1, 2]); plt.show()\n"
            "fig, axes = plt.subplots(2, 3)\naxes[0, 1].imshow([[1]])\nfor ax in axes.flat: ax.axis('off')",
            "name = input('Your name? ')",
            "exit()",
            "import sys; sys.exit(0)",
            "quit()",
            "while True:\n    model.train_on_batch(None, None)",
            "import time\nwhile True:\n    time.sleep(1)",
        ],
    )
    def test_nothing_blocks(
        self, programs: Programs, line: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("keras2torch.frontend.watch.AFTER_MODEL", 1.0)
        source = IMPORTS + (
            "model = Sequential([Input((3,)), Dense(1)])\nmodel.compile('adam', 'mse')\n"
            + line
            + "\n"
        )
        assert shapes(programs.run(source))[1] == [(None, 1)]

    def test_a_broad_handler_does_not_keep_it_running(self, programs: Programs) -> None:
        source = IMPORTS + (
            "model = Sequential([Input((3,)), Dense(1)])\nmodel.compile('adam', 'mse')\n"
            "for _ in range(2):\n    try:\n        while True: model.train_on_batch(None, None)\n"
            "    except: pass\n"
        )
        programs.run(source)

    def test_libraries_find_the_temporary_folder(
        self, programs: Programs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", None)
        source = IMPORTS + "import tempfile\nassert tempfile.gettempdir()\n" + MLP
        assert programs.run(source).training_calls and programs.notes == []

    def test_the_real_packages_are_put_back(self, programs: Programs) -> None:
        real = type(sys)("keras")
        sys.modules["keras"] = real
        try:
            programs.run(IMPORTS + "model = Sequential([Input((3,)), Dense(1)])\n")
            assert sys.modules["keras"] is real
        finally:
            del sys.modules["keras"]

    def test_what_it_writes_it_can_read_again(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import json, numpy as np\nwith open('sizes.json', 'w') as f:\n    json.dump({'units': 5}, f)\n"
            "open('log.txt', 'w').write('a,b'); assert open('log.txt').read() == 'a,b'\n"
            "model = Sequential([Input((3,)), Dense(json.load(open('sizes.json'))['units'])])\n"
            "model.compile('adam', 'mse')\nmodel.fit(np.zeros((4, 3)), np.zeros((4, 5)))\n"
            "text = model.to_json()\nmodel.save('m.keras')\ndel model\n"
            "model = keras.models.load_model('m.keras')\nassert model.evaluate(np.zeros((4, 3)), None) >= 0\n"
            "assert keras.models.model_from_json(text) is model\n"
        )
        model = programs.run(source, model="model")
        assert [call.method for call in model.training_calls] == ["compile", "fit", "evaluate"]
        assert shapes(model)[1] == [(None, 5)] and programs.notes == []

    def test_a_checkpoint_is_the_model_that_wrote_it(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import numpy as np\nmodel = Sequential([Input((3,)), Dense(2)])\nmodel.compile('adam', 'mse')\n"
            "best = keras.callbacks.ModelCheckpoint('best.h5', save_best_only=True)\n"
            "model.fit(np.zeros((4, 3)), np.zeros((4, 2)), callbacks=[best])\n"
            "again = keras.models.load_model('best.h5')\nassert again is model\n"
        )
        programs.run(source)
        assert programs.notes == []

    def test_a_tuner_builds_with_the_defaults(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import keras_tuner as kt\ndef build_model(hp):\n"
            "    model = Sequential([Input((3,)), Dense(hp.Int('units', 8, 64, step=8))])\n"
            "    model.compile('adam', hp.Choice('loss', ['mse', 'mae']))\n    return model\n"
        )
        assert shapes(programs.run(source))[1] == [(None, 8)]
        search = "tuner = kt.RandomSearch(build_model, objective='val_loss')\ntuner.search(None, None, epochs=2)\n"
        model = programs.run(source + search)
        assert [call.method for call in model.training_calls] == ["compile", "fit"]

    def test_histories_and_scores_have_a_form(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import numpy as np\nx, y = np.zeros((8, 3)), np.zeros((8, 1))\n"
            "model = Sequential([Input((3,)), Dense(1)])\n"
            "model.compile('adam', 'mse', metrics=['mae'])\n"
            "h = model.fit(x, y, epochs=3, validation_split=0.5)\n"
            "assert h.epoch == [0, 1, 2] and len(h.history['loss']) == 3\n"
            "best = min(h.history['val_mae']) + h.history['val_loss'][-1]\n"
            "loss, mae = model.evaluate(x, y)\nassert '%.2f' % mae\n"
            "p = model.predict(x)\nassert p.shape == (8, 1) and float(p[0][0]) >= 0 and np.argmax(p, axis=1)[3] == 0\n"
            "assert model.metrics_names[0] == 'loss'\nn = model.count_params()\nassert n == 4\n"
            "done = True\n"
        )
        programs.run(source)
        assert programs.notes == []


@pytest.mark.parametrize(
    "line", ["import fire\nfire.Fire(main)", "from typer import run\nrun(main)"]
)
def test_command_lines_made_from_a_function(programs: Programs, line: str) -> None:
    head, _, call = line.partition("\n")
    source = (
        f"{head}\n{IMPORTS}def main(units=2):\n    m = Sequential([Input((3,)), Dense(units)])\n"
    )
    assert shapes(programs.run(source + f"    m.compile('sgd', 'mse')\n{call}\n"))[1] == [(None, 2)]
