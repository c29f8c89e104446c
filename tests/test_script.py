"""Running programs: every import style, which model is meant, notebooks."""

from __future__ import annotations

import json

import pytest
from script_helpers import IMPORTS, Programs, shapes

import keras2torch
from keras2torch.frontend.absent import Absent

MLP = """
model = Sequential()
model.add(Dense(16, activation="relu", input_shape=(20,)))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
"""


@pytest.mark.parametrize(
    "imports",
    [
        "from keras.models import Sequential\nfrom keras.layers import Dense",
        "from keras import Sequential\nfrom keras.layers import Dense",
        "from keras.models import Sequential\nfrom keras.layers.core import Dense, Dropout, Activation",
        "import keras\nSequential, Dense = keras.models.Sequential, keras.layers.Dense",
        "import keras.layers, keras.models\nSequential, Dense = keras.Sequential, keras.layers.Dense",
        "import keras.layers as L\nfrom keras import models\nSequential, Dense = models.Sequential, L.Dense",
        "import tensorflow as tf\nSequential, Dense = tf.keras.Sequential, tf.keras.layers.Dense",
        "import tensorflow as tf\nSequential = tf.keras.models.Sequential\nDense = tf.keras.layers.Dense",
        "from tensorflow import keras\nSequential, Dense = keras.Sequential, keras.layers.Dense",
        "from tensorflow.keras import layers, models\nSequential, Dense = models.Sequential, layers.Dense",
        "from tensorflow.keras.models import Sequential\nfrom tensorflow.keras.layers import Dense",
        "import tensorflow.keras as keras\nSequential, Dense = keras.Sequential, keras.layers.Dense",
        "import tensorflow.keras.layers as L\nfrom tensorflow.keras import Sequential\nDense = L.Dense",
        "from tensorflow.python.keras.models import Sequential\n"
        "from tensorflow.python.keras.layers import Dense",
        "import tensorflow.compat.v1 as tf\nSequential = tf.keras.Sequential\nDense = tf.keras.layers.Dense",
        "from tensorflow.contrib.keras.python.keras.layers import Dense\n"
        "from tensorflow.contrib.keras.api.keras.models import Sequential",
        "import tf_keras as keras\nfrom tf_keras.layers import Dense\nSequential = keras.Sequential",
        "from keras_core.models import Sequential\nfrom keras_core.layers import Dense",
        "from keras.src.models.sequential import Sequential\nfrom keras.src.layers.core.dense import Dense",
        "from keras.engine.sequential import Sequential\nfrom keras.layers import Dense",
        "from keras.models import *\nfrom keras.layers import *",
        "from importlib import import_module\nSequential = import_module('keras.models').Sequential\n"
        "Dense = import_module('keras.layers').Dense",
    ],
)
def test_import_styles(programs: Programs, imports: str) -> None:
    model = programs.run(imports + "\n" + MLP)
    assert shapes(model) == ([(None, 20)], [(None, 10)])
    assert [call.method for call in model.training_calls] == ["compile"]
    assert programs.notes == []


@pytest.mark.parametrize(
    "line",
    [
        "from keras.layers.convolutional import Convolution2D, MaxPooling2D",
        "from keras.layers.normalization import BatchNormalization",
        "from keras.layers.advanced_activations import LeakyReLU, PReLU",
        "from keras.layers.embeddings import Embedding",
        "from keras.layers.recurrent import LSTM",
        "from keras.layers.merge import concatenate, Add",
        "from keras.layers.pooling import GlobalAveragePooling2D",
        "from keras.layers.wrappers import TimeDistributed, Bidirectional",
        "from keras.layers.local import LocallyConnected1D",
        "from keras.layers.noise import GaussianNoise",
        "from keras.engine.topology import Layer, InputSpec, Input, merge",
        "from keras.engine import Layer, Model",
        "from keras.engine.training import Model",
        "from keras.legacy import interfaces",
        "from keras.utils import np_utils, plot_model, to_categorical, Sequence",
        "from keras.utils.np_utils import to_categorical",
        "from keras.utils.vis_utils import plot_model, model_to_dot",
        "from keras.utils.data_utils import get_file",
        "from keras.utils.generic_utils import get_custom_objects, CustomObjectScope",
        "from keras.utils.training_utils import multi_gpu_model",
        "from keras.preprocessing.image import ImageDataGenerator, img_to_array, load_img",
        "from keras.preprocessing.text import Tokenizer, one_hot",
        "from keras.preprocessing import sequence, image, text",
        "from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor",
        "from keras.backend.tensorflow_backend import set_session",
        "from keras import backend as K\nK.clear_session()\nK.set_image_dim_ordering('tf')",
        "from keras import initializers, regularizers, constraints, optimizers, losses, metrics",
        "from keras.initializers import RandomNormal, he_normal, VarianceScaling",
        "from keras.regularizers import l1, l2, l1_l2",
        "from keras.constraints import maxnorm, max_norm, unit_norm",
        "from keras.optimizers import SGD, Adam, RMSprop",
        "from keras.optimizers.schedules import ExponentialDecay",
        "from keras.optimizers.legacy import Adam",
        "from keras.callbacks import EarlyStopping, ModelCheckpoint, TensorBoard, History, Callback",
        "from keras.applications.vgg16 import VGG16, preprocess_input, decode_predictions",
        "from keras.applications import ResNet50, imagenet_utils",
        "from keras.datasets import mnist, cifar10, cifar100, imdb, reuters, fashion_mnist",
        "from tensorflow.keras.layers.experimental import preprocessing",
        "from tensorflow.keras.mixed_precision import experimental as mixed_precision",
        "from tensorflow.keras import mixed_precision\nmixed_precision.set_global_policy('mixed_float16')",
        "from tensorflow.keras.layers import StringLookup, IntegerLookup, NoSuchLayerAtAll",
        "from tensorflow.examples.tutorials.mnist import input_data",
        "from tensorflow.python.client import device_lib\ndevice_lib.list_local_devices()",
        "from tensorflow.python.framework import ops",
        "import tensorflow_hub as hub\nimport tensorflow_datasets as tfds\nimport tensorflow_addons as tfa",
        "import tensorflow as tf\ntf.logging.set_verbosity(tf.logging.ERROR)\n"
        "config = tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True))\n"
        "sess = tf.Session(config=config)\ntf.keras.backend.set_session(sess)\n"
        "sess.run(tf.global_variables_initializer())",
        "import tensorflow as tf\ngpus = tf.config.list_physical_devices('GPU')\n"
        "tf.config.experimental.set_memory_growth\ntf.random.set_seed(1)\n"
        "print(tf.__version__, tf.executing_eagerly(), int(tf.__version__.split('.')[0]) >= 2)",
        "import tensorflow as tf\nassert tf.nn.relu and tf.math.square and tf.linalg.matmul and tf.image.resize\n"
        "assert tf.compat.v1.nn.relu and tf.compat.v1.reduce_mean and tf.random.normal",
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\nassert tf.nn.relu and tf.reduce_mean",
        "from tensorflow import nn\nfrom tensorflow.nn import relu\nassert nn.relu is relu",
        "import tensorflow as tf\nstrategy = tf.distribute.MirroredStrategy()\n"
        "with strategy.scope():\n    print(strategy.num_replicas_in_sync)",
        "import keras\nkeras.utils.set_random_seed(1)\nkeras.config.set_backend('jax')\n"
        "assert int(keras.__version__.split('.')[0]) >= 2",
        "from tqdm import tqdm\nassert [i for i in tqdm(range(3))] == [0, 1, 2]",
        "from six.moves import range\nassert list(range(2)) == [0, 1]",
    ],
)
def test_old_and_surrounding_imports(programs: Programs, line: str) -> None:
    source = line + "\nfrom keras.models import Sequential\nfrom keras.layers import Dense\n" + MLP
    assert shapes(programs.run(source))[1] == [(None, 10)]


@pytest.mark.parametrize(
    "path",
    [
        "keras.layers.core.Dense",
        "keras.layers.merge.Concatenate",
        "keras.layers.experimental.preprocessing.Rescaling",
        "keras.engine.topology.Layer",
        "keras.utils.np_utils.to_categorical",
        "keras.optimizers.legacy.Adam",
        "keras.experimental.CosineDecay",
        "keras.callbacks.callbacks.EarlyStopping",
    ],
)
def test_old_paths_as_attributes(path: str) -> None:
    """Code reads them without an import of their own, or imports the module from the one above it."""
    from importlib import import_module

    from keras2torch.frontend.standins.finder import stand_ins

    above, _, name = path.rpartition(".")
    with stand_ins():
        value = import_module("keras")
        for part in path.split(".")[1:]:
            value = getattr(value, part)
        assert value is getattr(import_module(above), name) and callable(value)
        assert not isinstance(value, Absent)


def test_an_old_path_tells_the_age_of_a_program(programs: Programs) -> None:
    from keras2torch import config

    programs.run("from keras.layers.core import Dense\nfrom keras.models import Sequential\n" + MLP)
    assert config.keras_version == 2
    programs.run("from keras.layers import Dense\nfrom keras.models import Sequential\n" + MLP)
    assert config.keras_version == 3


class TestChoice:
    """Which of the models of a program is meant."""

    def test_under_the_main_guard(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def main():\n    m = Sequential([Input((3,)), Dense(2)])\n    m.compile('adam', 'mse')\n"
            "if __name__ == '__main__':\n    main()\n"
        )
        assert shapes(programs.run(source))[1] == [(None, 2)]

    def test_the_fitted_one_wins(self, programs: Programs) -> None:
        source = IMPORTS + (
            "import numpy as np\nx = Input((8,))\nh = Dense(3)(x)\nencoder = Model(x, h)\n"
            "autoencoder = Model(x, Dense(8)(h))\nautoencoder.compile('adam', 'mse')\n"
            "autoencoder.fit(np.zeros((4, 8)), np.zeros((4, 8)))\n"
        )
        assert shapes(programs.run(source))[1] == [(None, 8)]
        assert shapes(programs.run(source, model="encoder"))[1] == [(None, 3)]

    def test_a_part_of_another_model_is_no_rival(self, programs: Programs) -> None:
        source = IMPORTS + (
            "g = Sequential([Input((4,)), Dense(8)])\nd = Sequential([Input((8,)), Dense(1)])\n"
            "d.compile('adam', 'binary_crossentropy')\nz = Input((4,))\ngan = Model(z, d(g(z)))\n"
            "gan.compile('adam', 'binary_crossentropy')\n"
        )
        model = programs.run(source)
        assert shapes(model) == ([(None, 4)], [(None, 1)])
        assert shapes(programs.run(source, model="g"))[1] == [(None, 8)]

    def test_several_are_listed(self, programs: Programs) -> None:
        source = IMPORTS + (
            "a = Sequential([Input((3,)), Dense(1)])\na.compile('adam', 'mse')\n"
            "b = Sequential([Input((3,)), Dense(2)])\nb.compile('adam', 'mse')\n"
        )
        assert programs.error(source) == (
            "the script makes 2 models: a (program.py:4, compiled); b (program.py:6, compiled)\n"
            "  fix: choose one with --model NAME"
        )

    def test_one_statement_run_many_times(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def build(n):\n    m = Sequential([Input((3,)), Dense(n)])\n    m.compile('adam', 'mse')\n"
            "    return m\nfor n in (N):\n    model = build(n)\n"
        )
        assert shapes(programs.run(source.replace("N", "4, 4")))[1] == [(None, 4)]
        assert programs.notes == []
        assert shapes(programs.run(source.replace("N", "4, 5")))[1] == [(None, 5)]
        assert len(programs.notes) == 1 and "made 2 times" in programs.notes[0]

    def test_in_an_object(self, programs: Programs) -> None:
        source = IMPORTS + (
            "class GAN:\n    def __init__(self):\n"
            "        self.generator = Sequential([Input((4,)), Dense(8)])\n"
            "        self.discriminator = Sequential([Input((8,)), Dense(1)])\n"
            "        self.discriminator.compile('adam', 'mse')\n"
            "        z = Input((4,))\n        self.combined = Model(z, self.discriminator(self.generator(z)))\n"
            "        self.combined.compile('adam', 'mse')\n"
            "if __name__ == '__main__':\n    gan = GAN()\n"
        )
        assert shapes(programs.run(source)) == ([(None, 4)], [(None, 1)])
        assert shapes(programs.run(source, model="gan.generator"))[1] == [(None, 8)]
        assert shapes(programs.run(source, model="GAN().discriminator"))[0] == [(None, 8)]
        message = programs.error(source, model="gan")
        assert "holds 3 models" in message and "'gan.combined'" in message

    def test_a_function_that_nobody_calls(self, programs: Programs) -> None:
        source = IMPORTS + "def build_model(n=5):\n    return Sequential([Input((3,)), Dense(n)])\n"
        assert shapes(programs.run(source))[1] == [(None, 5)]
        assert programs.notes == [
            "build_model() is never called by the script; it was called to make the model"
        ]
        assert shapes(programs.run(source, model="build_model"))[1] == [(None, 5)]
        assert shapes(programs.run(source, model="build_model(n=7)"))[1] == [(None, 7)]

    def test_helpers_of_a_function_are_no_rivals(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def tower():\n    return Sequential([Input((3,)), Dense(4)])\n"
            "def get_model():\n    x = Input((3,))\n    return Model(x, Dense(2)(tower()(x)))\n"
        )
        assert shapes(programs.run(source))[1] == [(None, 2)]

    def test_parameters_take_the_variables_of_their_name(self, programs: Programs) -> None:
        source = IMPORTS + (
            "input_shape = (6,)\nNUM_CLASSES = 4\n"
            "def create_model(input_shape, num_classes):\n"
            "    return Sequential([Input(input_shape), Dense(num_classes)])\n"
        )
        assert shapes(programs.run(source)) == ([(None, 6)], [(None, 4)])

    def test_parameters_that_nothing_fills(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def create_model(units, classes):\n    return Sequential([Input((3,)), Dense(classes)])\n"
        )
        message = "create_model() needs a value for units, classes\n  fix: give it: --model "
        assert programs.error(source) == message + "'create_model(units=..., classes=...)'"
        assert programs.error(source, model="create_model").startswith(message)

    def test_two_functions_that_nobody_calls(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def a_model():\n    return Sequential([Input((3,)), Dense(1)])\n"
            "def b_model():\n    return Sequential([Input((3,)), Dense(2)])\n"
        )
        assert "a_model, b_model" in programs.error(source)

    def test_a_function_that_gives_several(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def make():\n    return Sequential([Input((3,)), Dense(1)]), Sequential([Input((3,)), Dense(2)])\n"
        )
        assert "'make[0]', 'make[1]'" in programs.error(source, model="make")
        assert shapes(programs.run(source, model="make()[1]"))[1] == [(None, 2)]

    def test_a_variable_inside_a_function(self, programs: Programs) -> None:
        source = IMPORTS + (
            "def main():\n    first = Sequential([Input((3,)), Dense(1)])\n    first.compile('adam', 'mse')\n"
            "    second = Sequential([Input((3,)), Dense(2)])\n    second.compile('adam', 'mse')\nmain()\n"
        )
        assert shapes(programs.run(source, model="second"))[1] == [(None, 2)]
        assert "first" in programs.error(source, model="third")

    def test_what_is_no_model(self, programs: Programs) -> None:
        source = IMPORTS + "n = 3\nmodel = Sequential([Input((3,)), Dense(1)])\n"
        assert programs.error(source, model="n") == (
            "'n' gives no model but a int\n  fix: --model takes one of: model"
        )

    def test_the_training_step_of_a_subclass(self, programs: Programs) -> None:
        source = IMPORTS + (
            "class GAN(keras.Model):\n    def __init__(self, d, g):\n        super().__init__()\n"
            "        self.d, self.g = d, g\n    def train_step(self, data):\n        return {}\n"
            "d = Sequential([Input((8,)), Dense(1)])\ng = Sequential([Input((4,)), Dense(8)])\n"
            "gan = GAN(d, g)\ngan.compile()\n"
        )
        message = programs.error(source)
        assert "d (program.py:10)" in message and "g (program.py:11)" in message


class TestNotebooks:
    def notebook(self, *cells: str) -> str:
        parts = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
        parts.insert(1, {"cell_type": "markdown", "source": ["# Title"]})
        return json.dumps({"cells": parts, "nbformat": 4})

    def test_magics_are_dropped(self, programs: Programs) -> None:
        text = self.notebook(
            "%matplotlib inline\n!pip install keras\nimport keras\nfiles = !ls\nif True:\n    !nvidia-smi\n",
            "%%bash\necho $HOME\n",
            "%%time\nmodel = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\nmodel.summary()\n"
            "display(model)\nmodel?\n",
        )
        assert shapes(programs.run(text, name="nb.ipynb"))[1] == [(None, 2)]

    def test_an_error_names_the_cell(self, programs: Programs) -> None:
        text = self.notebook("import keras\n", "x = 1\ny = x / 0\n")
        assert programs.error(text, name="nb.ipynb").startswith("<cell 2>:2: ZeroDivisionError")

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{"cell_type": "code"', "[" * 9999]
    )
    def test_what_is_no_notebook(self, programs: Programs, text: str) -> None:
        assert "nb.ipynb" in programs.error(text, name="nb.ipynb")


def test_outputs_have_the_names_of_their_layers(tmp_path):
    """A Lambda, a nested model and a custom layer name what they give, whatever they compute inside."""
    path = tmp_path / "names.py"
    path.write_text("""
import keras
from keras import layers, ops

class Head(layers.Layer):
    def call(self, x):
        return ops.sum(x, axis=-1, keepdims=True) + 1.0

inputs = keras.Input((4,))
total = layers.Lambda(lambda x: ops.expand_dims(ops.max(x, axis=-1), -1), name="total")(inputs)
classes = keras.Sequential([layers.Dense(3), layers.Softmax()], name="classes")(inputs)
model = keras.Model(inputs, [total, classes, Head(name="head")(inputs)])
model.compile("adam", loss={"total": "mse", "classes": "sparse_categorical_crossentropy", "head": "mae"})
""")
    result = keras2torch.generate(path)
    assert [port.name for port in result.outputs] == ["total", "classes", "head"]
    compile(result.train_source, "train.py", "exec")


@pytest.mark.parametrize(
    "arguments",
    ["['mae'], [0.5]", "[0.5], ['mae']", "['mae'], loss_weights=[0.5]"],
)
def test_the_order_of_compile_of_all_versions(programs: Programs, arguments: str) -> None:
    source = (
        IMPORTS + f"m = Sequential([Input((3,)), Dense(2)])\nm.compile('sgd', 'mse', {arguments})\n"
    )
    call = programs.run(source).training_calls[0]
    assert (call.get("metrics"), call.get("loss_weights")) == (["mae"], [0.5])


def test_what_keras_2_computed_otherwise_is_told(tmp_path):
    import keras2torch

    program = tmp_path / "net.py"
    text = "from tensorflow.keras import Input, Sequential, layers\n"
    text += "model = Sequential([Input((4,)), layers.Dense(3, activation={!r})])\n"
    program.write_text(text.format("hard_sigmoid"))
    (note,) = keras2torch.generate(program).notes
    assert "relu6(x + 3) / 6" in note and "clip(0.2 * x + 0.5, 0, 1)" in note
    program.write_text(text.format("sigmoid"))
    assert keras2torch.generate(program).notes == []
