"""What programs do around fit(): callbacks and metrics of their own, and what they evaluate and predict after it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from training_pairs import HEAD, compare, in_keras, in_torch

import keras2torch
from keras2torch.errors import UnsupportedError
from keras2torch.pages import environment

MODEL = """
model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(2)])
"""
PROGRAMS = {
    "statements_on_one_line": """
import argparse
parser = argparse.ArgumentParser(); parser.add_argument("--scale", type=float, default=2.0)
args = parser.parse_args()
wide = keras.utils.normalize(rows) * args.scale; unused = 3
model.compile("adam", "mse")
model.fit(wide, numbers, batch_size=16, epochs=2, shuffle=False)
""",
    "callback_at_every_batch": """
LIMIT = 3

class Watcher(keras.callbacks.Callback):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.losses = []

    def on_epoch_begin(self, epoch, logs=None):
        if epoch:
            self.model.optimizer.learning_rate = self.factor * float(self.model.optimizer.learning_rate)

    def on_train_batch_end(self, batch, logs=None):
        self.losses.append(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        if len(self.losses) == 4 * LIMIT:
            self.model.stop_training = True

FACTOR = 1.5
model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
model.fit(rows, numbers, batch_size=16, epochs=9, shuffle=False, callbacks=[Watcher(FACTOR)])
""",
    "metric_class_that_sums": """
class Spread(keras.metrics.Metric):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.squares = self.add_weight(name="squares", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")
        self.batches = self.add_weight(shape=(), initializer="zeros", name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.squares.assign_add(keras.ops.sum(keras.ops.square(y_true - y_pred)))
        self.count.assign(self.count + keras.ops.cast(keras.ops.size(y_true), "float32"))
        self.batches.assign_add(1.0)

    def result(self):
        return keras.ops.sqrt(self.squares / self.count) + 0.1 * self.batches

model.compile("adam", "mse", metrics=[Spread(name="spread"), "mae"])
model.fit(rows, numbers, batch_size=16, epochs=2, shuffle=False, validation_split=0.25)
""",
    "validation_begins_anew": """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return rows[20 * i : 20 * i + 20], numbers[20 * i : 20 * i + 20]

model.compile("adam", "mse")
model.fit(Batches(), epochs=3, shuffle=False, validation_data=Batches(), validation_steps=2)
""",
    "average_of_accumulated_updates": """
optimizer = keras.optimizers.Adam(0.01, gradient_accumulation_steps=3, use_ema=True, ema_momentum=0.8)
model.compile(optimizer, "mse")
model.fit(rows, numbers, batch_size=12, epochs=3, shuffle=False)
""",
    "goes_on_where_it_stopped": """
model.compile("adam", "mse")
model.fit(rows, numbers, batch_size=16, epochs=2, shuffle=False)
model.fit(rows, numbers, batch_size=16, epochs=4, initial_epoch=2, shuffle=False)
""",
    "metric_with_the_name_of_another": """
def iou(y_true, y_pred):
    together = keras.ops.sum(y_true * y_pred, axis=-1)
    return (together + 1.0) / (keras.ops.sum(y_true + y_pred, axis=-1) - together + 1.0)

model.add(layers.Dense(1, activation="sigmoid"))
model.compile("adam", "bce", metrics=[iou, keras.metrics.BinaryIoU([1], name="of_pixels")])
model.fit(rows, (rows[:, :1] > 0) * 1.0, batch_size=16, epochs=2, shuffle=False)
""",
    "weights_that_do_not_decay": """
optimizer = keras.optimizers.{kind}(0.01, weight_decay=0.3)
optimizer.exclude_from_weight_decay(var_names=["bias"])
model.compile(optimizer, "mse")
model.fit(rows, numbers + 3, batch_size=16, epochs=3, shuffle=False)
""",
}


@pytest.mark.parametrize("name", [name for name in PROGRAMS if "decay" not in name])
def test_program_learns_as_in_keras(name, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["program.py"])
    compare(MODEL + PROGRAMS[name], tmp_path)


@pytest.mark.parametrize("kind", ["AdamW", "RMSprop"])
def test_weights_that_do_not_decay(kind, tmp_path):
    compare(MODEL + PROGRAMS["weights_that_do_not_decay"].replace("{kind}", kind), tmp_path)


RESULTS = """
def share(y_true, y_pred):
    wrong = keras.ops.sum(keras.ops.abs(y_true - y_pred))
    return wrong / keras.ops.sum(keras.ops.abs(y_true))

model.compile("adam", "mse", metrics=[share])
past = model.fit(rows, numbers, batch_size=16, epochs=2, shuffle=False)
all_scores = model.evaluate(rows, numbers, verbose=0)
print(model.evaluate(rows[:50], numbers[:50], verbose=0))
new = np.ones((3, 6))
guess = model.predict(rows, verbose=0)
print(model.predict(new, verbose=0))
"""


def test_evaluates_and_predicts_what_the_program_does(tmp_path, capsys, monkeypatch):
    """In order, each on its own data, in batches of evaluate()'s own size."""
    import keras

    expected: dict[str, list] = {"evaluate": [], "predict": []}
    for method in expected:
        original = getattr(keras.Model, method)

        def watched(model, *args, original=original, method=method, **kwargs):
            expected[method].append(original(model, *args, **kwargs))
            return expected[method][-1]

        monkeypatch.setattr(keras.Model, method, watched)
    before, _, _ = in_keras(MODEL + RESULTS)
    capsys.readouterr()
    in_torch(MODEL + RESULTS, tmp_path, before)
    lines = re.findall(
        r"^(train|test) - loss: (\S+) - share: (\S+)$", capsys.readouterr().out, re.M
    )
    assert [line[0] for line in lines] == ["train", "test"]
    found = [[float(number) for number in line[1:]] for line in lines]
    np.testing.assert_allclose(found, expected["evaluate"], atol=1e-4)
    for i, guess in enumerate(expected["predict"], 1):
        made = np.load(tmp_path / f"runs/program/predictions_{i}.npy")
        np.testing.assert_allclose(made, guess, rtol=1e-4, atol=1e-5)


def script(source: str, folder) -> str:
    (folder / "program.py").write_text(HEAD + source)
    return keras2torch.generate(folder / "program.py").train_source


def test_a_callback_that_cannot_come_along_is_quoted(tmp_path):
    source = MODEL + """
class Shows(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(self.model.predict(rows[:1]))

model.compile("adam", "mse")
model.fit(rows, numbers, callbacks=[Shows()])
"""
    text = script(source, tmp_path)
    assert "raise NotImplementedError(" in text and "uses self.model.predict" in text
    assert '"            print(self.model.predict(rows[:1]))\\n"' in text


def test_a_metric_that_changes_one_of_kerass_own_is_refused(tmp_path):
    source = MODEL + """
class Half(keras.metrics.MeanSquaredError):
    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_true / 2, y_pred / 2, sample_weight)

model.compile("adam", "mse", metrics=[Half()])
model.fit(rows, numbers)
"""
    with pytest.raises(UnsupportedError, match="changes what one of Keras's own does"):
        script(source, tmp_path)


STATEFUL = """
model = keras.Sequential([
    keras.Input(batch_shape=(10, 7, 1)), layers.LSTM(4, stateful=True), layers.Dense(2),
])
model.compile("sgd", "mse")
series = words[..., None].astype("float32")
for epoch in range(3):
    model.fit(series, numbers, batch_size=10, epochs={epochs}, shuffle=False)
    if {when}:
        model.layers[0].reset_state()
"""


def test_states_are_reset_when_the_program_does(tmp_path):
    """Between epochs, never; at some only: refused. (Keras on JAX keeps no states: no oracle here.)"""
    always = script(STATEFUL.format(epochs=1, when=True), tmp_path)
    assert re.search(r"for epoch in range.*:\n +reset_states\(model\)\n", always)
    assert "reset_states" not in script(STATEFUL.format(epochs=1, when=False), tmp_path)
    with pytest.raises(UnsupportedError, match="some of the epochs only"):
        script(STATEFUL.format(epochs=2, when=True), tmp_path)


@pytest.mark.parametrize(
    "options",
    [{}, {"sampling_rate": 2, "reverse": True}, {"stride": 3, "start_index": 4, "end_index": 40}],
)
def test_windows_are_those_of_keras(options):
    from keras.src.legacy.preprocessing.sequence import TimeseriesGenerator

    data, targets = np.random.default_rng(0).normal(size=(50, 3)), np.arange(50)
    pages = ("pydataset", "timeseries_generator")
    text = "\n\n".join(
        environment().get_template(f"data/{page}.py.jinja").render() for page in pages
    )
    namespace: dict = {}
    exec("from __future__ import annotations\nimport numpy as np\n" + text, namespace)
    mine = namespace["TimeseriesGenerator"](data, targets, length=6, batch_size=8, **options)
    theirs = TimeseriesGenerator(data, targets, length=6, batch_size=8, **options)
    assert len(mine) == len(theirs)
    for i in range(len(theirs)):
        for found, wanted in zip(mine[i], theirs[i], strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_steps_of_a_chain_are_counted(tmp_path):
    """A chain over arrays with steps_per_epoch is no set of arrays: an epoch ends in the middle."""
    source = MODEL + """
import tensorflow as tf
chain = tf.data.Dataset.from_tensor_slices((rows, numbers)).batch(10).repeat()
model.compile("adam", "mse")
model.fit(chain, steps_per_epoch=4, epochs=2)
"""
    text = script(source, tmp_path)
    assert "Stream(chain, 4)" in text
