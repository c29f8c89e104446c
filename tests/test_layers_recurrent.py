"""Recurrent layers beside Keras: outputs, states, gradients, for many combinations of arguments."""

from __future__ import annotations

import inspect
import itertools
from functools import partial

import oracle  # isort: split

import keras
import numpy as np
import pytest
import torch
from keras import layers

import keras2torch
from keras2torch import inputs, models, sequential
from keras2torch.errors import K2TError
from keras2torch.frontend import live
from keras2torch.frontend.standins.finder import stand_ins
from keras2torch.layers import REGISTRY

pytestmark = pytest.mark.thin(3)

# One batch size suffices for most; those with masks, loops and steps that join the batch have cases with two.
compare = partial(oracle.compare, batches=(3,))
RECURRENT = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def functional(make, shape=(5, 4), states=(), mask=False, batch=None):
    """The model of ``make(x, **call arguments)`` on inputs of these shapes."""
    x = keras.Input(shape, batch_size=batch)
    inputs, call = [x], {}
    if states:
        call["initial_state"] = [keras.Input(size, batch_size=batch) for size in states]
        inputs += call["initial_state"]
    if mask:
        call["mask"] = keras.Input(shape[:1], dtype="bool", batch_size=batch)
        inputs.append(call["mask"])
    return keras.Model(inputs, make(x, **call))


def masks(batch, steps=5):
    """Left, right and middle padding, none, and a sequence that is masked throughout."""
    rows = [[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 0, 1], [1] * 5, [0] * 5]
    return np.array(rows[:batch], bool)[:, :steps]


def masked_inputs(model, batch=5):
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(batch, *t.shape[1:])).astype("float32") for t in model.inputs[:-1]]
    return [*arrays, masks(batch)]


ARGUMENTS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "state": {"return_state": True},
    "sequences_state": {"return_sequences": True, "return_state": True},
    "backwards": {"go_backwards": True},
    "backwards_sequences_state": {
        "go_backwards": True,
        "return_sequences": True,
        "return_state": True,
    },
    "no_bias": {"use_bias": False},
    "relu": {"activation": "relu"},
    "relu_sequences_state": {"activation": "relu", "return_sequences": True, "return_state": True},
    "linear_backwards": {"activation": None, "go_backwards": True, "return_sequences": True},
    "gelu_no_bias": {"activation": "gelu", "use_bias": False},
    "unroll": {"unroll": True, "return_sequences": True},
    "dropout": {"dropout": 0.3, "return_sequences": True},
    "recurrent_dropout": {"recurrent_dropout": 0.2},
    "both_dropouts": {"recurrent_dropout": 0.2, "dropout": 0.4, "return_sequences": True},
}
GATED = {
    "hard_sigmoid": {"recurrent_activation": "hard_sigmoid"},
    "linear_gates": {"recurrent_activation": None, "return_sequences": True},
    "softsign": {"activation": "softsign", "recurrent_activation": "hard_sigmoid"},
    "implementation": {"implementation": 1, "dropout": 0.3},
}
GRU_ONLY = {
    "before": {"reset_after": False},
    "before_sequences_state": {
        "reset_after": False,
        "return_sequences": True,
        "return_state": True,
    },
    "before_no_bias": {"reset_after": False, "use_bias": False},
    "before_dropouts": {"reset_after": False, "dropout": 0.2, "recurrent_dropout": 0.3},
    "before_backwards": {"reset_after": False, "go_backwards": True, "return_sequences": True},
}
LSTM_ONLY = {"no_forget": {"unit_forget_bias": False}}
CASES = [
    *((kind, name, arguments) for kind in RECURRENT for name, arguments in ARGUMENTS.items()),
    *((kind, name, arguments) for kind in ("lstm", "gru") for name, arguments in GATED.items()),
    *(("gru", name, arguments) for name, arguments in GRU_ONLY.items()),
    *(("lstm", name, arguments) for name, arguments in LSTM_ONLY.items()),
]


@pytest.mark.parametrize(
    "kind, arguments", [pytest.param(k, a, id=f"{k}-{n}") for k, n, a in CASES]
)
def test_arguments(kind, arguments):
    compare(functional(RECURRENT[kind](3, **arguments)))


@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}, {"activation": "relu"}])
def test_any_number_of_steps(arguments):
    compare(functional(layers.LSTM(3, **arguments), (None, 4)), batches=(3, 1))


def test_integers_become_floats():
    x = keras.Input((5, 4), dtype="int32")
    y = layers.LSTM(3, return_sequences=True)(x)
    compare(keras.Model(x, [y, layers.Bidirectional(layers.GRU(2))(x)]))


STATES = {"rnn": [3], "lstm": [3, 3], "gru": [3]}


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"return_sequences": True, "return_state": True},
        {"go_backwards": True, "return_state": True},
        {"activation": "relu", "return_sequences": True},
        {"recurrent_dropout": 0.1, "return_state": True},
    ],
    ids=str,
)
def test_initial_state(kind, arguments):
    states = [(size,) for size in STATES[kind]]
    compare(functional(RECURRENT[kind](3, **arguments), states=states))


def test_states_pass_from_encoder_to_decoder():
    source, target = keras.Input((5, 4)), keras.Input((6, 2))
    _, h, c = layers.LSTM(3, return_state=True)(source)
    y, _, _ = layers.LSTM(3, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    result = compare(keras.Model([source, target], y))
    assert "unsqueeze" not in result.model_source


MASKED = {
    "last": {},
    "sequences": {"return_sequences": True},
    "sequences_state": {"return_sequences": True, "return_state": True},
    "state": {"return_state": True},
    "backwards": {"go_backwards": True},
    "backwards_sequences": {"go_backwards": True, "return_sequences": True},
    "relu": {"activation": "relu"},
    "relu_sequences_state": {"activation": "relu", "return_sequences": True, "return_state": True},
    "zero": {"zero_output_for_mask": True, "return_sequences": True},
    "zero_last": {"zero_output_for_mask": True},
    "zero_relu": {"zero_output_for_mask": True, "return_sequences": True, "activation": "relu"},
    "unroll": {"unroll": True, "return_sequences": True},
    "unroll_zero": {"unroll": True, "return_sequences": True, "zero_output_for_mask": True},
    "unroll_relu": {"unroll": True, "activation": "relu"},
    "recurrent_dropout": {"recurrent_dropout": 0.3, "return_sequences": True},
}


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("arguments", MASKED.values(), ids=MASKED)
def test_masks(kind, arguments):
    model = functional(RECURRENT[kind](3, **arguments), mask=True)
    compare(model, masked_inputs(model))


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize(
    "arguments",
    [{}, {"return_sequences": True}, {"return_sequences": True, "return_state": True}],
    ids=str,
)
def test_masks_with_initial_state(kind, arguments):
    states = [(size,) for size in STATES[kind]]
    model = functional(RECURRENT[kind](3, **arguments), states=states, mask=True)
    compare(model, masked_inputs(model))


@pytest.mark.parametrize("masking", [True, False])
def test_masks_travel_from_the_embedding(masking):
    x = keras.Input((6,), dtype="int32")
    y = layers.Embedding(5, 4, mask_zero=masking)(x)
    y = layers.LSTM(3, return_sequences=True)(y)
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True))(y)
    compare(keras.Model(x, layers.LSTM(2)(y)))


# Cells.
CELLS = {
    "rnn": lambda: layers.SimpleRNNCell(3),
    "lstm": lambda: layers.LSTMCell(3),
    "gru": lambda: layers.GRUCell(3),
    "rnn_relu": lambda: layers.SimpleRNNCell(3, activation="relu"),
    "rnn_elu": lambda: layers.SimpleRNNCell(3, activation="elu", use_bias=False),
    "lstm_no_bias": lambda: layers.LSTMCell(3, use_bias=False, unit_forget_bias=False),
    "lstm_relu": lambda: layers.LSTMCell(3, activation="relu"),
    "gru_before": lambda: layers.GRUCell(3, reset_after=False),
    "stack": lambda: [layers.LSTMCell(3), layers.LSTMCell(2)],
    "stack_mixed": lambda: layers.StackedRNNCells(
        [layers.GRUCell(3), layers.LSTMCell(2, activation="relu"), layers.SimpleRNNCell(4)]
    ),
}


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("sequences, state", [(False, False), (True, False)])
def test_cells(make, sequences, state):
    compare(functional(layers.RNN(make(), return_sequences=sequences, return_state=state)))


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_masked_cells(make):
    model = functional(layers.RNN(make(), return_sequences=True), mask=True)
    compare(model, masked_inputs(model))


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "lstm_relu", "stack"])
def test_states_of_cells(name):
    compare(functional(layers.RNN(CELLS[name](), return_state=True, return_sequences=True)))


# Both directions.
MERGES = [
    *(("lstm", merge) for merge in ("sum", "mul", "ave", "concat", None)),
    ("gru", "concat"),
    ("rnn", "sum"),
]


@pytest.mark.parametrize("kind, merge", MERGES)
@pytest.mark.parametrize("sequences, state", list(itertools.product([False, True], repeat=2)))
def test_bidirectional(merge, kind, sequences, state):
    inner = RECURRENT[kind](3, return_sequences=sequences, return_state=state)
    result = compare(functional(layers.Bidirectional(inner, merge_mode=merge)))
    assert "bidirectional=True" in result.model_source


@pytest.mark.parametrize(
    "arguments",
    [
        {"activation": "relu"},
        {"activation": "relu", "return_sequences": True, "return_state": True},
        {"dropout": 0.2, "return_sequences": True},
        {"recurrent_dropout": 0.2},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_bidirectional_of_two_modules(kind, arguments):
    compare(functional(layers.Bidirectional(RECURRENT[kind](3, **arguments))))


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("sequences, merge", [(False, "concat"), (True, "sum")])
def test_bidirectional_masks(kind, sequences, merge):
    inner = RECURRENT[kind](3, return_sequences=sequences)
    model = functional(layers.Bidirectional(inner, merge_mode=merge), mask=True)
    compare(model, masked_inputs(model))


@pytest.mark.parametrize("kind, activation", [("lstm", "tanh"), ("gru", "tanh"), ("lstm", "relu")])
def test_bidirectional_initial_state(kind, activation):
    states = [(size,) for size in STATES[kind]] * 2
    inner = RECURRENT[kind](3, activation=activation, return_sequences=True, return_state=True)
    compare(functional(layers.Bidirectional(inner), states=states))


def test_bidirectional_backward_layer_given():
    backward = layers.LSTM(3, activation="relu", return_sequences=True, go_backwards=True)
    forward = layers.LSTM(3, return_sequences=True)
    compare(functional(layers.Bidirectional(forward, backward_layer=backward)))
    backward = layers.GRU(2, go_backwards=True)
    compare(functional(layers.Bidirectional(layers.GRU(3), backward_layer=backward)))
    backward = layers.GRU(3)
    forward = layers.GRU(3, go_backwards=True)
    compare(functional(layers.Bidirectional(forward, backward_layer=backward)))


def test_bidirectional_of_cells():
    compare(functional(layers.Bidirectional(layers.RNN(layers.GRUCell(3), return_sequences=True))))
    compare(functional(layers.Bidirectional(layers.RNN([layers.LSTMCell(3), layers.LSTMCell(2)]))))


# Convolutional.
CONVOLUTIONAL = {
    "1d": (layers.ConvLSTM1D, (4, 7, 2), {"padding": "same", "return_sequences": True}),
    "1d_strides": (layers.ConvLSTM1D, (4, 7, 2), {"strides": 2, "padding": "same"}),
    "1d_dilated": (layers.ConvLSTM1D, (4, 9, 2), {"dilation_rate": 2}),
    "2d": (layers.ConvLSTM2D, (4, 6, 7, 2), {"return_sequences": True, "return_state": True}),
    "2d_even": (layers.ConvLSTM2D, (3, 6, 6, 2), {"kernel_size": (2, 4), "padding": "same"}),
    "2d_relu": (
        layers.ConvLSTM2D,
        (3, 5, 5, 2),
        {"activation": "relu", "use_bias": False, "unit_forget_bias": False},
    ),
    "2d_gates": (layers.ConvLSTM2D, (3, 5, 5, 2), {"recurrent_activation": "hard_sigmoid"}),
    "2d_backwards": (
        layers.ConvLSTM2D,
        (3, 5, 5, 2),
        {"go_backwards": True, "return_sequences": True, "unit_forget_bias": False},
    ),
    "2d_dropouts": (
        layers.ConvLSTM2D,
        (3, 5, 5, 2),
        {"dropout": 0.2, "recurrent_dropout": 0.3, "padding": "same"},
    ),
    "3d": (layers.ConvLSTM3D, (3, 4, 5, 4, 2), {"padding": "same"}),
}


@pytest.mark.parametrize("layer, shape, arguments", CONVOLUTIONAL.values(), ids=CONVOLUTIONAL)
def test_convolutional(layer, shape, arguments):
    compare(functional(layer(**{"filters": 3, "kernel_size": 3, **arguments}), shape))


@pytest.mark.parametrize("sequences", [False, True])
def test_convolutional_channels_first(sequences):
    layer = layers.ConvLSTM2D(
        3, 3, padding="same", data_format="channels_first", return_sequences=sequences
    )
    compare(functional(layer, (4, 2, 6, 7)))


def test_convolutional_initial_state():
    compare(functional(layers.ConvLSTM2D(3, 3), (3, 6, 6, 2), states=[(4, 4, 3)] * 2))


def test_convolutional_both_ways():
    inner = layers.ConvLSTM2D(2, 3, padding="same", return_sequences=True)
    compare(functional(layers.Bidirectional(inner), (3, 5, 5, 2)))


def test_convolutional_mask_of_padding():
    """Keras's JAX backend does not take such masks: padded steps at the end must change nothing."""
    model = functional(layers.ConvLSTM2D(2, 3), (4, 5, 5, 1), mask=True)
    oracle.randomise(model)
    result = keras2torch.generate(model)
    net = oracle.build(result)
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 5, 1)).astype("float32")
    mask = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], bool)
    actual = oracle.run_torch(result, net, [x, mask])[0]
    assert np.allclose(actual, np.asarray(model.layers[-1](x[:, :2])), atol=1e-6)


# Every step alike.
def frame_encoder(normalised):
    x = keras.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(x)
    y = layers.BatchNormalization()(y) if normalised else y
    return keras.Model(x, layers.GlobalAveragePooling2D()(y), name="frame_encoder")


def conv_then_flatten(x):
    y = layers.TimeDistributed(layers.Conv2D(3, 3))(x)
    y = layers.TimeDistributed(layers.MaxPooling2D(2))(y)
    return layers.LSTM(2)(layers.TimeDistributed(layers.Flatten())(y))


DISTRIBUTED = {
    "dense": (lambda x: layers.TimeDistributed(layers.Dense(3))(x), (5, 4)),
    "conv": (lambda x: layers.TimeDistributed(layers.Conv2D(3, 3))(x), (4, 6, 6, 2)),
    "conv_flatten": (conv_then_flatten, (4, 6, 6, 2)),
    "any_steps": (lambda x: layers.TimeDistributed(layers.Conv1D(3, 2))(x), (None, 6, 2)),
    "lstm": (lambda x: layers.TimeDistributed(layers.LSTM(3))(x), (4, 5, 2)),
    "model": (lambda x: layers.TimeDistributed(frame_encoder(False))(x), (4, 6, 6, 2)),
    "normalised": (lambda x: layers.TimeDistributed(frame_encoder(True))(x), (4, 6, 6, 2)),
    "norm": (lambda x: layers.TimeDistributed(layers.BatchNormalization())(x), (4, 6, 2)),
    "nested": (
        lambda x: layers.TimeDistributed(layers.TimeDistributed(layers.Conv1D(3, 2)))(x),
        (2, 3, 5, 2),
    ),
}


@pytest.mark.parametrize("make, shape", DISTRIBUTED.values(), ids=DISTRIBUTED)
def test_time_distributed(make, shape):
    compare(functional(make, shape), batches=(3, 1))


@pytest.mark.parametrize("name", ["norm", "normalised"])
def test_batch_statistics_are_of_one_step(name):
    make, shape = DISTRIBUTED[name]
    compare(functional(make, shape), training=True)


def test_masks_of_words_reach_the_inner_layer():
    words = keras.Input((3, 5), dtype="int32")
    x = layers.Embedding(5, 3, mask_zero=True)(words)
    compare(keras.Model(words, layers.LSTM(2)(layers.TimeDistributed(layers.GRU(3))(x))))


# States that outlive a batch.
STATEFUL = {
    "lstm": (lambda: layers.LSTM(3, stateful=True), (4, 3)),
    "gru": (lambda: layers.GRU(3, stateful=True, return_sequences=True, return_state=True), (4, 3)),
    "loop": (lambda: layers.LSTM(3, stateful=True, activation="relu", return_state=True), (4, 3)),
    "both": (
        lambda: layers.Bidirectional(layers.SimpleRNN(3, stateful=True, return_sequences=True)),
        (4, 3),
    ),
    "conv": (lambda: layers.ConvLSTM1D(3, 3, stateful=True, padding="same"), (4, 5, 3)),
    "stack": (lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], stateful=True), (4, 3)),
}


@pytest.mark.parametrize("make, shape", STATEFUL.values(), ids=STATEFUL)
def test_stateful(make, shape):
    layer = make()
    model = functional(layer, shape, batch=2)
    oracle.randomise(model)
    result = keras2torch.generate(model)
    net = oracle.build(result)
    rng = np.random.default_rng(0)

    def step(x):
        outputs = zip(oracle.flatten(model(x)), oracle.run_torch(result, net, [x]))
        for expected, actual in outputs:
            oracle.assert_close(actual, expected, 1e-5, "output")

    for _ in range(3):
        step(rng.normal(size=(2, *shape)).astype("float32"))
    if not isinstance(layer, layers.RNN) or not isinstance(layer.cell, layers.StackedRNNCells):
        layer.reset_state()  # Keras 3.15 fails to for nested states
    else:
        return
    for module in net.modules():
        if type(module).__name__ == "CarriedState":
            module.reset_states()
    step(rng.normal(size=(2, *shape)).astype("float32"))


# Dropout in train mode.
def test_dropout_is_the_same_at_every_step():
    layer = layers.SimpleRNN(8, activation=None, dropout=0.25, return_sequences=True)
    model = functional(layer, (6, 8))
    layer.set_weights([np.eye(8), np.zeros((8, 8)), np.zeros(8)])
    net = oracle.build(keras2torch.generate(model)).train()
    y = net(torch.ones(64, 6, 8)).detach().numpy()
    assert set(np.unique(y.round(4))) == {0.0, np.float32(1.3333)}
    assert (y == y[:, :1]).all() and (y[0] != y[1]).any()
    assert abs((y == 0).mean() - 0.25) < 0.06


def recorded(kind, shape=(5, 4), call=None, **arguments):
    """A model as a script records it, around one layer of keras2torch's own."""
    x = inputs.Input(shape)
    layer = REGISTRY[kind](**arguments)
    return models.Model(x, layer(x, **(call or {}))), layer


@pytest.mark.parametrize("implementation, kept", [(2, 0.5), (1, 0.125)])
def test_each_gate_has_a_mask_of_its_own_where_keras_has(implementation, kept):
    cell = REGISTRY["LSTMCell"](
        8, activation=None, recurrent_activation=None, dropout=0.5, implementation=implementation
    )
    model, _ = recorded("RNN", (1, 8), cell=cell)
    net = fresh(model).train()
    net.cell.kernel.data = torch.eye(8).tile(1, 4)
    # h = o * (f * 0 + i * g): of three equal masks, or of three that are drawn apart.
    share = (net(torch.ones(500, 1, 8)) != 0).float().mean().item()
    assert abs(share - kept) < 0.04


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_training_argument(kind):
    arguments = {"units": 3, "dropout": 0.5, "recurrent_dropout": 0.5}
    model, _ = recorded(kind, call={"training": False}, **arguments)
    assert "ropout" not in keras2torch.generate(model).model_source
    model, _ = recorded(kind, call={"training": True}, **arguments)
    source = keras2torch.generate(model).model_source
    assert "F.dropout(" in source and "nn.Dropout" not in source


@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_dropout_changes_train_mode_only(kind):
    model = functional(RECURRENT[kind](3, recurrent_dropout=0.5, return_sequences=True))
    net = oracle.build(keras2torch.generate(model))
    x = torch.randn(4, 5, 4)
    assert torch.equal(net(x), net(x))
    net.train()
    first, second = net(x), net(x)
    assert torch.equal(first[:, 0], net.eval()(x)[:, 0])  # the initial state is zero
    assert not torch.equal(first[:, 1:], second[:, 1:])


# Cells and activations of the program's own.
CELLS_OF_A_PROGRAM = '''
import keras
from keras import layers, ops


def squash(x):
    return x / (1 + ops.abs(x))


@keras.saving.register_keras_serializable("test")
class MinimalCell(keras.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), name="recurrent")

    def call(self, inputs, states):
        output = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        return output, [output]


@keras.saving.register_keras_serializable("test")
class MemoryCell(keras.layers.Layer):
    """Two states and an output of another size, with layers inside."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, 3]
        self.output_size = 5
        self.inner = layers.GRUCell(units)
        self.gate = layers.Dense(3, activation="tanh")
        self.out = layers.Dense(5)

    def get_config(self):
        return {**super().get_config(), "units": self.units}

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.gate.build((input_shape[0], self.units))
        self.out.build((input_shape[0], self.units + 3))

    def call(self, inputs, states):
        h, memory = states
        y, [h] = self.inner(inputs, [h])
        memory = ops.relu(memory) + self.gate(y)
        return self.out(ops.concatenate([y, memory], axis=-1)), [h, memory]


inputs = keras.Input((6, 4))
x = layers.RNN(MinimalCell(5), return_sequences=True)(inputs)
x = layers.RNN([MinimalCell(3), layers.LSTMCell(4)], return_sequences=True)(x)
x = layers.Bidirectional(layers.RNN(MemoryCell(4), return_sequences=True))(x)
x = layers.LSTM(3, activation=squash, return_sequences=True)(x)
y, h, memory = layers.RNN(MemoryCell(2), return_state=True)(x)
model = keras.Model(inputs, [y, h, memory])
'''


def test_cells_of_a_program(tmp_path):
    path = tmp_path / "cells.py"
    path.write_text(CELLS_OF_A_PROGRAM)
    code = compile(CELLS_OF_A_PROGRAM, str(path), "exec")
    ours, real = {"__name__": "cells"}, {"__name__": "cells"}
    with stand_ins():
        exec(code, ours)
    exec(code, real)
    oracle.randomise(real["model"])
    live.set_weights(ours["model"], real["model"].weights)
    result = keras2torch.generate(ours["model"])
    assert "class MinimalCell" in result.model_source and "class MemoryCell" in result.model_source
    net = oracle.build(result)
    for batch in (3, 1):
        arrays = oracle.inputs_for(real["model"], batch)
        expected = oracle.flatten(real["model"](arrays[0]))
        for actual, wanted in zip(oracle.run_torch(result, net, arrays), expected, strict=True):
            oracle.assert_close(actual, wanted, 1e-5, "output")


# Old spellings.
def test_keras_1_spellings():
    old, _ = recorded(
        "LSTM",
        output_dim=3,
        init="he_normal",
        inner_init="orthogonal",
        forget_bias_init="zero",
        inner_activation="hard_sigmoid",
        dropout_W=0.1,
        dropout_U=0.2,
        consume_less="gpu",
    )
    new, _ = recorded(
        "LSTM",
        units=3,
        kernel_initializer="he_normal",
        unit_forget_bias=False,
        recurrent_activation="hard_sigmoid",
        dropout=0.1,
        recurrent_dropout=0.2,
    )
    assert keras2torch.generate(old).model_source == keras2torch.generate(new).model_source


@pytest.mark.parametrize("kind", ["CuDNNLSTM", "CuDNNGRU"])
def test_cudnn_layers_are_the_plain_ones(kind):
    model, _ = recorded(kind, units=3)
    plain, _ = recorded(kind.removeprefix("CuDNN"), units=3)
    assert keras2torch.generate(model).model_source == keras2torch.generate(plain).model_source


def test_states_behind_the_input():
    sources = []
    for listed in (False, True):
        x, h, c = inputs.Input((5, 4)), inputs.Input((3,)), inputs.Input((3,))
        lstm = REGISTRY["LSTM"](3)
        y = lstm([x, h, c]) if listed else lstm(x, initial_state=[h, c])
        sources.append(keras2torch.generate(models.Model([x, h, c], y)).model_source)
    assert sources[0] == sources[1]


def test_first_layer_of_keras_1():
    model = sequential.Sequential()
    model.add(REGISTRY["TimeDistributedDense"](output_dim=3, input_dim=4, input_length=7))
    assert model.outputs[0].shape == (None, 7, 3)
    model = sequential.Sequential()
    model.add(REGISTRY["LSTM"](3, input_dim=4, input_length=7))
    assert model.inputs[0].shape == (None, 7, 4)
    model = sequential.Sequential()
    model.add(REGISTRY["Bidirectional"](REGISTRY["GRU"](3), input_shape=(7, 4)))
    assert model.outputs[0].shape == (None, 6)


# How training starts, and what it changes.
def fresh(model):
    result = keras2torch.generate(model)
    torch.manual_seed(0)
    return getattr(oracle.load_source(result.model_source), result.class_name)()


@pytest.mark.parametrize("arguments", [{}, {"activation": "relu"}], ids=["native", "written"])
def test_weights_start_as_in_keras(arguments):
    net = fresh(functional(layers.LSTM(16, **arguments), (5, 8)))
    tensors = {name.rpartition(".")[2]: tensor.detach() for name, tensor in net.named_parameters()}
    kernel = tensors.get("weight_ih_l0", tensors.get("kernel"))
    recurrent = (
        tensors["weight_hh_l0"].T if "weight_hh_l0" in tensors else tensors["recurrent_kernel"]
    )
    bias = tensors.get("bias_ih_l0", tensors.get("bias"))
    limit = (6 / (8 + 64)) ** 0.5
    assert 0.95 * limit < kernel.abs().max() <= limit
    assert torch.allclose(recurrent @ recurrent.T, torch.eye(16), atol=1e-5)
    assert bias.tolist() == [0.0] * 16 + [1.0] * 16 + [0.0] * 32
    if "bias_hh_l0" in tensors:
        assert not tensors["bias_hh_l0"].any()
        assert not dict(net.named_parameters())["lstm.bias_hh_l0"].requires_grad


def test_gru_trains_both_biases():
    net = fresh(functional(layers.GRU(4)))
    assert all(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("arguments", [{}, {"activation": "relu"}], ids=["native", "written"])
def test_frozen(arguments):
    model = functional(layers.LSTM(4, trainable=False, **arguments))
    assert not any(parameter.requires_grad for parameter in fresh(model).parameters())


# torch.export.
EXPORTED = {
    "native": (layers.LSTM(3), False),
    "written": (layers.GRU(3, reset_after=False, dropout=0.2, recurrent_dropout=0.2), False),
    "masked": (layers.GRU(3, return_sequences=True, return_state=True), True),
    "masked_loop": (layers.LSTM(3, return_state=True), True),
    "both": (layers.Bidirectional(layers.LSTM(3)), False),
}


@pytest.mark.parametrize("layer, mask", EXPORTED.values(), ids=EXPORTED)
@pytest.mark.parametrize("train", [False, True])
def test_export(layer, mask, train):
    model = functional(layer.from_config(layer.get_config()), mask=mask)
    result = keras2torch.generate(model)
    net = oracle.build(result).train(train)
    arrays = oracle.inputs_for(model, 2)
    tensors = [oracle.to_torch(a, p.permutation) for a, p in zip(arrays, result.inputs)]
    exported = torch.export.export(net, tuple(tensors)).module()
    if not train:
        for actual, expected in zip(exported(*tensors), net(*tensors)):
            assert torch.allclose(actual, expected, atol=1e-6)


# What is refused.
REFUSED = {
    "batch size": (
        "LSTM",
        {"units": 3, "stateful": True},
        "stateful=True needs a known batch size",
    ),
    "time_major": ("GRU", {"units": 3, "time_major": True}, "time_major=True was Keras 2's"),
    "no recurrent layer": (
        "Bidirectional",
        {"layer": REGISTRY["Dense"](3)},
        "wrap a recurrent layer",
    ),
    "one direction": (
        "Bidirectional",
        {"layer": REGISTRY["LSTM"](3), "backward_layer": REGISTRY["LSTM"](3)},
        "both layers run in the same direction",
    ),
    "no cell": ("RNN", {"cell": 3}, "is no layer with a state_size"),
    "all dropped": ("SimpleRNN", {"units": 3, "dropout": 1.0}, "use a rate below 1"),
}


@pytest.mark.parametrize("kind, arguments, message", REFUSED.values(), ids=REFUSED)
def test_refused(kind, arguments, message):
    with pytest.raises(K2TError, match=message):
        keras2torch.generate(recorded(kind, **arguments)[0])


def test_wrong_number_of_states():
    x, h = inputs.Input((5, 4)), inputs.Input((3,))
    with pytest.raises(K2TError, match="has 2 states, 1 given"):
        REGISTRY["LSTM"](3)(x, initial_state=[h])


PUBLIC = (
    "SimpleRNN LSTM GRU RNN SimpleRNNCell LSTMCell GRUCell StackedRNNCells Bidirectional "
    "TimeDistributed Wrapper ConvLSTM1D ConvLSTM2D ConvLSTM3D"
)


@pytest.mark.parametrize("name", PUBLIC.split())
def test_signatures(name):
    theirs = list(inspect.signature(getattr(layers, name).__init__).parameters.values())[1:]
    wanted = [(p.name, p.default) for p in theirs if p.kind is not p.VAR_KEYWORD]
    ours = [(name, item.default) for name, item in REGISTRY[name].fields.items()]
    assert [n for n, _ in ours] == [n for n, _ in wanted]
    for (argument, default), (_, expected) in zip(ours, wanted):
        if expected is not inspect.Parameter.empty:
            assert default == expected and type(default) is type(expected), argument
