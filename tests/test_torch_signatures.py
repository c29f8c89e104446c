"""The defaults that generated code leaves out are torch's own."""

from __future__ import annotations

import inspect

import pytest
import torch
import torch.nn.functional as F

from keras2torch import torch_signatures
from keras2torch.errors import K2TError
from keras2torch.torch_signatures import FUNCTION_DEFAULTS, signature_of

CLASSES = sorted(torch_signatures._TEXT)


def parameters_of(cls):
    """The constructor's parameters; those of the recurrent layers stand in their documentation alone."""
    found = inspect.signature(cls.__init__).parameters
    if "args" not in found:
        return {n: p.default for n, p in found.items() if n != "self"}
    base = inspect.signature(torch.nn.RNNBase.__init__).parameters
    known = {n: p.default for n, p in base.items() if n not in ("self", "mode")}
    return {**known, "nonlinearity": "tanh"} if cls is torch.nn.RNN else known


@pytest.mark.parametrize("name", CLASSES)
def test_constructor(name):
    signature = signature_of(name)
    theirs = parameters_of(getattr(torch.nn, name.removeprefix("nn.")))
    assert list(theirs)[: len(signature.positional)] == list(signature.positional)
    for argument, default in signature.defaults.items():
        assert argument in theirs
        assert theirs[argument] == default and type(theirs[argument]) is type(default), argument


@pytest.mark.parametrize("name", sorted(FUNCTION_DEFAULTS))
def test_function_defaults(name):
    """Leaving the arguments out gives what passing the defaults gives."""
    rank = int(name[-2])
    function = getattr(F, name.removeprefix("F."))
    x = torch.randn(1, 2, *(5,) * rank)
    assert torch.equal(function(x, 3, 2), function(x, 3, 2, **FUNCTION_DEFAULTS[name]))
    for argument, default in FUNCTION_DEFAULTS[name].items():
        changed = {
            **FUNCTION_DEFAULTS[name],
            argument: 1 if default == 0 and default is not False else True,
        }
        other = function(torch.randn(1, 2, *(6,) * rank), 3, 2, **changed)
        assert other.shape[-1] == 3, argument  # 2 windows fit; one more with either


def test_unknown_names():
    with pytest.raises(K2TError, match="no torch argument 'colour'"):
        signature_of("nn.Linear").complete({"colour": 1})
    with pytest.raises(K2TError, match="no entry"):
        signature_of("nn.Fold")
