"""The constructors of torch that generated code calls: which arguments go by position, and the defaults.

Written down here because generating imports no torch; a test compares every line with torch's own
``inspect.signature``. Arguments equal to the default are left out of the generated text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import Any

from keras2torch.errors import K2TError


@dataclass(frozen=True)
class Signature:
    """``positional`` arguments have no default in what we write; ``defaults`` are torch's own."""

    positional: tuple[str, ...]
    defaults: dict[str, Any]

    def complete(self, args: dict[str, Any]) -> dict[str, Any]:
        """All arguments in torch's order, defaults filled in. Raises K2TError for an unknown name."""
        unknown = set(args) - set(self.positional) - set(self.defaults)
        if unknown:
            raise K2TError(f"no torch argument {sorted(unknown)[0]!r}")
        names = [*self.positional, *self.defaults]
        return {
            n: args[n] if n in args else self.defaults[n]
            for n in names
            if n in args or n in self.defaults
        }


_CONV = "in_channels, out_channels, kernel_size, *, stride=1, padding=0, dilation=1, groups=1, bias=True"
_CONV_TRANSPOSE = (
    "in_channels, out_channels, kernel_size, *, stride=1, padding=0, output_padding=0, groups=1, "
    "bias=True, dilation=1"
)
_BATCH_NORM = "num_features, *, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True"
_RECURRENT = "input_size, hidden_size, *, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False"

_TEXT = {
    "nn.Linear": "in_features, out_features, *, bias=True",
    "nn.Bilinear": "in1_features, in2_features, out_features, *, bias=True",
    **{f"nn.Conv{n}d": _CONV for n in (1, 2, 3)},
    **{f"nn.ConvTranspose{n}d": _CONV_TRANSPOSE for n in (1, 2, 3)},
    **{f"nn.BatchNorm{n}d": _BATCH_NORM for n in (1, 2, 3)},
    **{
        f"nn.InstanceNorm{n}d": "num_features, *, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False"
        for n in (1, 2, 3)
    },
    "nn.LayerNorm": "normalized_shape, *, eps=1e-5, elementwise_affine=True, bias=True",
    "nn.RMSNorm": "normalized_shape, *, eps=None, elementwise_affine=True",
    "nn.GroupNorm": "num_groups, num_channels, *, eps=1e-5, affine=True",
    "nn.Embedding": "num_embeddings, embedding_dim, *, padding_idx=None",
    "nn.Dropout": "p, *, inplace=False",
    **{f"nn.Dropout{n}d": "p, *, inplace=False" for n in (1, 2, 3)},
    "nn.AlphaDropout": "p, *, inplace=False",
    "nn.PReLU": "num_parameters, *, init=0.25",
    "nn.ReLU": "*, inplace=False",
    "nn.ReLU6": "*, inplace=False",
    "nn.ELU": "*, alpha=1.0, inplace=False",
    "nn.GELU": "*, approximate='none'",
    "nn.LeakyReLU": "*, negative_slope=0.01, inplace=False",
    "nn.Softmax": "*, dim=None",
    "nn.Sigmoid": "",
    "nn.Tanh": "",
    "nn.SiLU": "*, inplace=False",
    "nn.Identity": "",
    "nn.Flatten": "*, start_dim=1, end_dim=-1",
    "nn.Upsample": "*, size=None, scale_factor=None, mode='nearest', align_corners=None",
    **{
        f"nn.MaxPool{n}d": "kernel_size, *, stride=None, padding=0, dilation=1, ceil_mode=False"
        for n in (1, 2, 3)
    },
    "nn.AvgPool1d": "kernel_size, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True",
    **{
        f"nn.AvgPool{n}d": (
            "kernel_size, *, stride=None, padding=0, ceil_mode=False, count_include_pad=True, "
            "divisor_override=None"
        )
        for n in (2, 3)
    },
    **{f"nn.ZeroPad{n}d": "padding" for n in (1, 2, 3)},
    **{f"nn.ConstantPad{n}d": "padding, value" for n in (1, 2, 3)},
    **{f"nn.ReflectionPad{n}d": "padding" for n in (1, 2, 3)},
    "nn.LSTM": _RECURRENT,
    "nn.GRU": _RECURRENT,
    "nn.RNN": _RECURRENT.replace("num_layers=1, ", "num_layers=1, nonlinearity='tanh', "),
    "nn.MultiheadAttention": (
        "embed_dim, num_heads, *, dropout=0.0, bias=True, add_bias_kv=False, add_zero_attn=False, "
        "kdim=None, vdim=None, batch_first=False"
    ),
}


_POOLING = {"padding": 0, "ceil_mode": False}
FUNCTION_DEFAULTS: dict[str, dict[str, Any]] = {
    **{f"F.{kind}_pool{n}d": _POOLING for kind in ("max", "avg") for n in (1, 2, 3)},
}
"""Defaults of torch's functions, where a lowering passes arguments that may be equal to them."""


@cache
def signature_of(cls: str) -> Signature:
    """The signature of a torch class as written above; helper classes take anything."""
    text = _TEXT.get(cls)
    if text is None:
        if cls.startswith("nn."):
            raise K2TError(f"{cls} has no entry in torch_signatures")
        return _Open((), {})
    arguments = ast.parse(f"def f({text or ''}): pass").body[0].args  # type: ignore[attr-defined]
    defaults = {
        argument.arg: ast.literal_eval(default)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults)
    }
    return Signature(tuple(a.arg for a in arguments.args), defaults)


class _Open(Signature):
    """Of a helper class in the generated file: its arguments are written as given."""

    def complete(self, args: dict[str, Any]) -> dict[str, Any]:
        return dict(args)
