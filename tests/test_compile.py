"""Generated modules go through torch.export and torch.compile(fullgraph=True), and give the same numbers.

torch.compile(fullgraph=True) takes nn.RNN, nn.LSTM and nn.GRU only where torch._dynamo.config.allow_rnn is set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from oracle import load_source, to_torch
from run_oracle import CASES, read_case
from test_cases import case_inputs

import keras2torch

QUICK = ("multi_task_faces",)
SLOW = (
    "convlstm_next_frame",
    "diffusion_unet_keras3",
    "mobilenet_inverted_residual",
    "shared_embedding_encoder_decoder",
    "siamese_lambda_keras2",
    "srcnn_any_size",
    "stacked_bidirectional_keras3",
    "transformer_text_keras3",
    "unet_keras2",
    "vision_transformer_keras3",
    "vae_sampling_layer_keras3",
    "wavenet_causal_dilated",
    "masked_lstm_text",
)
NAMES = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]


def module_and_inputs(name: str) -> tuple[torch.nn.Module, tuple[torch.Tensor, ...]]:
    case = read_case(CASES / f"{name}.py")
    result = keras2torch.generate(case.path, model=case.model)
    torch.manual_seed(0)
    net = getattr(load_source(result.model_source), result.class_name)().eval()
    arrays = case_inputs(case, result, 2)
    return net, tuple(to_torch(a, port.permutation) for a, port in zip(arrays, result.inputs))


def assert_same(actual: Any, expected: Any) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_exports(name: str) -> None:
    net, inputs = module_and_inputs(name)
    exported = torch.export.export(net, inputs).module()
    assert_same(seeded(exported, inputs), seeded(net, inputs))


@pytest.mark.parametrize("name", NAMES)
def test_compiles_as_one_graph(name: str) -> None:
    """Tracing is what can fail: the "eager" backend runs the traced graph as it is."""
    import torch._dynamo

    net, inputs = module_and_inputs(name)
    recurrent = any(isinstance(part, torch.nn.RNNBase) for part in net.modules())
    if recurrent:
        with pytest.raises(torch._dynamo.exc.Unsupported, match="allow_rnn"):
            compiled(net, allow_rnn=False)(*inputs)
    assert_same(seeded(compiled(net, allow_rnn=recurrent), inputs), seeded(net, inputs))


def compiled(net: torch.nn.Module, allow_rnn: bool) -> Callable[..., Any]:
    """One graph of ``net``, or an error when it is called."""
    torch._dynamo.reset()
    traced = torch.compile(net, fullgraph=True, backend="eager")

    def call(*inputs: torch.Tensor) -> Any:
        with torch._dynamo.config.patch(allow_rnn=allow_rnn):
            return traced(*inputs)

    return call


def seeded(function: Callable[..., Any], inputs: tuple[torch.Tensor, ...]) -> Any:
    """What it gives, with the same random numbers each time."""
    torch.manual_seed(1)
    return function(*inputs)
