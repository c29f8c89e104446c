"""Recurrent layers beside Keras: outputs, states, gradients, for many combinations of arguments."""

from __future__ import annotations

import itertools

from oracle import compare  # isort: split

import keras
import numpy as np
import pytest
from keras import layers

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


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("arguments", [{}, {"return_sequences": True}, {"activation": "relu"}])
def test_any_number_of_steps(kind, arguments):
    compare(functional(RECURRENT[kind](3, **arguments), (None, 4)))


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


@pytest.mark.parametrize("kind", RECURRENT)
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
@pytest.mark.parametrize("merge", ["sum", "mul", "ave", "concat", None])
@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("sequences, state", itertools.product([False, True], repeat=2))
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
@pytest.mark.parametrize("kind", RECURRENT)
def test_bidirectional_of_two_modules(kind, arguments):
    compare(functional(layers.Bidirectional(RECURRENT[kind](3, **arguments))))


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_bidirectional_masks(kind, sequences, merge):
    inner = RECURRENT[kind](3, return_sequences=sequences)
    model = functional(layers.Bidirectional(inner, merge_mode=merge), mask=True)
    compare(model, masked_inputs(model))


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("kind", RECURRENT)
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
