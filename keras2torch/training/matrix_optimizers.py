"""Optimizers that look at the axes of a weight: what they do must fit the weights' places in torch."""

from __future__ import annotations

import re
from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.module import Mapping
from keras2torch.penalties import torch_dims
from keras2torch.quoting import quote
from keras2torch.training.optimizers import OptimizerText


def fit_to_weights(
    text: OptimizerText, optimizer: Any, parameters: Table[str, Mapping]
) -> OptimizerText:
    """The text for these weights; UnsupportedError where one lies otherwise than in Keras."""
    text = _exclude_from_decay(text, optimizer, parameters)
    if text.template not in ("adafactor", "muon"):
        return text
    for key, mapping in parameters.items():
        shape = mapping.sources[0].shape
        if len(mapping.sources) > 1 or len(shape) != len(mapping.shape):
            raise _other(optimizer, key)
        if len(shape) > 2 and text.template == "adafactor":
            axes = (len(shape) - 2, len(shape) - 1)
            if torch_dims(mapping, axes) != (0, 1):
                raise _other(optimizer, key)
    if text.template == "adafactor":
        return text
    matrices = tuple(k for k, m in parameters.items() if _is_matrix(m.sources[0], optimizer))
    return replace(text, arguments={"matrices": quote(matrices), **text.arguments})


def _exclude_from_decay(
    text: OptimizerText, optimizer: Any, parameters: Table[str, Mapping]
) -> OptimizerText:
    """The weights in two groups where the program excludes some from the decay."""
    keys = [k for k, m in parameters.items() if not all(map(optimizer.decays, m.sources))]
    if not optimizer.weight_decay or not keys:
        return text
    if text.parameters != "model.parameters()":
        raise UnsupportedError(
            f"{type(optimizer).__name__} with weights excluded from the decay is not carried",
            fix="compile with AdamW",
        )
    return replace(text, parameters="parameter_groups(model)", undecayed=tuple(keys))


def group_lines(text: OptimizerText, optimizer: Any) -> list[str]:
    """The function that puts the weights into two groups."""
    own = "weight_decay" if "weight_decay" in text.arguments else "decay"
    decay = quote(optimizer.weight_decay)
    return [
        "def parameter_groups(model: nn.Module) -> list[dict[str, Any]]:",
        '    """The weights that decay, and those that the program excludes from it."""',
        f"    excluded = {quote(text.undecayed)}",
        "    named = list(model.named_parameters())",
        "    return [",
        f'        {{"params": [p for n, p in named if n not in excluded], "{own}": {decay}}},',
        f'        {{"params": [p for n, p in named if n in excluded], "{own}": 0.0}},',
        "    ]",
    ]


def _is_matrix(weight: Any, optimizer: Any) -> bool:
    """keras/src/optimizers/muon.py: ``_should_use_adamw``."""
    path = str(weight.path)
    if len(weight.shape) != 2 or optimizer.exclude_embeddings and "embedding" in path.lower():
        return False
    return not any(re.search(keyword, path) for keyword in optimizer.exclude_layers or [])


def _other(optimizer: Any, key: str) -> UnsupportedError:
    return UnsupportedError(
        f"{type(optimizer).__name__} looks at the axes of a weight, and {key} has others than in Keras",
        fix="compile with Adam or another optimizer that works number by number",
    )
